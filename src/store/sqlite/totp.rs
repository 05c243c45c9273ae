//! TOTP devices and the time steps whose codes were used.

use rusqlite::{Connection, Row, params};
use secrecy::ExposeSecret;

use super::{all, good_name, or_taken, seconds, time};
use crate::store::error::Fault;
use crate::store::model::MAX_DEVICES;
use crate::store::seal::Place;
use crate::store::{Algorithm, NewTotp, Random, StorageKey, StoreError, TotpDevice};

const COLUMNS: &str =
    "id, user, name, issuer, algorithm, digits, period, secret, created, last_used";

fn open_row(row: &Row<'_>, key: &StorageKey) -> Result<TotpDevice, Fault> {
    let (id, user): (i64, String) = (row.get(0)?, row.get(1)?);
    let sealed: Vec<u8> = row.get(7)?;
    let number = id.to_le_bytes();
    let secret = key.open(place(&[user.as_bytes(), &number]), &sealed)?;
    let algorithm: String = row.get(4)?;
    let algorithm = Algorithm::from_word(&algorithm)
        .ok_or_else(|| Fault::Sealed(format!("the algorithm {algorithm} of totp_devices")))?;
    Ok(TotpDevice {
        id,
        created: time(row.get(8)?),
        last_used: row.get::<_, Option<i64>>(9)?.map(time),
        device: NewTotp {
            user,
            name: row.get(2)?,
            issuer: row.get(3)?,
            algorithm,
            digits: row.get(5)?,
            period: row.get(6)?,
            secret: secret.to_vec().into(),
        },
    })
}

fn place<'a>(row: &'a [&'a [u8]]) -> Place<'a> {
    Place {
        table: "totp_devices",
        column: "secret",
        row,
    }
}

/// The devices of one user, or of all.
pub(super) fn list(
    connection: &Connection,
    key: &StorageKey,
    user: Option<&str>,
) -> Result<Vec<TotpDevice>, Fault> {
    let query =
        format!("SELECT {COLUMNS} FROM totp_devices WHERE ?1 IS NULL OR user = ?1 ORDER BY id");
    let mut statement = connection.prepare(&query)?;
    all(statement.query([user])?, |row| open_row(row, key))
}

pub(in crate::store) fn add(
    connection: &Connection,
    key: &StorageKey,
    new: &NewTotp,
    now: u64,
    random: &mut Random<'_>,
) -> Result<i64, Fault> {
    let query = "SELECT count(*) FROM totp_devices WHERE user = ?1";
    let count: i64 = connection.query_one(query, [&new.user], |row| row.get(0))?;
    if count >= MAX_DEVICES as i64 {
        return Err(StoreError::TooMany.into());
    }
    // The secret is bound to a number that only the row's being there gives.
    let insert = "INSERT INTO totp_devices (user, name, issuer, algorithm, digits, period, secret, created) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, x'', ?7)";
    let values = params![
        new.user,
        good_name(&new.name)?,
        new.issuer,
        new.algorithm.word(),
        new.digits,
        new.period,
        seconds(now)
    ];
    connection
        .execute(insert, values)
        .map_err(or_taken(StoreError::NameTaken))?;
    let id = connection.last_insert_rowid();
    let number = id.to_le_bytes();
    let row: [&[u8]; 2] = [new.user.as_bytes(), &number];
    let sealed = key.seal(place(&row), new.secret.expose_secret(), random);
    let update = "UPDATE totp_devices SET secret = ?2 WHERE id = ?1";
    connection.execute(update, params![id, sealed])?;
    Ok(id)
}

pub(super) fn spend(
    connection: &Connection,
    user: &str,
    id: i64,
    step: u64,
    until: u64,
    now: u64,
) -> Result<bool, Fault> {
    let forget = "DELETE FROM totp_steps WHERE until < ?1";
    connection.execute(forget, [seconds(now)])?;
    // A device that is gone, or somebody else's, has no row to take the step from.
    let insert = "INSERT INTO totp_steps (device, step, until) \
        SELECT id, ?3, ?4 FROM totp_devices WHERE id = ?2 AND user = ?1 \
        ON CONFLICT DO NOTHING";
    let values = params![user, id, seconds(step), seconds(until)];
    let spent = connection.execute(insert, values)? == 1;
    Ok(spent && note(connection, user, id, now)?)
}

pub(in crate::store) fn note(
    connection: &Connection,
    user: &str,
    id: i64,
    now: u64,
) -> Result<bool, Fault> {
    let update = "UPDATE totp_devices SET last_used = max(coalesce(last_used, 0), ?3) \
        WHERE id = ?2 AND user = ?1";
    Ok(connection.execute(update, params![user, id, seconds(now)])? == 1)
}
