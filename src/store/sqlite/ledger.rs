//! Sessions, attempts, bans and orders: the calls of [`Ledger`], each one transaction.

use std::time::Duration;

use rusqlite::{OptionalExtension, Row, Transaction, named_params, params};

use super::{Outcome, Sqlite, seconds, time};
use crate::store::error::Fault;
use crate::store::seal::{Place, StorageKey};
use crate::store::{
    Ban, BannedBy, Command, Event, Ledger, LedgerSession, Mark, Order, Orders, SessionKey, Target,
    TriedAt, Try,
};

/// Seconds that a session is remembered after its end, so that late news of it do not count.
const REMEMBERED: u64 = 60 * 60;

/// Seconds that an order waits for workers that cannot reach the store.
const ORDERED: u64 = 24 * 60 * 60;

/// Seconds after which a failed attempt is forgotten whatever the configuration says.
const HELD: u64 = 24 * 60 * 60;

/// Failures that are given back at most.
const FAILURES: usize = 65_536;

const SECRET: Place<'static> = Place {
    table: "shared_secret",
    column: "sealed",
    row: &[],
};

impl Ledger for Sqlite {
    fn record(&self, events: &[Event], by: u64, now: u64) -> Outcome<Vec<SessionKey>> {
        self.write(|tx| {
            forget(tx, now)?;
            let writer = Writer {
                tx,
                key: self.key(),
                by,
                now,
            };
            let mut over = Vec::new();
            for event in events {
                over.extend(writer.note(event)?);
            }
            Ok(over)
        })
    }

    fn fetch(&self, key: &SessionKey, now: u64) -> Outcome<Option<LedgerSession>> {
        self.read(|tx| {
            let query = format!(
                "SELECT {COLUMNS} FROM sessions WHERE key = ?1 AND over = 0 AND ends > ?2 \
                AND record IS NOT NULL"
            );
            let mut statement = tx.prepare_cached(&query)?;
            let found = statement.query_row(params![key, seconds(now)], session);
            let found = found.optional()?;
            let found = found.map(|found| unseal(self.key(), found));
            found.transpose()
        })
    }

    fn sessions(&self, user: Option<&str>, now: u64) -> Outcome<Vec<LedgerSession>> {
        self.read(|tx| {
            let query = format!(
                "SELECT {COLUMNS} FROM sessions WHERE over = 0 AND ends > ?1 \
                AND (?2 IS NULL OR user = ?2) ORDER BY created DESC, key"
            );
            let mut statement = tx.prepare(&query)?;
            let found = statement.query_map(params![seconds(now), user], session)?;
            found
                .map(|found| unseal(self.key(), found?))
                .collect::<Result<_, _>>()
        })
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

    fn failures(&self, since: u64) -> Outcome<Vec<Try>> {
        self.read(|tx| {
            let query = "SELECT stage, kind, target, at FROM failures WHERE at >= ?1 \
                ORDER BY at DESC, rowid DESC LIMIT ?2";
            let mut statement = tx.prepare(query)?;
            let most = i64::try_from(FAILURES).unwrap_or(i64::MAX);
            let failures = statement.query_map([seconds(since), most], |row| {
                Ok(Try {
                    at: TriedAt::of_word(&row.get::<_, String>(0)?)
                        .ok_or_else(|| bad(0, "no stage".into()))?,
                    target: target(row, 1, 2)?,
                    when: time(row.get(3)?),
                    passed: false,
                })
            })?;
            let mut failures = failures.collect::<Result<Vec<_>, _>>()?;
            failures.reverse();
            Ok(failures)
        })
    }

    fn place_order(&self, command: &Command, by: u64, now: u64) -> Outcome<usize> {
        self.write(|tx| {
            forget(tx, now)?;
            let writer = Writer {
                tx,
                key: self.key(),
                by,
                now,
            };
            writer.place(command)?;
            writer.carry_out(command)
        })
    }

    fn orders_after(&self, mark: Mark, most: usize, _wait: Duration) -> Outcome<Orders> {
        self.read(|tx| {
            let last: i64 = tx.query_one("SELECT coalesce(max(id), 0) FROM orders", [], |row| {
                row.get(0)
            })?;
            // In a file that was put in the place of another, numbers begin anew.
            let missed = time(last) < mark.0;
            let from = if missed { Mark::default() } else { mark };
            let query = "SELECT id, at, kind, session, target_kind, target, until, teller \
                FROM orders WHERE id > ?1 ORDER BY id LIMIT ?2";
            let mut statement = tx.prepare_cached(query)?;
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let orders = statement.query_map([seconds(from.0), most], order)?;
            let orders = orders.collect::<Result<Vec<_>, _>>()?;
            Ok(Orders {
                next: orders.last().map_or(from, |order| order.mark),
                orders,
                missed,
            })
        })
    }

    fn mark_before(&self, seconds_ago: u64, now: u64) -> Outcome<Mark> {
        self.read(|tx| {
            let query = "SELECT coalesce(max(id), 0) FROM orders WHERE at < ?1";
            let at = seconds(now.saturating_sub(seconds_ago));
            let id: i64 = tx.query_one(query, [at], |row| row.get(0))?;
            Ok(Mark(time(id), 0))
        })
    }

    fn probe(&self, now: u64) -> Outcome<()> {
        self.write(|tx| {
            let write = "INSERT INTO probe (id, at) VALUES (1, ?1) \
                ON CONFLICT (id) DO UPDATE SET at = excluded.at";
            tx.execute(write, [seconds(now)])?;
            Ok(())
        })
    }

    fn secret(&self, proposal: &[u8; 32]) -> Outcome<[u8; 32]> {
        self.write(|tx| {
            let sealed = self.key().seal_same(SECRET, proposal);
            tx.execute(
                "INSERT INTO shared_secret (id, sealed) VALUES (1, ?1) ON CONFLICT DO NOTHING",
                [sealed],
            )?;
            let sealed: Vec<u8> =
                tx.query_one("SELECT sealed FROM shared_secret", [], |row| row.get(0))?;
            let secret = self.key().open(SECRET, &sealed)?;
            let secret = <[u8; 32]>::try_from(&secret[..]);
            secret.map_err(|_| Fault::Sealed("the secret of shared_secret".into()))
        })
    }

    fn is_shared(&self) -> bool {
        false
    }
}

/// Forgets what has long ended.
fn forget(tx: &Transaction<'_>, now: u64) -> Result<(), Fault> {
    tx.execute("DELETE FROM sessions WHERE ends <= ?1", [seconds(now)])?;
    tx.execute("DELETE FROM bans WHERE until <= ?1", [seconds(now)])?;
    let before = |ago| [seconds(now.saturating_sub(ago))];
    tx.execute("DELETE FROM orders WHERE at < ?1", before(ORDERED))?;
    tx.execute("DELETE FROM failures WHERE at < ?1", before(HELD))?;
    Ok(())
}

/// Somebody who writes something down, within one transaction.
struct Writer<'t> {
    tx: &'t Transaction<'t>,
    key: &'t StorageKey,
    by: u64,
    now: u64,
}

impl Writer<'_> {
    /// Gives the key of a session that began or was used, but is over.
    fn note(&self, event: &Event) -> Result<Option<SessionKey>, Fault> {
        match event {
            Event::Started { session, replaces } => {
                return self.start(session, replaces.as_ref());
            }
            Event::Used(session) => return self.keep(session),
            Event::Ended(key) => {
                self.end_session(key)?;
                self.place(&Command::EndSession(*key))?;
            }
            Event::Banned(made) if self.is_revoked(made)? => {}
            Event::Banned(made) => self.ban(made)?,
            Event::Tried(tried) => self.count(tried)?,
        }
        Ok(None)
    }

    fn start(
        &self,
        session: &LedgerSession,
        replaces: Option<&SessionKey>,
    ) -> Result<Option<SessionKey>, Fault> {
        if let Some(old) = replaces {
            let query = "SELECT EXISTS (SELECT 1 FROM sessions WHERE key = ?1 AND over = 1)";
            let over: bool = self.tx.query_one(query, [old], |row| row.get(0))?;
            // Written down once already, perhaps, and tried again after an error.
            if over && !self.lasts(&session.key)? {
                self.end_session(&session.key)?;
                return Ok(Some(session.key));
            }
            self.end_session(old)?;
            self.place(&Command::EndSession(*old))?;
        }
        self.keep(session)
    }

    fn lasts(&self, key: &SessionKey) -> Result<bool, Fault> {
        let query = "SELECT EXISTS (SELECT 1 FROM sessions WHERE key = ?1 AND over = 0)";
        Ok(self.tx.query_one(query, [key], |row| row.get(0))?)
    }

    fn keep(&self, session: &LedgerSession) -> Result<Option<SessionKey>, Fault> {
        let insert = "INSERT INTO sessions (key, user, domain, address, device, methods, remember, \
            created, last_used, ends, over, record) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, ?11) \
            ON CONFLICT (key) DO UPDATE SET last_used = max(last_used, excluded.last_used), \
            ends = max(ends, excluded.ends), record = excluded.record WHERE over = 0";
        let record = self
            .key
            .seal_same(record_of(&[&session.key]), &session.record);
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
            record,
        ];
        let kept = self.tx.prepare_cached(insert)?.execute(values)?;
        Ok((kept == 0).then_some(session.key))
    }

    fn end_session(&self, key: &SessionKey) -> Result<(), Fault> {
        // Where the news of its beginning have not come yet, they find that it is over.
        let insert = "INSERT INTO sessions (key, user, domain, address, device, methods, \
            remember, created, last_used, ends, over) \
            VALUES (?1, '', '', '', '', '', 0, 0, 0, ?2, 1) \
            ON CONFLICT (key) DO UPDATE SET ends = excluded.ends, over = 1, record = NULL";
        self.tx.execute(insert, params![key, self.remembered()])?;
        Ok(())
    }

    /// Until when an end is remembered.
    fn remembered(&self) -> i64 {
        seconds(self.now.saturating_add(REMEMBERED))
    }

    /// Ends the sessions that last, of one user or of all; says how many.
    fn end_all(&self, user: Option<&str>, except: Option<&SessionKey>) -> Result<usize, Fault> {
        let update = "UPDATE sessions SET over = 1, ends = :until, record = NULL WHERE over = 0 \
            AND (:user IS NULL OR user = :user) AND (:except IS NULL OR key <> :except)";
        let until = self.remembered();
        let values = named_params! { ":until": until, ":user": user, ":except": except };
        Ok(self.tx.execute(update, values)?)
    }

    /// Whether a ban was taken back before there was word of it.
    fn is_revoked(&self, ban: &Ban) -> Result<bool, Fault> {
        let query = "SELECT EXISTS (SELECT 1 FROM orders WHERE at >= ?1 AND kind = 'revoke' \
            AND target_kind = ?2 AND target = ?3)";
        let (kind, target) = words(&ban.target);
        let values = params![seconds(ban.created), kind, target];
        Ok(self.tx.query_one(query, values, |row| row.get(0))?)
    }

    fn ban(&self, ban: &Ban) -> Result<(), Fault> {
        // Workers tell of their bans in any order. An administrator's last word counts.
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
        self.tx.execute(insert, values)?;
        Ok(())
    }

    fn count(&self, tried: &Try) -> Result<(), Fault> {
        let (kind, target) = words(&tried.target);
        let values = params![tried.at.word(), kind, target, seconds(tried.when)];
        let change = match tried.passed {
            true => {
                "DELETE FROM failures WHERE stage = ?1 AND kind = ?2 AND target = ?3 AND at <= ?4"
            }
            false => "INSERT INTO failures (stage, kind, target, at) VALUES (?1, ?2, ?3, ?4)",
        };
        self.tx.prepare_cached(change)?.execute(values)?;
        Ok(())
    }

    fn place(&self, command: &Command) -> Result<(), Fault> {
        let user = |name: &String| Some(("user", name.clone()));
        let (kind, session, target, until) = match command {
            Command::EndSession(key) => ("end session", Some(key), None, None),
            Command::EndUser { user: name, except } => {
                ("end user", except.as_ref(), user(name), None)
            }
            Command::EndAll => ("end all", None, None, None),
            Command::Ban(ban) => (
                "ban",
                None,
                Some(words(&ban.target)),
                Some(seconds(ban.until)),
            ),
            Command::Revoke(target) => ("revoke", None, Some(words(target)), None),
            // Only other machines would be told.
            Command::Count(_) => return Ok(()),
        };
        let insert = "INSERT INTO orders (kind, session, target_kind, target, until, at, teller) \
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let (target_kind, target) = target.unzip();
        let teller = self.by.cast_signed();
        let at = seconds(self.now);
        let values = params![kind, session, target_kind, target, until, at, teller];
        self.tx.prepare_cached(insert)?.execute(values)?;
        Ok(())
    }

    /// Does to what is written down what the workers will do to theirs.
    fn carry_out(&self, command: &Command) -> Result<usize, Fault> {
        match command {
            Command::EndSession(key) => {
                let query =
                    "SELECT count(*) FROM sessions WHERE key = ?1 AND over = 0 AND ends > ?2";
                let values = params![key, seconds(self.now)];
                let count: i64 = self.tx.query_one(query, values, |row| row.get(0))?;
                self.end_session(key)?;
                Ok(usize::try_from(count).unwrap_or(0))
            }
            Command::EndUser { user, except } => self.end_all(Some(user), except.as_ref()),
            Command::EndAll => self.end_all(None, None),
            Command::Ban(made) => self.ban(made).map(|()| 1),
            Command::Revoke(target) => {
                let (kind, target) = words(target);
                let of_target = [kind, &target];
                let delete = "DELETE FROM failures WHERE kind = ?1 AND target = ?2";
                self.tx.execute(delete, of_target)?;
                let delete = "DELETE FROM bans WHERE kind = ?1 AND target = ?2";
                Ok(self.tx.execute(delete, of_target)?)
            }
            Command::Count(tried) => self.count(tried).map(|()| 0),
        }
    }
}

const COLUMNS: &str = "key, user, domain, address, device, methods, remember, created, last_used, \
    ends, record";

/// Where the record lies of the session under this key.
fn record_of<'k>(key: &'k [&'k [u8]; 1]) -> Place<'k> {
    Place {
        table: "sessions",
        column: "record",
        row: key,
    }
}

/// A row of [`COLUMNS`]; its record is still sealed, and empty where there is none.
fn session(row: &Row<'_>) -> rusqlite::Result<LedgerSession> {
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
        record: row.get::<_, Option<Vec<u8>>>(10)?.unwrap_or_default(),
    })
}

fn unseal(key: &StorageKey, mut session: LedgerSession) -> Result<LedgerSession, Fault> {
    if !session.record.is_empty() {
        let record = key.open(record_of(&[&session.key]), &session.record)?;
        session.record = record.to_vec();
    }
    Ok(session)
}

fn order(row: &Row<'_>) -> rusqlite::Result<Order> {
    let at = time(row.get(1)?);
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
            created: at,
            by: BannedBy::Administrator,
        }),
        "revoke" => Command::Revoke(target(row, 4, 5)?),
        other => return Err(bad(2, format!("no kind of order: {other}"))),
    };
    Ok(Order {
        mark: Mark(time(row.get(0)?), 0),
        at,
        by: row.get::<_, i64>(7)?.cast_unsigned(),
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
    BannedBy::of_word(word).unwrap_or(BannedBy::Regulation)
}

fn parsed(text: &str, column: usize) -> rusqlite::Result<std::net::IpAddr> {
    text.parse()
        .map_err(|_| bad(column, format!("no address: {text}")))
}

fn bad(column: usize, what: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, what.into())
}
