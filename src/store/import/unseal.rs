//! How Authelia seals: AES-256-GCM, nonce first, tag last.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const INFO: &[u8] = b"authelia:kdf:storage:encryption_key:v1";
const NONCE: usize = 12;

/// What opens the values of one file.
pub(super) struct Unseal {
    cipher: Aes256Gcm,
    schema: i64,
}

impl Unseal {
    pub(super) fn new(encryption_key: &[u8], schema: i64) -> Unseal {
        let mut key = Zeroizing::new([0; 32]);
        if schema < 25 {
            key.copy_from_slice(&Sha256::digest(encryption_key));
        } else {
            let derived = Hkdf::<Sha256>::new(None, encryption_key).expand(INFO, &mut *key);
            derived.expect("HKDF gives 32 bytes");
        }
        Unseal {
            cipher: Aes256Gcm::new((&*key).into()),
            schema,
        }
    }

    /// Opens a value of the row that `row` names.
    pub(super) fn open(
        &self,
        table: &str,
        column: &str,
        row: &str,
        value: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        self.decrypt(
            &match self.schema {
                ..25 => String::new(),
                25 => format!("authelia:storage:{table}:{column}"),
                _ => format!("authelia:storage:{table}:{column}:{row}"),
            },
            value,
        )
    }

    /// Opens a value of a WebAuthn credential; `kid` as it stands in the file.
    pub(super) fn open_credential(
        &self,
        column: &str,
        kid: &str,
        rp_id: &str,
        value: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let table = "webauthn_credentials";
        self.decrypt(
            &match self.schema {
                ..25 => String::new(),
                25 => format!("authelia:storage:{table}:{rp_id}:{column}"),
                _ => format!("authelia:storage:{table}:{column}:{kid}:{rp_id}"),
            },
            value,
        )
    }

    fn decrypt(&self, place: &str, value: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, msg) = value.split_first_chunk::<NONCE>()?;
        let aad = place.as_bytes();
        let opened = self
            .cipher
            .decrypt(&Nonce::from(*nonce), Payload { msg, aad });
        opened.ok().map(Zeroizing::new)
    }
}
