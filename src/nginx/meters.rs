//! What happens here, counted in the shared memory. All of it is for the loop; what a thread finds out
//! it brings back as a [`Measure`].

use std::time::Duration;

use super::{
    conf::{Loaded, MainConf},
    errands, ffi, hashing,
    reply::Refusal,
    request::Request,
    state::{Outcome, State},
    zone::Zone,
};
use crate::{
    access::{Decision, Requirement},
    metrics::{
        self, Counter, Decided, Hashed, Level, Operation, Reading, Store, Table, TableFigures,
        Wanted,
    },
    portal::Judged,
    slots::Stats,
};

/// What a thread asked of a store.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// What was asked.
    pub operation: Operation,
    /// How long it took.
    pub took: Duration,
    /// Whether there was an answer.
    pub ok: bool,
}

/// Counts it once more.
pub fn count(zone: &Zone, counter: Counter) {
    count_many(zone, counter, 1);
}

/// Counts it so many times more.
pub fn count_many(zone: &Zone, counter: Counter, times: usize) {
    if let Some(counts) = zone.counts() {
        // SAFETY: written by nginx before a worker begins.
        let worker = unsafe { ffi::ngx_worker };
        counts.count_many(worker, counter, times as u64);
    }
}

/// Counts what became of a request to a guarded location.
pub fn decided(request: Request<'_>, state: &State, refusal: Option<&Refusal>) {
    let decided = match refusal {
        None => Decided::Allow,
        Some(Refusal::Challenge { .. } | Refusal::Credential(..)) => Decided::Challenge,
        Some(Refusal::Forbid { .. }) => Decided::Forbid,
        Some(Refusal::Unavailable(_)) => Decided::Unavailable,
        Some(Refusal::NeedsHttps | Refusal::Bad(_)) => Decided::Error,
    };
    let wanted = match state.outcome.get() {
        Some(Outcome::Judged(verdict)) => wanted(verdict.requirement),
        Some(Outcome::Error) | None => Wanted::None,
    };
    count(&request.whole().zone, Counter::Decision(decided, wanted));
}

/// Counts what an authorization endpoint came to.
pub fn asked(zone: &Zone, judged: Judged) {
    let (decided, wanted) = match judged {
        Judged::Verdict(verdict) => (
            match verdict.decision {
                Decision::Allow => Decided::Allow,
                Decision::Challenge => Decided::Challenge,
                Decision::Forbid => Decided::Forbid,
            },
            wanted(verdict.requirement),
        ),
        Judged::Error => (Decided::Error, Wanted::None),
        Judged::Unavailable => (Decided::Unavailable, Wanted::None),
    };
    count(zone, Counter::Decision(decided, wanted));
}

fn wanted(requirement: Requirement) -> Wanted {
    match requirement {
        Requirement::Bypass => Wanted::Bypass,
        Requirement::OneFactor => Wanted::OneFactor,
        Requirement::TwoFactor => Wanted::TwoFactor,
        Requirement::Deny => Wanted::Deny,
    }
}

/// Counts a password that was checked, or made into a hash.
pub fn hashed(zone: &Zone, took: Duration) {
    count(zone, Counter::Hash(Hashed::Done));
    measure(zone, metrics::Duration::Hash, took);
}

/// Counts what a store was asked.
pub fn observe_store(zone: &Zone, store: Store, measure_of: Measure) {
    let Measure {
        operation,
        took,
        ok,
    } = measure_of;
    count(zone, Counter::StoreOperation(store, operation, ok));
    measure(zone, metrics::Duration::Store(store), took);
}

/// Takes note of whether a store works; `true` when that is news, to one worker of all.
pub fn see_store(zone: &Zone, store: Store, works: bool) -> bool {
    let news = zone.counts().is_some_and(|counts| counts.see(store, works));
    if news && !works {
        count(zone, Counter::StoreOutage(store));
    }
    news
}

/// Says how high a level is in this worker.
pub fn set(zone: &Zone, level: Level, value: usize) {
    let Some(counts) = zone.counts() else { return };
    // SAFETY: written by nginx before the worker starts.
    let slot = usize::try_from(unsafe { ffi::ngx_process_slot }).unwrap_or(0);
    let value = u32::try_from(value).unwrap_or(u32::MAX);
    counts.set((slot, std::process::id()), level, value);
}

/// Says how many errands run and wait in this worker.
pub fn set_errands(zone: &Zone) {
    let (running, waiting, letters) = errands::load();
    set(zone, Level::ErrandsRunning, running);
    set(zone, Level::ErrandsWaiting, waiting);
    set(zone, Level::LettersWaiting, letters);
}

/// Everything that is counted, for Prometheus; `None` before there is a zone.
pub fn text(whole: &MainConf) -> Option<String> {
    let (zone, loaded) = (&whole.zone, whole.loaded.as_ref()?);
    let reading = Reading {
        counts: zone.counts()?,
        stores: &stores(loaded),
        alive: &hashing::is_there,
        tables: &tables(zone)?,
        zone_bytes: zone.size(),
        hashes: hashing::load(zone),
        users: loaded.snapshot.borrow().len(),
        version: env!("CARGO_PKG_VERSION"),
        nginx_version: nginx_version(),
    };
    Some(reading.text())
}

/// The stores that are configured.
fn stores(loaded: &Loaded) -> Vec<Store> {
    let factors = loaded.config.storage.as_ref().map(|_| Store::Sqlite);
    let sessions = loaded
        .office
        .sessions_in()
        .filter(|store| Some(*store) != factors);
    factors.into_iter().chain(sessions).collect()
}

fn tables(zone: &Zone) -> Option<Vec<(Table, TableFigures)>> {
    // One after another: each takes the lock.
    let sessions = zone.sessions()?.stats();
    let limits = zone.with_limits(|table| table.stats())?;
    let [password_users, password_addresses] = zone.with_attempts(|table| table.stats())?;
    let [factor_users, factor_addresses] = zone.with_factor_attempts(|table| table.stats())?;
    let tables = [
        (Table::Sessions, sessions),
        (Table::PasswordUsers, password_users),
        (Table::PasswordAddresses, password_addresses),
        (Table::FactorUsers, factor_users),
        (Table::FactorAddresses, factor_addresses),
        (Table::RateLimits, limits),
    ];
    Some(tables.map(|(table, stats)| (table, figures(stats))).into())
}

fn figures(stats: Stats) -> TableFigures {
    TableFigures {
        capacity: stats.capacity.into(),
        used: stats.used.into(),
        evictions: stats.evictions,
        rebuilds: stats.rebuilds.into(),
    }
}

/// The nginx that the module was built for, which is the only one that loads it.
fn nginx_version() -> &'static str {
    ffi::NGINX_VERSION.to_str().unwrap_or_default()
}

fn measure(zone: &Zone, duration: metrics::Duration, took: Duration) {
    if let Some(counts) = zone.counts() {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        counts.measure(duration, micros);
    }
}
