//! The store that several machines share: Redis, alone, with sentinels, or as a cluster.
//!
//! Everything is sealed under a key made from `session.secret` and bound to its place: who can read
//! the server learns nothing of anybody, and who can write to it can take away and put back what was
//! there before, but neither sign in nor make up a session. Every command is about one key, so that all of it works in a cluster, where nothing
//! holds two keys together; what that takes is told where it is done.

mod bans;
mod cells;
mod form;
mod keys;
mod link;
mod orders;
mod sessions;
mod settings;
mod tries;
mod trouble;

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use form::read_anything;
pub use settings::{
    RedisLayout, RedisSentinels, RedisServer, RedisSettings, RedisTls, RedisTlsVersion,
};
pub use trouble::RedisTrouble;

use super::{
    Ban, Command, Event, Ledger, LedgerSession, Mark, Orders, Random, SessionKey, StorageKey,
    StoreError, Try,
};
use link::{Link, Visit};
use sessions::{News, Told};
use tries::Unsure;

/// Ends that perhaps are written down and that others have not been told of.
#[derive(Default)]
struct Untold(Mutex<HashSet<SessionKey>>);

/// Ends of which that is remembered; more are told in any case.
const UNTOLD: usize = 4096;

impl Untold {
    /// An end is about to be written down and told; whether it is to be told in any case, because that
    /// was begun before.
    fn begin(&self, key: &SessionKey) -> bool {
        let mut keys = self.lock();
        keys.len() >= UNTOLD || !keys.insert(*key)
    }

    /// It was told.
    fn done(&self, key: &SessionKey) {
        self.lock().remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<SessionKey>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sessions that are told of in one go.
const TOGETHER: usize = 1024;

type Outcome<T> = Result<T, StoreError>;

/// The store in Redis. Shared by threads; each process makes its own, after a fork.
pub struct Redis {
    link: Link,
    key: StorageKey,
    unsure: Unsure,
    untold: Untold,
    /// Counts from somewhere random on.
    number: AtomicU64,
}

impl Redis {
    /// Prepares what is needed to speak to the servers; nobody is spoken to yet. `key` is made from
    /// `session.secret`, which all machines share.
    ///
    /// # Errors
    /// Certificates that cannot be used.
    pub fn new(
        settings: RedisSettings,
        key: StorageKey,
        random: &mut Random<'_>,
    ) -> Result<Redis, StoreError> {
        let mut number = [0; 8];
        random(&mut number);
        Ok(Redis {
            link: Link::new(settings)?,
            key,
            unsure: Unsure::default(),
            untold: Untold::default(),
            number: AtomicU64::new(u64::from_le_bytes(number)),
        })
    }

    /// A process begins that has this from its parent: what it numbers must not bear the numbers of its
    /// siblings.
    pub fn begin(&self, random: &mut Random<'_>) {
        let mut number = [0; 8];
        random(&mut number);
        self.number
            .store(u64::from_le_bytes(number), Ordering::Relaxed);
    }

    fn visit(&self) -> Visit<'_> {
        self.link.visit(Duration::ZERO)
    }

    /// A number that nobody else has, most likely.
    fn unique(&self) -> u64 {
        // Neighbours must not be neighbours: another process may have begun nearby.
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        let number = self.number.fetch_add(ODD, Ordering::Relaxed);
        number ^ (number >> 29)
    }

    /// Tells of events in their order. Gives the keys of sessions that are over, and leaves the numbers
    /// of attempts in `told`.
    fn tell(
        &self,
        events: &[Event],
        by: (u64, u64),
        told: &mut Vec<(Try, u64)>,
    ) -> Outcome<Vec<SessionKey>> {
        let visit = self.visit();
        let (mut over, mut left) = (Vec::new(), events);
        while let Some((first, rest)) = left.split_first() {
            let news = plain_news(left);
            if news.is_empty() {
                over.extend(self.note(visit, first, by, told)?);
                left = rest;
            } else {
                over.extend(self.keep_sessions(visit, &news, by.1)?);
                left = &left[news.len()..];
            }
        }
        Ok(over)
    }

    /// Tells of events that are no plain news of sessions. Gives the key of a session that is over.
    fn note(
        &self,
        visit: Visit<'_>,
        event: &Event,
        by: (u64, u64),
        told: &mut Vec<(Try, u64)>,
    ) -> Outcome<Option<SessionKey>> {
        let now = by.1;
        match event {
            Event::Started {
                session,
                replaces: Some(old),
            } => return self.replace_session(visit, session, old, by),
            Event::Started { session, .. } => {
                let told = Told::Started;
                return Ok(self
                    .keep_sessions(visit, &[News { session, told }], now)?
                    .pop());
            }
            Event::Used(session) => {
                let told = Told::Used;
                return Ok(self
                    .keep_sessions(visit, &[News { session, told }], now)?
                    .pop());
            }
            Event::Ended(key) => {
                let again = self.untold.begin(key);
                let is_news = self.end_session(visit, key, now)?.is_news;
                // What everybody has heard of is not told again, whenever a zone is compared.
                if is_news || again {
                    self.announce(visit, &Command::EndSession(*key), by)?;
                }
                self.untold.done(key);
            }
            Event::Banned(ban) => {
                if self.write_ban(visit, ban, true, now)? {
                    self.announce(visit, &Command::Ban(ban.clone()), by)?;
                }
            }
            Event::Tried(tried) => {
                let number = self.unsure.take(tried).unwrap_or_else(|| self.unique());
                told.push((tried.clone(), number));
                self.write_try(visit, tried, number, now)?;
                self.announce(visit, &Command::Count(tried.clone()), by)?;
            }
        }
        Ok(None)
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redis(…)")
    }
}

/// Plain news of sessions from the beginning of the events on, no two of the same one.
fn plain_news(events: &[Event]) -> Vec<News<'_>> {
    let mut keys = HashSet::new();
    let news = events.iter().map_while(|event| {
        let (session, told) = match event {
            Event::Started {
                session,
                replaces: None,
            } => (session, Told::Started),
            Event::Used(session) => (session, Told::Used),
            _ => return None,
        };
        keys.insert(session.key).then_some(News { session, told })
    });
    news.take(TOGETHER).collect()
}

impl Ledger for Redis {
    fn record(&self, events: &[Event], by: u64, now: u64) -> Outcome<Vec<SessionKey>> {
        let mut told = Vec::new();
        let over = self.tell(events, (by, now), &mut told);
        if over.is_err() {
            // All of it is told once more, and then each has the number that it had.
            self.unsure.remember(told);
        }
        over
    }

    fn fetch(&self, key: &SessionKey, now: u64) -> Outcome<Option<LedgerSession>> {
        self.fetch_session(key, now)
    }

    fn sessions(&self, user: Option<&str>, now: u64) -> Outcome<Vec<LedgerSession>> {
        self.list_sessions(user, now)
    }

    fn bans(&self, now: u64) -> Outcome<Vec<Ban>> {
        self.list_bans(now)
    }

    fn failures(&self, since: u64) -> Outcome<Vec<Try>> {
        self.list_tries(since)
    }

    fn place_order(&self, command: &Command, by: u64, now: u64) -> Outcome<usize> {
        let visit = self.visit();
        // First it is so, then it is told: who hears of it finds it so.
        let tell = || self.announce(visit, command, (by, now));
        let count = match command {
            Command::EndSession(key) => self.end_session(visit, key, now)?.lasted.into(),
            // To put what has ended away takes time, which nobody has to wait for.
            Command::EndUser { user, except } => {
                return self.end_user(visit, user, except.as_ref(), now, tell);
            }
            Command::EndAll => return self.end_everybody(visit, now, tell),
            Command::Ban(ban) => self.write_ban(visit, ban, false, now)?.into(),
            Command::Revoke(target) => {
                self.forgive(visit, target, now)?;
                self.revoke_bans(visit, target, now)?
            }
            Command::Count(tried) => {
                self.write_try(visit, tried, self.unique(), now)?;
                0
            }
        };
        tell()?;
        Ok(count)
    }

    fn orders_after(&self, mark: Mark, most: usize, wait: Duration) -> Outcome<Orders> {
        self.read_orders(mark, most, wait)
    }

    fn mark_before(&self, seconds: u64, now: u64) -> Outcome<Mark> {
        self.find_mark(now.saturating_sub(seconds))
    }

    fn probe(&self, now: u64) -> Outcome<()> {
        self.write_probe(now)
    }

    fn secret(&self, proposal: &[u8; 32]) -> Outcome<[u8; 32]> {
        self.share_secret(proposal)
    }

    fn is_shared(&self) -> bool {
        true
    }
}
