//! The words of the zone that all workers share beside its tables: counters and marks.

use std::sync::atomic::Ordering;

use super::{
    block::place,
    log::{self, Level},
    zone::Zone,
};
use crate::store::Mark;

impl Zone {
    /// How often workers have changed the users file, so that all of them read it again.
    pub fn users_generation(&self) -> u32 {
        self.word(place::USERS)
            .map_or(0, |count| count.load(Ordering::Acquire))
    }

    /// Counts one more change of the users file.
    pub fn next_users_generation(&self) -> u32 {
        self.word(place::USERS).map_or(0, |count| {
            count.fetch_add(1, Ordering::AcqRel).wrapping_add(1)
        })
    }

    /// Whether failures and bans that the store remembers are still missing.
    pub fn wants_failures(&self) -> bool {
        self.word(place::RESTORED)
            .is_some_and(|restored| restored.load(Ordering::Acquire) == 0)
    }

    /// Whether what was told of an attempt made at `when` is among the failures that were restored, or
    /// will be.
    pub fn has_restored(&self, when: u64) -> bool {
        let at = self.long(place::RESTORED_AT);
        self.wants_failures() || at.is_some_and(|at| when < at.load(Ordering::Acquire))
    }

    /// Says that they are there, as they were at `now`.
    pub fn has_failures(&self, now: u64) {
        if let Some(at) = self.long(place::RESTORED_AT) {
            at.store(now, Ordering::Release);
        }
        if let Some(restored) = self.word(place::RESTORED) {
            restored.store(1, Ordering::Release);
        }
    }

    /// How often sessions have ended. What is read from a store before one has may be what ended.
    pub fn ends(&self) -> u32 {
        self.word(place::ENDS)
            .map_or(0, |count| count.load(Ordering::Acquire))
    }

    /// Counts another end of a session or of many.
    pub fn count_end(&self) {
        if let Some(count) = self.word(place::ENDS) {
            count.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// By what this memory is known to other machines.
    pub fn name(&self) -> u64 {
        self.long(place::NAME)
            .map_or(0, |name| name.load(Ordering::Relaxed))
    }

    /// Whether an order that must be carried out once by all workers together is still to be: each
    /// worker hears of all orders in their turn. The caller holds no lock; between two workers that
    /// ask at once one gets a yes.
    pub fn is_next(&self, mark: Mark) -> bool {
        let words = self.long(place::COUNTED).zip(self.long(place::COUNTED + 8));
        let Some((first, second)) = words else {
            return false;
        };
        self.locked(|| {
            let last = Mark(
                first.load(Ordering::Relaxed),
                second.load(Ordering::Relaxed),
            );
            let is_next = mark > last;
            if is_next {
                first.store(mark.0, Ordering::Relaxed);
                second.store(mark.1, Ordering::Relaxed);
            }
            is_next
        })
        .unwrap_or(false)
    }

    /// Orders begin anew after this mark: those before it may have been missed, and later ones may have
    /// lesser marks than some that came before.
    pub fn rewind(&self, mark: Mark) {
        let words = self.long(place::COUNTED).zip(self.long(place::COUNTED + 8));
        if let Some((first, second)) = words {
            self.locked(|| {
                first.store(mark.0, Ordering::Relaxed);
                second.store(mark.1, Ordering::Relaxed);
            });
        }
    }

    /// Lets one worker at a time compare the zone with its store: says whether it is this one's turn
    /// at `now`, which it is for `seconds`.
    pub fn claim_recheck(&self, now: u64, seconds: u64) -> bool {
        let Some(word) = self.long(place::RECHECKED) else {
            return false;
        };
        let until = word.load(Ordering::Acquire);
        let free = until <= now || until > now.saturating_add(seconds);
        let claim = now.saturating_add(seconds);
        free && word
            .compare_exchange(until, claim, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    /// Gives the turn up.
    pub fn release_recheck(&self) {
        if let Some(word) = self.long(place::RECHECKED) {
            word.store(0, Ordering::Release);
        }
    }

    /// Whether the secret in the zone is the one that the store has.
    pub fn is_settled(&self) -> bool {
        self.word(place::SETTLED)
            .is_some_and(|settled| settled.load(Ordering::Acquire) == 1)
    }

    /// The secret in the zone.
    pub fn zone_secret(&self) -> Option<[u8; 32]> {
        self.locked(|| self.secret_bytes().map(|bytes| *bytes))?
    }

    /// Puts the store's secret in its place, for all workers and the next configuration.
    pub fn settle_secret(&self, secret: &[u8; 32]) {
        self.locked(|| {
            if let Some(bytes) = self.secret_bytes() {
                *bytes = *secret;
            }
        });
        if let Some(settled) = self.word(place::SETTLED) {
            settled.store(1, Ordering::Release);
        }
    }

    /// Says that sessions are forgotten for want of room, once in the life of a configuration.
    pub fn say_full_once(&self) {
        if self
            .word(place::FULL)
            .is_some_and(|said| said.swap(1, Ordering::Relaxed) == 0)
        {
            log::cycle(
                Level::Warn,
                format_args!(
                    "auth_gate: the zone is full and forgets the sessions longest unused: raise auth_gate_zone"
                ),
            );
        }
    }
}
