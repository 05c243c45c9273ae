//! The sessions of the zone, in the hands of somebody who holds its lock.

use std::ops::Range;

use super::{
    durable::clerk,
    zone::{Lock, Zone},
};
use crate::{
    session::{self, Key, Record, Session},
    slots::{Inserted, Stats},
};

/// Seconds for which an end is remembered at least.
const BURIED: u64 = 10 * 60;

/// The sessions under the lock, which is held until this is dropped: no waiting meanwhile.
pub struct Sessions<'z> {
    table: session::Table<'z>,
    zone: &'z Zone,
    // Given back last: fields are dropped in their order.
    _lock: Lock,
}

/// What is known under a key.
pub enum Kept {
    /// A session, which may be over by its times.
    Alive(Record),
    /// One that has ended.
    Ended,
    /// Nothing: the store may know one.
    Nothing,
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

    /// What is known under a key.
    pub fn look_at(&mut self, key: &Key) -> Kept {
        match self.table.lookup(key) {
            Some(record) => Kept::Alive(record),
            None if self.table.is_buried(key, super::now()) => Kept::Ended,
            None => Kept::Nothing,
        }
    }

    /// Keeps a session; false when it has ended, or the memory is broken.
    pub fn insert(&mut self, key: &Key, record: &Record, expires: u64, now: u64) -> bool {
        let inserted = self.table.insert(key, record, expires, now);
        if inserted == Ok(Inserted::EvictedAlive) {
            self.zone.say_full_once();
        }
        inserted.is_ok()
    }

    /// How the table is filled.
    pub fn stats(&self) -> Stats {
        self.table.stats()
    }

    /// Notes that a session was used.
    pub fn touch(&mut self, key: &Key, expires: u64, now: u64) {
        self.table.touch(key, expires, now);
    }

    /// The sessions of a user in one range of places, and whether there are places behind it.
    pub fn of_user(&self, name: &str, places: Range<u32>) -> (Vec<Session>, bool) {
        self.table.of_user_in(name, places)
    }

    /// Ends a session that the store does not know to be over, and has it written down.
    pub fn end(&mut self, key: &Key) {
        self.bury(key);
        clerk::ended(key);
    }

    /// Ends a session that is written down as over. It cannot come back here, for as long as it would
    /// have lasted or as news of it may be under way.
    pub fn bury(&mut self, key: &Key) {
        let now = super::now();
        let until = self.table.expires(key).unwrap_or(0);
        let _ = self.table.bury(key, until.max(now + BURIED), now);
    }

    /// Forgets a session; if the store knows that it lasts it may come back.
    pub fn drop_quietly(&mut self, key: &Key) {
        self.table.remove(key);
    }

    /// The sessions in one range of places that have ended and cannot come back here.
    pub fn buried_in(&self, places: Range<u32>) -> Vec<Key> {
        self.table.buried_in(places, super::now())
    }

    /// The sessions in one range of places that are `wanted`, and whether there are places behind it.
    pub fn those_in(
        &self,
        places: Range<u32>,
        wanted: impl Fn(&Session) -> bool,
    ) -> (Vec<Session>, bool) {
        self.table.those_in(places, wanted)
    }
}
