//! Bans, and the attempts that may lead to some.

use rusqlite::{Connection, params};

use super::{bad, orders, prepare, seconds, target, time, words};
use crate::store::error::Fault;
use crate::store::{Ban, BannedBy, Target, TriedAt, Try};

/// Seconds after which an attempt is forgotten whatever the configuration says.
const HELD: u64 = 24 * 60 * 60;

/// Attempts that are remembered against users, and as many against addresses.
const MOST: i64 = 32_768;

/// Bans that are forgotten in one go.
const FORGOTTEN: u32 = 500;

pub(super) fn list(connection: &Connection, now: u64) -> Result<Vec<Ban>, Fault> {
    let query = "SELECT kind, target, until, created, by FROM bans WHERE until > ?1 \
        ORDER BY until DESC, target, by";
    let mut statement = prepare(connection, query)?;
    let bans = statement.query_map([seconds(now)], |row| {
        Ok(Ban {
            target: target(row, 0, 1)?,
            until: time(row.get(2)?),
            created: time(row.get(3)?),
            by: by(&row.get::<_, String>(4)?),
        })
    })?;
    Ok(bans.collect::<Result<_, _>>()?)
}

/// Writes down a ban. Workers tell of theirs in any order; an administrator's last word counts.
pub(super) fn add(connection: &Connection, ban: &Ban) -> Result<(), Fault> {
    let insert = "INSERT INTO bans (kind, target, until, created, by) VALUES (?1, ?2, ?3, ?4, ?5) \
        ON CONFLICT (kind, target, by) DO UPDATE SET until = CASE by WHEN 'administrator' \
        THEN excluded.until ELSE max(until, excluded.until) END, \
        created = max(created, excluded.created)";
    let (kind, target) = words(&ban.target);
    let values = params![
        kind,
        target,
        seconds(ban.until),
        seconds(ban.created),
        ban.by.word()
    ];
    prepare(connection, insert)?.execute(values)?;
    Ok(())
}

/// Forgets bans and failures of somebody; says how many bans.
pub(super) fn revoke(connection: &Connection, of: &Target) -> Result<usize, Fault> {
    let (kind, target) = words(of);
    let of = [kind, &target];
    prepare(
        connection,
        "DELETE FROM tries WHERE kind = ?1 AND target = ?2",
    )?
    .execute(of)?;
    Ok(prepare(
        connection,
        "DELETE FROM bans WHERE kind = ?1 AND target = ?2",
    )?
    .execute(of)?)
}

/// Failures since `since` that count, oldest first.
pub(super) fn failures(connection: &Connection, since: u64) -> Result<Vec<Try>, Fault> {
    let query = "SELECT stage, kind, target, at FROM tries WHERE kind = ?1 AND at >= ?2 \
        AND passed = 0 ORDER BY number DESC";
    let mut statement = prepare(connection, query)?;
    let mut failures = Vec::new();
    for kind in ["user", "address"] {
        let found = statement.query_map(params![kind, seconds(since)], |row| {
            Ok(Try {
                at: TriedAt::of_word(&row.get::<_, String>(0)?).ok_or_else(|| bad(0))?,
                target: target(row, 1, 2)?,
                when: time(row.get(3)?),
                passed: false,
            })
        })?;
        let start = failures.len();
        failures.extend(found.collect::<Result<Vec<_>, _>>()?);
        failures[start..].reverse();
    }
    failures.sort_by_key(|tried| tried.when);
    Ok(failures)
}

/// Counts an attempt. News come in any order: what failed before a success that is known of, or
/// before somebody was forgiven, counts no more.
pub(super) fn count(connection: &Connection, tried: &Try) -> Result<(), Fault> {
    let (kind, target) = words(&tried.target);
    let (stage, at) = (tried.at.word(), seconds(tried.when));
    let query = "SELECT EXISTS (SELECT 1 FROM tries WHERE kind = ?1 AND target = ?2 \
        AND stage = ?3 AND passed = 1 AND at > ?4)";
    let mut statement = prepare(connection, query)?;
    let known: bool = statement.query_one(params![kind, target, stage, at], |row| row.get(0))?;
    if known || orders::is_revoked(connection, &tried.target, tried.when)? {
        return Ok(());
    }
    if tried.passed {
        let delete =
            "DELETE FROM tries WHERE kind = ?1 AND target = ?2 AND stage = ?3 AND at <= ?4";
        let mut delete = prepare(connection, delete)?;
        delete.execute(params![kind, target, stage, at])?;
    }
    let insert = "INSERT INTO tries (kind, number, stage, target, at, passed) \
        SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3, ?4, ?5 FROM tries WHERE kind = ?1";
    let values = params![kind, stage, target, at, tried.passed];
    prepare(connection, insert)?.execute(values)?;
    Ok(())
}

/// Forgets bans that have ended, and attempts that are old or beyond what is remembered.
pub(super) fn forget(connection: &Connection, now: u64) -> Result<(), Fault> {
    let delete = "DELETE FROM bans WHERE (kind, target, by) IN \
        (SELECT kind, target, by FROM bans WHERE until <= ?1 LIMIT ?2)";
    let values = params![seconds(now), FORGOTTEN];
    prepare(connection, delete)?.execute(values)?;
    let delete = "DELETE FROM tries WHERE at < ?1";
    let before = seconds(now.saturating_sub(HELD));
    prepare(connection, delete)?.execute([before])?;
    let delete = "DELETE FROM tries WHERE kind = ?1 AND number <= \
        (SELECT max(number) FROM tries WHERE kind = ?1) - ?2";
    let mut delete = prepare(connection, delete)?;
    for kind in ["user", "address"] {
        delete.execute(params![kind, MOST])?;
    }
    Ok(())
}

/// Who is called so.
pub(super) fn by(word: &str) -> BannedBy {
    BannedBy::of_word(word).unwrap_or(BannedBy::Regulation)
}
