//! Sessions: rows that last, and rows that say of one that it is over.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{address, bad, prepare, seconds, time};
use crate::store::error::Fault;
use crate::store::seal::{Place, StorageKey};
use crate::store::{LedgerSession, SessionKey};

/// Seconds that a session is remembered after its end, so that late news of it do not count; if it
/// would have lasted longer, for as long as that.
const REMEMBERED: u64 = 60 * 60;

/// Rows that are forgotten in one go: a write must not wait for a million sessions that ended at once.
const FORGOTTEN: u32 = 500;

const COLUMNS: &str = "key, user, domain, address, device, methods, remember, created, last_used, \
    ends, record";

/// What a session must be to last at ?1.
const LASTS: &str = "over = 0 AND era = (SELECT era FROM eras) AND ends > ?1";

/// What is known of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing: it never began, or was lost.
    Unknown,
    Lasts {
        last_used: u64,
    },
    Over,
}

pub(super) fn fetch(
    connection: &Connection,
    key: &StorageKey,
    session: &SessionKey,
    now: u64,
) -> Result<Option<LedgerSession>, Fault> {
    let query = format!("SELECT {COLUMNS} FROM sessions WHERE key = ?2 AND {LASTS}");
    let mut statement = prepare(connection, &query)?;
    let mut rows = statement.query(params![seconds(now), session])?;
    // Of one that is damaged nothing can be believed: its visitor signs in again.
    let found = rows.next()?.and_then(|row| read(row, key).ok());
    Ok(found.filter(|found| !found.record.is_empty()))
}

/// Those that last, newest first. One that is damaged is listed without its record, or not at all if
/// even what is said of it in words cannot be read.
pub(super) fn list(
    connection: &Connection,
    key: &StorageKey,
    user: Option<&str>,
    now: u64,
) -> Result<Vec<LedgerSession>, Fault> {
    // With one query for both, SQLite would look at all sessions for those of one user.
    let whose = user.map_or("", |_| "AND user = ?2");
    let query =
        format!("SELECT {COLUMNS} FROM sessions WHERE {LASTS} {whose} ORDER BY created DESC, key");
    let mut statement = prepare(connection, &query)?;
    let mut rows = match user {
        Some(user) => statement.query(params![seconds(now), user])?,
        None => statement.query([seconds(now)])?,
    };
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.extend(read(row, key).ok());
    }
    Ok(found)
}

/// Whether a session lasts.
pub(super) fn is_there(
    connection: &Connection,
    session: &SessionKey,
    now: u64,
) -> Result<bool, Fault> {
    let query = format!("SELECT EXISTS (SELECT 1 FROM sessions WHERE key = ?2 AND {LASTS})");
    let mut statement = prepare(connection, &query)?;
    Ok(statement.query_one(params![seconds(now), session], |row| row.get(0))?)
}

/// What is known of a session, whenever it ends.
pub(super) fn state(connection: &Connection, session: &SessionKey) -> Result<State, Fault> {
    let query = "SELECT over = 0 AND era = (SELECT era FROM eras), last_used FROM sessions \
        WHERE key = ?1";
    let mut statement = prepare(connection, query)?;
    let found = statement.query_row([session], |row| Ok((row.get(0)?, time(row.get(1)?))));
    Ok(match found.optional()? {
        None => State::Unknown,
        Some((true, last_used)) => State::Lasts { last_used },
        Some((false, _)) => State::Over,
    })
}

/// Writes down a session that was unknown.
pub(super) fn insert(
    connection: &Connection,
    key: &StorageKey,
    session: &LedgerSession,
) -> Result<(), Fault> {
    let insert = format!(
        "INSERT INTO sessions ({COLUMNS}, over, era) \
        SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, era FROM eras"
    );
    let values = params![
        session.key,
        session.user,
        session.domain,
        session.address.to_string(),
        session.device,
        session.methods.join(","),
        session.remember,
        seconds(session.created),
        seconds(session.last_used),
        seconds(session.ends),
        seal(key, session),
    ];
    prepare(connection, &insert)?.execute(values)?;
    Ok(())
}

/// Brings a session that lasts up to date.
pub(super) fn update(
    connection: &Connection,
    key: &StorageKey,
    session: &LedgerSession,
) -> Result<(), Fault> {
    let update = "UPDATE sessions SET methods = ?2, remember = ?3, last_used = ?4, ends = ?5, \
        record = ?6 WHERE key = ?1";
    let values = params![
        session.key,
        session.methods.join(","),
        session.remember,
        seconds(session.last_used),
        seconds(session.ends),
        seal(key, session),
    ];
    prepare(connection, update)?.execute(values)?;
    Ok(())
}

/// Ends a session. Where the news of its beginning have not come yet, they find that it is over.
pub(super) fn end(connection: &Connection, session: &SessionKey, now: u64) -> Result<(), Fault> {
    let insert = "INSERT INTO sessions (key, user, domain, address, device, methods, remember, \
        created, last_used, ends, over, era) \
        SELECT ?1, '', '', '', '', '', 0, 0, 0, ?2, 1, era FROM eras WHERE true \
        ON CONFLICT (key) DO UPDATE SET ends = max(ends, excluded.ends), over = 1, record = NULL";
    let values = params![session, remembered(now)];
    prepare(connection, insert)?.execute(values)?;
    Ok(())
}

/// Ends the sessions of a user that are written down; says how many lasted.
pub(super) fn end_user(
    connection: &Connection,
    user: &str,
    except: Option<&SessionKey>,
    now: u64,
) -> Result<usize, Fault> {
    let query =
        format!("SELECT count(*) FROM sessions WHERE {LASTS} AND user = ?2 AND key IS NOT ?3");
    let values = params![seconds(now), user, except];
    let mut statement = prepare(connection, &query)?;
    let lasting: i64 = statement.query_one(values, |row| row.get(0))?;
    let update = "UPDATE sessions SET over = 1, ends = max(ends, ?1), record = NULL \
        WHERE user = ?2 AND over = 0 AND key IS NOT ?3";
    let values = params![remembered(now), user, except];
    prepare(connection, update)?.execute(values)?;
    Ok(usize::try_from(lasting).unwrap_or(0))
}

/// Ends all sessions that are written down, however many those are; says how many lasted.
pub(super) fn end_all(connection: &Connection, now: u64) -> Result<usize, Fault> {
    let query = format!("SELECT count(*) FROM sessions WHERE {LASTS}");
    let mut statement = prepare(connection, &query)?;
    let lasting: i64 = statement.query_one([seconds(now)], |row| row.get(0))?;
    prepare(connection, "UPDATE eras SET era = era + 1")?.execute([])?;
    Ok(usize::try_from(lasting).unwrap_or(0))
}

/// Forgets some of what has ended.
pub(super) fn forget(connection: &Connection, now: u64) -> Result<(), Fault> {
    let delete = "DELETE FROM sessions WHERE key IN \
        (SELECT key FROM sessions WHERE era = ?1 AND ends <= ?2 LIMIT ?3)";
    let mut delete = prepare(connection, delete)?;
    let mut forget = |era: i64, until: u64| delete.execute(params![era, seconds(until), FORGOTTEN]);
    let era = |query: &str| {
        let mut statement = prepare(connection, query)?;
        statement.query_row([], |row| row.get::<_, Option<i64>>(0))
    };
    let current = era("SELECT era FROM eras")?.unwrap_or(0);
    forget(current, now)?;
    // Those that ended with an era are remembered like others that were ended.
    let first = era("SELECT min(era) FROM sessions")?;
    if let Some(first) = first.filter(|first| *first < current) {
        forget(first, now.saturating_sub(REMEMBERED))?;
    }
    Ok(())
}

/// Opens every record.
pub(super) fn inspect(connection: &Connection, key: &StorageKey) -> Result<(), Fault> {
    let query = "SELECT key, record FROM sessions WHERE over = 0 AND record IS NOT NULL";
    let mut statement = connection.prepare(query)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let session: SessionKey = row.get(0)?;
        key.open(
            place(&[&session]),
            row.get_ref(1)?.as_blob().unwrap_or_default(),
        )?;
    }
    Ok(())
}

/// Until when an end is remembered.
fn remembered(now: u64) -> i64 {
    seconds(now.saturating_add(REMEMBERED))
}

fn seal(key: &StorageKey, session: &LedgerSession) -> Vec<u8> {
    key.seal_same(place(&[&session.key]), &session.record)
}

/// Where the record of a session lies.
fn place<'k>(session: &'k [&'k [u8]; 1]) -> Place<'k> {
    Place {
        table: "sessions",
        column: "record",
        row: session,
    }
}

/// A row of [`COLUMNS`]. A record that does not open is left out.
fn read(row: &Row<'_>, key: &StorageKey) -> rusqlite::Result<LedgerSession> {
    let session: SessionKey = row.get(0)?;
    let methods: String = row.get(5)?;
    let methods = methods.split(',').filter(|word| !word.is_empty());
    let sealed: Option<Vec<u8>> = row.get(10)?;
    let record = sealed.and_then(|sealed| key.open(place(&[&session]), &sealed).ok());
    Ok(LedgerSession {
        key: session,
        user: row.get(1)?,
        domain: row.get(2)?,
        address: address(&row.get::<_, String>(3)?).ok_or_else(|| bad(3))?,
        device: row.get(4)?,
        methods: methods.map(str::to_owned).collect(),
        remember: row.get(6)?,
        created: time(row.get(7)?),
        last_used: time(row.get(8)?),
        ends: time(row.get(9)?),
        record: record.map_or_else(Vec::new, |record| record.to_vec()),
    })
}
