//! How long a session lasts.

use super::Record;

/// A clock that differs by up to this many seconds between two workers or machines ends nothing.
pub const SKEW: u64 = 60;

/// How long the sessions of a cookie domain last, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// From sign-in to the end, whatever happens.
    pub expiration: u64,
    /// Without a request; 0 switches the idle limit off.
    pub inactivity: u64,
    /// From sign-in to the end with "remember me", which has no idle limit. `None`: there is no
    /// such box, and sessions that had it ticked are ordinary ones.
    pub remember_me: Option<u64>,
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    /// The absolute lifetime is over.
    #[error("session expired")]
    Expire,
    /// It was not used for too long.
    #[error("session was idle for too long")]
    Idle,
    /// It begins, or was used, more than [`SKEW`] in the future: the clock was set back, and how
    /// long it has lasted cannot be known.
    #[error("session lies in the future; the clock was set back")]
    Future,
}

/// Whether the session of `record` still lasts at `now`.
///
/// # Errors
/// Why it does not.
pub fn check(record: &Record, lifetimes: &Lifetimes, now: u64) -> Result<(), Ended> {
    if record.created.max(record.last_activity) > now.saturating_add(SKEW) {
        return Err(Ended::Future);
    }
    let limits = lifetimes.limits(record.remember);
    if now.saturating_sub(record.created) >= limits.absolute {
        return Err(Ended::Expire);
    }
    match limits.idle {
        Some(idle) if now.saturating_sub(record.last_activity) > idle => Err(Ended::Idle),
        _ => Ok(()),
    }
}

/// Whether `last_activity` of `record` is to be brought up to `now`.
pub fn needs_touch(record: &Record, now: u64) -> bool {
    now > record.last_activity
}

struct Limits {
    absolute: u64,
    idle: Option<u64>,
}

impl Lifetimes {
    /// From when on [`check`] refuses `record` if it is not used again.
    pub fn ends(&self, record: &Record) -> u64 {
        let limits = self.limits(record.remember);
        let absolute = record.created.saturating_add(limits.absolute);
        let idle = limits
            .idle
            .map(|idle| record.last_activity.saturating_add(idle));
        idle.map_or(absolute, |idle| absolute.min(idle.saturating_add(1)))
    }

    /// `Max-Age` of the cookie of a new session, in seconds.
    pub fn max_age(&self, remember: bool) -> u64 {
        self.limits(remember).absolute
    }

    fn limits(&self, remember: bool) -> Limits {
        match self.remember_me.filter(|_| remember) {
            Some(absolute) => Limits {
                absolute,
                idle: None,
            },
            None => Limits {
                absolute: self.expiration,
                idle: Some(self.inactivity).filter(|idle| *idle > 0),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;
    use crate::session::{Device, Methods, Name};

    const LIFETIMES: Lifetimes = Lifetimes {
        expiration: 3600,
        inactivity: 300,
        remember_me: Some(2_592_000),
    };

    fn record(remember: bool, created: u64, last_activity: u64) -> Record {
        let user = Name::cut("alice");
        Record {
            user,
            domain: 0,
            password: 1,
            methods: Methods::PASSWORD,
            remember,
            created,
            last_activity,
            address: Ipv4Addr::LOCALHOST.into(),
            device: Device::default(),
        }
    }

    #[test]
    fn a49_absolute_and_idle_limits() {
        let at = |last, now| check(&record(false, 1000, last), &LIFETIMES, now);
        assert_eq!(at(1000, 1300), Ok(()));
        assert_eq!(at(1000, 1301), Err(Ended::Idle));
        assert_eq!(at(4500, 4599), Ok(()));
        assert_eq!(at(4500, 4600), Err(Ended::Expire));
        assert_eq!(at(4500, u64::MAX), Err(Ended::Expire));
    }

    #[test]
    fn a49_remember_me_has_no_idle_limit() {
        let at = |now, lifetimes| check(&record(true, 1000, 1000), lifetimes, now);
        assert_eq!(at(2_592_999, &LIFETIMES), Ok(()));
        assert_eq!(at(2_593_000, &LIFETIMES), Err(Ended::Expire));
        let without = Lifetimes {
            remember_me: None,
            ..LIFETIMES
        };
        assert_eq!(at(1301, &without), Err(Ended::Idle));
    }

    #[test]
    fn a49_no_inactivity_is_no_limit() {
        let lifetimes = Lifetimes {
            inactivity: 0,
            ..LIFETIMES
        };
        assert_eq!(check(&record(false, 1000, 1000), &lifetimes, 4599), Ok(()));
        assert_eq!(lifetimes.ends(&record(false, 1000, 1000)), 4600);
    }

    #[test]
    fn a49_a_clock_set_back_ends_sessions_instead_of_prolonging_them() {
        let session = record(false, 100_000, 100_000);
        assert_eq!(check(&session, &LIFETIMES, 100_000 - SKEW), Ok(()));
        assert_eq!(
            check(&session, &LIFETIMES, 100_000 - SKEW - 1),
            Err(Ended::Future)
        );
        assert_eq!(
            check(&record(true, 1, 100_000), &LIFETIMES, 5),
            Err(Ended::Future)
        );
    }

    #[test]
    fn a49_beyond_2038_and_beyond_all_numbers() {
        let later = 1 << 33;
        assert_eq!(
            check(&record(false, later, later), &LIFETIMES, later + 300),
            Ok(())
        );
        let forever = Lifetimes {
            expiration: u64::MAX,
            inactivity: u64::MAX,
            remember_me: None,
        };
        let session = record(false, later, later);
        assert_eq!(check(&session, &forever, u64::MAX - 1), Ok(()));
        assert_eq!(forever.ends(&session), u64::MAX);
    }

    proptest! {
        #[test]
        fn a_session_lasts_until_its_end(remember: bool, created in 0..2000u64, used in 0..2000u64, now in 0..8000u64, expiration in 0..3000u64, inactivity in 0..500u64) {
            let lifetimes = Lifetimes { expiration, inactivity, remember_me: Some(2 * expiration) };
            let record = record(remember, created, used);
            let now = now.max(created).max(used);
            prop_assert_eq!(check(&record, &lifetimes, now).is_ok(), now < lifetimes.ends(&record));
        }
    }
}
