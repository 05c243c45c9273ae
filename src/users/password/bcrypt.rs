//! `$2b$12$SALTDIGEST` and passlib's `$bcrypt-sha256$v=2,t=2b,r=12$SALT$DIGEST`.
//!
//! As in Authelia, `2a`, `2b`, `2x`, `2y` and a bare `2` are one algorithm, and a password is cut
//! after 72 bytes when it is verified; a longer one is never hashed anew.

use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use zeroize::Zeroizing;

use super::encoding::{BCRYPT, Reader};
use super::{HashError, Scheme, Workspace, same};

const READER: Reader = Reader("bcrypt");

/// Bytes of a password that the algorithm sees.
pub(super) const MAX_PASSWORD: usize = 72;
/// Bytes of every salt.
pub(super) const SALT: usize = 16;
/// Bytes of the digest that is kept; the algorithm makes one more.
const DIGEST: usize = 23;
/// Characters of the salt where it stands together with the digest.
const SALT_CHARACTERS: usize = 22;

pub(super) struct Bcrypt {
    sha256: bool,
    cost: u32,
    salt: [u8; SALT],
    digest: [u8; DIGEST],
}

impl Bcrypt {
    pub(super) fn parse(fields: &[&str]) -> Result<Self, HashError> {
        let [cost, secret] = fields else {
            return Err(READER.error("it is not `$COST$SALTDIGEST` after its name"));
        };
        let (salt, digest) = secret
            .split_at_checked(SALT_CHARACTERS)
            .ok_or_else(|| READER.error("it was cut: 53 characters stand after the cost"))?;
        Self::new(false, cost, salt, digest)
    }

    pub(super) fn parse_sha256(fields: &[&str]) -> Result<Self, HashError> {
        let [parameters, salt, digest] = fields else {
            return Err(READER.error("it is not `$v=2,t=2b,r=…$SALT$DIGEST` after its name"));
        };
        let [version, kind, cost] = READER.options(parameters, ["v", "t", "r"])?;
        if version != "2" || kind != "2b" {
            return Err(READER.error("only `v=2,t=2b` is read"));
        }
        Self::new(true, cost, salt, digest)
    }

    fn new(sha256: bool, cost: &str, salt: &str, digest: &str) -> Result<Self, HashError> {
        let cost = READER.number("cost", cost, 4..=31)?;
        let salt = READER.bytes("salt", salt, &BCRYPT, SALT..=SALT)?;
        let digest = READER.bytes("digest", digest, &BCRYPT, DIGEST..=DIGEST)?;
        match (salt.try_into(), digest.try_into()) {
            (Ok(salt), Ok(digest)) => Ok(Bcrypt {
                sha256,
                cost,
                salt,
                digest,
            }),
            _ => Err(READER.error("salt and digest have not their length")),
        }
    }
}

impl Scheme for Bcrypt {
    fn kind(&self) -> &'static str {
        "bcrypt"
    }

    fn matches(&self, password: &[u8], _: &mut Workspace) -> bool {
        let digest = if self.sha256 {
            derive(self.cost, self.salt, &folded(password, &self.salt))
        } else {
            derive(self.cost, self.salt, password)
        };
        same(&*digest, &self.digest)
    }

    fn weight(&self) -> (u64, u64) {
        weight(self.cost)
    }
}

/// Bytes and microseconds that one hash takes.
pub(super) fn weight(cost: u32) -> (u64, u64) {
    (8192, 48 << cost)
}

/// Hashes as `$2b$`.
pub(super) fn hash(cost: u32, password: &[u8], salt: [u8; SALT]) -> Result<String, HashError> {
    if password.len() > MAX_PASSWORD {
        return Err(HashError::PasswordTooLong {
            len: password.len(),
            max: MAX_PASSWORD,
        });
    }
    let digest = derive(cost, salt, password);
    Ok(format!(
        "$2b${cost:02}${}{}",
        BCRYPT.encode(salt),
        BCRYPT.encode(*digest)
    ))
}

/// Hashes as `$bcrypt-sha256$`, which sees the whole password.
pub(super) fn hash_sha256(cost: u32, password: &[u8], salt: [u8; SALT]) -> String {
    let digest = derive(cost, salt, &folded(password, &salt));
    format!(
        "$bcrypt-sha256$v=2,t=2b,r={cost}${}${}",
        BCRYPT.encode(salt),
        BCRYPT.encode(*digest)
    )
}

/// The algorithm sees a final NUL where there is room for it.
fn derive(cost: u32, salt: [u8; SALT], password: &[u8]) -> Zeroizing<[u8; DIGEST]> {
    let mut seen = Zeroizing::new([0; MAX_PASSWORD]);
    let len = password.len().min(MAX_PASSWORD);
    seen[..len].copy_from_slice(&password[..len]);
    let digest = Zeroizing::new(::bcrypt::bcrypt(
        cost,
        salt,
        &seen[..(len + 1).min(MAX_PASSWORD)],
    ));
    let mut kept = Zeroizing::new([0; DIGEST]);
    kept.copy_from_slice(&digest[..DIGEST]);
    kept
}

/// HMAC-SHA-256 of the password, keyed with the salt's characters, as padded base64.
fn folded(password: &[u8], salt: &[u8; SALT]) -> Zeroizing<Vec<u8>> {
    let mut mac = <Hmac<sha2::Sha256> as KeyInit>::new_from_slice(BCRYPT.encode(salt).as_bytes())
        .unwrap_or_else(|_| unreachable!("HMAC takes a key of any length"));
    mac.update(password);
    let digest = Zeroizing::new(<[u8; 32]>::from(mac.finalize().into_bytes()));
    Zeroizing::new(
        base64::prelude::BASE64_STANDARD
            .encode(*digest)
            .into_bytes(),
    )
}
