//! Sessions, bans and orders: the calls of [`Ledger`], each one transaction.

use rusqlite::{Connection, Row, Transaction, named_params, params};

use super::{Outcome, Sqlite, seconds, time};
use crate::store::error::Fault;
use crate::store::{Ban, BannedBy, Command, Event, Ledger, LedgerSession, Order, Target};

/// Seconds that a session is remembered after its end, so that late news of it do not count.
const REMEMBERED: u64 = 60 * 60;

/// Seconds that an order waits for workers that cannot reach the store.
const ORDERED: u64 = 24 * 60 * 60;

impl Ledger for Sqlite {
    fn record(&self, events: &[Event], now: u64) -> Outcome<()> {
        self.write(|tx| {
            forget(tx, now)?;
            events.iter().try_for_each(|event| note(tx, event, now))
        })
    }

    fn sessions(&self, user: Option<&str>, now: u64) -> Outcome<Vec<LedgerSession>> {
        self.read(|tx| sessions(tx, user, now))
    }

    fn bans(&self, now: u64) -> Outcome<Vec<Ban>> {
        self.read(|tx| {
            let query = "SELECT kind, target, until, created, by FROM bans WHERE until > ?1 \
                ORDER BY until DESC, target, by";
            let mut statement = tx.prepare(query)?;
            let bans = statement.query_map([seconds(now)], |row| {
                Ok(Ban {
                    target: target(row, 0, 1)?,
                    until: time(row.get(2)?),
                    created: time(row.get(3)?),
                    by: by(&row.get::<_, String>(4)?),
                })
            })?;
            Ok(bans.collect::<Result<_, _>>()?)
        })
    }

    fn place_order(&self, command: &Command, now: u64) -> Outcome<usize> {
        self.write(|tx| {
            forget(tx, now)?;
            place(tx, command, now)?;
            carry_out(tx, command, now)
        })
    }

    fn orders_after(&self, id: i64, most: usize) -> Outcome<Vec<Order>> {
        self.read(|tx| {
            let query = "SELECT id, at, kind, session, target_kind, target, until FROM orders \
                WHERE id > ?1 ORDER BY id LIMIT ?2";
            let mut statement = tx.prepare(query)?;
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let orders = statement.query_map([id, most], order)?;
            Ok(orders.collect::<Result<_, _>>()?)
        })
    }

    fn last_order_before(&self, at: u64) -> Outcome<i64> {
        self.read(|tx| {
            let query = "SELECT coalesce(max(id), 0) FROM orders WHERE at < ?1";
            Ok(tx.query_one(query, [seconds(at)], |row| row.get(0))?)
        })
    }
}

/// Forgets what has long ended.
fn forget(tx: &Transaction<'_>, now: u64) -> Result<(), Fault> {
    tx.execute("DELETE FROM sessions WHERE ends <= ?1", [seconds(now)])?;
    tx.execute("DELETE FROM bans WHERE until <= ?1", [seconds(now)])?;
    let old = now.saturating_sub(ORDERED);
    tx.execute("DELETE FROM orders WHERE at < ?1", [seconds(old)])?;
    Ok(())
}

fn note(tx: &Transaction<'_>, event: &Event, now: u64) -> Result<(), Fault> {
    match event {
        Event::Started(session) => start(tx, session),
        Event::Used { key, at, ends } => {
            let update = "UPDATE sessions SET last_used = max(last_used, ?2), ends = max(ends, ?3) \
                WHERE key = ?1 AND over = 0";
            tx.execute(update, params![key, seconds(*at), seconds(*ends)])?;
            Ok(())
        }
        Event::Ended(key) => {
            // Where the news of its beginning have not come yet, they find that it is over.
            let insert = "INSERT INTO sessions (key, user, domain, address, device, methods, \
                remember, created, last_used, ends, over) \
                VALUES (?1, '', '', '', '', '', 0, 0, 0, ?2, 1) \
                ON CONFLICT (key) DO UPDATE SET ends = excluded.ends, over = 1";
            let until = seconds(now.saturating_add(REMEMBERED));
            tx.execute(insert, params![key, until])?;
            Ok(())
        }
        Event::Banned(made) if is_revoked(tx, made)? => Ok(()),
        Event::Banned(made) => ban(tx, made),
        Event::Emptied { at } => {
            end(tx, "created < :at", None, *at, now)?;
            Ok(())
        }
    }
}

fn start(tx: &Transaction<'_>, session: &LedgerSession) -> Result<(), Fault> {
    let insert = "INSERT INTO sessions (key, user, domain, address, device, methods, remember, \
        created, last_used, ends, over) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0 \
        WHERE NOT EXISTS (SELECT 1 FROM orders WHERE at >= ?8 \
        AND (kind = 'end all' OR kind = 'end user' AND target = ?2)) \
        ON CONFLICT (key) DO NOTHING";
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
    ];
    tx.execute(insert, values)?;
    Ok(())
}

/// Whether a ban was taken back before there was word of it.
fn is_revoked(tx: &Transaction<'_>, ban: &Ban) -> Result<bool, Fault> {
    let query = "SELECT EXISTS (SELECT 1 FROM orders WHERE at >= ?1 AND kind = 'revoke' \
        AND target_kind = ?2 AND target = ?3)";
    let (kind, target) = words(&ban.target);
    let values = params![seconds(ban.created), kind, target];
    Ok(tx.query_one(query, values, |row| row.get(0))?)
}

fn ban(tx: &Transaction<'_>, ban: &Ban) -> Result<(), Fault> {
    // Workers tell of their bans in any order. An administrator's last word counts.
    let insert = "INSERT INTO bans (kind, target, until, created, by) VALUES (?1, ?2, ?3, ?4, ?5) \
        ON CONFLICT (kind, target, by) DO UPDATE SET until = CASE by WHEN 'administrator' \
        THEN excluded.until ELSE max(until, excluded.until) END, \
        created = max(created, excluded.created)";
    let (kind, target) = words(&ban.target);
    tx.execute(
        insert,
        params![
            kind,
            target,
            seconds(ban.until),
            seconds(ban.created),
            ban.by.word()
        ],
    )?;
    Ok(())
}

/// Ends the sessions that last and meet `condition`; says how many.
fn end(
    connection: &Connection,
    condition: &str,
    user: Option<&str>,
    at: u64,
    now: u64,
) -> Result<usize, Fault> {
    let update = format!(
        "UPDATE sessions SET over = 1, ends = :until WHERE over = 0 AND {condition} \
        AND (:user IS NULL OR user = :user)"
    );
    let until = seconds(now.saturating_add(REMEMBERED));
    let values = named_params! { ":until": until, ":user": user, ":at": seconds(at) };
    Ok(connection.execute(&update, values)?)
}

fn place(tx: &Transaction<'_>, command: &Command, now: u64) -> Result<(), Fault> {
    let (kind, session, target, until) = match command {
        Command::EndSession(key) => ("end session", Some(key), None, None),
        Command::EndUser(user) => ("end user", None, Some(("user", user.clone())), None),
        Command::EndAll => ("end all", None, None, None),
        Command::Ban(target, until) => ("ban", None, Some(words(target)), Some(seconds(*until))),
        Command::Revoke(target) => ("revoke", None, Some(words(target)), None),
    };
    let insert = "INSERT INTO orders (kind, session, target_kind, target, until, at) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let (target_kind, target) = target.unzip();
    let values = params![kind, session, target_kind, target, until, seconds(now)];
    tx.execute(insert, values)?;
    Ok(())
}

/// Does to what is written down what the workers will do to theirs.
fn carry_out(tx: &Transaction<'_>, command: &Command, now: u64) -> Result<usize, Fault> {
    match command {
        Command::EndSession(key) => {
            let query = "SELECT count(*) FROM sessions WHERE key = ?1 AND over = 0 AND ends > ?2";
            let count: i64 = tx.query_one(query, params![key, seconds(now)], |row| row.get(0))?;
            note(tx, &Event::Ended(*key), now)?;
            Ok(usize::try_from(count).unwrap_or(0))
        }
        Command::EndUser(user) => end(tx, "created <= :at", Some(user), now, now),
        Command::EndAll => end(tx, "created <= :at", None, now, now),
        Command::Ban(target, until) => {
            let made = Ban {
                target: target.clone(),
                until: *until,
                created: now,
                by: BannedBy::Administrator,
            };
            ban(tx, &made)?;
            Ok(1)
        }
        Command::Revoke(target) => {
            let (kind, target) = words(target);
            let delete = "DELETE FROM bans WHERE kind = ?1 AND target = ?2";
            Ok(tx.execute(delete, [kind, &target])?)
        }
    }
}

fn sessions(
    tx: &Transaction<'_>,
    user: Option<&str>,
    now: u64,
) -> Result<Vec<LedgerSession>, Fault> {
    let query = "SELECT key, user, domain, address, device, methods, remember, created, last_used, \
        ends FROM sessions WHERE over = 0 AND ends > ?1 AND (?2 IS NULL OR user = ?2) \
        ORDER BY created DESC, key";
    let mut statement = tx.prepare(query)?;
    let sessions = statement.query_map(params![seconds(now), user], |row| {
        let methods: String = row.get(5)?;
        let methods = methods.split(',').filter(|word| !word.is_empty());
        Ok(LedgerSession {
            key: row.get(0)?,
            user: row.get(1)?,
            domain: row.get(2)?,
            address: parsed(&row.get::<_, String>(3)?, 3)?,
            device: row.get(4)?,
            methods: methods.map(str::to_owned).collect(),
            remember: row.get(6)?,
            created: time(row.get(7)?),
            last_used: time(row.get(8)?),
            ends: time(row.get(9)?),
        })
    })?;
    Ok(sessions.collect::<Result<_, _>>()?)
}

fn order(row: &Row<'_>) -> rusqlite::Result<Order> {
    let command = match row.get::<_, String>(2)?.as_str() {
        "end session" => Command::EndSession(row.get(3)?),
        "end user" => Command::EndUser(row.get(5)?),
        "end all" => Command::EndAll,
        "ban" => Command::Ban(target(row, 4, 5)?, time(row.get(6)?)),
        "revoke" => Command::Revoke(target(row, 4, 5)?),
        other => return Err(bad(2, format!("no kind of order: {other}"))),
    };
    Ok(Order {
        id: row.get(0)?,
        at: time(row.get(1)?),
        command,
    })
}

/// How a target is kept.
fn words(target: &Target) -> (&'static str, String) {
    match target {
        Target::User(name) => ("user", name.clone()),
        Target::Address(address) => ("address", address.to_string()),
    }
}

fn target(row: &Row<'_>, kind: usize, name: usize) -> rusqlite::Result<Target> {
    let text: String = row.get(name)?;
    match row.get::<_, String>(kind)?.as_str() {
        "user" => Ok(Target::User(text)),
        "address" => Ok(Target::Address(parsed(&text, name)?)),
        other => Err(bad(kind, format!("nobody to ban: {other}"))),
    }
}

fn by(word: &str) -> BannedBy {
    [BannedBy::Administrator, BannedBy::SecondFactors]
        .into_iter()
        .find(|by| by.word() == word)
        .unwrap_or(BannedBy::Regulation)
}

fn parsed(text: &str, column: usize) -> rusqlite::Result<std::net::IpAddr> {
    text.parse()
        .map_err(|_| bad(column, format!("no address: {text}")))
}

fn bad(column: usize, what: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, what.into())
}
