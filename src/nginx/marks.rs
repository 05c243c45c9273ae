//! The words of the zone that all workers share beside its tables: counters and marks.

use std::sync::atomic::Ordering;

use super::{
    block::place,
    log::{self, Level},
    zone::Zone,
};

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

    /// When the memory was made, if bans that the store remembers are still missing in it.
    pub fn wants_bans(&self) -> Option<u64> {
        let restored = self.word(place::RESTORED)?.load(Ordering::Acquire);
        (restored == 0).then(|| self.born()).flatten()
    }

    /// Says that they are in it.
    pub fn has_bans(&self) {
        if let Some(restored) = self.word(place::RESTORED) {
            restored.store(1, Ordering::Release);
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
