//! What can be wrong with a store, in sentences that say what to do.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::RedisTrouble;

/// Why a store cannot be used, or refused something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The folder of the file is not there.
    #[error("{}: there is no folder {}; make it and give it to the user whom nginx's workers run as", path.display(), folder.display())]
    NoFolder {
        /// The file.
        path: PathBuf,
        /// Where it should lie.
        folder: PathBuf,
    },
    /// The file, one beside it, or its folder cannot be written.
    #[error(
        "{file}: cannot be read and written by user {user}; if nginx's workers run as that user, give it to him: \
        chown {user} '{file}', else do this as its owner or as root",
        file = path.display()
    )]
    Unwritable {
        /// What cannot be written.
        path: PathBuf,
        /// Number of the user who tried.
        user: u32,
    },
    /// The file is no SQLite database.
    #[error("{}: is no SQLite database; write the path of another file in storage.local.path", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file is the database of Authelia.
    #[error(
        "{file}: is the database of Authelia, which is left as it is; write the path of a new file in storage.local.path, \
        then take over what is in it with `auth-gate storage import --from '{file}' --config …`",
        file = path.display()
    )]
    Authelias {
        /// The file.
        path: PathBuf,
    },
    /// The file is the database of some other program.
    #[error("{}: is the database of another program; write the path of another file in storage.local.path", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer release has written the file.
    #[error("{}: was written by a newer Auth Gate (schema {found}, this one knows {known}); install that release again or restore an older copy", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest that this release knows.
        known: i64,
    },
    /// The file was made with another key.
    #[error("{}: was made with another storage.encryption_key; write the key it was made with, or start with a new file", path.display())]
    WrongKey {
        /// The file.
        path: PathBuf,
    },
    /// What lies in the file is damaged or was changed by somebody without the key.
    #[error("{}: {what}; restore a copy of the file", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Others were writing all the time.
    #[error("{}: others have been writing to it for seconds; try again", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The disk is full.
    #[error("{}: the disk is full; make room", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The user has as many devices as one may have.
    #[error(
        "the user has {} devices of this kind already; remove one first",
        super::MAX_DEVICES
    )]
    TooMany,
    /// The user has as many app passwords as one may have.
    #[error(
        "the user has {} app passwords already; revoke one first",
        super::MAX_DEVICES
    )]
    TooManyAppPasswords,
    /// The user has a device of that name.
    #[error("the user has a device of that name already; choose another name")]
    NameTaken,
    /// The name is empty, too long or holds control characters.
    #[error(
        "a device's name has 1 to {} characters, none of them a control character",
        super::MAX_NAME
    )]
    BadName,
    /// The WebAuthn credential is somebody's already.
    #[error("the security key is registered already")]
    CredentialTaken,
    /// Redis cannot be used, or refused something.
    #[error("Redis at {server}: {trouble}")]
    Redis {
        /// Where it is.
        server: String,
        /// What is wrong.
        trouble: RedisTrouble,
    },
    /// Anything else that the engine says.
    #[error("{}: {message}", path.display())]
    Engine {
        /// The file.
        path: PathBuf,
        /// The engine's words.
        message: String,
    },
}

/// What goes wrong inside, before the file is named.
#[derive(Debug)]
pub(super) enum Fault {
    Sql(rusqlite::Error),
    Store(StoreError),
    /// A sealed value that does not open.
    Sealed(String),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Fault::Sql(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Fault::Store(error)
    }
}

impl Fault {
    /// The error, with the file that it is about.
    pub(super) fn at(self, path: &Path) -> StoreError {
        let path = path.to_owned();
        match self {
            Fault::Store(error) => error,
            Fault::Sealed(place) => StoreError::Damaged {
                path,
                what: format!("{place} does not open with storage.encryption_key"),
            },
            Fault::Sql(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                    StoreError::Busy { path }
                }
                Some(ErrorCode::NotADatabase) => StoreError::NotADatabase { path },
                Some(ErrorCode::DatabaseCorrupt) => StoreError::Damaged {
                    path,
                    what: error.to_string(),
                },
                Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                    StoreError::Unwritable { path, user: user() }
                }
                Some(ErrorCode::DiskFull) => StoreError::Full { path },
                _ => StoreError::Engine {
                    path,
                    message: error.to_string(),
                },
            },
        }
    }
}

/// Number of the user whom this process runs as.
pub(super) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}
