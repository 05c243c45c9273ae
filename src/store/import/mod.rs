//! Moving in: second factors out of Authelia's SQLite file, so that nobody enrols again.
//!
//! [`read`] reads that file and never writes to it, [`Sqlite::import`] keeps what was read. Both
//! together can be run any number of times: what was taken once is not taken again, not even when
//! its user has removed it since.

mod authelia;
mod reader;
mod take;
mod unseal;

use std::path::PathBuf;

use super::{NewCredential, NewTotp, SecondFactor, Sqlite};

pub use authelia::read;

/// Authelia's schemas that can be read: the released one, and those of its main branch.
pub const SCHEMAS: std::ops::RangeInclusive<i64> = 24..=26;

/// What was found in Authelia's file.
#[derive(Debug)]
pub struct Found {
    /// The schema of the file.
    pub schema: i64,
    /// What cannot be taken, one sentence each.
    pub left_out: Vec<String>,
    totp: Vec<Dated<NewTotp>>,
    webauthn: Vec<Dated<NewCredential>>,
    handles: Vec<Handle>,
    preferences: Vec<(String, SecondFactor)>,
}

/// How many of one kind were there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Taken now.
    pub taken: usize,
    /// Taken before, or there already.
    pub known: usize,
}

/// What an import came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// TOTP devices.
    pub totp: Count,
    /// WebAuthn credentials.
    pub webauthn: Count,
    /// Preferred methods.
    pub preferences: Count,
    /// What the store would not take, one sentence each.
    pub left_out: Vec<String>,
}

/// Why nothing can be imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// There is no such file.
    #[error("{}: there is no such file; name Authelia's database, the file of its storage.local.path", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file may not be read.
    #[error("{}: cannot be read: {message}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system or the engine says.
        message: String,
    },
    /// The file is not Authelia's.
    #[error("{}: is not the SQLite database of an Authelia; name the file of its storage.local.path", path.display())]
    NotAuthelias {
        /// The file.
        path: PathBuf,
    },
    /// The schema is unknown.
    #[error(
        "{}: has schema {found} of Authelia, and only {} to {} can be read; {}",
        path.display(), SCHEMAS.start(), SCHEMAS.end(),
        if found < SCHEMAS.start() { "let Authelia 4.39 start with it once, which brings it up to date" }
        else { "a newer Auth Gate may know it" }
    )]
    Schema {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
    },
    /// The key is not the one that the file was sealed with.
    #[error(
        "{}: does not open with this encryption key; give the storage.encryption_key of that Authelia in a file \
        with --encryption-key-file", path.display()
    )]
    WrongKey {
        /// The file.
        path: PathBuf,
    },
    /// Authelia has the file open, or did not end in an orderly way.
    #[error(
        "{}: Authelia was writing to it when it ended, or still is; stop Authelia (start it once more first if it was killed), \
        then import", path.display()
    )]
    Unfinished {
        /// The file.
        path: PathBuf,
    },
}

#[derive(Debug)]
struct Dated<T> {
    what: T,
    created: Option<u64>,
    last_used: Option<u64>,
}

#[derive(Debug)]
struct Handle {
    rp_id: String,
    user: String,
    handle: Vec<u8>,
}

impl Found {
    /// Everybody who has something in it, once each, in order.
    pub fn users(&self) -> std::collections::BTreeSet<&str> {
        let totp = self.totp.iter().map(|dated| &dated.what.user);
        let webauthn = self.webauthn.iter().map(|dated| &dated.what.user);
        let preferences = self.preferences.iter().map(|(user, _)| user);
        totp.chain(webauthn)
            .chain(preferences)
            .map(String::as_str)
            .collect()
    }
}
