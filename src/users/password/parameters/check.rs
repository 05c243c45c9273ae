//! Authelia's defaults and ranges, and ours for memory and time.

use std::ops::RangeInclusive;

use super::super::{MAX_MEMORY, MAX_MICROS, argon2, bcrypt, pbkdf2, scrypt, sha2crypt, yescrypt};
use super::{AlgorithmOptions, Chosen};

/// A key of `authentication_backend.file.password` that cannot stand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {message}")]
pub struct ParameterError {
    /// Below `authentication_backend.file.password`, for instance `argon2.memory`.
    pub key: &'static str,
    /// What is wrong and what to write instead.
    pub message: String,
}

/// Longest salt and digest, in bytes.
const MAX_LEN: u32 = 1024;
const MAX_INT: u32 = i32::MAX as u32;

pub(super) fn argon2_of(check: &mut Check, options: &AlgorithmOptions) -> (Chosen, usize) {
    const VARIANTS: [(&str, &str); 6] = [
        ("argon2id", "argon2id"),
        ("id", "argon2id"),
        ("argon2i", "argon2i"),
        ("i", "argon2i"),
        ("argon2d", "argon2d"),
        ("d", "argon2d"),
    ];
    let variant = check.word("argon2.variant", &options.variant, &VARIANTS);
    let t = check.number("argon2.iterations", options.iterations, 3, 1..=MAX_INT);
    let p = check.number("argon2.parallelism", options.parallelism, 4, 1..=16_777_215);
    let m = check.number(
        "argon2.memory",
        options.memory,
        64 << 10,
        8..=(MAX_MEMORY >> 10) as u32,
    );
    if m < p.saturating_mul(8) {
        let least = p.saturating_mul(8);
        check.error(
            "argon2.memory",
            format!("is {m}, must be at least {least}, 8 times `parallelism`"),
        );
    }
    let len = check.number(
        "argon2.key_length",
        options.key_length,
        32,
        argon2::MIN_DIGEST as u32..=MAX_LEN,
    );
    let salt = check.number(
        "argon2.salt_length",
        options.salt_length,
        16,
        argon2::MIN_SALT as u32..=MAX_LEN,
    );
    (
        Chosen::Argon2 {
            variant,
            cost: [m, t, p],
            len: len as usize,
        },
        salt as usize,
    )
}

pub(super) fn scrypt_of(check: &mut Check, options: &AlgorithmOptions) -> (Chosen, usize) {
    let yescrypt = check.word(
        "scrypt.variant",
        &options.variant,
        &[("scrypt", false), ("yescrypt", true)],
    );
    let ln = check.number("scrypt.iterations", options.iterations, 16, 1..=58);
    let r = check.number("scrypt.block_size", options.block_size, 8, 1..=1 << 24);
    let p = check.number("scrypt.parallelism", options.parallelism, 1, 1..=1 << 24);
    let len = check.number(
        "scrypt.key_length",
        options.key_length,
        32,
        scrypt::MIN_DIGEST as u32..=MAX_LEN,
    );
    let salt = if yescrypt {
        yescrypt::MAX_SALT as u32
    } else {
        MAX_LEN
    };
    let salt = check.number("scrypt.salt_length", options.salt_length, 16, 8..=salt);
    if yescrypt && p != 1 {
        check.error(
            "scrypt.parallelism",
            format!("is {p}, must be 1 with the variant `yescrypt`"),
        );
    }
    let chosen = if yescrypt {
        Chosen::Yescrypt { cost: [ln, r] }
    } else {
        Chosen::Scrypt {
            cost: [ln, r, p],
            len: len as usize,
        }
    };
    (chosen, salt as usize)
}

pub(super) fn pbkdf2_of(check: &mut Check, options: &AlgorithmOptions) -> (Chosen, usize) {
    use pbkdf2::Digest;
    const VARIANTS: [(&str, (Digest, u32)); 5] = [
        ("sha512", (Digest::Sha512, 310_000)),
        ("sha384", (Digest::Sha384, 280_000)),
        ("sha256", (Digest::Sha256, 700_000)),
        ("sha224", (Digest::Sha224, 900_000)),
        ("sha1", (Digest::Sha1, 1_600_000)),
    ];
    let (with, default) = check.word("pbkdf2.variant", &options.variant, &VARIANTS);
    let iterations = check.number(
        "pbkdf2.iterations",
        options.iterations,
        default,
        100_000..=MAX_INT,
    );
    let salt = check.number("pbkdf2.salt_length", options.salt_length, 16, 8..=MAX_LEN);
    (Chosen::Pbkdf2 { with, iterations }, salt as usize)
}

pub(super) fn sha2crypt_of(check: &mut Check, options: &AlgorithmOptions) -> (Chosen, usize) {
    use sha2crypt::Digest;
    const VARIANTS: [(&str, Digest); 2] = [("sha512", Digest::Sha512), ("sha256", Digest::Sha256)];
    let with = check.word("sha2crypt.variant", &options.variant, &VARIANTS);
    let rounds = check.number(
        "sha2crypt.iterations",
        options.iterations,
        50_000,
        1000..=999_999_999,
    );
    let salt = check.number(
        "sha2crypt.salt_length",
        options.salt_length,
        16,
        1..=sha2crypt::MAX_SALT as u32,
    );
    (Chosen::Sha2Crypt { with, rounds }, salt as usize)
}

pub(super) fn bcrypt_of(check: &mut Check, options: &AlgorithmOptions) -> (Chosen, usize) {
    let sha256 = check.word(
        "bcrypt.variant",
        &options.variant,
        &[("standard", false), ("sha256", true)],
    );
    let cost = check.number("bcrypt.cost", options.cost, 12, 10..=31);
    (Chosen::Bcrypt { sha256, cost }, bcrypt::SALT)
}

/// Collects what is wrong, so that one run names everything.
#[derive(Default)]
pub(super) struct Check {
    pub(super) errors: Vec<ParameterError>,
}

impl Check {
    fn error(&mut self, key: &'static str, message: String) {
        self.errors.push(ParameterError { key, message });
    }

    /// The value of the written word; the table's first where none is written.
    pub(super) fn word<T: Copy, const N: usize>(
        &mut self,
        key: &'static str,
        written: &Option<String>,
        table: &[(&str, T); N],
    ) -> T {
        let word = written
            .as_deref()
            .filter(|word| !word.is_empty())
            .unwrap_or(table[0].0);
        if let Some((_, value)) = table.iter().find(|(known, _)| *known == word) {
            return *value;
        }
        let known: Vec<_> = table
            .iter()
            .map(|(known, _)| format!("`{known}`"))
            .collect();
        self.error(
            key,
            format!("`{word}` is not known, must be one of {}", known.join(", ")),
        );
        table[0].1
    }

    fn number(
        &mut self,
        key: &'static str,
        written: Option<i64>,
        default: u32,
        range: RangeInclusive<u32>,
    ) -> u32 {
        let number = written
            .filter(|number| *number != 0)
            .unwrap_or(i64::from(default));
        match u32::try_from(number)
            .ok()
            .filter(|number| range.contains(number))
        {
            Some(number) => number,
            None => {
                self.error(
                    key,
                    format!("is {number}, must be {} to {}", range.start(), range.end()),
                );
                default
            }
        }
    }

    /// Each number may be within its range and the whole still too much.
    pub(super) fn weigh(&mut self, chosen: &Chosen) {
        let (memory_key, time_key) = match chosen {
            Chosen::Argon2 { .. } => ("argon2.memory", "argon2.iterations"),
            Chosen::Scrypt { .. } | Chosen::Yescrypt { .. } => {
                ("scrypt.iterations", "scrypt.iterations")
            }
            Chosen::Pbkdf2 { .. } => ("pbkdf2.iterations", "pbkdf2.iterations"),
            Chosen::Sha2Crypt { .. } => ("sha2crypt.iterations", "sha2crypt.iterations"),
            Chosen::Bcrypt { .. } => ("bcrypt.cost", "bcrypt.cost"),
        };
        let (memory, micros) = match *chosen {
            Chosen::Argon2 {
                cost: [m, t, _], ..
            } => argon2::weight(m, t),
            Chosen::Scrypt {
                cost: [ln, r, p], ..
            } => scrypt::weight(ln, r, p),
            Chosen::Yescrypt { cost: [ln, r] } => yescrypt::weight(ln, r),
            Chosen::Pbkdf2 { with, iterations } => pbkdf2::weight(with, iterations, 1),
            Chosen::Sha2Crypt { rounds, .. } => sha2crypt::weight(rounds),
            Chosen::Bcrypt { cost, .. } => bcrypt::weight(cost),
        };
        if memory > MAX_MEMORY {
            let (mib, max) = (memory >> 20, MAX_MEMORY >> 20);
            self.error(
                memory_key,
                format!("each hash would take {mib} MiB of memory, at most {max} are allowed"),
            );
        } else if micros > MAX_MICROS {
            let (seconds, max) = (micros / 1_000_000, MAX_MICROS / 1_000_000);
            self.error(
                time_key,
                format!("each hash would take about {seconds} seconds, at most {max} are allowed"),
            );
        }
    }
}
