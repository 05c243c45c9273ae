//! Regulation: who fails too often to sign in is banned for a while, and so is whom an administrator
//! bans.
//!
//! An attempt is reserved before its password is checked, and counts as a failure from then on:
//! however many come at once, no more than `max_retries` of them reach a password. A reservation
//! whose worker dies stays the failure it was.
//!
//! Known users and addresses are counted in two separate tables, so that no flood from outside can
//! push out what is remembered of a user. Names that nobody has are counted nowhere.

use std::net::IpAddr;

mod attempts;
mod delay;
mod limits;
mod listed;
mod tally;
mod told;

pub use attempts::Attempts;
pub use delay::{Delay, FLOOR_BASIC, FLOOR_FORM};
pub use limits::{Bucket, Limits, MAX_BUCKETS};
pub use listed::{Listed, Subject, Who, counted_as};
pub use told::Told;

/// Whom failures are held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modes {
    /// The user whose password was tried.
    pub user: bool,
    /// The address it was tried from.
    pub ip: bool,
}

/// What the configuration says about regulation. Durations are in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whom failures are held against.
    pub modes: Modes,
    /// How many failures bring about a ban; 0 switches regulation off. Up to 64 it is exact to the
    /// second; beyond, the oldest failures that count take the time of one up to
    /// `max_retries` / 63 failures younger, so that a ban may come early and never late.
    pub max_retries: u32,
    /// How long a failure counts.
    pub find_time: u64,
    /// How long a ban lasts.
    pub ban_time: u64,
}

impl Settings {
    /// Whether failures of such a kind are counted at all.
    fn counts(&self, whom: Whom) -> bool {
        let mode = match whom {
            Whom::User => self.modes.user,
            Whom::Address => self.modes.ip,
        };
        mode && self.max_retries > 0
    }
}

/// One attempt to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt<'a> {
    /// The canonical name, if there is such a user. `None` for a name that nobody has: it is held
    /// against the address alone.
    pub user: Option<&'a str>,
    /// Where it comes from.
    pub address: IpAddr,
}

/// Whom a ban holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// The user.
    User,
    /// The address: an IPv4 address or the /64 network of an IPv6 address.
    Address,
}

/// A ban that is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("banned until {until}")]
pub struct Banned {
    /// Whom it holds.
    pub whom: Whom,
    /// The Unix second in which attempts are allowed again.
    pub until: u64,
}

/// An attempt that may go on to the password. It counts as a failure until it is settled as a
/// success or withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an attempt that is neither settled nor withdrawn counts as a failure"]
pub struct Reservation {
    stage: Stage,
    marks: [Option<Mark>; 2],
}

/// What an attempt is at. Each is counted in a memory of its own, so that bans of one are none of
/// the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// A password.
    #[default]
    Password,
    /// A second factor.
    Factor,
}

/// The place of a reservation in the count of one user or address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    whom: Whom,
    who: Subject,
    key: crate::slots::Key,
    number: u64,
    /// The ban that this attempt brings about if it fails.
    ban: Option<u64>,
}

impl Settings {
    /// What holds for second factors: the same, and where regulation is off, ten failures of a user
    /// or an address in ten minutes, because a code of six digits must not be guessed.
    pub fn for_factors(&self) -> Settings {
        match self.max_retries {
            0 => Settings {
                modes: Modes {
                    user: true,
                    ip: true,
                },
                max_retries: 10,
                find_time: 600,
                ban_time: 300,
            },
            _ => Settings {
                modes: Modes {
                    user: true,
                    ..self.modes
                },
                ..*self
            },
        }
    }
}

impl Reservation {
    /// What the attempt is at.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// The same for an attempt at `stage`, whose memory it was made in.
    pub fn at(self, stage: Stage) -> Self {
        Reservation { stage, ..self }
    }

    /// Against whom it counts if it fails, and in whose favour if it succeeds; nobody where no
    /// regulation is.
    pub fn subjects(&self) -> impl Iterator<Item = Subject> + '_ {
        self.marks.iter().flatten().map(|mark| mark.who)
    }

    /// The bans that are in force if this attempt fails, for the log.
    pub fn bans(&self) -> impl Iterator<Item = Banned> + '_ {
        let ban = |mark: &Mark| {
            mark.ban.map(|until| Banned {
                whom: mark.whom,
                until,
            })
        };
        self.marks.iter().flatten().filter_map(ban)
    }
}

#[cfg(test)]
mod tests;
