//! Attempts that were made elsewhere.

use proptest::prelude::*;

use super::model::{Model, settings};
use super::*;

fn tell(
    attempts: &mut Attempts<'_>,
    when: u64,
    passed: bool,
    settings: &Settings,
    now: u64,
) -> Option<u64> {
    let subject = Subject::user("alice");
    let told = Told {
        subject,
        when,
        passed,
    };
    let ban = attempts.count_told(&told, settings, now);
    ban.map(|ban| ban.until)
}

fn banned_until(attempts: &mut Attempts<'_>, settings: &Settings, now: u64) -> Option<u64> {
    let ban = attempts.banned(&by("alice"), settings, now);
    ban.map(|ban| ban.until)
}

#[test]
fn failures_elsewhere_count_with_those_here() {
    let mut memory = vec![0; 65536];
    let mut attempts = open(&mut memory);
    assert_eq!(tell(&mut attempts, 1000, false, &DEFAULTS, 1000), None);
    assert_eq!(
        attempt(&mut attempts, &by("alice"), &DEFAULTS, false, 1001),
        Some(false)
    );
    assert_eq!(
        tell(&mut attempts, 1002, false, &DEFAULTS, 1003),
        Some(1302)
    );
    assert_eq!(banned_until(&mut attempts, &DEFAULTS, 1003), Some(1302));
    // One that was made before the ban was known there brings no second one.
    assert_eq!(tell(&mut attempts, 1003, false, &DEFAULTS, 1004), None);
    assert_eq!(banned_until(&mut attempts, &DEFAULTS, 1004), Some(1302));
    assert!(attempts.reserve(&by("alice"), &DEFAULTS, 1302).is_ok());
}

#[test]
fn failures_may_be_told_in_any_order_and_long_after() {
    let mut memory = vec![0; 65536];
    let mut attempts = open(&mut memory);
    for when in [1100, 1000] {
        assert_eq!(tell(&mut attempts, when, false, &DEFAULTS, 1110), None);
    }
    // 1000 and 1121 are not within two minutes.
    assert_eq!(tell(&mut attempts, 1121, false, &DEFAULTS, 1121), None);
    assert_eq!(
        tell(&mut attempts, 1050, false, &DEFAULTS, 1130),
        Some(1421)
    );
    // And a ban that has ended by now is none.
    let mut memory = vec![0; 65536];
    let mut attempts = open(&mut memory);
    for when in [1000, 1001, 1002] {
        assert_eq!(tell(&mut attempts, when, false, &DEFAULTS, 9000), None);
    }
    assert!(attempts.reserve(&by("alice"), &DEFAULTS, 9000).is_ok());
}

#[test]
fn a_success_elsewhere_forgets_what_was_before_it_and_lifts_no_ban() {
    let mut memory = vec![0; 65536];
    let mut attempts = open(&mut memory);
    for when in [1050, 1010] {
        tell(&mut attempts, when, false, &DEFAULTS, 1050);
    }
    tell(&mut attempts, 1020, true, &DEFAULTS, 1050);
    assert_eq!(tell(&mut attempts, 1055, false, &DEFAULTS, 1055), None);
    assert_eq!(
        tell(&mut attempts, 1056, false, &DEFAULTS, 1056),
        Some(1356)
    );
    tell(&mut attempts, 1060, true, &DEFAULTS, 1060);
    assert_eq!(banned_until(&mut attempts, &DEFAULTS, 1060), Some(1356));
    // Of whom nothing is known a success makes no entry.
    let mut memory = vec![0; 65536];
    let mut attempts = open(&mut memory);
    tell(&mut attempts, 1000, true, &DEFAULTS, 1000);
    assert_eq!(attempts.stats().map(|stats| stats.used), [0, 0]);
    tell(&mut attempts, 1000, false, &DEFAULTS, 1000);
    tell(&mut attempts, 1001, true, &DEFAULTS, 1001);
    assert_eq!(attempts.stats().map(|stats| stats.used), [0, 0]);
}

#[test]
fn what_is_not_regulated_is_not_counted() {
    let mut memory = vec![0; 65536];
    let mut attempts = open(&mut memory);
    let off = Settings {
        max_retries: 0,
        ..DEFAULTS
    };
    let by_ip = Settings {
        modes: IP,
        ..DEFAULTS
    };
    for settings in [off, by_ip] {
        tell(&mut attempts, 1000, false, &settings, 1000);
    }
    assert_eq!(attempts.stats().map(|stats| stats.used), [0, 0]);
    // A ban that was said stays what it is.
    assert!(attempts.ban_user("alice", 5000, 1000));
    tell(&mut attempts, 1001, false, &DEFAULTS, 1001);
    assert_eq!(banned_until(&mut attempts, &DEFAULTS, 1001), Some(5000));
    assert!(attempts.revoke_user("alice"));
    assert_eq!(banned_until(&mut attempts, &DEFAULTS, 1001), None);
}

#[test]
fn a_fast_clock_elsewhere_bans_nobody_in_advance() {
    let mut memory = vec![0; 65536];
    let mut attempts = open(&mut memory);
    for now in [1000, 1001] {
        assert_eq!(tell(&mut attempts, now + 500, false, &DEFAULTS, now), None);
    }
    assert_eq!(
        tell(&mut attempts, u64::MAX, false, &DEFAULTS, 1002),
        Some(1302)
    );
}

#[test]
fn a_reservation_says_against_whom_it_counts() {
    let mut memory = vec![0; 65536];
    let mut attempts = open(&mut memory);
    let long = "ü".repeat(70);
    let who = Attempt {
        user: Some(&long),
        address: "2001:db8::7:8".parse().expect("an address"),
    };
    let mut told = |modes| {
        let settings = Settings { modes, ..DEFAULTS };
        let reservation = attempts.reserve(&who, &settings, 1000).expect("free");
        attempts.settle(&reservation, true);
        reservation.subjects().collect::<Vec<_>>()
    };
    let user = Subject::User(long.as_str().try_into().expect("short enough"));
    let network = Subject::Address("2001:db8::".parse().expect("an address"));
    assert_eq!(told(BOTH), [network, user]);
    assert_eq!(told(USER), [user]);
    assert_eq!(told(IP), [network]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn attempts_here_and_elsewhere_are_judged_as_if_all_were_made_here(
        settings in settings(),
        tries in prop::collection::vec((0..30u64, any::<bool>(), prop::bool::weighted(0.04), 0..3u64), 0..300),
    ) {
        let settings = Settings { modes: USER, ..settings };
        let mut memory = vec![0; 65536];
        let mut model = Model::default();
        let mut now = 1000;
        for (wait, here, right, late) in tries {
            now += wait.saturating_sub(20) * 10 + wait % 2;
            let mut attempts = open(&mut memory);
            let banned = model.is_banned(now);
            if here {
                let tried = attempt(&mut attempts, &by("alice"), &settings, right, now);
                prop_assert_eq!(tried.is_none(), banned);
            } else {
                let ban = tell(&mut attempts, now, right, &settings, now + late);
                prop_assert!(!banned || ban.is_none());
            }
            if !banned {
                model.record(right, &settings, now);
            }
            prop_assert_eq!(banned_until(&mut attempts, &settings, now).is_some(), model.is_banned(now));
        }
    }

    #[test]
    fn failures_told_in_any_order_bring_about_a_ban_if_they_do_in_theirs(
        max_retries in 1..30u32,
        find_time in 1..120u64,
        (times, shuffled) in prop::collection::vec(0..200u64, 1..40)
            .prop_flat_map(|times| (Just(times.clone()), Just(times).prop_shuffle())),
    ) {
        let settings = Settings { modes: USER, max_retries, find_time, ban_time: 1000 };
        let now = 1200;
        let tell_all = |times: &[u64]| {
            let mut memory = vec![0; 65536];
            let mut attempts = open(&mut memory);
            let bans = times.iter().filter_map(|at| tell(&mut attempts, 1000 + at, false, &settings, now)).count();
            let until = banned_until(&mut attempts, &settings, now);
            assert_eq!(bans > 0, until.is_some());
            until
        };
        let mut sorted = times;
        sorted.sort_unstable();
        let (expected, found) = (tell_all(&sorted), tell_all(&shuffled));
        prop_assert_eq!(expected.is_some(), found.is_some());
        if let (Some(expected), Some(found)) = (expected, found) {
            let latest = 1000 + sorted[sorted.len() - 1] + settings.ban_time;
            prop_assert!((expected..=latest).contains(&found));
        }
    }
}
