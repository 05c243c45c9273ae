//! Password hashes: read strictly from the forms that Authelia's tools write, verified in
//! constant time, bounded in what they may cost.
//!
//! A hash that parses can be verified; what could go wrong later is found when the file is read.

mod argon2;
mod bcrypt;
mod encoding;
mod parameters;
mod pbkdf2;
mod scrypt;
mod sha2crypt;
mod workspace;
mod yescrypt;

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

pub use parameters::{AlgorithmOptions, HashOptions, HashParameters, ParameterError};
pub use workspace::Workspace;

/// Longest password that is ever hashed, in bytes; a longer one never matches. The time of
/// some hashes grows with the password, and the visitor chooses it.
pub const MAX_PASSWORD: usize = 1024;

/// Most memory that one verification may take, in bytes: what RFC 9106 recommends first.
const MAX_MEMORY: u64 = 2 << 30;

/// Longest that one verification may take by our estimate, in microseconds.
const MAX_MICROS: u64 = 60_000_000;

/// Longest text of a hash, in bytes.
const MAX_TEXT: usize = 4096;

/// A parsed password hash. A clone is cheap. `Debug` shows the algorithm only.
#[derive(Clone)]
pub struct PasswordHash {
    scheme: Arc<dyn Scheme>,
    fingerprint: u64,
    decoy: bool,
}

/// Why a hash in the users file cannot be taken, or why a password cannot be hashed. No message
/// repeats the text that was read: it may be a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// Not the shape of any hash.
    #[error(
        "this is no password hash; write one that `auth-gate hash-password` makes, it begins with `$`"
    )]
    NoHash,
    /// `$plaintext$` or `$base64$`.
    #[error(
        "a password that can be read is not taken; write a hash that `auth-gate hash-password` makes"
    )]
    Readable,
    /// An identifier that is not known.
    #[error(
        "this kind of hash is not known; argon2, scrypt, yescrypt, pbkdf2, bcrypt and sha2crypt (`$5$`, `$6$`) are"
    )]
    UnknownKind,
    /// A known kind, badly written.
    #[error("this {kind} hash is malformed: {what}")]
    Malformed {
        /// The algorithm.
        kind: &'static str,
        /// Which part, and how.
        what: String,
    },
    /// More memory than a login may take.
    #[error("this hash takes {mib} MiB of memory for each login; at most {max} are allowed", max = MAX_MEMORY >> 20)]
    TooMuchMemory {
        /// What it takes, in MiB.
        mib: u64,
    },
    /// More time than a login may take.
    #[error("this hash takes about {seconds} seconds for each login; at most {max} are allowed", max = MAX_MICROS / 1_000_000)]
    TooSlow {
        /// The estimate.
        seconds: u64,
    },
    /// A password that the algorithm would cut, or that is longer than [`MAX_PASSWORD`].
    #[error("the password has {len} bytes; {max} are the most that this algorithm takes")]
    PasswordTooLong {
        /// Bytes of the password.
        len: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// The machine has not enough memory for one hash.
    #[error("there is not enough memory to compute this hash")]
    OutOfMemory,
    /// The salt has not [`HashParameters::salt_len`] bytes.
    #[error("the salt has {len} bytes instead of {expected}")]
    SaltLength {
        /// Bytes given.
        len: usize,
        /// Bytes needed.
        expected: usize,
    },
}

impl PasswordHash {
    /// Reads a hash in modular-crypt or PHC form, with or without `{CRYPT}` before it.
    ///
    /// # Errors
    /// Whatever would keep the hash from being verified later, and more memory or time than one
    /// login may cost.
    pub fn parse(text: &str) -> Result<PasswordHash, HashError> {
        if text.len() > MAX_TEXT {
            return Err(HashError::NoHash);
        }
        let text = without_storage_prefix(text);
        let fields: Vec<&str> = text
            .strip_prefix('$')
            .ok_or(HashError::NoHash)?
            .split('$')
            .collect();
        let [kind, fields @ ..] = &fields[..] else {
            return Err(HashError::NoHash);
        };
        let scheme = scheme(kind, fields)?;
        bounded(&*scheme)?;
        Ok(PasswordHash {
            scheme,
            fingerprint: fingerprint(&text),
            decoy: false,
        })
    }

    /// Whether `password` is the one. Takes as long when it is not. `false` also where the
    /// machine has not the memory.
    pub fn verify(&self, password: &[u8]) -> bool {
        self.verify_in(password, &mut Workspace::default())
    }

    /// [`PasswordHash::verify`] in memory that another verification may have used before.
    pub fn verify_in(&self, password: &[u8], workspace: &mut Workspace) -> bool {
        password.len() <= MAX_PASSWORD && self.scheme.matches(password, workspace) && !self.decoy
    }

    /// Tells this hash from any other, so that a session can end when its user's password changes.
    /// Says nothing about the password.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Bytes of memory that one verification needs, for those who admit several at a time.
    pub fn memory(&self) -> u64 {
        self.scheme.weight().0
    }

    /// A rough estimate of the microseconds that one verification takes on one core.
    pub fn micros(&self) -> u64 {
        self.scheme.weight().1
    }

    /// A hash that costs the same and that no password matches.
    pub fn decoy(&self) -> PasswordHash {
        PasswordHash {
            scheme: Arc::clone(&self.scheme),
            fingerprint: self.fingerprint,
            decoy: true,
        }
    }

    /// [`PasswordHash::decoy`] of a hash with Authelia's default parameters, where there is no
    /// other to be like.
    pub(super) fn default_decoy() -> PasswordHash {
        PasswordHash {
            scheme: Arc::new(argon2::Argon2::default()),
            fingerprint: 0,
            decoy: true,
        }
    }
}

fn fingerprint(text: &str) -> u64 {
    let digest: [u8; 32] = Sha256::digest(text).into();
    digest.first_chunk().copied().map_or(0, u64::from_le_bytes)
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PasswordHash({})", self.scheme.kind())
    }
}

/// One algorithm with parameters, salt and digest.
trait Scheme: Send + Sync {
    fn kind(&self) -> &'static str;
    fn matches(&self, password: &[u8], workspace: &mut Workspace) -> bool;
    /// Bytes and microseconds of one verification.
    fn weight(&self) -> (u64, u64);
}

/// OpenLDAP writes a prefix in braces; Authelia takes these.
fn without_storage_prefix(text: &str) -> std::borrow::Cow<'_, str> {
    if let Some(rest) = text
        .strip_prefix("{CRYPT}")
        .or_else(|| text.strip_prefix("{ARGON2}"))
    {
        return rest.into();
    }
    match text
        .strip_prefix("{PBKDF2")
        .and_then(|rest| rest.split_once('}'))
    {
        Some((variant, rest)) => format!("$pbkdf2{}${rest}", variant.to_ascii_lowercase()).into(),
        None => text.into(),
    }
}

fn scheme(kind: &str, fields: &[&str]) -> Result<Arc<dyn Scheme>, HashError> {
    Ok(match kind {
        "argon2id" | "argon2i" | "argon2d" => Arc::new(argon2::Argon2::parse(kind, fields)?),
        "scrypt" => Arc::new(scrypt::Scrypt::parse(fields)?),
        "y" => Arc::new(yescrypt::Yescrypt::parse(fields)?),
        "2" | "2a" | "2b" | "2x" | "2y" => Arc::new(bcrypt::Bcrypt::parse(fields)?),
        "bcrypt-sha256" => Arc::new(bcrypt::Bcrypt::parse_sha256(fields)?),
        "5" | "6" => Arc::new(sha2crypt::Sha2Crypt::parse(kind, fields)?),
        "plaintext" | "base64" => return Err(HashError::Readable),
        _ => match pbkdf2::Digest::of_identifier(kind) {
            Some(digest) => Arc::new(pbkdf2::Pbkdf2::parse(digest, fields)?),
            None => return Err(HashError::UnknownKind),
        },
    })
}

fn bounded(scheme: &dyn Scheme) -> Result<(), HashError> {
    let (memory, micros) = scheme.weight();
    if memory > MAX_MEMORY {
        return Err(HashError::TooMuchMemory { mib: memory >> 20 });
    }
    if micros > MAX_MICROS {
        return Err(HashError::TooSlow {
            seconds: micros / 1_000_000,
        });
    }
    Ok(())
}

/// Compares two digests in a time that depends on their length only.
fn same(a: &[u8], b: &[u8]) -> bool {
    subtle::ConstantTimeEq::ct_eq(a, b).into()
}

/// Whether `bytes` can be had now. The crates that allocate with `vec!` would end the process.
fn available(bytes: u64) -> bool {
    usize::try_from(bytes).is_ok_and(|bytes| Vec::<u8>::new().try_reserve_exact(bytes).is_ok())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
