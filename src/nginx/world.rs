//! The world that the portal room sees from inside nginx: the zone, the users, the kernel's random
//! bytes, the queue of passwords to check.

use std::{net::IpAddr, rc::Rc, sync::Arc};

use super::{
    audit,
    conf::{Loaded, MainConf},
    durable::{clerk, keep::Change, tries},
    hashing, identify, meters,
    zone::Zone,
};
use crate::{
    access::Rules,
    metrics::{Counter, Hashed},
    portal::{Busy, Limited, Remembered, World},
    session::{Key, Keys, Realm, Record},
    users::{
        Directory,
        regulation::{Attempt, Attempts, Banned, Reservation, Stage, Whom},
    },
};

/// Without a zone nothing can be counted, so nothing is tried.
const NOTHING_COUNTS: Banned = Banned {
    whom: Whom::Address,
    until: u64::MAX,
};

/// What the portal room sees of nginx.
pub struct Surroundings<'a> {
    zone: &'a Zone,
    keys: &'a Keys,
    loaded: &'a Loaded,
    directory: Arc<Directory>,
    /// What is to be written down before it counts, where sessions are kept in a store.
    changes: Vec<Change>,
}

impl<'a> Surroundings<'a> {
    /// The world as it is now; `None` before there is a configuration and a zone.
    pub fn of(whole: &'a MainConf) -> Option<Self> {
        let loaded = whole.loaded.as_ref()?;
        Some(Surroundings {
            zone: &whole.zone,
            keys: whole.zone.keys()?,
            loaded,
            directory: loaded.snapshot.directory(),
            changes: Vec::new(),
        })
    }

    /// What the step has changed about sessions.
    pub fn changes(self) -> Vec<Change> {
        self.changes
    }
}

impl World for Surroundings<'_> {
    fn keys(&self) -> &Keys {
        self.keys
    }

    fn lasting_keys(&self) -> &Keys {
        self.loaded.lasting_keys.as_ref().unwrap_or(self.keys)
    }

    fn rules(&self) -> &Rules {
        &self.loaded.config.rules
    }

    fn directory(&self) -> &Directory {
        &self.directory
    }

    fn random(&mut self) -> [u8; 32] {
        random()
    }

    fn session(&mut self, key: &Key) -> Option<Record> {
        for change in self.changes.iter().rev() {
            match change {
                Change::Start {
                    key: of, record, ..
                } if of == key => return Some(**record),
                Change::End(of) if of == key => return None,
                _ => {}
            }
        }
        self.zone.sessions()?.lookup(key)
    }

    fn start(
        &mut self,
        key: &Key,
        record: &Record,
        replaces: Option<&Key>,
        ends: u64,
        now: u64,
    ) -> bool {
        if self.loaded.office.archive().is_none() {
            let sessions = self.zone.sessions();
            return sessions.is_some_and(|mut sessions| sessions.insert(key, record, ends, now));
        }
        self.changes.push(Change::Start {
            key: *key,
            record: Box::new(*record),
            replaces: replaces.copied(),
            ends,
        });
        true
    }

    fn touch(&mut self, key: &Key, realm: &Realm, before: &Record, after: &Record) {
        identify::touch(self.zone, key, realm, (before, after));
    }

    fn end(&mut self, key: &Key) {
        if self.loaded.office.archive().is_none() {
            if let Some(mut sessions) = self.zone.sessions() {
                sessions.bury(key);
            }
            return;
        }
        let replaced = |change: &Change| match change {
            Change::Start { replaces, .. } => replaces.as_ref() == Some(key),
            Change::End(of) => of == key,
        };
        // One that has ended, or that nobody knows any more, is no work for the store.
        if self.session(key).is_some() && !self.changes.iter().any(replaced) {
            self.changes.push(Change::End(*key));
        }
    }

    fn admit(&mut self) -> Result<(), Busy> {
        if hashing::has_room(self.loaded.threads) {
            Ok(())
        } else {
            meters::count(self.zone, Counter::Hash(Hashed::TurnedAway));
            Err(Busy {
                retry_after: hashing::RETRY_AFTER,
            })
        }
    }

    fn reserve(
        &mut self,
        user: Option<&str>,
        address: IpAddr,
        now: u64,
    ) -> Result<Reservation, Banned> {
        let (attempt, settings) = (Attempt { user, address }, &self.loaded.config.regulation);
        self.zone
            .with_attempts(|attempts| attempts.reserve(&attempt, settings, now))
            .unwrap_or(Err(NOTHING_COUNTS))
    }

    fn is_banned(&mut self, user: Option<&str>, address: IpAddr, now: u64) -> bool {
        let (attempt, settings) = (Attempt { user, address }, &self.loaded.config.regulation);
        self.zone
            .with_attempts(|attempts| attempts.banned(&attempt, settings, now).is_some())
            .unwrap_or(true)
    }

    fn reserve_factor(
        &mut self,
        user: &str,
        address: IpAddr,
        now: u64,
    ) -> Result<Reservation, Banned> {
        let attempt = Attempt {
            user: Some(user),
            address,
        };
        let settings = self.loaded.config.regulation.for_factors();
        self.zone
            .with_factor_attempts(|attempts| attempts.reserve(&attempt, &settings, now))
            .unwrap_or(Err(NOTHING_COUNTS))
            .map(|reservation| reservation.at(Stage::Factor))
    }

    fn limit(&mut self, what: Limited, address: IpAddr, now: u64) -> Result<(), Busy> {
        let buckets = self.loaded.config.rate_limits.buckets(what);
        self.zone
            .with_limits(|limits| limits.take(number(what), address, buckets, now))
            .unwrap_or(Err(1))
            .map_err(|retry_after| Busy { retry_after })
    }

    fn settle(&mut self, reservation: &Reservation, success: bool) {
        let settle = |attempts: &mut Attempts<'_>| {
            attempts.settle(reservation, success);
            match success {
                true => Vec::new(),
                false => attempts.banned_by(reservation),
            }
        };
        let bans = match reservation.stage() {
            Stage::Password => self.zone.with_attempts(settle),
            Stage::Factor => self.zone.with_factor_attempts(settle),
        };
        tries::tell(reservation, success);
        let bans = bans.unwrap_or_default();
        audit::banned(self.zone, &bans, reservation.stage());
        clerk::banned(bans, reservation.stage());
    }

    fn withdraw(&mut self, reservation: &Reservation) {
        let withdraw = |attempts: &mut Attempts<'_>| attempts.withdraw(reservation);
        match reservation.stage() {
            Stage::Password => self.zone.with_attempts(withdraw),
            Stage::Factor => self.zone.with_factor_attempts(withdraw),
        };
    }

    fn generation(&self, user: &str) -> u32 {
        self.zone.generation(user)
    }

    fn remembered(&self) -> Rc<Remembered> {
        Rc::clone(&self.loaded.remembered)
    }

    fn hold(&mut self, floor: u64) -> u64 {
        let byte = random()[0];
        self.zone
            .with_delay(|delay| delay.answer_after(floor, byte))
            .unwrap_or(floor)
    }

    fn record_success(&mut self, millis: u64) {
        self.zone.with_delay(|delay| delay.record_success(millis));
    }
}

/// The number by which a kind of request is counted.
fn number(what: Limited) -> u8 {
    match what {
        Limited::SecondFactor => 0,
        Limited::ElevationStart => 1,
        Limited::ElevationFinish => 2,
        Limited::ResetStart => 3,
        Limited::ResetFinish => 4,
    }
}

/// 32 bytes of the kernel's. Without them no session is safe, so the caller's guard ends the request.
fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the kernel has random bytes");
    bytes
}
