//! Looking at a store without changing it: what `nginx -t` and the command line ask.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rustix::fs::{Access, access};

use super::schema::{Identity, NEWEST};
use super::{app_passwords, codes, ledger, open, schema, sessions, totp, webauthn};
use crate::store::error::Fault;
use crate::store::{StorageKey, StoreError};

/// What a good store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not there yet, or empty: it is made at the first use.
    Fresh,
    /// Of an older release: it is brought to this one's schema at the first use.
    Older {
        /// Its schema version.
        version: i64,
    },
    /// Of this release's schema.
    Current {
        /// Its schema version.
        version: i64,
    },
}

/// What is in a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Users with at least one second factor or app password.
    pub users: usize,
    /// TOTP devices.
    pub totp: usize,
    /// WebAuthn credentials.
    pub webauthn: usize,
    /// App passwords, those that are over included.
    pub app_passwords: usize,
    /// One-time codes that are still good.
    pub codes: u64,
}

/// Whether the store at `path` can be used with `key` by the user whom this process runs as.
/// Writes and migrates nothing.
///
/// # Errors
/// Whatever [`super::Sqlite::open`] would find, and what could not be written later.
pub fn check(path: &Path, key: &StorageKey) -> Result<State, StoreError> {
    look(path, key, |_| Ok(())).map(|(state, _)| state)
}

/// As [`check`], and opens every sealed value and reads every page.
///
/// # Errors
/// As [`check`], and when anything is damaged.
pub fn inspect(path: &Path, key: &StorageKey, now: u64) -> Result<(State, Contents), StoreError> {
    let (state, contents) = look(path, key, |connection| {
        let query = "PRAGMA quick_check(1)";
        let told: String = connection.query_one(query, [], |row| row.get(0))?;
        if told != "ok" {
            return Err(Fault::Store(StoreError::Damaged {
                path: path.to_owned(),
                what: told,
            }));
        }
        contents(connection, key, now)
    })?;
    Ok((state, contents.unwrap_or_default()))
}

/// Runs `work` on a store of this release.
fn look<T>(
    path: &Path,
    key: &StorageKey,
    work: impl Fn(&Connection) -> Result<T, Fault>,
) -> Result<(State, Option<T>), StoreError> {
    let folder = open::folder(path)?;
    may(folder, Access::WRITE_OK | Access::EXEC_OK)?;
    if !path.exists() {
        return Ok((State::Fresh, None));
    }
    open::refuse_folder(path)?;
    for file in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
        if file.exists() {
            may(&file, Access::READ_OK | Access::WRITE_OK)?;
        }
    }
    let end = open::patience();
    let look = |alone| {
        let connection = open::connect_to_read(path, alone, end)?;
        match schema::identify(&connection, path)? {
            Identity::Empty => Ok((State::Fresh, None)),
            Identity::Ours(version) => {
                schema::check_key(&connection, path, key)?;
                if version < NEWEST {
                    return Ok((State::Older { version }, None));
                }
                Ok((State::Current { version }, Some(work(&connection)?)))
            }
        }
    };
    // With nothing waiting in the log nobody has it open, and not even a lock need be taken. Who
    // opens it meanwhile can make such a look fail, and then it is taken properly.
    let alone = !has_log(path);
    let looked = match look(alone) {
        Err(Fault::Sql(_) | Fault::Sealed(_)) if alone => look(false),
        looked => looked,
    };
    looked.map_err(|fault| fault.at(path))
}

/// Whether the file beside a database in WAL mode holds something.
pub(in crate::store) fn has_log(path: &Path) -> bool {
    std::fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

fn may(path: &Path, how: Access) -> Result<(), StoreError> {
    access(path, how).map_err(|_| open::unwritable(path))
}

fn contents(connection: &Connection, key: &StorageKey, now: u64) -> Result<Contents, Fault> {
    let (devices, credentials) = (
        totp::list(connection, key, None)?,
        webauthn::list(connection, key, None)?,
    );
    sessions::inspect(connection, key)?;
    ledger::inspect(connection, key)?;
    let app_passwords = app_passwords::list(connection, key, None)?;
    let users = devices
        .iter()
        .map(|device| &device.device.user)
        .chain(
            credentials
                .iter()
                .map(|credential| &credential.credential.user),
        )
        .chain(app_passwords.iter().map(|it| &it.user));
    Ok(Contents {
        users: users.collect::<BTreeSet<_>>().len(),
        totp: devices.len(),
        webauthn: credentials.len(),
        app_passwords: app_passwords.len(),
        codes: codes::count(connection, now)?,
    })
}
