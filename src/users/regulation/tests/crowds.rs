//! Many attempts at once, and many who try.

use super::*;

#[test]
fn a59_a_burst_gets_no_more_tries_than_allowed() {
    for max_retries in [1, 3, 50, 64, 200] {
        let mut memory = vec![0; 65536];
        let mut attempts = open(&mut memory);
        let settings = Settings {
            modes: BOTH,
            max_retries,
            ..DEFAULTS
        };
        let burst = (0..300).map(|_| attempts.reserve(&by("alice"), &settings, 1000));
        assert_eq!(burst.filter(Result::is_ok).count(), max_retries as usize);
    }
}

#[test]
fn a59_a_success_in_a_burst_undoes_the_ban_that_its_own_reservation_brought() {
    let mut memory = vec![0; 65536];
    let mut attempts = open(&mut memory);
    let reserve = |attempts: &mut Attempts<'_>| attempts.reserve(&by("alice"), &DEFAULTS, 1000);
    let first = reserve(&mut attempts).expect("first");
    let second = reserve(&mut attempts).expect("second");
    let third = reserve(&mut attempts).expect("third");
    assert_eq!(first.bans().count(), 0);
    let ban = Banned {
        whom: Whom::User,
        until: 1300,
    };
    assert_eq!(third.bans().collect::<Vec<_>>(), [ban]);
    assert_eq!(reserve(&mut attempts), Err(ban));
    attempts.settle(&first, false);
    attempts.settle(&second, true);
    // The third is still out and counts as the only failure.
    let fourth = reserve(&mut attempts).expect("fourth");
    attempts.settle(&third, false);
    attempts.settle(&fourth, false);
    assert!(reserve(&mut attempts).is_ok());
    assert!(reserve(&mut attempts).is_err());
}

#[test]
fn a_success_that_comes_after_a_ban_it_has_no_part_in_changes_nothing() {
    let mut memory = vec![0; 65536];
    let mut attempts = open(&mut memory);
    let early = attempts
        .reserve(&by("alice"), &DEFAULTS, 1000)
        .expect("early");
    for now in [1200, 1201, 1202] {
        assert!(attempts.reserve(&by("alice"), &DEFAULTS, now).is_ok());
    }
    attempts.settle(&early, true);
    assert_eq!(
        attempts
            .banned(&by("alice"), &DEFAULTS, 1203)
            .map(|ban| ban.until),
        Some(1502)
    );
}

#[test]
fn a60_names_nobody_has_lock_nobody_out_and_are_not_kept() {
    let mut memory = vec![0; 65536];
    let mut attempts = open(&mut memory);
    for number in 0..300 {
        let nobody = Attempt {
            user: None,
            address: address(number),
        };
        assert_eq!(
            attempt(&mut attempts, &nobody, &DEFAULTS, false, 1000),
            Some(false)
        );
    }
    assert_eq!(attempts.stats().map(|stats| stats.used), [0, 0]);
    assert_eq!(
        attempt(&mut attempts, &by("alice"), &DEFAULTS, true, 1000),
        Some(true)
    );
}

#[test]
fn a60_a_flood_of_addresses_pushes_out_no_user() {
    let mut memory = vec![0; 65536];
    let mut attempts = open(&mut memory);
    let settings = Settings {
        modes: BOTH,
        ..DEFAULTS
    };
    let alice = |number| Attempt {
        user: Some("alice"),
        address: address(number),
    };
    (1..=3).for_each(|n| assert!(attempts.reserve(&alice(n), &settings, 1000).is_ok()));
    for number in 0..10_000 {
        let flood = Attempt {
            user: None,
            address: address(1000 + number),
        };
        assert!(attempts.reserve(&flood, &settings, 1000).is_ok());
    }
    assert_eq!(
        attempts
            .banned(&alice(4), &settings, 1000)
            .map(|ban| ban.whom),
        Some(Whom::User)
    );
}

#[test]
fn bans_outlast_counts_when_there_are_too_many_users() {
    let mut memory = vec![0; 65536];
    let mut attempts = open(&mut memory);
    (0..3).for_each(|_| assert!(attempts.reserve(&by("alice"), &DEFAULTS, 1000).is_ok()));
    for number in 0..1000 {
        assert!(
            attempts
                .reserve(&by(&format!("user{number}")), &DEFAULTS, 1100)
                .is_ok()
        );
    }
    assert!(attempts.banned(&by("alice"), &DEFAULTS, 1100).is_some());
    assert!(attempts.stats()[0].evictions > 900);
}

#[test]
fn what_is_taken_back_counts_no_more_and_everything_else_does() {
    let mut memory = vec![0; 65536];
    let mut attempts = open(&mut memory);
    let reserve = |attempts: &mut Attempts<'_>| attempts.reserve(&by("alice"), &DEFAULTS, 1000);
    for _ in 0..10 {
        let alone = reserve(&mut attempts).expect("alone");
        attempts.withdraw(&alone);
    }
    assert_eq!(attempts.list(1000).count(), 0, "nothing is left of it");

    let first = reserve(&mut attempts).expect("first");
    let second = reserve(&mut attempts).expect("second");
    let third = reserve(&mut attempts).expect("third");
    assert!(reserve(&mut attempts).is_err());
    // One of those that the ban is made of goes, and the ban with it; two failures stay.
    attempts.withdraw(&second);
    let fourth = reserve(&mut attempts).expect("fourth");
    assert!(reserve(&mut attempts).is_err());
    attempts.withdraw(&fourth);
    for failed in [first, third] {
        attempts.settle(&failed, false);
    }
    assert!(reserve(&mut attempts).is_ok());
    assert!(reserve(&mut attempts).is_err());
}

#[test]
fn what_is_taken_back_lifts_no_ban_that_somebody_said() {
    let mut memory = vec![0; 65536];
    let mut attempts = open(&mut memory);
    let under_way = attempts.reserve(&by("alice"), &DEFAULTS, 1000);
    assert!(attempts.ban_user("alice", 5000, 1000));
    attempts.withdraw(&under_way.expect("under way"));
    assert!(attempts.banned(&by("alice"), &DEFAULTS, 1001).is_some());
}
