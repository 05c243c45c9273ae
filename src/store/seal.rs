//! How what must not be read or changed is sealed: XChaCha20-Poly1305 with a random nonce, under a
//! key made from `storage.encryption_key`, bound to the place where it lies.

use std::fmt;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::Random;
use super::error::Fault;

/// First byte of a sealed value.
const FORM: u8 = 1;
const NONCE: usize = 24;

/// The keys of a store, all made from `storage.encryption_key`, each for one purpose.
#[derive(Clone)]
pub struct StorageKey {
    seal: XChaCha20Poly1305,
    codes: Hmac<Sha256>,
    marks: Hmac<Sha256>,
    nonces: Hmac<Sha256>,
}

/// Where a sealed value lies: table, column and what tells its row from every other.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) table: &'a str,
    pub(super) column: &'a str,
    pub(super) row: &'a [&'a [u8]],
}

impl StorageKey {
    /// Makes the keys from `storage.encryption_key`, of any length.
    pub fn derive(encryption_key: &[u8]) -> StorageKey {
        let root = Hkdf::<Sha256>::new(None, encryption_key);
        let key = |purpose: &[u8]| {
            let mut key = Zeroizing::new([0; 32]);
            root.expand(purpose, &mut *key)
                .expect("HKDF gives 32 bytes");
            key
        };
        let hmac = |purpose: &[u8]| {
            Hmac::new_from_slice(&*key(purpose)).expect("HMAC takes keys of every length")
        };
        StorageKey {
            seal: XChaCha20Poly1305::new((&*key(b"auth-gate store seal 1")).into()),
            codes: hmac(b"auth-gate store codes 1"),
            marks: hmac(b"auth-gate store marks 1"),
            nonces: hmac(b"auth-gate store nonces 1"),
        }
    }

    pub(super) fn seal(&self, place: Place<'_>, secret: &[u8], random: &mut Random<'_>) -> Vec<u8> {
        let mut nonce = [0; NONCE];
        random(&mut nonce);
        self.seal_under(nonce, place, secret)
    }

    /// The same without a source of randomness: the nonce is a MAC of all that is sealed and where, so
    /// that only the same value in the same place is ever sealed under the same one.
    pub(super) fn seal_same(&self, place: Place<'_>, secret: &[u8]) -> Vec<u8> {
        let nonce = mac(&self.nonces, &[&place.bytes(), secret]);
        let nonce = nonce.first_chunk().expect("a MAC is longer than a nonce");
        self.seal_under(*nonce, place, secret)
    }

    fn seal_under(&self, nonce: [u8; NONCE], place: Place<'_>, secret: &[u8]) -> Vec<u8> {
        let payload = Payload {
            msg: secret,
            aad: &place.bytes(),
        };
        let sealed = self.seal.encrypt(&XNonce::from(nonce), payload);
        // Only a length beyond 256 GiB is an error.
        let sealed = sealed.expect("secrets are short");
        let mut bytes = Vec::with_capacity(1 + NONCE + sealed.len());
        bytes.push(FORM);
        bytes.extend(nonce);
        bytes.extend(sealed);
        bytes
    }

    pub(super) fn open(&self, place: Place<'_>, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let parts = bytes
            .strip_prefix(&[FORM])
            .and_then(<[u8]>::split_first_chunk::<NONCE>);
        let opened = parts.and_then(|(nonce, msg)| {
            let aad = &place.bytes();
            let payload = Payload { msg, aad };
            self.seal.decrypt(&XNonce::from(*nonce), payload).ok()
        });
        opened
            .map(Zeroizing::new)
            .ok_or_else(|| Fault::Sealed(format!("a {} of {}", place.column, place.table)))
    }

    /// What the store knows of a one-time code: even a short one cannot be guessed without the key.
    pub(super) fn code(&self, purpose: &str, code: &[u8]) -> [u8; 32] {
        mac(&self.codes, &[purpose.as_bytes(), code])
    }

    /// What the store remembers of something that was imported.
    pub(super) fn mark(&self, parts: &[&[u8]]) -> [u8; 32] {
        mac(&self.marks, parts)
    }
}

impl fmt::Debug for StorageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StorageKey(…)")
    }
}

impl Place<'_> {
    /// The place as associated data; lengths keep parts from running into one another.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"auth-gate".to_vec();
        let names = [self.table.as_bytes(), self.column.as_bytes()];
        for part in names.iter().chain(self.row) {
            bytes.extend((part.len() as u64).to_le_bytes());
            bytes.extend(*part);
        }
        bytes
    }
}

fn mac(key: &Hmac<Sha256>, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = key.clone();
    for part in parts {
        mac.update(&(part.len() as u64).to_le_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place<'a>(row: &'a [&'a [u8]]) -> Place<'a> {
        Place {
            table: "totp_devices",
            column: "secret",
            row,
        }
    }

    fn sealed() -> Vec<u8> {
        let key = StorageKey::derive(b"a key of some length");
        key.seal(place(&[b"alice", b"1"]), b"secret", &mut |bytes| {
            bytes.fill(7);
        })
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_only() {
        let key = StorageKey::derive(b"a key of some length");
        let open = |key: &StorageKey, place| key.open(place, &sealed()).ok();
        let row: &[&[u8]] = &[b"alice", b"1"];
        assert_eq!(open(&key, place(row)).unwrap().as_slice(), b"secret");
        let elsewhere: [&[&[u8]]; 4] = [&[b"bob", b"1"], &[b"alice", b"2"], &[b"alice1"], &[]];
        for row in elsewhere {
            assert!(open(&key, place(row)).is_none());
        }
        let mut column = place(row);
        column.column = "name";
        assert!(open(&key, column).is_none());
        assert!(open(&StorageKey::derive(b"another key"), place(row)).is_none());
    }

    #[test]
    fn what_is_sealed_without_randomness_differs_with_content_and_place() {
        let key = StorageKey::derive(b"a key of some length");
        let row: &[&[u8]] = &[b"alice"];
        let sealed = key.seal_same(place(row), b"secret");
        assert_eq!(key.open(place(row), &sealed).unwrap().as_slice(), b"secret");
        assert_eq!(key.seal_same(place(row), b"secret"), sealed);
        let others = [
            key.seal_same(place(row), b"secreT"),
            key.seal_same(place(&[b"bob"]), b"secret"),
        ];
        for other in others {
            assert_ne!(other[1..=NONCE], sealed[1..=NONCE]);
        }
    }

    #[test]
    fn every_changed_byte_is_found() {
        let key = StorageKey::derive(b"a key of some length");
        let good = sealed();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(key.open(place(&[b"alice", b"1"]), &bad).is_err(), "{at}");
            let cut = key.open(place(&[b"alice", b"1"]), &good[..at]);
            assert!(cut.is_err(), "{at}");
        }
    }

    #[test]
    fn what_was_sealed_once_opens_for_ever() {
        // A changed value here locks everybody out at the upgrade.
        let hex: String = sealed().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "010707070707070707070707070707070707070707070707079fb722fe61dafdcade3444c444d6ee45873e25fe3f9d"
        );
        let code = StorageKey::derive(b"a key of some length").code("elevation", b"ABCD");
        assert_eq!(code[..4], [123, 148, 165, 120]);
    }

    #[test]
    fn keys_are_not_printed() {
        assert_eq!(format!("{:?}", StorageKey::derive(b"key")), "StorageKey(…)");
    }
}
