//! What can be done with a table.

use super::{
    Memory, Victim,
    cells::{Damaged, Step},
    plan::{Plan, header, slot},
};

/// Length of a key in bytes.
pub const KEY_LENGTH: usize = 32;

/// Under what a record is kept. Keys must be hashes that nobody outside can choose: their first
/// bytes pick the bucket.
pub type Key = [u8; KEY_LENGTH];

/// A crash-safe table of records of one fixed length. The caller holds the lock of the memory.
#[derive(Debug)]
pub struct Table<M> {
    pub(super) memory: M,
    pub(super) plan: Plan,
}

/// A record as it stands in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'t> {
    /// Its key.
    pub key: &'t Key,
    /// What it holds.
    pub payload: &'t [u8],
    /// From when on it is dead, in Unix seconds.
    pub expires: u64,
    /// When it was last used, in Unix seconds, as the user of the table said.
    pub touched: u64,
}

/// Where a new record found room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// In a free slot.
    Fresh,
    /// In place of the record that had its key.
    Replaced,
    /// In place of a record that had expired.
    EvictedExpired,
    /// In place of a living record: the table is full.
    EvictedAlive,
}

/// Figures of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Records it has room for.
    pub capacity: u32,
    /// Records it holds, dead ones included.
    pub used: u32,
    /// Living records that gave way to others since it was formatted.
    pub evictions: u64,
    /// How often it was rebuilt since it was formatted.
    pub rebuilds: u32,
}

impl<M: Memory> Table<M> {
    /// The record under `key`, whether it has expired or not.
    pub fn lookup(&mut self, key: &Key) -> Option<Entry<'_>> {
        let index = match self.find(key) {
            Ok(found) => found?,
            Err(_) => self.write(|table| table.find(key))??,
        };
        self.view(index)
    }

    /// Keeps a record under `key`, in place of any that was there, as the most recently used one.
    /// If the table is full the record that expired first gives way, or else the table's
    /// [`Victim`].
    ///
    /// A payload of another length than the table's is cut or filled up with zeros. `None` says
    /// that the memory is being damaged as we write and nothing was kept.
    pub fn insert(
        &mut self,
        key: &Key,
        payload: &[u8],
        expires: u64,
        touched: u64,
        now: u64,
    ) -> Option<Inserted> {
        self.write(|table| {
            if let Some(index) = table.find(key)? {
                table.replace(index, payload, expires, touched)?;
                return Ok(Inserted::Replaced);
            }
            let (index, inserted) = table.vacate(now)?;
            let at = table.plan.slot(index);
            table.fill(at, key, payload, expires, touched);
            table.add_deadline(index, expires)?;
            table.chain(index)?;
            table.enter(index)?;
            Ok(inserted)
        })
    }

    /// Changes the record under `key` and makes it the most recently used one. `false`: there is
    /// none, and none was made.
    pub fn update(&mut self, key: &Key, payload: &[u8], expires: u64, touched: u64) -> bool {
        let done = self.write(|table| match table.find(key)? {
            Some(index) => table
                .replace(index, payload, expires, touched)
                .map(|()| true),
            None => Ok(false),
        });
        done.unwrap_or(false)
    }

    /// Removes the record under `key`; `false` if there is none.
    pub fn remove(&mut self, key: &Key) -> bool {
        let done = self.write(|table| match table.find(key)? {
            Some(index) => table.release(index).map(|()| true),
            None => Ok(false),
        });
        done.unwrap_or(false)
    }

    /// The first record at or after the place `from`, and the place to go on from. Places keep
    /// their records while others come and go, so a walk from 0 can be done in portions with the
    /// lock released between them; it sees every record that was there all the time.
    pub fn next(&self, from: u32) -> Option<(u32, Entry<'_>)> {
        (from..self.fresh()).find_map(|index| Some((index + 1, self.entry(index)?)))
    }

    /// Whether a walk has no more places at or after `from`.
    pub fn is_past_end(&self, from: u32) -> bool {
        from >= self.fresh()
    }

    /// The record at one place of a walk.
    pub fn entry(&self, place: u32) -> Option<Entry<'_>> {
        if place >= self.fresh() {
            return None;
        }
        let at = self.plan.slot(place);
        if self.number(at + slot::CHECKSUM) == 0 || !self.is_whole(at) {
            return None;
        }
        self.view(place)
    }

    /// The record in a slot that is known to hold one, whole.
    fn view(&self, index: u32) -> Option<Entry<'_>> {
        let at = self.plan.slot(index);
        let bytes = &self.memory.bytes()[at..][..self.plan.slot_size];
        Some(Entry {
            key: bytes[slot::KEY..].first_chunk()?,
            payload: &bytes[slot::PAYLOAD..][..self.plan.shape.payload],
            expires: self.number(at + slot::EXPIRES),
            touched: self.number(at + slot::TOUCHED),
        })
    }

    /// Figures for log and metrics.
    pub fn stats(&self) -> Stats {
        Stats {
            capacity: self.plan.count,
            used: self.used(),
            evictions: self.number(header::EVICTIONS),
            rebuilds: self.word(header::REBUILDS),
        }
    }

    /// An empty slot, made by force if need be.
    fn vacate(&mut self, now: u64) -> Step<(u32, Inserted)> {
        if let Some(index) = self.take_free()? {
            return Ok((index, Inserted::Fresh));
        }
        let first = self.first_deadline()?.ok_or(Damaged)?;
        if self.number(self.plan.slot(first) + slot::EXPIRES) <= now {
            self.release(first)?;
            return Ok((self.take_free()?.ok_or(Damaged)?, Inserted::EvictedExpired));
        }
        let victim = match self.plan.shape.victim {
            Victim::FirstToExpire => first,
            Victim::LeastRecentlyUsed => self.link(header::LAST)?.ok_or(Damaged)?,
        };
        self.release(victim)?;
        let evictions = self.number(header::EVICTIONS).wrapping_add(1);
        self.store_number(header::EVICTIONS, evictions);
        Ok((self.take_free()?.ok_or(Damaged)?, Inserted::EvictedAlive))
    }

    /// Changes a record by way of the journal, so that a kill leaves the old one or the new one.
    fn replace(&mut self, index: u32, payload: &[u8], expires: u64, touched: u64) -> Step<()> {
        let key = self.key(index);
        self.fill(self.plan.journal, &key, payload, expires, touched);
        self.store_link(header::JOURNAL, Some(index));
        self.finish_journal()?;
        self.move_deadline(index, expires)?;
        self.leave(index)?;
        self.enter(index)
    }

    /// Writes a record to the slot at offset `at`; its checksum, last, makes it valid.
    fn fill(&mut self, at: usize, key: &Key, payload: &[u8], expires: u64, touched: u64) {
        const ZEROS: [u8; 64] = [0; 64];
        self.store_number(at + slot::CHECKSUM, 0);
        self.memory.store(at + slot::KEY, key);
        self.store_number(at + slot::EXPIRES, expires);
        self.store_number(at + slot::TOUCHED, touched);
        let room = self.plan.slot_size - slot::PAYLOAD;
        let payload = &payload[..payload.len().min(self.plan.shape.payload)];
        self.memory.store(at + slot::PAYLOAD, payload);
        for start in (payload.len()..room).step_by(ZEROS.len()) {
            let length = ZEROS.len().min(room - start);
            self.memory
                .store(at + slot::PAYLOAD + start, &ZEROS[..length]);
        }
        let sum = self.sum(at);
        self.store_number(at + slot::CHECKSUM, sum);
    }
}
