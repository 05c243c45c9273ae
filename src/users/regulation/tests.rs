use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::slots::Opened;

mod crowds;
mod kill;
mod model;
mod said;
mod told;

const KEY: [u8; 32] = [9; 32];
const BOTH: Modes = Modes {
    user: true,
    ip: true,
};
const USER: Modes = Modes {
    user: true,
    ip: false,
};
const IP: Modes = Modes {
    user: false,
    ip: true,
};
const DEFAULTS: Settings = Settings {
    modes: USER,
    max_retries: 3,
    find_time: 120,
    ban_time: 300,
};

fn address(number: u32) -> IpAddr {
    Ipv4Addr::from(number).into()
}

fn by(user: &str) -> Attempt<'_> {
    Attempt {
        user: Some(user),
        address: address(1),
    }
}

fn from(address: &str) -> Attempt<'_> {
    Attempt {
        user: None,
        address: address.parse().expect("an address"),
    }
}

fn open(memory: &mut [u8]) -> Attempts<'_> {
    Attempts::open(memory, &KEY).expect("room").0
}

/// An attempt from beginning to end: `Some(success)`, or `None` when it is refused.
fn attempt(
    attempts: &mut Attempts<'_>,
    who: &Attempt<'_>,
    settings: &Settings,
    right: bool,
    now: u64,
) -> Option<bool> {
    let reservation = attempts.reserve(who, settings, now).ok()?;
    attempts.settle(&reservation, right);
    Some(right)
}

#[test]
fn a58_after_three_failures_the_right_password_fails_like_a_wrong_one() {
    let mut memory = vec![0; 65536];
    let mut attempts = open(&mut memory);
    let mut try_at = |right, now| attempt(&mut attempts, &by("alice"), &DEFAULTS, right, now);
    assert_eq!(
        [1000, 1001, 1002].map(|now| try_at(false, now)),
        [Some(false); 3]
    );
    assert_eq!([1002, 1003, 1301].map(|now| try_at(true, now)), [None; 3]);
    assert_eq!(try_at(true, 1302), Some(true));
}

#[test]
fn failures_older_than_find_time_or_before_a_success_do_not_count() {
    let mut memory = vec![0; 65536];
    let mut attempts = open(&mut memory);
    let mut try_at = |right, now| attempt(&mut attempts, &by("alice"), &DEFAULTS, right, now);
    assert_eq!(
        [1000, 1100, 1121].map(|now| try_at(false, now)),
        [Some(false); 3]
    );
    assert_eq!(try_at(true, 1122), Some(true));
    assert_eq!([1123, 1124].map(|now| try_at(false, now)), [Some(false); 2]);
    assert_eq!(try_at(true, 1125), Some(true));
    assert_eq!(
        [1126, 1127, 1128].map(|now| try_at(false, now)),
        [Some(false); 3]
    );
    assert_eq!(try_at(true, 1129), None);
}

#[test]
fn an_address_is_an_ipv4_address_or_a_network_of_64_bits() {
    let mut memory = vec![0; 65536];
    let mut attempts = open(&mut memory);
    let settings = Settings {
        modes: IP,
        ..DEFAULTS
    };
    for who in ["2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:0:1::"] {
        assert!(attempts.reserve(&from(who), &settings, 1000).is_ok());
    }
    assert!(
        attempts
            .reserve(&from("2001:db8::7"), &settings, 1000)
            .is_err()
    );
    assert!(
        attempts
            .reserve(&from("2001:db8:0:1::7"), &settings, 1000)
            .is_ok()
    );
    for who in ["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"] {
        assert!(attempts.reserve(&from(who), &settings, 1000).is_ok());
    }
    assert!(
        attempts
            .reserve(&from("192.0.2.1"), &settings, 1000)
            .is_err()
    );
    assert!(
        attempts
            .reserve(&from("192.0.2.2"), &settings, 1000)
            .is_ok()
    );
}

#[test]
fn modes_and_zero_retries_switch_regulation_off() {
    let off = Settings {
        max_retries: 0,
        ..DEFAULTS
    };
    let none = Settings {
        modes: Modes {
            user: false,
            ip: false,
        },
        ..DEFAULTS
    };
    for settings in [off, none] {
        let mut memory = vec![0; 65536];
        let mut attempts = open(&mut memory);
        (0..10).for_each(|_| assert!(attempts.reserve(&by("a"), &settings, 1000).is_ok()));
        assert_eq!(attempts.stats().map(|stats| stats.used), [0, 0]);
    }
}

#[test]
fn a58_second_factors_are_bounded_even_where_regulation_is_off() {
    let off = Settings {
        max_retries: 0,
        ..DEFAULTS
    };
    let mut memory = vec![0; 65536];
    let mut attempts = open(&mut memory);
    let settings = off.for_factors();
    let mut right = |now| attempt(&mut attempts, &by("alice"), &settings, now == 2000, now);
    let failed = (0..20).filter(|second| right(1000 + second) == Some(false));
    assert_eq!(failed.count(), 10);
    assert_eq!(right(1308), None);
    assert_eq!(right(2000), Some(true));
    assert_eq!(DEFAULTS.for_factors(), DEFAULTS);
    let by_address = Settings {
        modes: IP,
        ..DEFAULTS
    };
    assert_eq!(by_address.for_factors().modes, BOTH);
}

#[test]
fn everybody_is_listed_and_can_be_forgiven() {
    let mut memory = vec![0; 65536];
    let mut attempts = open(&mut memory);
    let settings = Settings {
        modes: BOTH,
        ..DEFAULTS
    };
    let long = "ü".repeat(70);
    let ours = |user, number| Attempt {
        user: Some(user),
        address: address(number),
    };
    (0..3).for_each(|n| assert!(attempts.reserve(&ours("alice", n), &settings, 1000).is_ok()));
    assert!(attempts.reserve(&ours(&long, 2), &settings, 1001).is_ok());
    let shown = |attempts: &Attempts<'_>| {
        let list = attempts.list(1001).map(|listed| match listed.who {
            Who::User(name) => (name.to_string(), listed.failures, listed.banned_until),
            Who::Address(ip) => (ip.to_string(), listed.failures, listed.banned_until),
        });
        let mut list: Vec<_> = list.collect();
        list.sort();
        list
    };
    let row = |name: &str, failures, until| (name.to_owned(), failures, until);
    let mut expected = vec![
        row("0.0.0.0", 1, None),
        row("0.0.0.1", 1, None),
        row("0.0.0.2", 2, None),
        row("alice", 3, Some(1300)),
        row(&"ü".repeat(70), 1, None),
    ];
    assert_eq!(shown(&attempts), expected);
    assert!(attempts.revoke_user("alice") && !attempts.revoke_user("alice"));
    assert!(attempts.revoke_address(address(0)) && !attempts.revoke_address(address(0)));
    expected.retain(|row| !["alice", "0.0.0.0"].contains(&&*row.0));
    assert_eq!(shown(&attempts), expected);
    assert_eq!(
        attempt(&mut attempts, &by("alice"), &settings, true, 1001),
        Some(true)
    );
}

#[test]
fn a_clock_set_back_bans_for_no_longer_than_ban_time() {
    let mut memory = vec![0; 65536];
    let mut attempts = open(&mut memory);
    (0..3).for_each(|_| assert!(attempts.reserve(&by("alice"), &DEFAULTS, 1_000_000).is_ok()));
    assert_eq!(
        attempts
            .reserve(&by("alice"), &DEFAULTS, 5000)
            .map_err(|ban| ban.until),
        Err(5300)
    );
    assert_eq!(
        attempts
            .reserve(&by("alice"), &DEFAULTS, 5299)
            .map_err(|ban| ban.until),
        Err(5300)
    );
    assert!(attempts.reserve(&by("alice"), &DEFAULTS, 5300).is_ok());
    (0..2).for_each(|_| assert!(attempts.reserve(&by("alice"), &DEFAULTS, 5300).is_ok()));
    assert!(attempts.reserve(&by("alice"), &DEFAULTS, 5301).is_err());
}

#[test]
fn the_largest_numbers_are_harmless() {
    let mut memory = vec![0; 65536];
    let mut attempts = open(&mut memory);
    let settings = Settings {
        modes: BOTH,
        max_retries: u32::MAX,
        find_time: u64::MAX,
        ban_time: u64::MAX,
    };
    for now in [0, u64::MAX, 0, u64::MAX] {
        assert_eq!(
            attempt(&mut attempts, &by("alice"), &settings, false, now),
            Some(false)
        );
    }
    let settings = Settings {
        max_retries: 1,
        ..settings
    };
    assert_eq!(
        attempt(&mut attempts, &by("bob"), &settings, false, 1),
        Some(false)
    );
    assert_eq!(
        attempt(&mut attempts, &by("bob"), &settings, false, 2),
        None
    );
}

#[test]
fn nothing_fits_into_nothing() {
    assert!(Attempts::open(&mut [], &KEY).is_err());
    assert!(Attempts::open(&mut [0; 1000], &KEY).is_err());
    let mut memory = vec![1; 32 << 10];
    let (attempts, opened) = Attempts::open(&mut memory, &KEY).expect("room");
    assert_eq!(opened, [Opened::Formatted; 2]);
    assert!(attempts.stats().iter().all(|stats| stats.capacity > 20));
}
