//! The counts, in words that several processes share. A count is one addition to a word, so that who
//! is killed leaves nothing half done.

use std::sync::atomic::{AtomicU64, Ordering};

use super::catalogue::{Counter, Duration, OWN_WORDS, WORDS};
use super::words::{Level, Store};

/// Copies of the words that grow with every request: processes on different cores do not wait for
/// each other's memory.
const COPIES: usize = 8;

/// Processes whose levels are kept apart. With more, two share a place, and the last to write counts.
const PROCESSES: usize = 64;

/// Words in which a process keeps its levels: a cache line.
const LEVELS: usize = 8;

const COMMON: usize = COPIES * OWN_WORDS;
const STORES: usize = COMMON + (WORDS - OWN_WORDS);
const PROCESS: usize = (STORES + Store::ALL.len()).next_multiple_of(LEVELS);
const ALL: usize = PROCESS + PROCESSES * LEVELS;

/// Bytes that the words of [`Counts`] take.
pub const BYTES: usize = ALL * size_of::<u64>();

/// How a store was last seen.
const UNSEEN: u64 = 0;
const UP: u64 = 1;
const DOWN: u64 = 2;

/// All counts; zeros at first.
#[derive(Debug)]
#[repr(transparent)]
pub struct Counts([AtomicU64; ALL]);

impl Default for Counts {
    fn default() -> Self {
        Counts([const { AtomicU64::new(0) }; ALL])
    }
}

impl Counts {
    /// Counts it once more. `worker` is any number that few other processes have.
    pub fn count(&self, worker: usize, counter: Counter) {
        self.count_many(worker, counter, 1);
    }

    /// Counts it so many times more.
    pub fn count_many(&self, worker: usize, counter: Counter, times: u64) {
        let place = match counter.place() {
            own if own < OWN_WORDS => worker % COPIES * OWN_WORDS + own,
            place => COMMON + place - OWN_WORDS,
        };
        self.0[place].fetch_add(times, Ordering::Relaxed);
    }

    /// Counts something that took `micros` microseconds.
    pub fn measure(&self, duration: Duration, micros: u64) {
        let (bucket, sum) = duration.places(micros);
        self.0[COMMON + bucket - OWN_WORDS].fetch_add(1, Ordering::Relaxed);
        self.0[COMMON + sum - OWN_WORDS].fetch_add(micros, Ordering::Relaxed);
    }

    /// Says how high a level is in the process `process`, whose place is `slot`.
    pub fn set(&self, (slot, process): (usize, u32), level: Level, value: u32) {
        let place = PROCESS + slot % PROCESSES * LEVELS + level as usize;
        let word = u64::from(process) << 32 | u64::from(value);
        self.0[place].store(word, Ordering::Relaxed);
    }

    /// Says whether a store works; `true` when that is news. That it works is none at first.
    pub fn see(&self, store: Store, works: bool) -> bool {
        let now = if works { UP } else { DOWN };
        let before = self.0[STORES + store as usize].swap(now, Ordering::Relaxed);
        before != now && !(before == UNSEEN && works)
    }

    /// Whether a store works, as far as anybody knows.
    pub fn works(&self, store: Store) -> bool {
        self.0[STORES + store as usize].load(Ordering::Relaxed) != DOWN
    }

    /// A level, all processes that are `alive` together.
    pub fn level(&self, level: Level, alive: impl Fn(u32) -> bool) -> u64 {
        let words = self.0[PROCESS..].chunks_exact(LEVELS);
        let words = words.map(|words| words[level as usize].load(Ordering::Relaxed));
        let alive = words.filter(|word| word & 0xffff_ffff > 0 && alive((word >> 32) as u32));
        alive.map(|word| word & 0xffff_ffff).sum()
    }

    /// The word at a place of the catalogue, all copies together.
    pub(super) fn at(&self, place: usize) -> u64 {
        let load = |place: usize| self.0[place].load(Ordering::Relaxed);
        match place {
            own if own < OWN_WORDS => (0..COPIES)
                .map(|copy| load(copy * OWN_WORDS + own))
                .fold(0, u64::wrapping_add),
            place => load(COMMON + place - OWN_WORDS),
        }
    }
}

const _: () = assert!(
    Level::ALL.len() <= LEVELS,
    "a process has a word for each level"
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::words::{Decided, Wanted};

    #[test]
    fn a_count_is_the_sum_over_all_processes() {
        let counts = Counts::default();
        let allow = Counter::Decision(Decided::Allow, Wanted::OneFactor);
        (0..100).for_each(|worker| counts.count(worker, allow));
        assert_eq!(counts.at(allow.place()), 100);
        let all: u64 = (0..WORDS).map(|place| counts.at(place)).sum();
        assert_eq!(all, 100, "and nothing else was counted");
    }

    #[test]
    fn a_level_forgets_those_who_are_gone() {
        let counts = Counts::default();
        counts.set((3, 30), Level::ErrandsWaiting, 5);
        counts.set((4, 40), Level::ErrandsWaiting, 7);
        counts.set((4, 40), Level::ErrandsRunning, 1);
        assert_eq!(counts.level(Level::ErrandsWaiting, |_| true), 12);
        assert_eq!(
            counts.level(Level::ErrandsWaiting, |process| process != 40),
            5
        );
        counts.set((3, 30), Level::ErrandsWaiting, 0);
        assert_eq!(counts.level(Level::ErrandsWaiting, |_| true), 7);
    }

    #[test]
    fn only_a_change_of_a_store_is_news() {
        let counts = Counts::default();
        assert!(!counts.see(Store::Redis, true), "as it should be");
        assert!(counts.see(Store::Redis, false));
        assert!(!counts.see(Store::Redis, false) && !counts.works(Store::Redis));
        assert!(counts.works(Store::Sqlite));
        assert!(counts.see(Store::Redis, true) && counts.works(Store::Redis));
        assert!(counts.see(Store::Sqlite, false), "out from the beginning");
    }
}
