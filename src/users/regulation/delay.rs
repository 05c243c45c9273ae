//! How long a failed login takes, so that nobody can tell by the clock why it failed.

use crate::slots::{Memory, TooSmall};

/// The least that a failure takes at the login form, in milliseconds.
pub const FLOOR_FORM: u64 = 250;

/// The least that a failure takes with a password in a header, in milliseconds.
pub const FLOOR_BASIC: u64 = 2000;

/// What stands in for each success that has not been seen yet, in milliseconds.
const ASSUMED: u32 = 1000;

/// The longest success that is believed, in milliseconds; a machine that was asleep must not slow
/// down everybody after it.
const LONGEST: u64 = 10_000;

/// The most that is added at random, in milliseconds.
const JITTER: u64 = 85;

const REMEMBERED: u32 = 10;
const MAGIC: u32 = 0x6465_6c31;
const NEXT: usize = 4;
const SAMPLES: usize = 8;
const END: usize = SAMPLES + 4 * REMEMBERED as usize;

/// The durations of the last ten successful logins, in memory that all workers share and whose
/// lock the caller holds. Each store is one word, so a kill costs one of them at most.
#[derive(Debug)]
pub struct Delay<M> {
    memory: M,
}

impl<M: Memory> Delay<M> {
    /// Opens what `memory` holds, or begins anew if that is nothing of ours. 48 bytes are enough.
    ///
    /// # Errors
    /// There are fewer.
    pub fn open(memory: M) -> Result<Self, TooSmall> {
        if memory.bytes().len() < END {
            return Err(TooSmall);
        }
        let mut delay = Delay { memory };
        if delay.word(0) != MAGIC {
            let assumed = ASSUMED.to_le_bytes();
            (0..REMEMBERED).for_each(|place| delay.memory.store(sample_at(place), &assumed));
            delay.memory.store(NEXT, &[0; 4]);
            delay.memory.store(0, &MAGIC.to_le_bytes());
        }
        Ok(delay)
    }

    /// Remembers how long a successful login took.
    pub fn record_success(&mut self, milliseconds: u64) {
        let next = self.word(NEXT) % REMEMBERED;
        let sample = milliseconds.min(LONGEST) as u32;
        self.memory.store(sample_at(next), &sample.to_le_bytes());
        self.memory.store(NEXT, &(next + 1).to_le_bytes());
    }

    /// How long after its beginning a failed login is answered, in milliseconds: the mean of the
    /// last ten successes, at least `floor`, and a little more by the random byte `random`.
    pub fn answer_after(&self, floor: u64, random: u8) -> u64 {
        let jitter = u64::from(random) * JITTER / u64::from(u8::MAX);
        self.mean().max(floor) + jitter
    }

    fn mean(&self) -> u64 {
        let samples = (0..REMEMBERED).map(|place| self.word(sample_at(place)));
        let sum: u64 = samples.map(|sample| u64::from(sample).min(LONGEST)).sum();
        sum / u64::from(REMEMBERED)
    }

    fn word(&self, at: usize) -> u32 {
        let word = self.memory.bytes()[at..].first_chunk().copied();
        word.map_or(0, u32::from_le_bytes)
    }
}

fn sample_at(place: u32) -> usize {
    SAMPLES + 4 * place as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a57_a_failure_takes_the_mean_time_of_the_last_ten_successes() {
        let mut memory = [0xa5; 64];
        let mut delay = Delay::open(&mut memory[..]).expect("room");
        assert_eq!(delay.answer_after(FLOOR_FORM, 0), 1000);
        delay.record_success(500);
        assert_eq!(delay.answer_after(FLOOR_FORM, 0), 950);
        assert_eq!(delay.answer_after(FLOOR_BASIC, 0), 2000);
        (0..25).for_each(|_| delay.record_success(100));
        assert_eq!(delay.answer_after(FLOOR_FORM, 0), 250);
        (0..5).for_each(|_| delay.record_success(900));
        assert_eq!(delay.answer_after(FLOOR_FORM, 0), 500);
        let again = Delay::open(&mut memory[..]).expect("room");
        assert_eq!(again.answer_after(0, 0), 500);
    }

    #[test]
    fn a57_jitter_is_bounded() {
        let mut memory = [0; 64];
        let delay = Delay::open(&mut memory[..]).expect("room");
        assert_eq!(delay.answer_after(FLOOR_FORM, 255), 1085);
        assert_eq!(delay.answer_after(FLOOR_FORM, 128), 1042);
    }

    #[test]
    fn garbage_is_no_long_delay() {
        let mut memory = [0xff; 64];
        memory[..4].copy_from_slice(&MAGIC.to_le_bytes());
        let mut delay = Delay::open(&mut memory[..]).expect("room");
        assert_eq!(delay.answer_after(0, 0), LONGEST);
        (0..10).for_each(|_| delay.record_success(100));
        assert_eq!(delay.answer_after(0, 0), 100);
        assert_eq!(Delay::open(&mut memory[..47]).err(), Some(TooSmall));
    }
}
