//! `$6$rounds=50000$SALT$DIGEST` (SHA-512) and `$5$…` (SHA-256); 5,000 rounds where none stand.

use sha_crypt::Params;
use zeroize::Zeroizing;

use super::encoding::{CRYPT, Reader, crypt_digits};
use super::{HashError, Scheme, Workspace, same};

const READER: Reader = Reader("sha2crypt");

const DEFAULT_ROUNDS: u32 = 5000;
/// Most characters of a salt.
pub(super) const MAX_SALT: usize = 16;

pub(super) struct Sha2Crypt {
    with: Digest,
    rounds: u32,
    salt: String,
    digest: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digest {
    Sha256,
    Sha512,
}

impl Digest {
    fn characters(self) -> usize {
        match self {
            Digest::Sha256 => 43,
            Digest::Sha512 => 86,
        }
    }
}

impl Sha2Crypt {
    pub(super) fn parse(kind: &str, fields: &[&str]) -> Result<Self, HashError> {
        let with = if kind == "5" {
            Digest::Sha256
        } else {
            Digest::Sha512
        };
        let (rounds, salt, digest) = match fields {
            [salt, digest] => (DEFAULT_ROUNDS, salt, digest),
            [parameters, salt, digest] => {
                let [rounds] = READER.options(parameters, ["rounds"])?;
                let range = Params::ROUNDS_MIN..=Params::ROUNDS_MAX;
                (READER.number("rounds", rounds, range)?, salt, digest)
            }
            _ => {
                return Err(READER
                    .error("it is not `$SALT$DIGEST` or `$rounds=…$SALT$DIGEST` after its name"));
            }
        };
        if salt.len() > MAX_SALT {
            return Err(READER.error(format!(
                "the salt has {} characters, at most {MAX_SALT} are allowed",
                salt.len()
            )));
        }
        if !digest.bytes().all(|byte| CRYPT.contains(&byte)) {
            return Err(READER.error("the digest is not made of the characters it should be"));
        }
        if digest.len() != with.characters() {
            let expected = with.characters();
            return Err(READER.error(format!(
                "the digest has {} characters instead of {expected}",
                digest.len()
            )));
        }
        Ok(Sha2Crypt {
            with,
            rounds,
            salt: (*salt).into(),
            digest: (*digest).into(),
        })
    }
}

impl Scheme for Sha2Crypt {
    fn kind(&self) -> &'static str {
        "sha2crypt"
    }

    fn matches(&self, password: &[u8], _: &mut Workspace) -> bool {
        let digest = derive(self.with, self.rounds, password, self.salt.as_bytes());
        digest.is_some_and(|digest| same(digest.as_bytes(), self.digest.as_bytes()))
    }

    fn weight(&self) -> (u64, u64) {
        weight(self.rounds)
    }
}

/// Bytes and microseconds that one hash takes.
pub(super) fn weight(rounds: u32) -> (u64, u64) {
    (4096, u64::from(rounds) / 4)
}

/// Hashes with one character of salt for each byte of `salt`.
pub(super) fn hash(
    with: Digest,
    rounds: u32,
    password: &[u8],
    salt: &[u8],
) -> Result<String, HashError> {
    let salt: String = salt
        .iter()
        .map(|byte| char::from(CRYPT[usize::from(byte & 63)]))
        .collect();
    let digest = derive(with, rounds, password, salt.as_bytes())
        .ok_or_else(|| READER.error("`iterations` is out of range"))?;
    let id = if with == Digest::Sha256 { 5 } else { 6 };
    if rounds == DEFAULT_ROUNDS {
        return Ok(format!("${id}${salt}${}", *digest));
    }
    Ok(format!("${id}$rounds={rounds}${salt}${}", *digest))
}

fn derive(with: Digest, rounds: u32, password: &[u8], salt: &[u8]) -> Option<Zeroizing<String>> {
    let params = Params::new(rounds).ok()?;
    Some(match with {
        Digest::Sha256 => characters(
            &sha_crypt::sha256_crypt(password, salt, params),
            [0, 10, 20],
            [2, 0, 1],
        ),
        Digest::Sha512 => characters(
            &sha_crypt::sha512_crypt(password, salt, params),
            [0, 21, 42],
            [1, 2, 0],
        ),
    })
}

/// The order in which the specification writes the bytes: three at a time, the next three being
/// the successors of the last three turned by `turn`.
fn characters(digest: &[u8], mut three: [usize; 3], turn: [usize; 3]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(86));
    for _ in 0..digest.len() / 3 {
        let bits = three
            .iter()
            .fold(0, |bits, i| bits << 8 | u32::from(digest[*i]));
        crypt_digits(bits, 4, &mut text);
        three = turn.map(|i| three[i] + 1);
    }
    match *digest {
        [.., last] if digest.len() % 3 == 1 => crypt_digits(u32::from(last), 2, &mut text),
        [.., low, high] => crypt_digits(u32::from(high) << 8 | u32::from(low), 3, &mut text),
        _ => {}
    }
    text
}
