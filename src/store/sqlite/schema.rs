//! What the file holds, by version, and how it comes from one version to the next.

use std::path::Path;
use std::time::Instant;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::open;
use crate::store::error::Fault;
use crate::store::seal::Place;
use crate::store::{Random, StorageKey, StoreError};

/// `application_id` of our files: "AGat".
const APPLICATION: i32 = 0x4147_6174;

/// What leads from each version to the next. What was released once never changes.
const STEPS: &[&str] = &[
    include_str!("schema-1.sql"),
    include_str!("schema-2.sql"),
    include_str!("schema-3.sql"),
    include_str!("schema-4.sql"),
    include_str!("schema-5.sql"),
];

/// The version that this release writes.
pub(super) const NEWEST: i64 = STEPS.len() as i64;

const CHECK: Place<'static> = Place {
    table: "store_check",
    column: "sealed",
    row: &[],
};

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    Empty,
    /// Ours, of a version that this release knows.
    Ours(i64),
}

/// Says what a file is, or why it is not for us.
pub(super) fn identify(connection: &Connection, path: &Path) -> Result<Identity, Fault> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let path = path.to_owned();
    if application == i64::from(APPLICATION) && version > 0 {
        return match version {
            1..=NEWEST => Ok(Identity::Ours(version)),
            found => Err(Fault::Store(StoreError::Newer {
                path,
                found,
                known: NEWEST,
            })),
        };
    }
    let count = |condition: &str| {
        let query = format!("SELECT count(*) FROM sqlite_schema WHERE {condition}");
        connection.query_one(&query, [], |row| row.get::<_, i64>(0))
    };
    if application == 0 && version == 0 && count("true")? == 0 {
        return Ok(Identity::Empty);
    }
    let authelias = count("type = 'table' AND name IN ('migrations', 'totp_configurations')")?;
    Err(Fault::Store(match authelias {
        2 => StoreError::Authelias { path },
        _ => StoreError::Foreign { path },
    }))
}

/// Finds out whether the file was made with this key.
pub(super) fn check_key(
    connection: &Connection,
    path: &Path,
    key: &StorageKey,
) -> Result<(), Fault> {
    let query = "SELECT sealed FROM store_check";
    let sealed = connection.query_one(query, [], |row| row.get::<_, Vec<u8>>(0));
    match sealed.optional()? {
        Some(sealed) if key.open(CHECK, &sealed).is_ok() => Ok(()),
        _ => Err(Fault::Store(StoreError::WrongKey {
            path: path.to_owned(),
        })),
    }
}

/// Brings a file to the newest version; several processes may try at once. Waits for them until `end`.
pub(super) fn prepare(
    connection: &mut Connection,
    path: &Path,
    key: &StorageKey,
    random: &mut Random<'_>,
    end: Instant,
) -> Result<(), Fault> {
    // Before anything is written to a file that is not ours.
    identify(connection, path)?;
    open::use_wal(connection, end)?;
    if identify(connection, path)? != Identity::Ours(NEWEST) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version = match identify(&transaction, path)? {
            Identity::Empty => 0,
            Identity::Ours(version) => {
                check_key(&transaction, path, key)?;
                version
            }
        };
        migrate(&transaction, version, STEPS)?;
        if version == 0 {
            let sealed = key.seal(CHECK, b"auth-gate", random);
            transaction.execute(
                "INSERT INTO store_check (id, sealed) VALUES (1, ?1)",
                [sealed],
            )?;
        }
        transaction.commit()?;
    }
    check_key(connection, path, key)
}

/// Goes the steps that lead on from `version`.
fn migrate(transaction: &Transaction<'_>, version: i64, steps: &[&str]) -> Result<(), Fault> {
    let done = usize::try_from(version).unwrap_or(steps.len());
    for step in steps.iter().skip(done) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", steps.len() as i64)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(connection: &Connection) -> i64 {
        connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap()
    }

    #[test]
    fn steps_lead_on_from_every_version_and_keep_what_is_there() {
        let steps = [
            "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1)",
            "ALTER TABLE a ADD COLUMN y INTEGER NOT NULL DEFAULT 2",
            "UPDATE a SET y = y + 1",
        ];
        let mut connection = Connection::open_in_memory().unwrap();
        for known in 1..=steps.len() {
            let transaction = connection.transaction().unwrap();
            let from = version(&transaction);
            migrate(&transaction, from, &steps[..known]).unwrap();
            transaction.commit().unwrap();
            assert_eq!(version(&connection), known as i64);
        }
        let row = connection.query_one("SELECT x, y FROM a", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        });
        assert_eq!(row.unwrap(), (1, 3));
    }

    #[test]
    fn a_step_that_fails_leaves_the_old_version() {
        let mut connection = Connection::open_in_memory().unwrap();
        let transaction = connection.transaction().unwrap();
        migrate(&transaction, 0, &["CREATE TABLE a (x)"]).unwrap();
        transaction.commit().unwrap();
        let transaction = connection.transaction().unwrap();
        let steps = ["CREATE TABLE a (x)", "DROP TABLE a; DROP TABLE missing"];
        assert!(migrate(&transaction, 1, &steps).is_err());
        drop(transaction);
        assert_eq!(version(&connection), 1);
        connection.execute("INSERT INTO a VALUES (1)", []).unwrap();
    }
}
