//! The rows of Authelia's tables, opened and checked.

use base64::{Engine, engine::general_purpose::STANDARD};
use data_encoding::BASE32_NOPAD;
use rusqlite::{Connection, OptionalExtension, Row};
use zeroize::Zeroizing;

use super::unseal::Unseal;
use super::{Dated, Found, Handle};
use crate::store::error::Fault;
use crate::store::{Algorithm, MAX_NAME, NewCredential, NewTotp, SecondFactor};

pub(super) struct Reader<'c> {
    connection: &'c Connection,
    unseal: Unseal,
    /// Sealed values that opened.
    opened: usize,
    found: Found,
}

impl<'c> Reader<'c> {
    pub(super) fn new(connection: &'c Connection, encryption_key: &[u8], schema: i64) -> Self {
        Reader {
            connection,
            unseal: Unseal::new(encryption_key, schema),
            opened: 0,
            found: Found {
                schema,
                left_out: Vec::new(),
                totp: Vec::new(),
                webauthn: Vec::new(),
                handles: Vec::new(),
                preferences: Vec::new(),
            },
        }
    }

    /// Everything, unless the key is wrong.
    pub(super) fn read(mut self) -> Result<Option<Found>, Fault> {
        let checked = self.check()?;
        self.totp()?;
        self.credentials()?;
        if !checked && self.opened == 0 {
            return Ok(None);
        }
        self.handles()?;
        self.preferences()?;
        Ok(Some(self.found))
    }

    fn check(&self) -> Result<bool, Fault> {
        let query = "SELECT value FROM encryption WHERE name = 'check'";
        let value = self
            .connection
            .query_one(query, [], |row| row.get::<_, Vec<u8>>(0));
        let value = value.optional()?;
        Ok(value.is_some_and(|value| {
            let opened = self.unseal.open("encryption", "value", "check", &value);
            opened.is_some()
        }))
    }

    fn each(
        &mut self,
        query: &str,
        mut take: impl FnMut(&mut Self, &Row<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut statement = self.connection.prepare(query)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            take(self, row)?;
        }
        Ok(())
    }

    fn leave_out(&mut self, what: &str, user: &str, why: &str) {
        self.found
            .left_out
            .push(format!("the {what} of {user} is left out: {why}"));
    }

    fn totp(&mut self) -> Result<(), Fault> {
        let query = "SELECT username, issuer, algorithm, digits, period, secret, \
            unixepoch(created_at) AS created, unixepoch(last_used_at) AS used \
            FROM totp_configurations ORDER BY id";
        self.each(query, |reader, row| {
            let user: String = row.get("username")?;
            match reader.totp_device(&user, row)? {
                Ok(what) => reader.found.totp.push(dated(what, row)?),
                Err(why) => reader.leave_out("TOTP device", &user, why),
            }
            Ok(())
        })
    }

    fn totp_device(
        &mut self,
        user: &str,
        row: &Row<'_>,
    ) -> Result<Result<NewTotp, &'static str>, Fault> {
        let sealed: Vec<u8> = row.get("secret")?;
        let table = "totp_configurations";
        let Some(text) = self.unseal.open(table, "secret", user, &sealed) else {
            return Ok(Err("its secret does not open with the encryption key"));
        };
        self.opened += 1;
        let Some(secret) = base32(&text) else {
            return Ok(Err("its secret is not base32"));
        };
        let Some(algorithm) = Algorithm::from_word(&row.get::<_, String>("algorithm")?) else {
            return Ok(Err("its algorithm is unknown"));
        };
        let (digits, period): (i64, i64) = (row.get("digits")?, row.get("period")?);
        let (Ok(digits @ 6..=8), Ok(period @ 1..=3600)) =
            (u8::try_from(digits), u32::try_from(period))
        else {
            return Ok(Err("its digits or its period are out of range"));
        };
        Ok(Ok(NewTotp {
            user: user.into(),
            name: "Authenticator app".into(),
            issuer: row.get::<_, Option<String>>("issuer")?.unwrap_or_default(),
            algorithm,
            digits,
            period,
            secret: secret.to_vec().into(),
        }))
    }

    fn credentials(&mut self) -> Result<(), Fault> {
        let query = "SELECT *, unixepoch(created_at) AS created, unixepoch(last_used_at) AS used \
            FROM webauthn_credentials ORDER BY id";
        self.each(query, |reader, row| {
            let user: String = row.get("username")?;
            match reader.credential(&user, row)? {
                Ok(what) => reader.found.webauthn.push(dated(what, row)?),
                Err(why) => reader.leave_out("security key", &user, why),
            }
            Ok(())
        })
    }

    fn credential(
        &mut self,
        user: &str,
        row: &Row<'_>,
    ) -> Result<Result<NewCredential, &'static str>, Fault> {
        const SEALED: &str = "it does not open with the encryption key";
        let (kid, rp_id): (String, String) = (row.get("kid")?, row.get("rpid")?);
        let open = |column: &str, sealed: Vec<u8>| {
            let opened = self.unseal.open_credential(column, &kid, &rp_id, &sealed);
            opened.map(|opened| opened.to_vec())
        };
        let Some(public_key) = open("public_key", row.get("public_key")?) else {
            return Ok(Err(SEALED));
        };
        let attestation = row.get::<_, Option<Vec<u8>>>("attestation")?;
        let attestation = match attestation.map(|sealed| open("attestation", sealed)) {
            Some(None) => return Ok(Err(SEALED)),
            attestation => attestation.flatten(),
        };
        self.opened += 1;
        let Ok(credential_id) = STANDARD.decode(&kid) else {
            return Ok(Err("its id is not base64"));
        };
        let text =
            |column| Ok::<_, Fault>(row.get::<_, Option<String>>(column)?.unwrap_or_default());
        let count = row.get::<_, Option<i64>>("sign_count")?.unwrap_or(0);
        Ok(Ok(NewCredential {
            user: user.into(),
            name: shown(&text("description")?),
            rp_id,
            credential_id,
            public_key,
            aaguid: row.get("aaguid")?,
            attestation_format: text("attestation_format")?,
            attestation_type: text("attestation_type")?,
            attestation,
            attachment: text("attachment")?,
            transports: text("transport")?,
            sign_count: u32::try_from(count).unwrap_or(0),
            clone_warning: row.get("clone_warning")?,
            legacy: row.get("legacy")?,
            discoverable: row.get("discoverable")?,
            present: row.get("present")?,
            verified: row.get("verified")?,
            backup_eligible: row.get("backup_eligible")?,
            backup_state: row.get("backup_state")?,
        }))
    }

    fn handles(&mut self) -> Result<(), Fault> {
        let query = "SELECT rpid, username, userid FROM webauthn_users ORDER BY id";
        self.each(query, |reader, row| {
            let handle: String = row.get("userid")?;
            reader.found.handles.push(Handle {
                rp_id: row.get("rpid")?,
                user: row.get("username")?,
                handle: handle.into_bytes(),
            });
            Ok(())
        })
    }

    fn preferences(&mut self) -> Result<(), Fault> {
        let query = "SELECT username, second_factor_method FROM user_preferences ORDER BY id";
        self.each(query, |reader, row| {
            let (user, word): (String, String) = (row.get(0)?, row.get(1)?);
            match SecondFactor::from_word(&word) {
                Some(method) => reader.found.preferences.push((user, method)),
                None if word.is_empty() => {}
                None => {
                    let why = format!("there is no method `{word}` here");
                    reader.leave_out("preferred method", &user, &why);
                }
            }
            Ok(())
        })
    }
}

fn dated<T>(what: T, row: &Row<'_>) -> Result<Dated<T>, Fault> {
    let time = |column| {
        let seconds: Option<i64> = row.get(column)?;
        Ok::<_, Fault>(seconds.and_then(|seconds| u64::try_from(seconds).ok()))
    };
    Ok(Dated {
        what,
        created: time("created")?,
        last_used: time("used")?,
    })
}

/// The bytes of a secret as Authelia keeps it: base32, in whatever case, padded or not.
fn base32(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text = Zeroizing::new(text.trim_ascii().to_ascii_uppercase());
    let end = text
        .iter()
        .rposition(|byte| *byte != b'=')
        .map_or(0, |at| at + 1);
    let secret = BASE32_NOPAD.decode(&text[..end]).ok().map(Zeroizing::new);
    secret.filter(|secret| !secret.is_empty())
}

/// A name that our store takes.
fn shown(name: &str) -> String {
    let name: String = name
        .chars()
        .filter(|character| !character.is_control())
        .take(MAX_NAME)
        .collect();
    match name.trim() {
        "" => "Security key".into(),
        _ => name,
    }
}
