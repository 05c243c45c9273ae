//! Opening a table: taken as it is, formatted, or rebuilt from its slots.

use super::{
    Memory, Shape, Table, TooSmall,
    cells::{Damaged, Step},
    deadlines::pack,
    plan::{BUCKET, Plan, header, slot},
};

/// In which state a table was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// As its last user left it.
    Clean,
    /// Somebody was killed while he wrote; the links were made anew.
    Rebuilt {
        /// Records that are still there.
        kept: u32,
        /// Records that were not whole.
        dropped: u32,
    },
    /// It was no table of this shape and is an empty one now.
    Formatted,
}

impl<M: Memory> Table<M> {
    /// Opens the table in `memory`, whatever that holds. A table that was left well is ready after
    /// a few comparisons, so this can be done for each operation.
    ///
    /// The memory should begin at a multiple of eight.
    ///
    /// # Errors
    /// There is no room for a slot.
    pub fn open(memory: M, shape: Shape) -> Result<(Table<M>, Opened), TooSmall> {
        let plan = Plan::new(memory.bytes().len(), shape)?;
        let mut table = Table { memory, plan };
        let opened = if !table.memory.bytes().starts_with(&plan.constants()) {
            table.format();
            Opened::Formatted
        } else if table.word(header::DIRTY) != 0 {
            table.rebuild()
        } else {
            Opened::Clean
        };
        Ok((table, opened))
    }

    /// Forgets everything.
    pub fn format(&mut self) {
        // Without its magic number a half-formatted table is none.
        self.store_number(header::MAGIC, 0);
        self.clear_links();
        self.store_word(header::FRESH, 0);
        self.store_word(header::JOURNAL, 0);
        self.store_word(header::REBUILDS, 0);
        self.store_number(header::EVICTIONS, 0);
        let constants = self.plan.constants();
        let (magic, rest) = constants.split_at(header::VERSION);
        self.memory.store(header::VERSION, rest);
        self.store_word(header::DIRTY, 0);
        self.memory.store(header::MAGIC, magic);
    }

    /// Makes all links anew from the slots that are whole, and empties the others.
    pub(super) fn rebuild(&mut self) -> Opened {
        self.store_word(header::DIRTY, 1);
        let rebuilt = self.finish_journal().and_then(|()| self.relink());
        let Ok((kept, dropped)) = rebuilt else {
            self.format();
            return Opened::Formatted;
        };
        let rebuilds = self.word(header::REBUILDS).wrapping_add(1);
        self.store_word(header::REBUILDS, rebuilds);
        self.store_word(header::DIRTY, 0);
        Opened::Rebuilt { kept, dropped }
    }

    /// Copies what the journal holds to the slot it is meant for.
    pub(super) fn finish_journal(&mut self) -> Step<()> {
        let journal = self.plan.journal;
        if let Ok(Some(index)) = self.link(header::JOURNAL) {
            let target = self.plan.slot(index);
            let key = |at: usize| &self.memory.bytes()[at + slot::KEY..at + slot::EXPIRES];
            if self.is_whole(journal) && key(journal) == key(target) {
                self.copy(
                    journal + slot::KEY,
                    target + slot::KEY,
                    self.plan.slot_size - slot::KEY,
                );
                self.copy(journal + slot::CHECKSUM, target + slot::CHECKSUM, 8);
            }
        }
        self.store_link(header::JOURNAL, None);
        Ok(())
    }

    fn relink(&mut self) -> Step<(u32, u32)> {
        self.clear_links();
        // Heap allocations of some thirty bytes a record, bounded by the size of the zone.
        let (mut whole, mut dropped) = (Vec::new(), 0);
        for index in 0..self.fresh() {
            let at = self.plan.slot(index);
            if self.is_whole(at) {
                whole.push((self.number(at + slot::TOUCHED), index));
                continue;
            }
            dropped += u32::from(self.number(at + slot::CHECKSUM) != 0);
            self.discard(index)?;
        }
        whole.sort_unstable();
        let (mut by_use, mut by_expiry) = (Vec::new(), Vec::new());
        for (_, index) in whole.into_iter().rev() {
            // Chains hold at most `used` slots, which is what bounds the walk.
            self.store_word(header::USED, by_use.len() as u32);
            // Damaged links can have let a key in twice; then the one used last is the right one.
            if self.find(&self.key(index))?.is_some() {
                dropped += 1;
                self.discard(index)?;
                continue;
            }
            self.chain(index)?;
            by_use.push(index);
            let expires = self.number(self.plan.slot(index) + slot::EXPIRES);
            by_expiry.push(pack(index, expires));
        }
        by_expiry.sort_unstable();
        self.store_word(header::USED, by_use.len() as u32);
        self.store_deadlines(&by_expiry)?;
        by_use
            .iter()
            .rev()
            .try_for_each(|index| self.enter(*index))?;
        Ok((by_use.len() as u32, dropped))
    }

    fn discard(&mut self, index: u32) -> Step<()> {
        self.store_number(self.plan.slot(index) + slot::CHECKSUM, 0);
        self.give_back(index)
    }

    fn clear_links(&mut self) {
        const ZEROS: [u8; 1024] = [0; 1024];
        let mut at = self.plan.buckets;
        let end = at + self.plan.count as usize * BUCKET;
        while at < end {
            let length = ZEROS.len().min(end - at);
            // Memory that is fresh from the system stays untouched.
            if self.memory.bytes()[at..at + length] != ZEROS[..length] {
                self.memory.store(at, &ZEROS[..length]);
            }
            at += length;
        }
        for at in [header::FREE, header::FIRST, header::LAST, header::USED] {
            self.store_word(at, 0);
        }
    }

    /// Copies bytes inside the memory.
    fn copy(&mut self, from: usize, to: usize, length: usize) {
        let mut buffer = [0; 64];
        for start in (0..length).step_by(buffer.len()) {
            let chunk = buffer.len().min(length - start);
            buffer[..chunk].copy_from_slice(&self.memory.bytes()[from + start..][..chunk]);
            self.memory.store(to + start, &buffer[..chunk]);
        }
    }

    /// Does `step` with the dirty mark set. If it runs into damage the table is rebuilt and the
    /// step done again, in the end on an empty table.
    pub(super) fn write<T>(&mut self, mut step: impl FnMut(&mut Self) -> Step<T>) -> Option<T> {
        for attempt in 0..3 {
            self.store_word(header::DIRTY, 1);
            match step(self) {
                Ok(done) => {
                    self.store_word(header::DIRTY, 0);
                    return Some(done);
                }
                Err(Damaged) if attempt == 0 => {
                    self.rebuild();
                }
                Err(Damaged) => self.format(),
            }
        }
        None
    }
}
