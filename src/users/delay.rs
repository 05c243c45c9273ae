//! How long the answer to a failed login is held back, so that its time tells nothing.

const HISTORY: usize = 10;

/// The mean time of recent successful logins, from which failures take their time.
#[derive(Clone, Debug)]
pub struct Delay {
    successes: [u32; HISTORY],
    next: usize,
}

impl Delay {
    /// Milliseconds that Authelia assumes for a success it has not seen.
    const ASSUMED: u32 = 1000;
    /// Milliseconds below which no failure is answered.
    const FLOOR: u64 = 250;

    /// No login seen yet.
    pub fn new() -> Self {
        Delay {
            successes: [Self::ASSUMED; HISTORY],
            next: 0,
        }
    }

    /// Remembers that a successful login took `millis`.
    pub fn record_success(&mut self, millis: u32) {
        self.successes[self.next] = millis;
        self.next = (self.next + 1) % HISTORY;
    }

    /// Milliseconds after its start before which a failed login is not answered: the mean of the
    /// last ten successes or 250, whichever is more, and up to 85 more by the `random` byte.
    pub fn not_before(&self, random: u8) -> u64 {
        let sum: u64 = self.successes.iter().map(|&millis| u64::from(millis)).sum();
        (sum / HISTORY as u64).max(Self::FLOOR) + u64::from(random) % 86
    }
}

impl Default for Delay {
    fn default() -> Self {
        Self::new()
    }
}
