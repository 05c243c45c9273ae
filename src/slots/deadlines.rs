//! Which record expires first: a binary heap of (expiry, slot) pairs, packed into one number each.
//!
//! Expiries are cut to 32 bits of seconds here, which is enough until 2106; after that the order
//! is lost, and with it only the preference for dead records, as the slots keep the whole number.

use super::{
    Memory, Table,
    cells::{Damaged, Step},
    plan::{header, slot},
};

impl<M: Memory> Table<M> {
    /// The slot that expires first, if any is in use.
    pub(super) fn first_deadline(&self) -> Step<Option<u32>> {
        if self.used() == 0 {
            Ok(None)
        } else {
            self.deadline(0).and_then(|d| self.owner(d)).map(Some)
        }
    }

    /// Takes the slot, which is new, into the heap.
    pub(super) fn add_deadline(&mut self, index: u32, expires: u64) -> Step<()> {
        let used = self.used();
        if used == self.plan.count {
            return Err(Damaged);
        }
        self.store_word(header::USED, used + 1);
        self.rise(used, pack(index, expires))
    }

    /// Brings the place of the slot in line with its new expiry.
    pub(super) fn move_deadline(&mut self, index: u32, expires: u64) -> Step<()> {
        let place = self.place(index)?;
        self.settle(place, pack(index, expires))
    }

    /// Takes the slot out of the heap.
    pub(super) fn drop_deadline(&mut self, index: u32) -> Step<()> {
        let place = self.place(index)?;
        let last = self.used().checked_sub(1).ok_or(Damaged)?;
        let entry = self.deadline(last)?;
        self.store_word(header::USED, last);
        if place == last {
            Ok(())
        } else {
            self.settle(place, entry)
        }
    }

    /// Writes the heap of `entries`, which are sorted.
    pub(super) fn store_deadlines(&mut self, entries: &[u64]) -> Step<()> {
        for (place, entry) in (0..).zip(entries) {
            self.put(place, *entry)?;
        }
        Ok(())
    }

    fn place(&self, index: u32) -> Step<u32> {
        let place = self.word(self.plan.slot(index) + slot::PLACE);
        let owner = self.deadline(place).and_then(|entry| self.owner(entry))?;
        if owner == index {
            Ok(place)
        } else {
            Err(Damaged)
        }
    }

    fn settle(&mut self, place: u32, entry: u64) -> Step<()> {
        if place > 0 && entry < self.deadline((place - 1) / 2)? {
            return self.rise(place, entry);
        }
        self.sink(place, entry)
    }

    fn rise(&mut self, mut place: u32, entry: u64) -> Step<()> {
        while place > 0 {
            let above = (place - 1) / 2;
            let parent = self.deadline(above)?;
            if parent <= entry {
                break;
            }
            self.put(place, parent)?;
            place = above;
        }
        self.put(place, entry)
    }

    fn sink(&mut self, mut place: u32, entry: u64) -> Step<()> {
        let used = self.used();
        loop {
            let left = u64::from(place) * 2 + 1;
            let Some(left) = u32::try_from(left).ok().filter(|left| *left < used) else {
                break;
            };
            let mut below = (self.deadline(left)?, left);
            if left + 1 < used {
                below = below.min((self.deadline(left + 1)?, left + 1));
            }
            if entry <= below.0 {
                break;
            }
            self.put(place, below.0)?;
            place = below.1;
        }
        self.put(place, entry)
    }

    fn deadline(&self, place: u32) -> Step<u64> {
        if place >= self.used() {
            return Err(Damaged);
        }
        Ok(self.number(self.plan.deadline(place)))
    }

    fn put(&mut self, place: u32, entry: u64) -> Step<()> {
        let owner = self.owner(entry)?;
        self.store_number(self.plan.deadline(place), entry);
        self.store_word(self.plan.slot(owner) + slot::PLACE, place);
        Ok(())
    }

    fn owner(&self, entry: u64) -> Step<u32> {
        let index = entry as u32;
        if index < self.fresh() {
            Ok(index)
        } else {
            Err(Damaged)
        }
    }
}

/// What stands in the heap for a slot; the earlier expiry is the smaller number.
pub(super) fn pack(index: u32, expires: u64) -> u64 {
    expires.min(u32::MAX.into()) << 32 | u64::from(index)
}
