//! A store that cannot be used: since when, as all workers know it, and until when sessions that
//! the zone knows go on without it. One line in the log when it begins and one when it ends,
//! however many workers notice.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{
    metrics::Store,
    nginx::{audit, block::place, zone::Zone},
    portal::Outage,
};

/// Seconds after which a visitor is told to come back.
pub const RETRY_AFTER: u64 = 5;

/// Milliseconds after a recovery in which what goes wrong is no news: whoever began before tells of what
/// was, and for a second each process leaves alone what has failed there.
const OLD_NEWS: u64 = 1500;

/// Milliseconds after a recovery in which an outage is the same one still.
const COMES_AND_GOES: u64 = 30_000;

impl Zone {
    fn lost_word(&self, store: Store) -> Option<&AtomicU64> {
        self.long(place::LOST + 8 * store as usize)
    }

    fn recovered_word(&self, store: Store) -> Option<&AtomicU64> {
        self.long(place::RECOVERED + 8 * store as usize)
    }

    fn before_word(&self, store: Store) -> Option<&AtomicU64> {
        self.long(place::BEFORE + 8 * store as usize)
    }

    /// Since when the store cannot be used, in milliseconds of the clock that nobody sets.
    pub fn lost_since(&self, store: Store) -> Option<u64> {
        let since = self.lost_word(store)?.load(Ordering::Acquire);
        (since != 0).then_some(since)
    }
}

/// Whether the store that sessions are kept in has been out for `grace` seconds: then what
/// the zone knows counts no more.
pub fn is_out_of_grace(zone: &Zone, store: Store, grace: u64) -> bool {
    let since = zone.lost_since(store);
    since.is_some_and(|since| elapsed(since) >= grace.saturating_mul(1000))
}

fn elapsed(since: u64) -> u64 {
    crate::nginx::milliseconds().saturating_sub(since)
}

/// Somebody could not use the store, who had begun at `begun`, in milliseconds of the clock that nobody
/// sets. `grace`: seconds for which sessions go on, if that is where they are kept. `false`: that may be
/// old news, and somebody should look again.
pub fn begins(zone: &Zone, store: Store, grace: Option<u64>, outage: &Outage, begun: u64) -> bool {
    let Some((word, recovered)) = zone.lost_word(store).zip(zone.recovered_word(store)) else {
        return true;
    };
    let recovered = recovered.load(Ordering::Acquire);
    if recovered > 0 && begun <= recovered.saturating_add(OLD_NEWS) {
        return false;
    }
    // A store that comes and goes has been out all the while: the grace is not to begin anew each time.
    let before = zone
        .before_word(store)
        .map(|word| word.load(Ordering::Acquire));
    let goes_on = recovered > 0 && elapsed(recovered) < COMES_AND_GOES;
    let since = before.filter(|since| goes_on && *since > 0);
    let since = since.unwrap_or_else(crate::nginx::milliseconds).max(1);
    let first = word.compare_exchange(0, since, Ordering::AcqRel, Ordering::Relaxed);
    if first.is_err() {
        return true;
    }
    let Outage(sentence) = outage;
    let wait = "until then whoever needs the store is answered with 503";
    let sentence = match grace {
        Some(grace) => format!(
            "{sentence}; sessions that are known here go on for {grace} seconds at most, and {wait}"
        ),
        None => format!("{sentence}; {wait}"),
    };
    audit::store(zone, store, Some(&sentence));
    true
}

/// The store was used and, if sessions are kept there, written to, by somebody who had begun at `begun`.
/// Says whether that ends an outage.
pub fn ends(zone: &Zone, store: Store, begun: u64) -> bool {
    let Some((word, recovered)) = zone.lost_word(store).zip(zone.recovered_word(store)) else {
        return false;
    };
    let since = word.load(Ordering::Acquire);
    if since == 0 || since > begun {
        return false;
    }
    if let Some(before) = zone.before_word(store) {
        before.store(since, Ordering::Release);
    }
    recovered.store(crate::nginx::milliseconds(), Ordering::Release);
    let ended = word
        .compare_exchange(since, 0, Ordering::AcqRel, Ordering::Relaxed)
        .is_ok();
    if ended {
        audit::store(zone, store, None);
    }
    ended
}
