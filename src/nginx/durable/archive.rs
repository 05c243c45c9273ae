//! The ledger of a configuration as threads of this process reach it.
//!
//! A store that fails is left alone for a second, and then asked by one thread only until it has
//! answered: whoever else comes meanwhile hears at once what is wrong with it. So a store that hangs
//! costs each thread its time-out once, and no request waits behind another. Nothing here touches
//! nginx.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{vault::Vault, watched::Watched};
use crate::{
    metrics::Store,
    nginx::{meters::Measure, office::fill},
    portal::Outage,
    store::{Ledger, Redis, RedisTrouble, StoreError},
};

/// How long a store that has failed is left alone.
const REST: Duration = Duration::from_secs(1);

/// Notes that wait for the loop.
const NOTES: usize = 4096;

/// The ledger, and how it is.
pub struct Archive {
    place: Place,
    health: Mutex<Health>,
    /// What was asked and how long that took, until the loop counts it.
    notes: Mutex<Vec<Measure>>,
}

/// Where sessions are kept.
enum Place {
    /// In the file that second factors are kept in as well.
    Local(Arc<Vault>),
    /// Where other machines keep theirs, too. Connects at first use.
    Shared(Arc<Redis>),
}

enum Health {
    Well,
    /// It failed, and is left alone until then.
    Rest(Instant, Outage),
    /// It had failed, and somebody is finding out how it is now.
    Tried(Outage),
}

impl Archive {
    /// The ledger in the file of `vault`.
    pub fn local(vault: Arc<Vault>) -> Self {
        Self::new(Place::Local(vault))
    }

    /// A ledger that other machines use as well.
    pub fn shared(redis: Arc<Redis>) -> Self {
        Self::new(Place::Shared(redis))
    }

    /// A process begins that has this from its parent.
    pub fn begin(&self) {
        if let Place::Shared(redis) = &self.place {
            redis.begin(&mut |bytes| fill(bytes));
        }
    }

    fn new(place: Place) -> Self {
        let health = Mutex::new(Health::Well);
        Archive {
            place,
            health,
            notes: Mutex::default(),
        }
    }

    /// Whether other machines may use it.
    pub fn is_shared(&self) -> bool {
        matches!(self.place, Place::Shared(_))
    }

    /// Which store it is.
    pub fn store(&self) -> Store {
        match self.place {
            Place::Local(_) => Store::Sqlite,
            Place::Shared(_) => Store::Redis,
        }
    }

    /// Whether it was made already, or is made by somebody else.
    pub fn exists(&self) -> bool {
        match &self.place {
            Place::Local(vault) => vault.exists(),
            Place::Shared(_) => true,
        }
    }

    /// Asks the ledger something. For a thread that may wait.
    ///
    /// # Errors
    /// It cannot be reached, or said no.
    pub fn ask<T>(
        &self,
        question: impl FnOnce(&dyn Ledger) -> Result<T, StoreError>,
    ) -> Result<T, Outage> {
        let turn = self.take_turn()?;
        let asked = self.watch(question);
        if asked.as_ref().is_err_and(is_busy) {
            turn.end(None);
            return asked;
        }
        turn.end(asked.as_ref().err());
        asked
    }

    /// The same for a question that waits for what happens next, which says little about how the
    /// store is and must hold up nobody.
    pub fn listen<T>(
        &self,
        question: impl FnOnce(&dyn Ledger) -> Result<T, StoreError>,
    ) -> Result<T, Outage> {
        self.watch(question)
    }

    /// What was asked since the last time.
    pub fn take_notes(&self) -> Vec<Measure> {
        std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn watch<T>(
        &self,
        question: impl FnOnce(&dyn Ledger) -> Result<T, StoreError>,
    ) -> Result<T, Outage> {
        let ledger = self.ledger()?;
        let watched = Watched::new(&*ledger);
        let answer = question(&watched);
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let room = NOTES.saturating_sub(notes.len());
        notes.extend(watched.into_notes().into_iter().take(room));
        answer.map_err(|error| Outage(error.to_string()))
    }

    fn ledger(&self) -> Result<Arc<dyn Ledger>, Outage> {
        match &self.place {
            Place::Local(vault) => Ok(vault.store()?),
            Place::Shared(redis) => Ok(redis.clone()),
        }
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_turn(&self) -> Result<Turn<'_>, Outage> {
        let mut health = self.health();
        let tries = match &*health {
            Health::Well => None,
            Health::Rest(until, outage) if Instant::now() < *until => return Err(outage.clone()),
            Health::Rest(_, outage) => Some(outage.clone()),
            Health::Tried(outage) => return Err(outage.clone()),
        };
        if let Some(outage) = &tries {
            *health = Health::Tried(outage.clone());
        }
        drop(health);
        Ok(Turn {
            archive: self,
            tries,
        })
    }
}

/// Whether all that is wrong is that others were changing the same thing all the time, which says
/// nothing about the store.
pub fn is_busy(outage: &Outage) -> bool {
    outage.0.ends_with(&RedisTrouble::Busy.to_string())
}

/// The right to ask.
struct Turn<'a> {
    archive: &'a Archive,
    /// What was wrong before, if this is the one try for all.
    tries: Option<Outage>,
}

impl Turn<'_> {
    fn end(mut self, failure: Option<&Outage>) {
        let first = self.tries.take().is_some();
        let mut health = self.archive.health();
        match failure {
            Some(outage) => *health = Health::Rest(Instant::now() + REST, outage.clone()),
            // Who began when all was well does not know what came meanwhile.
            None if first => *health = Health::Well,
            None => {}
        }
    }
}

impl Drop for Turn<'_> {
    /// Whoever panics leaves the try to the next.
    fn drop(&mut self) {
        if let Some(outage) = self.tries.take() {
            *self.archive.health() = Health::Rest(Instant::now(), outage);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Never;

    fn archive() -> Archive {
        let path = "/nowhere/at/all".into();
        let key = crate::store::StorageKey::derive(b"key");
        Archive::local(Arc::new(Vault::new(path, key)))
    }

    fn fails(archive: &Archive) -> bool {
        archive.ask(|_| Ok(Never)).is_err()
    }

    #[test]
    fn what_fails_is_left_alone_and_then_tried_by_one() {
        let archive = archive();
        assert!(fails(&archive));
        assert!(matches!(&*archive.health(), Health::Rest(..)));
        assert!(archive.take_turn().is_err());
        let outage = Outage("gone".into());
        *archive.health() = Health::Rest(Instant::now(), outage);
        let turn = archive.take_turn();
        assert!(turn.is_ok() && archive.take_turn().is_err());
        drop(turn);
        let turn = archive
            .take_turn()
            .unwrap_or_else(|_| panic!("the next may try"));
        turn.end(None);
        assert!(matches!(&*archive.health(), Health::Well));
    }
}
