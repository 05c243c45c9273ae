//! WebAuthn credentials and the handles of their users.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{all, good_name, or_taken, seconds, time};
use crate::store::error::Fault;
use crate::store::model::MAX_DEVICES;
use crate::store::seal::Place;
use crate::store::{Assertion, Credential, NewCredential, Random, StorageKey, StoreError};

const COLUMNS: &str = "id, user, name, rp_id, credential_id, public_key, aaguid, \
    attestation_format, attestation_type, attestation, attachment, transports, sign_count, \
    clone_warning, legacy, discoverable, present, verified, backup_eligible, backup_state, \
    created, last_used";

fn place<'a>(column: &'a str, row: &'a [&'a [u8]]) -> Place<'a> {
    Place {
        table: "webauthn_credentials",
        column,
        row,
    }
}

fn open_row(row: &Row<'_>, key: &StorageKey) -> Result<Credential, Fault> {
    let (user, rp_id): (String, String) = (row.get("user")?, row.get("rp_id")?);
    let credential_id: Vec<u8> = row.get("credential_id")?;
    let open = |column, sealed: &[u8]| {
        let row: [&[u8]; 3] = [rp_id.as_bytes(), user.as_bytes(), &credential_id];
        key.open(place(column, &row), sealed)
    };
    let public_key = open("public_key", &row.get::<_, Vec<u8>>("public_key")?)?.to_vec();
    let attestation = match row.get::<_, Option<Vec<u8>>>("attestation")? {
        Some(sealed) => Some(open("attestation", &sealed)?.to_vec()),
        None => None,
    };
    Ok(Credential {
        id: row.get("id")?,
        created: time(row.get("created")?),
        last_used: row.get::<_, Option<i64>>("last_used")?.map(time),
        credential: NewCredential {
            name: row.get("name")?,
            public_key,
            aaguid: row.get("aaguid")?,
            attestation_format: row.get("attestation_format")?,
            attestation_type: row.get("attestation_type")?,
            attestation,
            attachment: row.get("attachment")?,
            transports: row.get("transports")?,
            sign_count: row.get("sign_count")?,
            clone_warning: row.get("clone_warning")?,
            legacy: row.get("legacy")?,
            discoverable: row.get("discoverable")?,
            present: row.get("present")?,
            verified: row.get("verified")?,
            backup_eligible: row.get("backup_eligible")?,
            backup_state: row.get("backup_state")?,
            user,
            rp_id,
            credential_id,
        },
    })
}

/// The credentials of one user, or of all.
pub(super) fn list(
    connection: &Connection,
    key: &StorageKey,
    user: Option<&str>,
) -> Result<Vec<Credential>, Fault> {
    let query = format!(
        "SELECT {COLUMNS} FROM webauthn_credentials WHERE ?1 IS NULL OR user = ?1 ORDER BY id"
    );
    let mut statement = connection.prepare(&query)?;
    all(statement.query([user])?, |row| open_row(row, key))
}

pub(super) fn find(
    connection: &Connection,
    key: &StorageKey,
    rp_id: &str,
    credential_id: &[u8],
) -> Result<Option<Credential>, Fault> {
    let query = format!(
        "SELECT {COLUMNS} FROM webauthn_credentials WHERE rp_id = ?1 AND credential_id = ?2"
    );
    let mut statement = connection.prepare(&query)?;
    let mut rows = statement.query(params![rp_id, credential_id])?;
    rows.next()?.map(|row| open_row(row, key)).transpose()
}

pub(in crate::store) fn add(
    connection: &Connection,
    key: &StorageKey,
    new: &NewCredential,
    now: u64,
    random: &mut Random<'_>,
) -> Result<i64, Fault> {
    let count = |condition: &str, values: &[&dyn rusqlite::ToSql]| {
        let query = format!("SELECT count(*) FROM webauthn_credentials WHERE {condition}");
        connection.query_one(&query, values, |row| row.get::<_, i64>(0))
    };
    if count(
        "rp_id = ?1 AND credential_id = ?2",
        &[&new.rp_id, &new.credential_id],
    )? > 0
    {
        return Err(StoreError::CredentialTaken.into());
    }
    if count("user = ?1", &[&new.user])? >= MAX_DEVICES as i64 {
        return Err(StoreError::TooMany.into());
    }
    let row: [&[u8]; 3] = [
        new.rp_id.as_bytes(),
        new.user.as_bytes(),
        &new.credential_id,
    ];
    let public_key = key.seal(place("public_key", &row), &new.public_key, random);
    let attestation = new
        .attestation
        .as_ref()
        .map(|attestation| key.seal(place("attestation", &row), attestation, random));
    let insert = format!(
        "INSERT INTO webauthn_credentials ({COLUMNS}) VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, \
        ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, NULL)"
    );
    let values = params![
        new.user,
        good_name(&new.name)?,
        new.rp_id,
        new.credential_id,
        public_key,
        new.aaguid,
        new.attestation_format,
        new.attestation_type,
        attestation,
        new.attachment,
        new.transports,
        new.sign_count,
        new.clone_warning,
        new.legacy,
        new.discoverable,
        new.present,
        new.verified,
        new.backup_eligible,
        new.backup_state,
        seconds(now)
    ];
    connection
        .execute(&insert, values)
        .map_err(or_taken(StoreError::NameTaken))?;
    Ok(connection.last_insert_rowid())
}

pub(super) fn note(connection: &Connection, used: &Assertion, now: u64) -> Result<bool, Fault> {
    let update = "UPDATE webauthn_credentials SET sign_count = ?3, \
        clone_warning = max(clone_warning, ?4), present = ?5, verified = ?6, backup_state = ?7, \
        last_used = max(coalesce(last_used, 0), ?8), discoverable = max(discoverable, ?9) WHERE id = ?1 AND sign_count = ?2";
    let values = params![
        used.id,
        used.found,
        used.sign_count,
        used.clone_warning,
        used.present,
        used.verified,
        used.backup_state,
        seconds(now),
        used.discoverable
    ];
    Ok(connection.execute(update, values)? == 1)
}

/// The handle that is kept, if there is one.
pub(in crate::store) fn handle(
    connection: &Connection,
    rp_id: &str,
    user: &str,
) -> Result<Option<Vec<u8>>, Fault> {
    let query = "SELECT handle FROM webauthn_users WHERE rp_id = ?1 AND user = ?2";
    let found = connection.query_one(query, [rp_id, user], |row| row.get(0));
    Ok(found.optional()?)
}

/// Keeps a handle, unless the user has one or it is somebody else's.
pub(in crate::store) fn keep_handle(
    connection: &Connection,
    rp_id: &str,
    user: &str,
    handle: &[u8],
) -> Result<bool, Fault> {
    let insert = "INSERT INTO webauthn_users (rp_id, user, handle) VALUES (?1, ?2, ?3) \
        ON CONFLICT DO NOTHING";
    Ok(connection.execute(insert, params![rp_id, user, handle])? == 1)
}

pub(super) fn user_of(
    connection: &Connection,
    rp_id: &str,
    handle: &[u8],
) -> Result<Option<String>, Fault> {
    let query = "SELECT user FROM webauthn_users WHERE rp_id = ?1 AND handle = ?2";
    let found = connection.query_one(query, params![rp_id, handle], |row| row.get(0));
    Ok(found.optional()?)
}
