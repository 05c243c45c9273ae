//! One visit of a thread to the store: writes down what happened to sessions and bans, and brings
//! orders of the command line back. Touches neither the loop nor the zone.

use std::{sync::Arc, time::Duration};

use super::office::{Line, Office};
use crate::{
    config::Config,
    session::{Key, Realm, Record},
    store::{Ban, Event, Ledger, LedgerSession, Mark, Order, StoreError},
};

/// Seconds within which the use of a session is written down once.
pub const GRAIN: u64 = 60;

/// Seconds before its start whose orders a worker carries out, too: those before it may have ended
/// before they came to it. Twice does no harm.
const LOOK_BACK: u64 = 10;

/// Orders that are taken in one go.
const ORDERS: usize = 64;

/// What happened.
#[derive(Clone)]
pub enum Entry {
    /// A session began.
    Started(Key, Record),
    /// A session was used.
    Used(Key, Record),
    /// A session is over.
    Ended(Key),
    /// Somebody was banned.
    Banned(Ban),
}

/// One visit of a thread to the store.
pub struct Visit {
    /// Which domains there are.
    pub config: Arc<Config>,
    /// Where the store is.
    pub office: Arc<Office>,
    /// What is to be written down, in its order.
    pub entries: Arc<Vec<Entry>>,
    /// When the zone was made, if the bans are missing in it.
    pub born: Option<u64>,
    /// The last order that was carried out, once it is known.
    pub last: Option<Mark>,
    /// When the worker began.
    pub began: u64,
    /// Unix seconds.
    pub now: u64,
}

/// What a visit brings back.
pub struct Brought {
    /// The bans in force, if they were missing in the zone.
    pub bans: Vec<Ban>,
    /// Orders that are to be carried out.
    pub orders: Vec<Order>,
    /// The number of the last of them.
    pub last: Mark,
}

/// What a visit came to. `Ok(None)`: there is no store yet and nothing to keep in one.
pub type Outcome = Result<Option<Brought>, String>;

impl Visit {
    /// Writes everything down and asks for orders. For a thread that may wait.
    pub fn pay(&self, lines: &mut Vec<Line>) -> Outcome {
        let there = self.office.vault().is_some_and(|(path, _)| path.exists());
        if self.entries.is_empty() && self.last.is_none() && !there {
            return Ok(None);
        }
        let store = self.office.store(lines).map_err(|outage| outage.0)?;
        self.exchange(&*store)
            .map(Some)
            .map_err(|error| error.to_string())
    }

    fn exchange(&self, store: &dyn Ledger) -> Result<Brought, StoreError> {
        let events: Vec<Event> = self
            .entries
            .iter()
            .filter_map(|entry| self.event(entry))
            .collect();
        if !events.is_empty() {
            store.record(&events, 0, self.now)?;
        }
        let bans = match self.born {
            Some(_) => store.bans(self.now)?,
            None => Vec::new(),
        };
        let last = match self.last {
            Some(last) => last,
            None => store.mark_before(LOOK_BACK, self.now)?,
        };
        let found = store.orders_after(last, ORDERS, Duration::ZERO)?;
        Ok(Brought {
            bans,
            last: found.next,
            orders: found.orders,
        })
    }

    /// The entry as it is written down; `None` for a session of a domain that is configured no more.
    fn event(&self, entry: &Entry) -> Option<Event> {
        Some(match entry {
            Entry::Started(key, record) => Event::Started {
                session: self.session(key, record)?,
                replaces: None,
            },
            Entry::Used(key, record) => Event::Used(self.session(key, record)?),
            Entry::Ended(key) => Event::Ended(key.0),
            Entry::Banned(ban) => Event::Banned(ban.clone()),
        })
    }

    fn session(&self, key: &Key, record: &Record) -> Option<LedgerSession> {
        let realm = self.realm(record)?;
        Some(LedgerSession {
            key: key.0,
            user: record.user.to_string(),
            domain: realm.domain.clone(),
            address: record.address,
            device: record.device.to_string(),
            methods: record.methods.words().map(str::to_owned).collect(),
            remember: record.remember,
            created: record.created,
            last_used: record.last_activity,
            ends: ends(realm, record),
            record: record.encode().to_vec(),
        })
    }

    fn realm(&self, record: &Record) -> Option<&Realm> {
        let mut cookies = self.config.session.cookies.iter();
        cookies
            .find(|cookie| cookie.realm.id == record.domain)
            .map(|cookie| &cookie.realm)
    }
}

/// When the session ends at the latest if its next use that is written down does not come.
fn ends(realm: &Realm, record: &Record) -> u64 {
    let next = (record.last_activity / GRAIN).saturating_add(1);
    realm.lifetimes.ends(&Record {
        last_activity: next.saturating_mul(GRAIN),
        ..*record
    })
}
