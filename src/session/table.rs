//! The table of sessions in the memory that all workers share.

use super::{Key, RECORD_LENGTH, Record};
use crate::slots::{self, Entry, Inserted, Opened, Shape, Stats, TooSmall, Victim};

/// Another number for another meaning of the bytes: a zone of an older module is formatted anew.
const SHAPE: Shape = Shape {
    format: 0x5e55_0002,
    payload: RECORD_LENGTH,
    victim: Victim::LeastRecentlyUsed,
};

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
    /// `None`: the memory is broken and nothing was kept.
    pub fn insert(
        &mut self,
        key: &Key,
        record: &Record,
        expires: u64,
        now: u64,
    ) -> Option<Inserted> {
        self.slots
            .insert(&key.0, &record.encode(), expires, record.last_activity, now)
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
        touched >= now || self.slots.update(&key.0, &payload, expires, now)
    }

    /// Ends a session; `false` if there was none.
    pub fn remove(&mut self, key: &Key) -> bool {
        self.slots.remove(&key.0)
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

    /// Figures for log and metrics.
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
