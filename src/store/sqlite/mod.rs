//! The embedded store: one SQLite file, used by all workers and the command line at once.
//!
//! WAL lets readers go on while one writes; a write takes the lock at its start and waits for
//! others, so that it never fails half way; a commit is on the disk before it is told.

mod app_passwords;
mod bans;
mod challenges;
mod check;
mod codes;
mod devices;
mod factors;
mod ledger;
mod open;
mod orders;
pub(super) mod preferences;
mod schema;
mod sessions;
pub(super) mod totp;
pub(super) mod webauthn;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rusqlite::types::Type;
use rusqlite::{
    CachedStatement, Connection, ErrorCode, Row, Rows, Transaction, TransactionBehavior,
};

use super::error::Fault;
use super::model::is_good_name;
use super::{Random, StorageKey, StoreError, Target};

pub(super) use check::has_log;
pub use check::{Contents, State, check, inspect};
pub(super) use open::{connect_to_read, patience};

/// Connections that are kept open for the next caller.
const KEPT: usize = 4;

/// The store in one SQLite file. Shared by threads; each process opens its own, after a fork.
#[derive(Debug)]
pub struct Sqlite {
    path: PathBuf,
    key: StorageKey,
    idle: Mutex<Vec<Connection>>,
}

impl Sqlite {
    /// Opens the store at `path`, making the file (mode 0600, and by root for the owner of the
    /// folder) or bringing it to this release's schema where that is due.
    ///
    /// # Errors
    /// Whatever is wrong with the file, its folder or the key.
    pub fn open(
        path: &Path,
        key: StorageKey,
        random: &mut Random<'_>,
    ) -> Result<Sqlite, StoreError> {
        open::make(path)?;
        let end = patience();
        let mut prepare = || {
            let mut connection = open::connect(path, end)?;
            schema::prepare(&mut connection, path, &key, random, end)?;
            Ok(connection)
        };
        let connection = prepare().map_err(|fault: Fault| fault.at(path))?;
        Ok(Sqlite {
            path: path.to_owned(),
            key,
            idle: Mutex::new(vec![connection]),
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` on a connection nobody else uses.
    fn with<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T, Fault>) -> Outcome<T> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let end = patience();
        let ready = idle.map_or_else(|| open::connect(&self.path, end), Ok);
        let mut connection = ready.map_err(|fault| fault.at(&self.path))?;
        let result = open::wait_until(&mut connection, end).and_then(|()| work(&mut connection));
        // A connection on which the engine has failed is not trusted with the next caller.
        if !matches!(result, Err(Fault::Sql(_))) {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < KEPT {
                idle.push(connection);
            }
        }
        result.map_err(|fault| fault.at(&self.path))
    }

    /// Reads in one state of the database.
    fn read<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>) -> Outcome<T> {
        self.with(|connection| work(&connection.transaction()?))
    }

    /// Writes all or nothing.
    pub(super) fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Outcome<T> {
        self.with(|connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })
    }

    pub(super) fn key(&self) -> &StorageKey {
        &self.key
    }
}

type Outcome<T> = Result<T, StoreError>;

/// A time as SQLite keeps it. The year 292 billion is soon enough to be wrong.
pub(super) fn seconds(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

/// A kept time; what nobody can have written is the beginning of time.
fn time(seconds: i64) -> u64 {
    u64::try_from(seconds).unwrap_or(0)
}

/// A statement that the connection keeps ready for the next call.
fn prepare<'c>(connection: &'c Connection, sql: &str) -> rusqlite::Result<CachedStatement<'c>> {
    #[cfg(test)]
    tests::note(sql);
    connection.prepare_cached(sql)
}

/// What `read` makes of each row.
fn all<T>(
    mut rows: Rows<'_>,
    mut read: impl FnMut(&Row<'_>) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// How a target is kept.
fn words(target: &Target) -> (&'static str, String) {
    match target {
        Target::User(name) => ("user", name.clone()),
        Target::Address(address) => ("address", address.to_string()),
    }
}

/// The target that [`words`] were made of, in two columns.
fn target(row: &Row<'_>, kind: usize, name: usize) -> rusqlite::Result<Target> {
    let text: String = row.get(name)?;
    match row.get::<_, String>(kind)?.as_str() {
        "user" => Ok(Target::User(text)),
        "address" => address(&text).map(Target::Address).ok_or_else(|| bad(name)),
        _ => Err(bad(kind)),
    }
}

fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok()
}

/// A column holds what was never written there.
fn bad(column: usize) -> rusqlite::Error {
    let what = "what stands there was never written by Auth Gate";
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, what.into())
}

/// A name that can be shown.
fn good_name(name: &str) -> Result<&str, Fault> {
    match is_good_name(name) {
        true => Ok(name),
        false => Err(StoreError::BadName.into()),
    }
}

/// What a broken UNIQUE constraint stands for, here.
fn or_taken(taken: StoreError) -> impl FnOnce(rusqlite::Error) -> Fault {
    |error| match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => Fault::Store(taken),
        _ => Fault::Sql(error),
    }
}

#[cfg(test)]
mod tests;
