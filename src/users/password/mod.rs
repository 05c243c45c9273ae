//! Password hashes: read strictly from the forms that Authelia's tools write, verified in
//! constant time, bounded in what they may cost.

mod parameters;

pub use parameters::{AlgorithmOptions, HashOptions, HashParameters, ParameterError};

/// Longest password that is ever hashed, in bytes; a longer one never matches.
pub const MAX_PASSWORD: usize = 1024;

/// A parsed password hash. `Debug` shows the algorithm only.
#[derive(Clone)]
pub struct PasswordHash {}

/// Why a hash in the users file cannot be taken, or why a password cannot be hashed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// What is wrong, as a sentence without a final stop.
    #[error("{0}")]
    Malformed(String),
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash")
    }
}

impl PasswordHash {
    /// Reads a hash in modular-crypt or PHC form, with or without `{CRYPT}` before it.
    pub fn parse(_text: &str) -> Result<PasswordHash, HashError> {
        Err(HashError::Malformed(
            "password hashes are not read yet".into(),
        ))
    }

    /// Whether `password` is the one. Takes as long for a wrong one.
    pub fn verify(&self, _password: &[u8]) -> bool {
        false
    }

    /// Bytes of memory that one verification needs.
    pub fn memory(&self) -> u64 {
        0
    }

    /// Estimated milliseconds of one verification on one ordinary core.
    pub fn cost(&self) -> u64 {
        0
    }

    /// A hash that costs the same and that no password matches.
    pub fn decoy(&self) -> PasswordHash {
        self.clone()
    }
}
