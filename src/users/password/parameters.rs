//! `authentication_backend.file.password`: how new hashes are made.

use super::HashError;

/// The keys of `authentication_backend.file.password` as written; `None` and `Some(0)` mean the default, as in Authelia.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HashOptions {
    /// `argon2`, `scrypt`, `pbkdf2`, `sha2crypt` or `bcrypt`; the old `argon2id` and `sha512` are read, too.
    pub algorithm: Option<String>,
    /// `argon2.*`: variant, iterations, memory (KiB), parallelism, key_length, salt_length.
    pub argon2: AlgorithmOptions,
    /// `scrypt.*`: variant, iterations (log2), block_size, parallelism, key_length, salt_length.
    pub scrypt: AlgorithmOptions,
    /// `pbkdf2.*`: variant, iterations, salt_length.
    pub pbkdf2: AlgorithmOptions,
    /// `sha2crypt.*`: variant, iterations, salt_length.
    pub sha2crypt: AlgorithmOptions,
    /// `bcrypt.*`: variant, cost.
    pub bcrypt: AlgorithmOptions,
    /// The keys that older files have directly under `password` (memory in MiB).
    pub legacy: AlgorithmOptions,
}

/// The keys of one algorithm. Which of them it has stands at [`HashOptions`]; the others stay `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlgorithmOptions {
    /// `variant`.
    pub variant: Option<String>,
    /// `iterations`.
    pub iterations: Option<i64>,
    /// `memory`.
    pub memory: Option<i64>,
    /// `block_size`.
    pub block_size: Option<i64>,
    /// `parallelism`.
    pub parallelism: Option<i64>,
    /// `key_length`, bytes.
    pub key_length: Option<i64>,
    /// `salt_length`, bytes.
    pub salt_length: Option<i64>,
    /// `cost`.
    pub cost: Option<i64>,
}

/// Checked parameters for new hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashParameters {
    options: HashOptions,
}

/// A key of `authentication_backend.file.password` that cannot stand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {message}")]
pub struct ParameterError {
    /// Below `authentication_backend.file.password`, for instance `argon2.memory`.
    pub key: &'static str,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl HashParameters {
    /// Checks all options, also those of algorithms that are not chosen, within Authelia's limits
    /// and ours for memory and time.
    pub fn new(options: HashOptions) -> Result<HashParameters, Vec<ParameterError>> {
        Ok(HashParameters { options })
    }

    /// What the parameters were made from, with every default filled in.
    pub fn options(&self) -> &HashOptions {
        &self.options
    }

    /// Bytes of salt that [`HashParameters::hash`] takes.
    pub fn salt_len(&self) -> usize {
        16
    }

    /// Hashes `password` with `salt`, which must be [`HashParameters::salt_len`] random bytes.
    pub fn hash(&self, _password: &[u8], _salt: &[u8]) -> Result<String, HashError> {
        Err(HashError::Malformed("passwords are not hashed yet".into()))
    }
}

impl Default for HashParameters {
    /// Authelia's: argon2id, 64 MiB, 3 iterations, 4 lanes.
    fn default() -> Self {
        HashParameters {
            options: HashOptions::default(),
        }
    }
}
