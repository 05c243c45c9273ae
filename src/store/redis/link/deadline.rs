//! Until when a call may take.

use std::io;
use std::time::{Duration, Instant};

/// A point in time by which something must be done.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    at: Instant,
    /// How long it was when it began, for messages.
    whole: Duration,
}

impl Deadline {
    pub fn after(time: Duration) -> Deadline {
        Deadline {
            at: Instant::now() + time,
            whole: time,
        }
    }

    /// What is left; an error where that is nothing.
    pub fn left(&self) -> io::Result<Duration> {
        let left = self.at.saturating_duration_since(Instant::now());
        match left.is_zero() {
            true => Err(io::ErrorKind::TimedOut.into()),
            false => Ok(left),
        }
    }

    /// A part of what is left, where `parts` have to share it.
    pub fn share(&self, parts: usize) -> Deadline {
        let left = self.at.saturating_duration_since(Instant::now());
        let parts = u32::try_from(parts).unwrap_or(u32::MAX).max(1);
        Deadline {
            at: Instant::now() + left / parts,
            whole: self.whole,
        }
    }

    /// Seconds that the whole was, at least one.
    pub fn seconds(&self) -> u64 {
        self.whole.as_secs().max(1)
    }
}
