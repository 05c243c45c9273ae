//! What users prefer, and what was imported.

use rusqlite::{Connection, OptionalExtension, params};

use super::seconds;
use crate::store::SecondFactor;
use crate::store::error::Fault;

pub(in crate::store) fn find(
    connection: &Connection,
    user: &str,
) -> Result<Option<SecondFactor>, Fault> {
    let query = "SELECT second_factor FROM preferences WHERE user = ?1";
    let word = connection.query_one(query, [user], |row| row.get::<_, String>(0));
    Ok(word
        .optional()?
        .and_then(|word| SecondFactor::from_word(&word)))
}

pub(in crate::store) fn set(
    connection: &Connection,
    user: &str,
    method: SecondFactor,
) -> Result<(), Fault> {
    let insert = "INSERT INTO preferences (user, second_factor) VALUES (?1, ?2) \
        ON CONFLICT (user) DO UPDATE SET second_factor = excluded.second_factor";
    connection.execute(insert, [user, method.word()])?;
    Ok(())
}

/// Whether something was imported before.
pub(in crate::store) fn is_marked(connection: &Connection, mark: &[u8; 32]) -> Result<bool, Fault> {
    let query = "SELECT EXISTS (SELECT 1 FROM imported WHERE mark = ?1)";
    Ok(connection.query_one(query, [mark], |row| row.get(0))?)
}

/// Remembers that something was imported.
pub(in crate::store) fn mark(
    connection: &Connection,
    mark: &[u8; 32],
    now: u64,
) -> Result<(), Fault> {
    let insert = "INSERT INTO imported (mark, at) VALUES (?1, ?2)";
    connection.execute(insert, params![mark, seconds(now)])?;
    Ok(())
}
