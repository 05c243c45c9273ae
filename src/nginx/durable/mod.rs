//! Between the zone, which answers every request, and the store, which is the truth about sessions
//! and outlives process and machine.
//!
//! [`archive`] is the store as threads of this process reach it. [`recall`] brings a session back
//! that the zone does not have, [`keep`] writes down what a step of the portal changes before it
//! counts, [`clerk`] writes down everything else, which waits in its [`queue`], and hears of [`orders`],
//! by its own [`visit`]s or from the [`listener`]. [`outage`] is what all workers know of a store that cannot be used;
//! afterwards [`recheck`] compares the zone with it. [`roll`] lists the sessions of a user and ends them,
//! [`eraser`] forgets sessions that orders name by their user,
//! [`tries`] counts attempts that others saw, [`secret`] settles the key behind cookies.

pub mod archive;
pub mod clerk;
mod eraser;
mod intake;
pub mod keep;
mod listener;
mod orders;
pub mod outage;
mod queue;
pub mod recall;
mod recheck;
pub mod roll;
mod secret;
pub mod tries;
pub mod vault;
mod visit;
mod watched;

use std::{rc::Rc, sync::Arc};

use super::{
    conf::{Loaded, MainConf},
    job::Threads,
    office::Office,
    zone::Zone,
};
use crate::{
    config::Config,
    portal::Outage,
    session::{Key, Realm, Record},
    store::LedgerSession,
};
use archive::Archive;

/// What everybody here works with: zone and store of one configuration. Held by work that outlives
/// the request or the timer that began it.
#[derive(Clone)]
pub struct Desk {
    /// What the workers share.
    pub zone: Rc<Zone>,
    /// The store.
    pub archive: Arc<Archive>,
    /// The configuration.
    pub config: Arc<Config>,
    /// Where errands are run.
    pub office: Arc<Office>,
    /// Where one may wait for the store.
    pub threads: Threads,
}

impl Desk {
    /// `None` where sessions are kept in the zone only.
    pub fn of(whole: &MainConf) -> Option<Desk> {
        Self::new(whole.loaded.as_ref()?, &whole.zone)
    }

    /// The same before there is a request.
    pub fn new(loaded: &Loaded, zone: &Rc<Zone>) -> Option<Desk> {
        Some(Desk {
            zone: Rc::clone(zone),
            archive: Arc::clone(loaded.office.archive()?),
            config: Arc::clone(&loaded.config),
            office: Arc::clone(&loaded.office),
            threads: loaded.threads,
        })
    }

    /// The store could not be used by somebody who had begun at `begun`, see [`outage::begins`].
    pub fn lose(&self, outage: &Outage, begun: u64) {
        if archive::is_busy(outage) {
            return;
        }
        let grace = Some(self.office.grace());
        if !outage::begins(&self.zone, self.archive.store(), grace, outage, begun) {
            clerk::look_again();
        }
    }

    /// The domain that a session was made for, if it is still configured.
    pub fn realm(&self, record: &Record) -> Option<&Realm> {
        realm(&self.config, record)
    }
}

/// The domain that a session was made for, if it is still configured.
pub fn realm<'c>(config: &'c Config, record: &Record) -> Option<&'c Realm> {
    let mut cookies = config.session.cookies.iter();
    cookies
        .find(|cookie| cookie.realm.id == record.domain)
        .map(|cookie| &cookie.realm)
}

/// Seconds within which the use of a session is written down once: a tenth of the time for which it
/// may lie idle, and a minute at most.
pub fn grain(realm: &Realm) -> u64 {
    match realm.lifetimes.inactivity {
        0 => 60,
        idle => (idle / 10).clamp(1, 60),
    }
}

/// A session as it is written down; `None` for one of a domain that is configured no more.
pub fn written(config: &Config, key: &Key, record: &Record) -> Option<LedgerSession> {
    let realm = realm(config, record)?;
    // It lasts until its next use that is written down, at least.
    let last = record.last_activity.saturating_add(grain(realm));
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
        ends: realm.lifetimes.ends(&Record {
            last_activity: last,
            ..*record
        }),
        record: record.encode().to_vec(),
    })
}
