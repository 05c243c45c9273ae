//! Orders to the workers, and what they say about news that come late.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{bad, bans, prepare, seconds, target, time, words};
use crate::store::error::Fault;
use crate::store::{Ban, Command, Mark, Order, Orders, SessionKey, Target};

/// Seconds that an order waits for workers that cannot reach the store.
const ORDERED: u64 = 24 * 60 * 60;

/// Orders that are forgotten in one go.
const FORGOTTEN: u32 = 500;

/// Writes an order down; `teller` names the memory of workers that told of it.
pub(super) fn place(
    connection: &Connection,
    command: &Command,
    teller: u64,
    now: u64,
) -> Result<(), Fault> {
    let user = |name: &String| Some(("user", name.clone()));
    let (kind, session, target, ban) = match command {
        Command::EndSession(key) => ("end session", Some(key), None, None),
        Command::EndUser { user: name, except } => ("end user", except.as_ref(), user(name), None),
        Command::EndAll => ("end all", None, None, None),
        Command::Ban(ban) => ("ban", None, Some(words(&ban.target)), Some(ban)),
        Command::Revoke(target) => ("revoke", None, Some(words(target)), None),
        // Only other machines would be told.
        Command::Count(_) => return Ok(()),
    };
    let insert = "INSERT INTO orders (kind, session, target_kind, target, until, created, \
        banned_by, at, teller) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let (target_kind, target) = target.unzip();
    let values = params![
        kind,
        session,
        target_kind,
        target,
        ban.map(|ban| seconds(ban.until)),
        ban.map(|ban| seconds(ban.created)),
        ban.map(|ban| ban.by.word()),
        seconds(now),
        teller.cast_signed()
    ];
    prepare(connection, insert)?.execute(values)?;
    Ok(())
}

pub(super) fn after(connection: &Connection, mark: Mark, most: usize) -> Result<Orders, Fault> {
    let last = last(connection)?;
    let query = "SELECT coalesce(min(id), ?1 + 1) FROM orders";
    let first: i64 = prepare(connection, query)?.query_one([last], |row| row.get(0))?;
    // In a file that was put in the place of another numbers begin anew; others were forgotten.
    let missed = time(last) < mark.0 || mark.0.saturating_add(1) < time(first);
    let from = match time(last) < mark.0 {
        true => Mark::default(),
        false => mark,
    };
    let query = "SELECT id, at, kind, session, target_kind, target, until, created, banned_by, \
        teller FROM orders WHERE id > ?1 ORDER BY id LIMIT ?2";
    let mut statement = prepare(connection, query)?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let orders = statement.query_map(params![seconds(from.0), most], read)?;
    let orders = orders.collect::<Result<Vec<_>, _>>()?;
    let forgotten = Mark(time(first).saturating_sub(1), 0);
    Ok(Orders {
        next: orders
            .last()
            .map_or(from.max(forgotten), |order| order.mark),
        orders,
        missed,
    })
}

/// The mark behind which all orders are that were placed since `since`. Looked for from the newer
/// ones: a clock that was set back must not hide any of them.
pub(super) fn mark_before(connection: &Connection, since: u64) -> Result<Mark, Fault> {
    // For a bare id, SQLite would go through all orders from the first one on.
    let query = "SELECT min(+id) FROM orders WHERE at >= ?1";
    let mut statement = prepare(connection, query)?;
    let first: Option<i64> = statement.query_one([seconds(since)], |row| row.get(0))?;
    let mark = match first {
        Some(first) => first.saturating_sub(1),
        None => last(connection)?,
    };
    Ok(Mark(time(mark), 0))
}

/// The number of the last order, were it forgotten meanwhile.
fn last(connection: &Connection) -> Result<i64, Fault> {
    let query = "SELECT seq FROM sqlite_sequence WHERE name = 'orders'";
    let mut statement = prepare(connection, query)?;
    let last = statement.query_row([], |row| row.get(0)).optional()?;
    Ok(last.unwrap_or(0))
}

/// Whether somebody was forgiven at `when` or later.
pub(super) fn is_revoked(connection: &Connection, of: &Target, when: u64) -> Result<bool, Fault> {
    let query = "SELECT EXISTS (SELECT 1 FROM orders WHERE kind = 'revoke' AND target_kind = ?1 \
        AND target = ?2 AND at >= ?3)";
    let (kind, target) = words(of);
    let mut statement = prepare(connection, query)?;
    Ok(statement.query_one(params![kind, target, seconds(when)], |row| row.get(0))?)
}

/// Whether all sessions of `user`, or of everybody, were ended at `since` or later; `session` goes on
/// if that was said.
pub(super) fn have_ended(
    connection: &Connection,
    user: &str,
    session: &SessionKey,
    since: u64,
    now: u64,
) -> Result<bool, Fault> {
    // One that lies in the future was placed before the clock was set back: it says nothing of now.
    let query = "SELECT EXISTS (SELECT 1 FROM orders WHERE kind = 'end all' AND target IS NULL \
        AND target_kind IS NULL AND at >= ?3 AND at <= ?4) \
        OR EXISTS (SELECT 1 FROM orders WHERE kind = 'end user' AND target = ?1 \
        AND target_kind = 'user' AND at >= ?3 AND at <= ?4 AND session IS NOT ?2)";
    let mut statement = prepare(connection, query)?;
    let latest = now.max(since).saturating_add(SKEW);
    let values = params![user, session, seconds(since), seconds(latest)];
    Ok(statement.query_one(values, |row| row.get(0))?)
}

/// Seconds by which clocks of those who write may differ.
const SKEW: u64 = 60;

/// Forgets what every worker has heard of.
pub(super) fn forget(connection: &Connection, now: u64) -> Result<(), Fault> {
    // The oldest first, so that what is left has no gaps.
    let delete = "DELETE FROM orders WHERE id IN \
        (SELECT id FROM orders WHERE at < ?1 ORDER BY at, id LIMIT ?2)";
    let before = seconds(now.saturating_sub(ORDERED));
    let mut delete = prepare(connection, delete)?;
    delete.execute(params![before, FORGOTTEN])?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Order> {
    let command = match row.get::<_, String>(2)?.as_str() {
        "end session" => Command::EndSession(row.get(3)?),
        "end user" => Command::EndUser {
            user: row.get(5)?,
            except: row.get(3)?,
        },
        "end all" => Command::EndAll,
        "ban" => Command::Ban(Ban {
            target: target(row, 4, 5)?,
            until: time(row.get(6)?),
            created: time(row.get(7)?),
            by: bans::by(&row.get::<_, String>(8)?),
        }),
        "revoke" => Command::Revoke(target(row, 4, 5)?),
        _ => return Err(bad(2)),
    };
    Ok(Order {
        mark: Mark(time(row.get(0)?), 0),
        at: time(row.get(1)?),
        by: row.get::<_, i64>(9)?.cast_unsigned(),
        command,
    })
}
