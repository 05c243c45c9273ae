//! Authelia's file: whether it is one, and opening it without leaving a trace.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use rusqlite::{Connection, ErrorCode, OptionalExtension};

use super::reader::Reader;
use super::{Found, ImportError, SCHEMAS};
use crate::store::error::Fault;
use crate::store::sqlite::{connect_to_read, has_log, patience};

/// Where a database says how it is written to, and what stands there for WAL.
const WRITE_VERSION: usize = 18;
const WAL: u8 = 2;

/// Reads the database at `path` with Authelia's `storage.encryption_key`. The file is not changed.
///
/// # Errors
/// Whatever is wrong with the file or the key. Single values that cannot be taken are no error but
/// stand in [`Found::left_out`].
pub fn read(path: &Path, encryption_key: &[u8]) -> Result<Found, ImportError> {
    let alone = in_wal_mode(path)?;
    if alone && has_log(path) {
        return Err(ImportError::Unfinished {
            path: path.to_owned(),
        });
    }
    read_state(path, alone, encryption_key).unwrap_or_else(|fault| Err(explain(fault, path)))
}

/// Reads one state of the database, whoever is writing.
fn read_state(
    path: &Path,
    alone: bool,
    encryption_key: &[u8],
) -> Result<Result<Found, ImportError>, Fault> {
    let mut connection = connect_to_read(path, alone, patience())?;
    let one_state = connection.transaction()?;
    let path = path.to_owned();
    match schema(&one_state)? {
        None => Ok(Err(ImportError::NotAuthelias { path })),
        Some(schema) if SCHEMAS.contains(&schema) => {
            let found = Reader::new(&one_state, encryption_key, schema).read()?;
            Ok(found.ok_or(ImportError::WrongKey { path }))
        }
        Some(found) => Ok(Err(ImportError::Schema { path, found })),
    }
}

/// Whether the database is in WAL mode; then it can be read without making files beside it only
/// while nobody writes.
fn in_wal_mode(path: &Path) -> Result<bool, ImportError> {
    let mut head = [0; 100];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut head));
    let path = path.to_owned();
    match read {
        Ok(()) => Ok(head[WRITE_VERSION] == WAL),
        Err(error) => Err(match error.kind() {
            ErrorKind::NotFound => ImportError::Missing { path },
            ErrorKind::UnexpectedEof => ImportError::NotAuthelias { path },
            _ => ImportError::Unreadable {
                path,
                message: error.to_string(),
            },
        }),
    }
}

fn explain(fault: Fault, path: &Path) -> ImportError {
    let path = path.to_owned();
    let Fault::Sql(error) = fault else {
        return ImportError::NotAuthelias { path };
    };
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => ImportError::NotAuthelias { path },
        Some(ErrorCode::ReadOnly | ErrorCode::DatabaseBusy | ErrorCode::CannotOpen) => {
            ImportError::Unfinished { path }
        }
        _ => ImportError::Unreadable {
            path,
            message: error.to_string(),
        },
    }
}

/// The schema version: that of the newest migration, which may have led back.
fn schema(connection: &Connection) -> Result<Option<i64>, Fault> {
    let query = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' \
        AND name IN ('migrations', 'encryption', 'totp_configurations')";
    if connection.query_one(query, [], |row| row.get::<_, i64>(0))? < 3 {
        return Ok(None);
    }
    let query = "SELECT version_after FROM migrations ORDER BY id DESC LIMIT 1";
    Ok(connection
        .query_one(query, [], |row| row.get(0))
        .optional()?)
}
