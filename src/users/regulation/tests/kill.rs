//! A worker that dies between reservation and settlement, or in the middle of either.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::{super::attempts::Attempts, *};
use crate::slots::Memory;

struct Deadly<'a> {
    bytes: &'a mut [u8],
    left: &'a std::cell::Cell<usize>,
}

impl Memory for Deadly<'_> {
    fn bytes(&self) -> &[u8] {
        self.bytes
    }

    fn store(&mut self, at: usize, bytes: &[u8]) {
        for (place, word) in (at..).step_by(8).zip(bytes.chunks(8)) {
            let left = self.left.get().checked_sub(1);
            self.left
                .set(left.unwrap_or_else(|| resume_unwind(Box::new("killed"))));
            self.bytes[place..][..word.len()].copy_from_slice(word);
        }
    }
}

type DeadlyAttempts<'a> = Attempts<'a, Deadly<'a>>;

fn survives(memory: &mut [u8], stores: usize, work: impl FnOnce(&mut DeadlyAttempts<'_>)) -> bool {
    let left = std::cell::Cell::new(stores);
    let users = (memory.len() / 8 * 5) & !63;
    let killed = catch_unwind(AssertUnwindSafe(|| {
        let (users, addresses) = memory.split_at_mut(users);
        let [users, addresses] = [users, addresses].map(|bytes| Deadly { bytes, left: &left });
        work(&mut Attempts::open_both(users, addresses, &KEY).expect("room").0);
    }));
    killed.is_ok()
}

fn tries_left(memory: &mut [u8], settings: &Settings) -> usize {
    let mut attempts = open(memory);
    (0..10)
        .take_while(|_| attempts.reserve(&by("alice"), settings, 1000).is_ok())
        .count()
}

#[test]
fn a59_a_kill_while_an_attempt_is_counted_grants_no_more_tries() {
    let settings = Settings {
        modes: BOTH,
        ..DEFAULTS
    };
    let mut memory = vec![0; 16384];
    open(&mut memory);
    for before in 0..3 {
        for stores in 0.. {
            let mut torn = memory.clone();
            let reserve = |attempts: &mut DeadlyAttempts<'_>| {
                assert!(attempts.reserve(&by("alice"), &settings, 1000).is_ok());
            };
            let lived = survives(&mut torn, stores, reserve);
            // A reservation that was not handed out may or may not count; none of the old is lost.
            let left = tries_left(&mut torn, &settings);
            assert!(
                left == 2 - before || !lived && left == 3 - before,
                "{before} {stores} {left}"
            );
            if lived {
                break;
            }
        }
        assert!(
            open(&mut memory)
                .reserve(&by("alice"), &settings, 1000)
                .is_ok()
        );
    }
}

#[test]
fn a59_a_kill_while_a_success_is_settled_leaves_failures_or_forgets_them() {
    let settings = Settings {
        modes: BOTH,
        ..DEFAULTS
    };
    let mut memory = vec![0; 16384];
    assert!(
        open(&mut memory)
            .reserve(&by("alice"), &settings, 1000)
            .is_ok()
    );
    let last = open(&mut memory)
        .reserve(&by("alice"), &settings, 1000)
        .expect("second");
    assert!(
        open(&mut memory)
            .reserve(&by("alice"), &settings, 1000)
            .is_ok()
    );
    for stores in 0.. {
        let mut torn = memory.clone();
        let lived = survives(&mut torn, stores, |attempts| attempts.settle(&last, true));
        let left = tries_left(&mut torn, &settings);
        assert!(left == 2 || !lived && left == 0, "{stores} {left}");
        if lived {
            break;
        }
    }
}

#[test]
fn a59_a_kill_while_something_is_told_loses_no_failure() {
    let told = |when, passed| Told {
        subject: Subject::user("alice"),
        when,
        passed,
    };
    let settings = Settings {
        modes: BOTH,
        ..DEFAULTS
    };
    let mut memory = vec![0; 16384];
    open(&mut memory).count_told(&told(995, false), &settings, 1000);
    open(&mut memory).count_told(&told(990, false), &settings, 1000);
    for (news, left) in [
        (told(992, false), 0),
        (told(992, true), 2),
        (told(999, true), 3),
    ] {
        for stores in 0.. {
            let mut torn = memory.clone();
            let count = |attempts: &mut DeadlyAttempts<'_>| {
                attempts.count_told(&news, &settings, 1000);
            };
            let lived = survives(&mut torn, stores, count);
            let tries = tries_left(&mut torn, &settings);
            assert!(
                tries == left || !lived && tries == 1,
                "{news:?} {stores} {tries}"
            );
            if lived {
                break;
            }
        }
    }
}
