//! One-time codes.

use rusqlite::{Connection, OptionalExtension, params};

use super::seconds;
use crate::store::error::Fault;
use crate::store::{MAX_CODES, NewCode, Purpose, StorageKey};

/// Seconds that a code is remembered after its end, so that its owner can be told that it ended.
const REMEMBERED: u64 = 24 * 60 * 60;

/// What a code must be to be good at ?1.
const GOOD: &str = "consumed IS NULL AND revoked IS NULL AND expires > ?1";

pub(super) fn issue(
    connection: &Connection,
    key: &StorageKey,
    new: &NewCode<'_>,
    now: u64,
) -> Result<bool, Fault> {
    let forget = "DELETE FROM codes WHERE expires < ?1";
    connection.execute(forget, [seconds(now.saturating_sub(REMEMBERED))])?;
    let insert = format!(
        "INSERT INTO codes (issued, id, user, purpose, code, address, expires) \
        SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE {MAX_CODES} > \
        (SELECT count(*) FROM codes WHERE {GOOD} AND user = ?3 AND purpose = ?4)"
    );
    let purpose = new.purpose.word();
    let values = params![
        seconds(now),
        new.id,
        new.user,
        purpose,
        key.code(purpose, new.code),
        new.address.to_string(),
        seconds(new.expires)
    ];
    Ok(connection.execute(&insert, values)? > 0)
}

pub(super) fn owner(
    connection: &Connection,
    key: &StorageKey,
    purpose: Purpose,
    code: &[u8],
    now: u64,
) -> Result<Option<String>, Fault> {
    let query = format!("SELECT user FROM codes WHERE {GOOD} AND code = ?2 AND purpose = ?3");
    let purpose = purpose.word();
    let values = params![seconds(now), key.code(purpose, code), purpose];
    let mut statement = connection.prepare(&query)?;
    let mut users = statement.query_map(values, |row| row.get(0))?;
    let owner = users.next().transpose()?;
    // Two people with the same code: nobody can tell whose it is.
    Ok(owner.filter(|_| users.next().is_none()))
}

pub(super) fn redeem(
    connection: &Connection,
    key: &StorageKey,
    purpose: Purpose,
    user: &str,
    code: &[u8],
    now: u64,
) -> Result<bool, Fault> {
    let update = format!(
        "UPDATE codes SET consumed = ?1 WHERE {GOOD} AND code = ?2 AND purpose = ?3 AND user = ?4"
    );
    let purpose = purpose.word();
    let values = params![seconds(now), key.code(purpose, code), purpose, user];
    Ok(connection.execute(&update, values)? > 0)
}

pub(super) fn revoke(connection: &Connection, id: &[u8; 16], now: u64) -> Result<bool, Fault> {
    let update = format!("UPDATE codes SET revoked = ?1 WHERE {GOOD} AND id = ?2");
    Ok(connection.execute(&update, params![seconds(now), id])? == 1)
}

pub(super) fn revoke_all(
    connection: &Connection,
    user: &str,
    purpose: Purpose,
    now: u64,
) -> Result<usize, Fault> {
    let update =
        format!("UPDATE codes SET revoked = ?1 WHERE {GOOD} AND user = ?2 AND purpose = ?3");
    Ok(connection.execute(&update, params![seconds(now), user, purpose.word()])?)
}

/// How many codes are good.
pub(super) fn count(connection: &Connection, now: u64) -> Result<u64, Fault> {
    let query = format!("SELECT count(*) FROM codes WHERE {GOOD}");
    let count: Option<i64> = connection
        .query_one(&query, [seconds(now)], |row| row.get(0))
        .optional()?;
    Ok(super::time(count.unwrap_or(0)))
}
