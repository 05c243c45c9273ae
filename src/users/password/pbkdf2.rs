//! `$pbkdf2-sha512$310000$SALT$DIGEST` as passlib and Authelia write it, and the PHC form
//! `$pbkdf2-sha512$i=310000,l=64$SALT$DIGEST`.

use base64::Engine;
use zeroize::Zeroizing;

use super::encoding::{ADAPTED, Reader, STANDARD};
use super::{HashError, Scheme, Workspace, same};

const READER: Reader = Reader("pbkdf2");

/// A shorter digest would be matched by chance.
const MIN_DIGEST: usize = 10;

pub(super) struct Pbkdf2 {
    with: Digest,
    iterations: u32,
    salt: Vec<u8>,
    digest: Vec<u8>,
}

/// The hash function under HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digest {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Digest {
    /// The function that an identifier such as `pbkdf2-sha256` names.
    pub(super) fn of_identifier(identifier: &str) -> Option<Digest> {
        match identifier.strip_prefix("pbkdf2")? {
            "" => Some(Digest::Sha1),
            variant => Digest::of_word(variant.strip_prefix('-')?),
        }
    }

    /// The function that `variant:` names.
    pub(super) fn of_word(word: &str) -> Option<Digest> {
        Some(match word {
            "sha1" => Digest::Sha1,
            "sha224" => Digest::Sha224,
            "sha256" => Digest::Sha256,
            "sha384" => Digest::Sha384,
            "sha512" => Digest::Sha512,
            _ => return None,
        })
    }

    fn identifier(self) -> &'static str {
        match self {
            Digest::Sha1 => "pbkdf2",
            Digest::Sha224 => "pbkdf2-sha224",
            Digest::Sha256 => "pbkdf2-sha256",
            Digest::Sha384 => "pbkdf2-sha384",
            Digest::Sha512 => "pbkdf2-sha512",
        }
    }

    fn len(self) -> usize {
        match self {
            Digest::Sha1 => 20,
            Digest::Sha224 => 28,
            Digest::Sha256 => 32,
            Digest::Sha384 => 48,
            Digest::Sha512 => 64,
        }
    }

    fn derive(self, password: &[u8], salt: &[u8], iterations: u32, digest: &mut [u8]) {
        match self {
            Digest::Sha1 => ::pbkdf2::pbkdf2_hmac::<sha1::Sha1>(password, salt, iterations, digest),
            Digest::Sha224 => {
                ::pbkdf2::pbkdf2_hmac::<sha2::Sha224>(password, salt, iterations, digest)
            }
            Digest::Sha256 => {
                ::pbkdf2::pbkdf2_hmac::<sha2::Sha256>(password, salt, iterations, digest)
            }
            Digest::Sha384 => {
                ::pbkdf2::pbkdf2_hmac::<sha2::Sha384>(password, salt, iterations, digest)
            }
            Digest::Sha512 => {
                ::pbkdf2::pbkdf2_hmac::<sha2::Sha512>(password, salt, iterations, digest)
            }
        }
    }
}

impl Pbkdf2 {
    pub(super) fn parse(with: Digest, fields: &[&str]) -> Result<Self, HashError> {
        let [parameters, salt, digest] = fields else {
            return Err(READER.error("it is not `$ITERATIONS$SALT$DIGEST` after its name"));
        };
        let phc = parameters.starts_with("i=");
        let (iterations, engine) = if phc {
            (phc_iterations(parameters)?, &STANDARD)
        } else {
            (*parameters, &ADAPTED)
        };
        let digest = READER.bytes("digest", digest, engine, MIN_DIGEST..=usize::MAX)?;
        Ok(Pbkdf2 {
            with,
            iterations: READER.number("iterations", iterations, 1..=i32::MAX as u32)?,
            salt: READER.bytes("salt", salt, engine, 0..=usize::MAX)?,
            digest,
        })
    }
}

/// `i=N` or `i=N,l=LEN`; the length is the digest's own anyway.
fn phc_iterations(parameters: &str) -> Result<&str, HashError> {
    if parameters.contains(',') {
        return READER
            .options(parameters, ["i", "l"])
            .map(|[iterations, _]| iterations);
    }
    READER
        .options(parameters, ["i"])
        .map(|[iterations]| iterations)
}

impl Scheme for Pbkdf2 {
    fn kind(&self) -> &'static str {
        "pbkdf2"
    }

    fn matches(&self, password: &[u8], _: &mut Workspace) -> bool {
        let mut digest = Zeroizing::new(vec![0; self.digest.len()]);
        self.with
            .derive(password, &self.salt, self.iterations, &mut digest);
        same(&digest, &self.digest)
    }

    fn weight(&self) -> (u64, u64) {
        weight(
            self.with,
            self.iterations,
            self.digest.len().div_ceil(self.with.len()),
        )
    }
}

/// Bytes and microseconds that one hash with a digest of `blocks` times the function's takes.
pub(super) fn weight(with: Digest, iterations: u32, blocks: usize) -> (u64, u64) {
    let tenths = match with {
        Digest::Sha1 => 6,
        Digest::Sha224 | Digest::Sha256 => 10,
        Digest::Sha384 | Digest::Sha512 => 18,
    };
    (
        4096,
        u64::from(iterations).saturating_mul(blocks as u64) * tenths / 10,
    )
}

/// Hashes with a digest as long as the hash function's.
pub(super) fn hash(with: Digest, iterations: u32, password: &[u8], salt: &[u8]) -> String {
    let mut digest = vec![0; with.len()];
    with.derive(password, salt, iterations, &mut digest);
    let (salt, digest) = (ADAPTED.encode(salt), ADAPTED.encode(digest));
    format!("${}${iterations}${salt}${digest}", with.identifier())
}
