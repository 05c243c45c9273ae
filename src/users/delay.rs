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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a57_a_failure_takes_the_mean_time_of_the_last_ten_successes() {
        let mut delay = Delay::new();
        assert_eq!(delay.not_before(0), 1000);
        for _ in 0..10 {
            delay.record_success(400);
        }
        assert_eq!(delay.not_before(0), 400);
        delay.record_success(1400);
        assert_eq!(delay.not_before(0), 500);
    }

    #[test]
    fn a57_no_failure_is_answered_before_the_floor() {
        let mut delay = Delay::new();
        for _ in 0..10 {
            delay.record_success(1);
        }
        assert_eq!(delay.not_before(0), 250);
    }

    #[test]
    fn the_jitter_is_at_most_85() {
        let delay = Delay::new();
        let jitters = (0..=u8::MAX).map(|random| delay.not_before(random) - 1000);
        assert_eq!((jitters.clone().min(), jitters.max()), (Some(0), Some(85)));
    }

    #[test]
    fn the_longest_times_do_not_overflow() {
        let mut delay = Delay::new();
        for _ in 0..20 {
            delay.record_success(u32::MAX);
        }
        assert_eq!(delay.not_before(0), u64::from(u32::MAX));
    }
}
