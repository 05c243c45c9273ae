//! The calls of [`Ledger`], each one transaction.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction};

use super::sessions::State;
use super::{Outcome, Sqlite, bans, orders, prepare, seconds, sessions};
use crate::store::error::Fault;
use crate::store::seal::{Place, StorageKey};
use crate::store::{Ban, Command, Event, Ledger, LedgerSession, Mark, Orders, SessionKey, Try};

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
        self.read(|tx| sessions::fetch(tx, self.key(), key, now))
    }

    fn sessions(&self, user: Option<&str>, now: u64) -> Outcome<Vec<LedgerSession>> {
        self.read(|tx| sessions::list(tx, self.key(), user, now))
    }

    fn bans(&self, now: u64) -> Outcome<Vec<Ban>> {
        self.read(|tx| bans::list(tx, now))
    }

    fn failures(&self, since: u64) -> Outcome<Vec<Try>> {
        self.read(|tx| bans::failures(tx, since))
    }

    fn place_order(&self, command: &Command, by: u64, now: u64) -> Outcome<usize> {
        self.write(|tx| {
            forget(tx, now)?;
            orders::place(tx, command, by, now)?;
            carry_out(tx, command, now)
        })
    }

    fn orders_after(&self, mark: Mark, most: usize, _wait: Duration) -> Outcome<Orders> {
        self.read(|tx| orders::after(tx, mark, most))
    }

    fn mark_before(&self, seconds: u64, now: u64) -> Outcome<Mark> {
        self.read(|tx| orders::mark_before(tx, now.saturating_sub(seconds)))
    }

    fn probe(&self, now: u64) -> Outcome<()> {
        self.write(|tx| {
            let write = "INSERT INTO probe (id, at) VALUES (1, ?1) \
                ON CONFLICT (id) DO UPDATE SET at = excluded.at";
            prepare(tx, write)?.execute([seconds(now)])?;
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
            let secret = secret(tx, self.key())?;
            secret.ok_or_else(|| Fault::Sql(rusqlite::Error::QueryReturnedNoRows))
        })
    }

    fn is_shared(&self) -> bool {
        false
    }
}

/// Opens what is sealed and belongs to no room of its own.
pub(super) fn inspect(connection: &Connection, key: &StorageKey) -> Result<(), Fault> {
    secret(connection, key).map(|_| ())
}

/// The shared secret, if there is one.
fn secret(connection: &Connection, key: &StorageKey) -> Result<Option<[u8; 32]>, Fault> {
    let query = "SELECT sealed FROM shared_secret";
    let sealed = connection.query_one(query, [], |row| row.get::<_, Vec<u8>>(0));
    let Some(sealed) = sealed.optional()? else {
        return Ok(None);
    };
    let opened = key.open(SECRET, &sealed)?;
    let secret = <[u8; 32]>::try_from(&opened[..]);
    let damaged = |_| Fault::Sealed("the secret of shared_secret".into());
    secret.map(Some).map_err(damaged)
}

/// Forgets what has long ended, a bounded part of it.
fn forget(tx: &Transaction<'_>, now: u64) -> Result<(), Fault> {
    sessions::forget(tx, now)?;
    bans::forget(tx, now)?;
    orders::forget(tx, now)
}

/// Does to what is written down what the workers will do to theirs; says how many it concerns.
fn carry_out(tx: &Transaction<'_>, command: &Command, now: u64) -> Result<usize, Fault> {
    match command {
        Command::EndSession(key) => {
            let lasting = sessions::is_there(tx, key, now)?;
            sessions::end(tx, key, now)?;
            Ok(usize::from(lasting))
        }
        Command::EndUser { user, except } => sessions::end_user(tx, user, except.as_ref(), now),
        Command::EndAll => sessions::end_all(tx, now),
        Command::Ban(made) => bans::add(tx, made).map(|()| 1),
        Command::Revoke(target) => bans::revoke(tx, target),
        Command::Count(tried) => bans::count(tx, tried).map(|()| 0),
    }
}

/// What is told of a session.
enum News<'e> {
    /// It begins; until now this was the name of it.
    Beginning(&'e SessionKey),
    /// It is used.
    Use,
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
            Event::Started {
                session,
                replaces: None,
            } => return self.keep(session, News::Beginning(&session.key)),
            Event::Started {
                session,
                replaces: Some(old),
            } => return self.replace(old, session),
            Event::Used(session) => return self.keep(session, News::Use),
            Event::Ended(key) => self.end(key)?,
            Event::Banned(ban) if orders::is_revoked(self.tx, &ban.target, ban.created)? => {}
            Event::Banned(ban) => bans::add(self.tx, ban)?,
            Event::Tried(tried) => bans::count(self.tx, tried)?,
        }
        Ok(None)
    }

    /// A session takes the place of another.
    fn replace(
        &self,
        old: &SessionKey,
        session: &LedgerSession,
    ) -> Result<Option<SessionKey>, Fault> {
        let before = sessions::state(self.tx, old)?;
        match (before, sessions::state(self.tx, &session.key)?) {
            // Written down once already, and tried again after an error.
            (State::Over, State::Lasts { .. }) => self.keep(session, News::Beginning(old)),
            (State::Over, _) => {
                sessions::end(self.tx, &session.key, self.now)?;
                Ok(Some(session.key))
            }
            // What lasts was not ended by any order.
            (State::Lasts { .. }, State::Unknown) => {
                self.end(old)?;
                sessions::insert(self.tx, self.key, session)?;
                Ok(None)
            }
            _ => {
                self.end(old)?;
                self.keep(session, News::Beginning(old))
            }
        }
    }

    /// Writes a session down as it is now, unless it is over.
    fn keep(&self, session: &LedgerSession, news: News<'_>) -> Result<Option<SessionKey>, Fault> {
        match sessions::state(self.tx, &session.key)? {
            State::Over => return Ok(Some(session.key)),
            State::Lasts { last_used } if last_used > session.last_used => {}
            State::Lasts { .. } => sessions::update(self.tx, self.key, session)?,
            State::Unknown => {
                let (known_as, since) = match news {
                    // Who signs in within the second of an order has done so after it.
                    News::Beginning(key) => (key, session.created.saturating_add(1)),
                    News::Use => (&session.key, session.created),
                };
                if orders::have_ended(self.tx, &session.user, known_as, since, self.now)? {
                    return Ok(Some(session.key));
                }
                sessions::insert(self.tx, self.key, session)?;
            }
        }
        Ok(None)
    }

    fn end(&self, key: &SessionKey) -> Result<(), Fault> {
        let known = sessions::state(self.tx, key)?;
        sessions::end(self.tx, key, self.now)?;
        match known {
            // Whatever has ended it has told everybody.
            State::Over => Ok(()),
            _ => orders::place(self.tx, &Command::EndSession(*key), self.by, self.now),
        }
    }
}
