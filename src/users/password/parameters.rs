//! `authentication_backend.file.password`: how new hashes are made.

mod check;
mod options;

use super::{HashError, MAX_PASSWORD, argon2, bcrypt, pbkdf2, scrypt, sha2crypt, yescrypt};
pub use check::ParameterError;
use check::{Check, argon2_of, bcrypt_of, pbkdf2_of, scrypt_of, sha2crypt_of};
pub use options::{AlgorithmOptions, HashOptions};

/// Checked parameters for new hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashParameters {
    options: HashOptions,
    chosen: Chosen,
    salt_len: usize,
}

impl HashParameters {
    /// Checks all options, also those of algorithms that are not chosen, within Authelia's limits
    /// and ours for memory and time.
    ///
    /// # Errors
    /// Every key that is out of its range.
    pub fn new(options: HashOptions) -> Result<HashParameters, Vec<ParameterError>> {
        let mut check = Check::default();
        let read = options.clone().without_legacy();
        let algorithm = check.word("algorithm", &read.algorithm, &ALGORITHMS);
        let argon2 = argon2_of(&mut check, &read.argon2);
        let scrypt = scrypt_of(&mut check, &read.scrypt);
        let pbkdf2 = pbkdf2_of(&mut check, &read.pbkdf2);
        let sha2crypt = sha2crypt_of(&mut check, &read.sha2crypt);
        let bcrypt = bcrypt_of(&mut check, &read.bcrypt);
        let (chosen, salt_len) = match algorithm {
            Algorithm::Argon2 => argon2,
            Algorithm::Scrypt => scrypt,
            Algorithm::Pbkdf2 => pbkdf2,
            Algorithm::Sha2Crypt => sha2crypt,
            Algorithm::Bcrypt => bcrypt,
        };
        if check.errors.is_empty() {
            check.weigh(&chosen);
        }
        if check.errors.is_empty() {
            Ok(HashParameters {
                options,
                chosen,
                salt_len,
            })
        } else {
            Err(check.errors)
        }
    }

    /// What the parameters were made from, as written.
    pub fn options(&self) -> &HashOptions {
        &self.options
    }

    /// Bytes of salt that [`HashParameters::hash`] takes.
    pub fn salt_len(&self) -> usize {
        self.salt_len
    }

    /// Hashes `password` with `salt`, which must be [`HashParameters::salt_len`] random bytes.
    ///
    /// # Errors
    /// A password that is too long for the algorithm, a salt of another length, and a machine
    /// without the memory.
    pub fn hash(&self, password: &[u8], salt: &[u8]) -> Result<String, HashError> {
        if salt.len() != self.salt_len {
            return Err(HashError::SaltLength {
                len: salt.len(),
                expected: self.salt_len,
            });
        }
        if password.len() > MAX_PASSWORD {
            return Err(HashError::PasswordTooLong {
                len: password.len(),
                max: MAX_PASSWORD,
            });
        }
        let fixed = || {
            salt.try_into().map_err(|_| HashError::SaltLength {
                len: salt.len(),
                expected: bcrypt::SALT,
            })
        };
        match self.chosen {
            Chosen::Argon2 { variant, cost, len } => {
                argon2::hash(variant, cost, len, password, salt)
            }
            Chosen::Scrypt { cost, len } => scrypt::hash(cost, len, password, salt),
            Chosen::Yescrypt { cost } => yescrypt::hash(cost, password, salt),
            Chosen::Pbkdf2 { with, iterations } => {
                Ok(pbkdf2::hash(with, iterations, password, salt))
            }
            Chosen::Sha2Crypt { with, rounds } => sha2crypt::hash(with, rounds, password, salt),
            Chosen::Bcrypt {
                sha256: false,
                cost,
            } => bcrypt::hash(cost, password, fixed()?),
            Chosen::Bcrypt { sha256: true, cost } => {
                Ok(bcrypt::hash_sha256(cost, password, fixed()?))
            }
        }
    }
}

impl Default for HashParameters {
    /// Authelia's: argon2id, 64 MiB, 3 iterations, 4 lanes.
    fn default() -> Self {
        let (chosen, salt_len) = argon2_of(&mut Check::default(), &AlgorithmOptions::default());
        HashParameters {
            options: HashOptions::default(),
            chosen,
            salt_len,
        }
    }
}

#[derive(Clone, Copy)]
enum Algorithm {
    Argon2,
    Scrypt,
    Pbkdf2,
    Sha2Crypt,
    Bcrypt,
}

const ALGORITHMS: [(&str, Algorithm); 5] = [
    ("argon2", Algorithm::Argon2),
    ("sha2crypt", Algorithm::Sha2Crypt),
    ("pbkdf2", Algorithm::Pbkdf2),
    ("scrypt", Algorithm::Scrypt),
    ("bcrypt", Algorithm::Bcrypt),
];

/// One algorithm with its parameters; the cost arrays are in the order of the hash's text.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Chosen {
    Argon2 {
        variant: &'static str,
        cost: [u32; 3],
        len: usize,
    },
    Scrypt {
        cost: [u32; 3],
        len: usize,
    },
    Yescrypt {
        cost: [u32; 2],
    },
    Pbkdf2 {
        with: pbkdf2::Digest,
        iterations: u32,
    },
    Sha2Crypt {
        with: sha2crypt::Digest,
        rounds: u32,
    },
    Bcrypt {
        sha256: bool,
        cost: u32,
    },
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
