//! The keys of `authentication_backend.file.password` as a file has them.

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

impl HashOptions {
    /// The old keys directly under `password` count where the new ones say nothing.
    pub(super) fn without_legacy(mut self) -> HashOptions {
        let options = &mut self;
        let legacy = std::mem::take(&mut options.legacy);
        let fill = |new: &mut Option<i64>, old: Option<i64>| {
            if new.unwrap_or(0) == 0 && old.unwrap_or(0) > 0 {
                *new = old;
            }
        };
        match options.algorithm.as_deref() {
            Some("sha512") => {
                options.algorithm = Some("sha2crypt".into());
                fill(&mut options.sha2crypt.iterations, legacy.iterations);
                fill(
                    &mut options.sha2crypt.salt_length,
                    legacy.salt_length.map(|len| len.min(16)),
                );
            }
            Some("argon2id") => {
                options.algorithm = Some("argon2".into());
                fill(&mut options.argon2.iterations, legacy.iterations);
                fill(
                    &mut options.argon2.memory,
                    legacy.memory.map(|mib| mib.saturating_mul(1024)),
                );
                fill(&mut options.argon2.parallelism, legacy.parallelism);
                fill(&mut options.argon2.key_length, legacy.key_length);
                fill(&mut options.argon2.salt_length, legacy.salt_length);
            }
            _ => {}
        }
        self
    }
}
