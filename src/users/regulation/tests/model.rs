//! Regulation against a list of all attempts ever made, read as the rule is worded.

use proptest::prelude::*;

use super::*;

/// All attempts of one user: when, and whether it succeeded. Bans: their ends.
#[derive(Default)]
pub(super) struct Model {
    attempts: Vec<(u64, bool)>,
    ban: Option<u64>,
}

impl Model {
    pub(super) fn is_banned(&self, now: u64) -> bool {
        self.ban.is_some_and(|until| now < until)
    }

    /// On each failure take the records since max(now - find_time, end of the last ban), newest
    /// first, stop at a success; `max_retries` failures: ban until newest + `ban_time`.
    pub(super) fn record(&mut self, success: bool, settings: &Settings, now: u64) {
        self.attempts.push((now, success));
        if success {
            return;
        }
        let since = now
            .saturating_sub(settings.find_time)
            .max(self.ban.unwrap_or(0));
        let newest_first = self
            .attempts
            .iter()
            .rev()
            .take_while(|(at, ok)| !ok && *at >= since);
        if newest_first.count() >= settings.max_retries as usize {
            self.ban = Some(now + settings.ban_time);
        }
    }
}

pub(super) fn settings() -> impl Strategy<Value = Settings> {
    let retries = prop_oneof![1..6u32, 40..65u32];
    let modes = prop_oneof![Just(USER), Just(IP), Just(BOTH)];
    (modes, retries, 0..200u64, 0..200u64).prop_map(|(modes, max_retries, find_time, more)| {
        Settings {
            modes,
            max_retries,
            find_time,
            ban_time: find_time + more,
        }
    })
}

const CASES: u32 = 300;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn attempts_one_after_the_other_are_judged_by_the_letter(
        settings in settings(),
        tries in prop::collection::vec((0..30u64, 0..2usize, 0..2u32, prop::bool::weighted(0.04)), 0..300),
    ) {
        let mut memory = vec![0; 65536];
        let mut users: [Model; 2] = Default::default();
        let mut addresses: [Model; 2] = Default::default();
        let mut now = 1000;
        for (wait, user, number, right) in tries {
            // Mostly quick, now and then a pause.
            now += wait.saturating_sub(20) * 10 + wait % 2;
            let mut attempts = open(&mut memory);
            let who = Attempt { user: Some(["alice", "bob"][user]), address: address(number) };
            let models = [
                settings.modes.user.then_some(&mut users[user]),
                settings.modes.ip.then_some(&mut addresses[number as usize]),
            ];
            let banned = models.iter().flatten().any(|model| model.is_banned(now));
            let tried = attempt(&mut attempts, &who, &settings, right, now);
            prop_assert_eq!(tried.is_none(), banned);
            if !banned {
                models.into_iter().flatten().for_each(|model| model.record(right, &settings, now));
            }
        }
    }

    #[test]
    fn a59_attempts_at_once_never_get_more_tries_than_one_after_the_other(
        settings in settings(),
        steps in prop::collection::vec((0..30u64, any::<prop::sample::Index>(), any::<bool>()), 0..300),
    ) {
        let settings = Settings { modes: USER, ..settings };
        let mut memory = vec![0; 65536];
        let mut out = Vec::new();
        let mut tries: Vec<u64> = Vec::new();
        let mut now = 1000;
        for (wait, which, begin) in steps {
            now += wait.saturating_sub(20) * 10 + wait % 2;
            let mut attempts = open(&mut memory);
            if begin {
                if let Ok(reservation) = attempts.reserve(&by("alice"), &settings, now) {
                    tries.push(now);
                    out.push(reservation);
                }
            } else if !out.is_empty() {
                let reservation = out.swap_remove(which.index(out.len()));
                attempts.settle(&reservation, false);
            }
            // A ban ends the moment the failures it rests on are find_time old.
            let recent = tries.iter().filter(|at| **at + settings.find_time > now).count();
            prop_assert!(recent <= settings.max_retries as usize);
        }
    }

    #[test]
    fn many_retries_are_counted_early_rather_than_late(
        max_retries in 65..400u32,
        find_time in 1..300u64,
        waits in prop::collection::vec(0..3u64, 600),
    ) {
        let settings = Settings { modes: USER, max_retries, find_time, ban_time: 1_000_000 };
        let mut memory = vec![0; 65536];
        let mut attempts = open(&mut memory);
        let mut times = Vec::new();
        let mut now = 1000;
        for wait in waits {
            now += wait;
            if attempt(&mut attempts, &by("alice"), &settings, false, now).is_none() {
                break;
            }
            times.push(now);
            let recent = times.iter().filter(|at| **at + find_time >= now).count();
            let banned = attempts.banned(&by("alice"), &settings, now).is_some();
            let slack = max_retries.div_ceil(63) as usize;
            prop_assert!(banned || recent < max_retries as usize, "late");
            let times: Vec<_> = times.iter().rev().skip(max_retries as usize - slack).collect();
            prop_assert!(!banned || times.first().is_some_and(|at| **at + find_time >= now), "too early");
        }
    }

    #[test]
    fn changed_retries_keep_what_was_counted(first in 1..300u32, second in 1..300u32, failures in 1..300u32) {
        let mut memory = vec![0; 65536];
        let mut attempts = open(&mut memory);
        let failures = failures.min(first - 1);
        let settings = |max_retries| Settings { max_retries, ..DEFAULTS };
        for _ in 0..failures {
            prop_assert!(attempts.reserve(&by("alice"), &settings(first), 1000).is_ok());
        }
        let left = (0..400).take_while(|_| attempts.reserve(&by("alice"), &settings(second), 1001).is_ok()).count();
        // One more failure is needed to see that there are enough.
        prop_assert_eq!(left as u32, second.saturating_sub(failures).max(1));
    }
}
