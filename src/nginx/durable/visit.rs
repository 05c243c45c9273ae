//! One visit of a thread to the store: writes down what happened, asks for what the zone lacks, and
//! brings orders back. Touches neither the loop nor the zone.

use std::{sync::Arc, time::Duration};

use super::{archive::Archive, written};
use crate::{
    config::Config,
    portal::Outage,
    session::{Key, Record},
    store::{Ban, Command, Event, Ledger, Mark, Orders, SessionKey, StoreError, Try},
};

/// Seconds before its start whose orders a worker carries out, too: those before it may have ended
/// before they came to it. Twice does no harm.
pub const LOOK_BACK: u64 = 10;

/// Orders that are taken in one go.
const ORDERS: usize = 256;

/// What happened.
#[derive(Clone)]
pub enum Entry {
    /// A session was used.
    Used(Key, Record),
    /// A session is over.
    Ended(Key),
    /// Somebody was banned.
    Banned(Ban),
    /// Somebody tried to sign in.
    Tried(Try),
    /// A user is one no more, or is disabled.
    Dismissed(String),
    /// All sessions of a user but one have ended here, and are to end elsewhere.
    EndedAll(String, Option<Key>),
}

/// One visit of a thread to the store.
pub struct Visit {
    /// The store.
    pub archive: Arc<Archive>,
    /// Which domains there are.
    pub config: Arc<Config>,
    /// By what the zone is known.
    pub name: u64,
    /// What is to be written down, in its order.
    pub entries: Arc<Vec<Entry>>,
    /// Since when failures count, if they and bans are missing in the zone.
    pub restore: Option<u64>,
    /// Whether to find out if the store can be written.
    pub probe: bool,
    /// A secret to propose, if the key behind cookies is not known.
    pub secret: Option<[u8; 32]>,
    /// Whether orders are asked for, and after which; `None` inside: this worker has asked for none
    /// yet.
    pub orders: Option<Option<Mark>>,
    /// Unix seconds.
    pub now: u64,
}

/// What a visit brings back.
#[derive(Default)]
pub struct Brought {
    /// Sessions that were used and are over.
    pub over: Vec<SessionKey>,
    /// The bans in force and the failures that count, if they were missing.
    pub restored: Option<(Vec<Ban>, Vec<Try>)>,
    /// The secret that all share, if it was asked for.
    pub secret: Option<[u8; 32]>,
    /// Orders that are to be carried out, if they were asked for.
    pub orders: Option<Orders>,
}

/// What a visit came to.
pub struct Outcome {
    /// Whether it was found out that the store can be written.
    pub probed: bool,
    /// What it brings. `Ok(None)`: there is no store yet and nothing to keep in one.
    pub brought: Result<Option<Brought>, Outage>,
}

impl Visit {
    /// Writes everything down and asks for everything. For a thread that may wait.
    pub fn pay(&self) -> Outcome {
        // Judged apart: the store is not out because what waits is too much for one visit.
        let probe = self
            .probe
            .then(|| self.archive.ask(|ledger| ledger.probe(self.now)));
        match probe.transpose() {
            Ok(probed) => Outcome {
                probed: probed.is_some(),
                brought: self.bring(),
            },
            Err(outage) => Outcome {
                probed: false,
                brought: Err(outage),
            },
        }
    }

    fn bring(&self) -> Result<Option<Brought>, Outage> {
        let first = !matches!(self.orders, Some(Some(_)));
        let idle = self.entries.is_empty() && self.secret.is_none();
        if idle && first && !self.archive.exists() {
            return Ok(None);
        }
        self.archive.ask(|ledger| self.exchange(ledger)).map(Some)
    }

    fn exchange(&self, ledger: &dyn Ledger) -> Result<Brought, StoreError> {
        let mut brought = Brought::default();
        if let Some(proposal) = &self.secret {
            brought.secret = Some(ledger.secret(proposal)?);
        }
        let events = self.entries.iter().filter_map(|entry| self.event(entry));
        let events: Vec<Event> = events.collect();
        if !events.is_empty() {
            brought.over = ledger.record(&events, self.name, self.now)?;
        }
        self.end_users(ledger)?;
        if let Some(since) = self.restore {
            brought.restored = Some((ledger.bans(self.now)?, ledger.failures(since)?));
        }
        if let Some(last) = self.orders {
            let last = match last {
                Some(last) => last,
                None => ledger.mark_before(LOOK_BACK, self.now)?,
            };
            brought.orders = Some(ledger.orders_after(last, ORDERS, Duration::ZERO)?);
        }
        Ok(brought)
    }

    /// Ends all sessions of users, wherever they are. That somebody is a user no more every worker of
    /// this machine notices; the first who comes finds sessions to end.
    fn end_users(&self, ledger: &dyn Ledger) -> Result<(), StoreError> {
        for entry in &*self.entries {
            let (user, except) = match entry {
                Entry::EndedAll(user, except) => (user, except.map(|key| key.0)),
                Entry::Dismissed(user) if !ledger.sessions(Some(user), self.now)?.is_empty() => {
                    (user, None)
                }
                _ => continue,
            };
            let user = user.clone();
            ledger.place_order(&Command::EndUser { user, except }, self.name, self.now)?;
        }
        Ok(())
    }

    /// The entry as it is written down, if it is.
    fn event(&self, entry: &Entry) -> Option<Event> {
        Some(match entry {
            Entry::Used(key, record) => Event::Used(written(&self.config, key, record)?),
            Entry::Ended(key) => Event::Ended(key.0),
            Entry::Banned(ban) => Event::Banned(ban.clone()),
            Entry::Tried(tried) => Event::Tried(tried.clone()),
            Entry::Dismissed(_) | Entry::EndedAll(..) => return None,
        })
    }
}
