//! Bans that were said and not counted.

use super::*;

const OFF: Settings = Settings {
    max_retries: 0,
    ..DEFAULTS
};

#[test]
fn a_ban_that_was_said_holds_whatever_the_settings_are() {
    for settings in [
        OFF,
        DEFAULTS,
        Settings {
            modes: IP,
            ..DEFAULTS
        },
        Settings {
            ban_time: 1,
            ..DEFAULTS
        },
    ] {
        let mut memory = vec![0; 65536];
        let mut attempts = open(&mut memory);
        assert!(attempts.ban_user("alice", 9000, 1000));
        assert!(attempts.ban_address(address(7), 8000, 1000));
        let mut try_at = |who: &Attempt<'_>, now| attempts.reserve(who, &settings, now).err();
        let banned = |whom, until| Some(Banned { whom, until });
        assert_eq!(try_at(&by("alice"), 8999), banned(Whom::User, 9000));
        assert_eq!(try_at(&by("alice"), 9000), None);
        let elsewhere = Attempt {
            user: Some("bob"),
            address: address(7),
        };
        assert_eq!(try_at(&elsewhere, 7999), banned(Whom::Address, 8000));
        assert_eq!(try_at(&by("bob"), 7999), None);
        assert_eq!(try_at(&elsewhere, 8000), None);
    }
}

#[test]
fn no_success_that_was_under_way_undoes_a_ban_that_was_said() {
    let mut memory = vec![0; 65536];
    let mut attempts = open(&mut memory);
    let running = attempts
        .reserve(&by("alice"), &DEFAULTS, 1000)
        .expect("free");
    assert!(attempts.ban_user("alice", 5000, 1000));
    attempts.settle(&running, true);
    assert!(attempts.reserve(&by("alice"), &DEFAULTS, 1001).is_err());
    assert!(attempts.revoke_user("alice"));
    assert!(attempts.reserve(&by("alice"), &DEFAULTS, 1001).is_ok());
}

#[test]
fn a_ban_that_was_said_replaces_one_that_was_counted() {
    let mut memory = vec![0; 65536];
    let mut attempts = open(&mut memory);
    for _ in 0..3 {
        let _ = attempts
            .reserve(&by("alice"), &DEFAULTS, 1000)
            .expect("free");
    }
    assert!(attempts.ban_user("alice", 100_000, 1000));
    let listed: Vec<_> = attempts.list(1001).collect();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].banned_until, Some(100_000));
    assert!(attempts.reserve(&by("alice"), &DEFAULTS, 50_000).is_err());
    // Afterwards, failures count as always.
    assert!(attempts.reserve(&by("alice"), &DEFAULTS, 100_000).is_ok());
}

#[test]
fn a_ban_that_was_counted_says_whom_it_holds() {
    let mut memory = vec![0; 65536];
    let mut attempts = open(&mut memory);
    let settings = Settings {
        modes: BOTH,
        ..DEFAULTS
    };
    let mut last = Vec::new();
    for _ in 0..3 {
        let reservation = attempts
            .reserve(&by("alice"), &settings, 1000)
            .expect("free");
        last = attempts.banned_by(&reservation);
    }
    let names: Vec<_> = last
        .into_iter()
        .map(|(who, until)| match who {
            Who::User(name) => (name.to_string(), until),
            Who::Address(address) => (address.to_string(), until),
        })
        .collect();
    assert_eq!(
        names,
        [("0.0.0.1".into(), 1300), ("alice".to_owned(), 1300)]
    );
}

#[test]
fn one_address_stands_for_those_that_count_as_one() {
    let of = |text: &str| counted_as(text.parse().expect("an address")).to_string();
    assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.1");
    assert_eq!(of("2001:db8::7:8"), "2001:db8::");
}
