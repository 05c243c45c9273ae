//! The words of the zone that all workers share beside its tables: counters and marks.

use std::sync::atomic::Ordering;

use sha2::{Digest, Sha256};

use super::{
    block::place,
    log::{self, Level},
    zone::{COUNTED_GENERATIONS, Zone},
};
use crate::store::Mark;

/// Where the generation of a user is counted, by all workers in the same word.
fn generation_of(user: &str) -> usize {
    let digest = Sha256::digest(user);
    place::GENERATIONS + 4 * (usize::from(digest[0]) % COUNTED_GENERATIONS)
}

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

    /// Says that they are there, as they were at `now`; `false`: somebody else has said so.
    pub fn has_failures(&self, now: u64) -> bool {
        let words = self
            .word(place::RESTORED)
            .zip(self.long(place::RESTORED_AT));
        let Some((restored, at)) = words else {
            return false;
        };
        at.store(now, Ordering::Release);
        restored
            .compare_exchange(0, 1, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
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

    /// How often all sessions of a user were ended at once; several users share a count.
    pub fn generation(&self, user: &str) -> u32 {
        self.word(generation_of(user))
            .map_or(0, |count| count.load(Ordering::Acquire))
    }

    /// Says that all sessions of a user were ended, or those of everybody: what workers remember of
    /// credentials in headers counts no more.
    pub fn next_generation(&self, user: Option<&str>) {
        let all = (0..COUNTED_GENERATIONS).map(|number| place::GENERATIONS + 4 * number);
        let own = user.map(generation_of);
        for at in all.filter(|at| own.is_none_or(|own| own == *at)) {
            if let Some(count) = self.word(at) {
                count.fetch_add(1, Ordering::AcqRel);
            }
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

    /// Says that the zone is to be compared with its store.
    pub fn want_recheck(&self) {
        if let Some(word) = self.long(place::WANTED) {
            word.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// The number of the wish for a comparison that nobody has fulfilled yet.
    pub fn wanted_recheck(&self) -> Option<u64> {
        let wanted = self.long(place::WANTED)?.load(Ordering::Acquire);
        let done = self.long(place::DONE)?.load(Ordering::Acquire);
        (wanted != done).then_some(wanted)
    }

    /// Lets one worker at a time do that: says whether it is this one's turn, which it is until `until`,
    /// in milliseconds of the clock that nobody sets. `claimed`: until when it was his.
    pub fn claim_recheck(&self, claimed: Option<u64>, until: u64) -> bool {
        let Some(word) = self.long(place::RECHECKED) else {
            return false;
        };
        let known = word.load(Ordering::Acquire);
        let free = match claimed {
            Some(claimed) => known == claimed,
            None => known <= super::milliseconds(),
        };
        free && word
            .compare_exchange(known, until, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    /// Gives the turn up that was claimed until `claimed`; `done`: the wish that was fulfilled.
    pub fn release_recheck(&self, claimed: u64, done: Option<u64>) {
        let words = self.long(place::RECHECKED).zip(self.long(place::DONE));
        let Some((turn, fulfilled)) = words else {
            return;
        };
        let release = turn.compare_exchange(claimed, 0, Ordering::AcqRel, Ordering::Relaxed);
        if let (Ok(_), Some(done)) = (release, done) {
            fulfilled.store(done, Ordering::Release);
        }
    }

    /// When somebody last heard of orders, in Unix seconds; 0: nobody has.
    pub fn heard(&self) -> u64 {
        self.long(place::HEARD)
            .map_or(0, |word| word.load(Ordering::Acquire))
    }

    /// Says that somebody hears of them now.
    pub fn hear(&self) {
        if let Some(word) = self.long(place::HEARD) {
            word.store(super::now(), Ordering::Release);
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
