//! The file: made with the right mode and owner, opened with the right settings.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;
use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::store::StoreError;
use crate::store::error::{Fault, user};

/// How long a call waits for others to have written, in all that it does.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest pause between two tries, in milliseconds.
const PAUSE: u64 = 25;
/// Statements of a connection that are kept ready.
const STATEMENTS: usize = 64;

/// Makes an empty file where there is none. Root makes it for the owner of the folder: the workers,
/// who are not root, must be able to write it.
pub(super) fn make(path: &Path) -> Result<(), StoreError> {
    let parent = folder(path)?;
    let created = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let made = match created {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return refuse_folder(path),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            return Err(unwritable(parent));
        }
        Err(error) => Err(error),
        Ok(_) if user() != 0 => Ok(()),
        // By the open file: the owner of the folder may exchange what has its name.
        Ok(file) => fs::metadata(parent)
            .and_then(|owner| fchown(&file, Some(owner.uid()), Some(owner.gid()))),
    };
    made.map_err(|error| engine(path, &error))
}

/// SQLite would say of a folder that it cannot be opened, which sounds like its mode.
pub(super) fn refuse_folder(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() {
        return Err(StoreError::NotADatabase {
            path: path.to_owned(),
        });
    }
    Ok(())
}

/// The folder that the file lies in.
pub(super) fn folder(path: &Path) -> Result<&Path, StoreError> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if folder.is_dir() {
        return Ok(folder);
    }
    Err(StoreError::NoFolder {
        path: path.to_owned(),
        folder: folder.to_owned(),
    })
}

pub(super) fn unwritable(path: &Path) -> StoreError {
    StoreError::Unwritable {
        path: path.to_owned(),
        user: user(),
    }
}

fn engine(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Engine {
        path: path.to_owned(),
        message: error.to_string(),
    }
}

/// When a call that begins now stops waiting for others.
pub(in crate::store) fn patience() -> Instant {
    Instant::now() + PATIENCE
}

/// Lets the connection wait for others until `end`, however often it meets one.
pub(super) fn wait_until(connection: &mut Connection, end: Instant) -> Result<(), Fault> {
    connection.busy_handler(Some(move |tries| {
        pause(u64::try_from(tries).unwrap_or(0), end)
    }))?;
    Ok(())
}

/// Waits a little; `false` if it is the end.
fn pause(tries: u64, end: Instant) -> bool {
    let left = end.saturating_duration_since(Instant::now());
    std::thread::sleep(Duration::from_millis(tries.saturating_add(1).min(PAUSE)).min(left));
    !left.is_zero()
}

/// A connection for reading and writing, which waits for others until `end`. Makes no file.
pub(super) fn connect(path: &Path, end: Instant) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    settle(&mut connection, end)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

/// A connection that changes nothing and waits for others until `end`; where nobody else may be
/// writing, one that makes no file beside the database, either.
pub(in crate::store) fn connect_to_read(
    path: &Path,
    alone: bool,
    end: Instant,
) -> Result<Connection, Fault> {
    let mut address = b"file:".to_vec();
    let encoded = path.as_os_str().as_encoded_bytes();
    for part in encoded.split_inclusive(|byte| *byte == b'/') {
        let (name, slash) = part
            .strip_suffix(b"/")
            .map_or((part, ""), |name| (name, "/"));
        address.extend(percent_encode(name, NON_ALPHANUMERIC).to_string().bytes());
        address.extend(slash.bytes());
    }
    address.extend(if alone { &b"?immutable=1"[..] } else { b"" });
    let address = String::from_utf8(address).expect("percent-encoded bytes are ASCII");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(address, flags)?;
    settle(&mut connection, end)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// A file may have been put there by somebody else: nothing in its schema is run.
fn settle(connection: &mut Connection, end: Instant) -> Result<(), Fault> {
    wait_until(connection, end)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    Ok(())
}

/// Lets readers go on while one writes. A property of the file, not of the connection.
pub(super) fn use_wal(connection: &Connection, end: Instant) -> Result<(), Fault> {
    for tries in 0.. {
        // SQLite does not always wait for this by itself.
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && pause(tries, end) => {}
            result => return Ok(result?),
        }
    }
    Ok(())
}
