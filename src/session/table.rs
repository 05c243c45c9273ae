//! The table of sessions in the memory that all workers share.

use super::{Key, RECORD_LENGTH, Record};
use crate::slots::{self, Entry, Inserted, Opened, Shape, Stats, TooSmall, Victim};

/// Another number for another meaning of the bytes: a zone of an older module is formatted anew.
const SHAPE: Shape = Shape {
    format: 0x5e55_0003,
    payload: RECORD_LENGTH,
    victim: Victim::LeastRecentlyUsed,
};

/// What lies in the place of a session that has ended, so that nobody who still knows it can bring it
/// back. The first byte is the version of no record.
const BURIED: [u8; RECORD_LENGTH] = {
    let mut bytes = [0; RECORD_LENGTH];
    bytes[0] = 0xff;
    bytes
};

/// Why a session was not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It has ended: it is buried.
    #[error("session has ended")]
    Buried,
    /// The memory is being damaged as we write.
    #[error("memory is broken")]
    Broken,
}

/// The sessions in a piece of shared memory whose lock the caller holds.
#[derive(Debug)]
pub struct Table<'a> {
    slots: slots::Table<&'a mut [u8]>,
}

/// A session with the key it is kept under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// Under what it is kept.
    pub key: Key,
    /// What is remembered.
    pub record: Record,
    /// From when on it may be forgotten, in Unix seconds.
    pub expires: u64,
}

impl<'a> Table<'a> {
    /// Opens the table in `memory`, whatever that holds: a few comparisons if it was left well, a
    /// walk through all sessions if its last user was killed at work.
    ///
    /// # Errors
    /// There is no room for a session.
    pub fn open(memory: &'a mut [u8]) -> Result<(Table<'a>, Opened), TooSmall> {
        let (slots, opened) = slots::Table::open(memory, SHAPE)?;
        Ok((Table { slots }, opened))
    }

    /// The session under `key`, a copy. Whether it still lasts is for [`super::check`] to say.
    pub fn lookup(&mut self, key: &Key) -> Option<Record> {
        let entry = self.slots.lookup(&key.0)?;
        Record::decode(entry.payload, entry.touched)
    }

    /// Keeps a session that may be forgotten from `expires` on (see [`super::Lifetimes::ends`]).
    /// When the table is full, dead sessions give way first, then the least recently used one.
    ///
    /// # Errors
    /// It is buried, or the memory is broken: nothing was kept.
    pub fn insert(
        &mut self,
        key: &Key,
        record: &Record,
        expires: u64,
        now: u64,
    ) -> Result<Inserted, Refused> {
        if self.is_buried(key, now) {
            return Err(Refused::Buried);
        }
        self.slots
            .insert(&key.0, &record.encode(), expires, record.last_activity, now)
            .ok_or(Refused::Broken)
    }

    /// Ends a session, whether it is here or not, and keeps it from being inserted again before
    /// `until`. Takes a place as a session does, and gives way like one: when it has expired, or as
    /// the least recently used one. Buried once more, it is buried until the later of the two.
    ///
    /// # Errors
    /// The memory is broken.
    pub fn bury(&mut self, key: &Key, until: u64, now: u64) -> Result<Inserted, Refused> {
        let entry = self.slots.lookup(&key.0);
        let known = entry.filter(|entry| entry.payload == BURIED);
        let until = known.map_or(until, |entry| until.max(entry.expires));
        let buried = self.slots.insert(&key.0, &BURIED, until, now, now);
        buried.ok_or(Refused::Broken)
    }

    /// From when on what is known under `key` may be forgotten, buried or not.
    pub fn expires(&mut self, key: &Key) -> Option<u64> {
        self.slots.lookup(&key.0).map(|entry| entry.expires)
    }

    /// The keys in one range of places that are buried at `now`.
    pub fn buried_in(&self, places: std::ops::Range<u32>, now: u64) -> Vec<Key> {
        let there = places.take_while(|place| !self.slots.is_past_end(*place));
        let entries = there.filter_map(|place| self.slots.entry(place));
        let buried = entries.filter(|entry| entry.payload == BURIED && entry.expires > now);
        buried.map(|entry| Key(*entry.key)).collect()
    }

    /// Whether a session is buried at `now`.
    pub fn is_buried(&mut self, key: &Key, now: u64) -> bool {
        let entry = self.slots.lookup(&key.0);
        entry.is_some_and(|entry| entry.payload == BURIED && entry.expires > now)
    }

    /// Notes that the session was used at `now`, at a grain of a second, and that it now expires
    /// at `expires`. A session that has ended meanwhile stays ended: `false`.
    pub fn touch(&mut self, key: &Key, expires: u64, now: u64) -> bool {
        let Some(entry) = self.slots.lookup(&key.0) else {
            return false;
        };
        let (touched, Ok(payload)) = (
            entry.touched,
            <[u8; RECORD_LENGTH]>::try_from(entry.payload),
        ) else {
            return false;
        };
        if payload == BURIED {
            return false;
        }
        touched >= now || self.slots.update(&key.0, &payload, expires, now)
    }

    /// Drops a session, which may be inserted again; `false` if there was none. What is buried stays
    /// buried.
    pub fn remove(&mut self, key: &Key) -> bool {
        let entry = self.slots.lookup(&key.0);
        let there = entry.is_some_and(|entry| entry.payload != BURIED);
        there && self.slots.remove(&key.0)
    }

    /// The sessions of the user called `name` in one range of places, dead ones included, and
    /// whether there are places behind it: so that the lock can be released between ranges.
    pub fn of_user_in(&self, name: &str, places: std::ops::Range<u32>) -> (Vec<Session>, bool) {
        self.those_in(places, |session| session.record.user == *name)
    }

    /// The same for the sessions that are `wanted`.
    pub fn those_in(
        &self,
        places: std::ops::Range<u32>,
        wanted: impl Fn(&Session) -> bool,
    ) -> (Vec<Session>, bool) {
        let end = places.end;
        let there = places.take_while(|place| !self.slots.is_past_end(*place));
        let found = there.filter_map(|place| self.slots.entry(place).and_then(session));
        (found.filter(wanted).collect(), !self.slots.is_past_end(end))
    }

    /// All sessions, dead ones included, in no order.
    pub fn iter(&self) -> impl Iterator<Item = Session> + '_ {
        let mut place = 0;
        std::iter::from_fn(move || {
            let (next, session) = self.next(place)?;
            place = next;
            Some(session)
        })
    }

    /// The first session at or after a place, and the place to go on from. Places keep their
    /// sessions while others come and go, so a walk from 0 can be done in portions with the lock
    /// released between them.
    pub fn next(&self, mut place: u32) -> Option<(u32, Session)> {
        loop {
            let (next, entry) = self.slots.next(place)?;
            if let Some(session) = session(entry) {
                return Some((next, session));
            }
            place = next;
        }
    }

    /// Figures for log and metrics; those that are buried count like sessions.
    pub fn stats(&self) -> Stats {
        self.slots.stats()
    }
}

fn session(entry: Entry<'_>) -> Option<Session> {
    let record = Record::decode(entry.payload, entry.touched)?;
    Some(Session {
        key: Key(*entry.key),
        record,
        expires: entry.expires,
    })
}

#[cfg(test)]
mod tests;
