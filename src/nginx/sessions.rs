//! The sessions of the zone, in the hands of somebody who holds its lock.

use std::ops::Range;

use super::{
    ledger,
    zone::{Lock, Zone},
};
use crate::{
    session::{self, Key, Record, Session},
    slots::Inserted,
};

/// The sessions under the lock, which is held until this is dropped: no waiting meanwhile.
pub struct Sessions<'z> {
    table: session::Table<'z>,
    zone: &'z Zone,
    // Given back last: fields are dropped in their order.
    _lock: Lock,
}

impl<'z> Sessions<'z> {
    /// The sessions in `table`, which `lock` guards.
    pub fn new(table: session::Table<'z>, zone: &'z Zone, lock: Lock) -> Self {
        Sessions {
            table,
            zone,
            _lock: lock,
        }
    }

    /// The record of a session.
    pub fn lookup(&mut self, key: &Key) -> Option<Record> {
        self.table.lookup(key)
    }

    /// Keeps a session; false when the memory is broken.
    pub fn insert(&mut self, key: &Key, record: &Record, expires: u64, now: u64) -> bool {
        let inserted = self.table.insert(key, record, expires, now);
        if inserted == Ok(Inserted::EvictedAlive) {
            self.zone.say_full_once();
        }
        if inserted.is_ok() {
            ledger::started(key, record);
        }
        inserted.is_ok()
    }

    /// Notes that a session was used.
    pub fn touch(&mut self, key: &Key, expires: u64, now: u64) {
        self.table.touch(key, expires, now);
    }

    /// The sessions of a user in one range of places, and whether there are places behind it.
    pub fn of_user(&self, name: &str, places: Range<u32>) -> (Vec<Session>, bool) {
        self.table.of_user_in(name, places)
    }

    /// Ends a session.
    pub fn remove(&mut self, key: &Key) {
        if self.table.remove(key) {
            ledger::ended(key);
        }
    }

    /// Ends a session that is written down as over.
    pub fn carry_out(&mut self, key: &Key) {
        self.table.remove(key);
    }

    /// The same for those in one range of places that are `wanted`; whether there are places behind
    /// it.
    pub fn carry_out_in(&mut self, places: Range<u32>, wanted: impl Fn(&Session) -> bool) -> bool {
        let (found, more) = self.table.those_in(places, wanted);
        found
            .iter()
            .for_each(|session| self.carry_out(&session.key));
        more
    }
}
