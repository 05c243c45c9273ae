//! Attempts to sign in that were made on other machines, or before a restart, counted in the zone.

use super::{Desk, clerk};
use crate::{
    store::{Target, TriedAt, Try},
    users::regulation::{Reservation, Stage, Subject, Told, Who},
};

/// Counts an attempt as if it had been made here. A ban that it brings about is told of by whoever
/// saw the attempt.
pub fn count(desk: &Desk, tried: &Try) {
    let told = Told {
        subject: match &tried.target {
            Target::User(name) => Subject::user(name),
            Target::Address(address) => Subject::address(*address),
        },
        when: tried.when,
        passed: tried.passed,
    };
    let (zone, settings) = (&desk.zone, &desk.config.regulation);
    let now = crate::nginx::now();
    match tried.at {
        TriedAt::Password => {
            zone.with_attempts(|attempts| attempts.count_told(&told, settings, now));
        }
        TriedAt::SecondFactor => {
            let settings = settings.for_factors();
            zone.with_factor_attempts(|attempts| attempts.count_told(&told, &settings, now));
        }
    }
}

/// Has written down how an attempt ended, for those whom it counts against.
pub fn tell(reservation: &Reservation, passed: bool) {
    let at = match reservation.stage() {
        Stage::Password => TriedAt::Password,
        Stage::Factor => TriedAt::SecondFactor,
    };
    for subject in reservation.subjects() {
        clerk::tried(Try {
            at,
            target: match subject {
                Subject::User(name) => Target::User(name.to_string()),
                Subject::Address(address) => Target::Address(address),
            },
            when: crate::nginx::now(),
            passed,
        });
    }
}

/// Whom the store knows somebody as.
pub fn target(who: Who) -> Target {
    match who {
        Who::User(name) => Target::User(name.to_string()),
        Who::Address(address) => Target::Address(address),
    }
}
