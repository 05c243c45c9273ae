//! A ledger that notes what it was asked and how long that took. For threads; the loop counts what they
//! bring back (see [`meters::observe_store`]).

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

#[cfg(doc)]
use crate::nginx::meters;
use crate::{
    metrics::Operation,
    nginx::meters::Measure,
    store::{
        Ban, Command, Event, Ledger, LedgerSession, Mark, Orders, SessionKey, StoreError, Try,
    },
};

/// Notes that are kept; a visit makes a handful.
const MOST: usize = 64;

/// A ledger under watch.
pub struct Watched<'l> {
    ledger: &'l dyn Ledger,
    notes: Mutex<Vec<Measure>>,
}

impl<'l> Watched<'l> {
    /// Watches it.
    pub fn new(ledger: &'l dyn Ledger) -> Self {
        Watched {
            ledger,
            notes: Mutex::default(),
        }
    }

    /// What was noted.
    pub fn into_notes(self) -> Vec<Measure> {
        self.notes
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn note<T>(
        &self,
        operation: Operation,
        ask: impl FnOnce(&dyn Ledger) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let began = Instant::now();
        let result = ask(self.ledger);
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.len() < MOST {
            notes.push(Measure {
                operation,
                took: began.elapsed(),
                ok: result.is_ok(),
            });
        }
        result
    }
}

impl Ledger for Watched<'_> {
    fn record(&self, events: &[Event], by: u64, now: u64) -> Result<Vec<SessionKey>, StoreError> {
        self.note(Operation::Record, |ledger| ledger.record(events, by, now))
    }

    fn fetch(&self, key: &SessionKey, now: u64) -> Result<Option<LedgerSession>, StoreError> {
        self.note(Operation::Fetch, |ledger| ledger.fetch(key, now))
    }

    fn sessions(&self, user: Option<&str>, now: u64) -> Result<Vec<LedgerSession>, StoreError> {
        self.note(Operation::Sessions, |ledger| ledger.sessions(user, now))
    }

    fn bans(&self, now: u64) -> Result<Vec<Ban>, StoreError> {
        self.note(Operation::Bans, |ledger| ledger.bans(now))
    }

    fn failures(&self, since: u64) -> Result<Vec<Try>, StoreError> {
        self.note(Operation::Failures, |ledger| ledger.failures(since))
    }

    fn place_order(&self, command: &Command, by: u64, now: u64) -> Result<usize, StoreError> {
        self.note(Operation::PlaceOrder, |ledger| {
            ledger.place_order(command, by, now)
        })
    }

    /// Waiting for orders is no work of the store, so what waited is not noted, unless it failed.
    fn orders_after(&self, mark: Mark, most: usize, wait: Duration) -> Result<Orders, StoreError> {
        if wait.is_zero() {
            return self.note(Operation::Orders, |ledger| {
                ledger.orders_after(mark, most, wait)
            });
        }
        let found = self.ledger.orders_after(mark, most, wait);
        match found {
            Ok(orders) => Ok(orders),
            Err(error) => self.note(Operation::Orders, |_| Err(error)),
        }
    }

    fn mark_before(&self, seconds: u64, now: u64) -> Result<Mark, StoreError> {
        self.note(Operation::Orders, |ledger| ledger.mark_before(seconds, now))
    }

    fn probe(&self, now: u64) -> Result<(), StoreError> {
        self.note(Operation::Probe, |ledger| ledger.probe(now))
    }

    fn secret(&self, proposal: &[u8; 32]) -> Result<[u8; 32], StoreError> {
        self.note(Operation::Secret, |ledger| ledger.secret(proposal))
    }

    fn is_shared(&self) -> bool {
        self.ledger.is_shared()
    }
}
