//! A database of the schema between the two that were recorded.

use std::path::{Path, PathBuf};

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use hkdf::Hkdf;
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use super::fixture::recorded;
use super::imports::AUTHELIAS_KEY;

/// The recorded database of schema 24, sealed anew as 25 has it.
pub fn schema_25(folder: &Path) -> PathBuf {
    let path = recorded(folder, 24);
    let old = Aes256Gcm::new(&Sha256::digest(AUTHELIAS_KEY));
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(None, AUTHELIAS_KEY.as_bytes())
        .expand(b"authelia:kdf:storage:encryption_key:v1", &mut key)
        .unwrap();
    let new = Aes256Gcm::new(&key.into());
    let database = Connection::open(&path).unwrap();
    let sealed = [
        ("encryption", "value", "authelia:storage:encryption:value"),
        (
            "totp_configurations",
            "secret",
            "authelia:storage:totp_configurations:secret",
        ),
        (
            "webauthn_credentials",
            "public_key",
            "authelia:storage:webauthn_credentials:auth.example.com:public_key",
        ),
        (
            "webauthn_credentials",
            "attestation",
            "authelia:storage:webauthn_credentials:auth.example.com:attestation",
        ),
    ];
    for (table, column, place) in sealed {
        let query = format!("SELECT id, {column} FROM {table}");
        let mut statement = database.prepare(&query).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        let rows: Vec<(i64, Vec<u8>)> = rows.unwrap().map(Result::unwrap).collect();
        for (id, value) in rows {
            let (nonce, message) = value.split_first_chunk::<12>().unwrap();
            let nonce = Nonce::from(*nonce);
            let secret = old.decrypt(&nonce, message).unwrap();
            let payload = Payload {
                msg: &secret,
                aad: place.as_bytes(),
            };
            let value = [&nonce[..], &new.encrypt(&nonce, payload).unwrap()].concat();
            let update = format!("UPDATE {table} SET {column} = ?2 WHERE id = ?1");
            database.execute(&update, params![id, value]).unwrap();
        }
    }
    let insert = "INSERT INTO migrations (version_before, version_after, application_version) \
        VALUES (24, 25, '')";
    database.execute(insert, []).unwrap();
    path
}
