//! The links of a table: buckets and their chains, the order of use, the free slots.
//!
//! Links count from one, so that 0 is "none" and zeroed memory is empty. Whatever is inconsistent
//! is [`Damaged`], upon which the table is rebuilt.

use super::{
    Key, Memory, Table,
    memory::{checksum, load4, load8},
    plan::{header, slot},
};

/// The links do not fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Damaged;

pub(super) type Step<T> = Result<T, Damaged>;

impl<M: Memory> Table<M> {
    pub(super) fn word(&self, at: usize) -> u32 {
        load4(self.memory.bytes(), at)
    }

    pub(super) fn store_word(&mut self, at: usize, value: u32) {
        self.memory.store(at, &value.to_le_bytes());
    }

    pub(super) fn number(&self, at: usize) -> u64 {
        load8(self.memory.bytes(), at)
    }

    pub(super) fn store_number(&mut self, at: usize, value: u64) {
        self.memory.store(at, &value.to_le_bytes());
    }

    /// The slot that the link at `at` names.
    pub(super) fn link(&self, at: usize) -> Step<Option<u32>> {
        let Some(index) = self.word(at).checked_sub(1) else {
            return Ok(None);
        };
        if index < self.fresh() {
            Ok(Some(index))
        } else {
            Err(Damaged)
        }
    }

    pub(super) fn store_link(&mut self, at: usize, slot: Option<u32>) {
        self.store_word(at, slot.map_or(0, |index| index + 1));
    }

    /// How many slots were ever used.
    pub(super) fn fresh(&self) -> u32 {
        self.word(header::FRESH).min(self.plan.count)
    }

    pub(super) fn used(&self) -> u32 {
        self.word(header::USED).min(self.plan.count)
    }

    pub(super) fn key(&self, index: u32) -> Key {
        let at = self.plan.slot(index) + slot::KEY;
        self.memory.bytes()[at..]
            .first_chunk()
            .copied()
            .unwrap_or_default()
    }

    /// The checksum that the contents of the slot at offset `at` should have.
    pub(super) fn sum(&self, at: usize) -> u64 {
        checksum(&self.memory.bytes()[at + slot::KEY..at + self.plan.slot_size])
    }

    /// Whether the slot at offset `at` holds a record, whole.
    pub(super) fn is_whole(&self, at: usize) -> bool {
        self.number(at + slot::CHECKSUM) == self.sum(at)
    }

    /// The slot that holds `key`.
    pub(super) fn find(&self, key: &Key) -> Step<Option<u32>> {
        let mut link = self.link(self.plan.bucket(key))?;
        for _ in 0..=self.used() {
            let Some(index) = link else {
                return Ok(None);
            };
            let at = self.plan.slot(index);
            if self.memory.bytes()[at + slot::KEY..].starts_with(key) {
                return if self.is_whole(at) {
                    Ok(Some(index))
                } else {
                    Err(Damaged)
                };
            }
            link = self.link(at + slot::CHAIN)?;
        }
        Err(Damaged)
    }

    pub(super) fn chain(&mut self, index: u32) -> Step<()> {
        let bucket = self.plan.bucket(&self.key(index));
        let next = self.link(bucket)?;
        self.store_link(self.plan.slot(index) + slot::CHAIN, next);
        self.store_link(bucket, Some(index));
        Ok(())
    }

    pub(super) fn unchain(&mut self, index: u32) -> Step<()> {
        let mut at = self.plan.bucket(&self.key(index));
        for _ in 0..=self.used() {
            let found = self.link(at)?.ok_or(Damaged)?;
            let next = self.plan.slot(found) + slot::CHAIN;
            if found == index {
                let rest = self.link(next)?;
                self.store_link(at, rest);
                return Ok(());
            }
            at = next;
        }
        Err(Damaged)
    }

    /// Makes the slot the most recently used.
    pub(super) fn enter(&mut self, index: u32) -> Step<()> {
        let at = self.plan.slot(index);
        let second = self.link(header::FIRST)?;
        self.store_link(at + slot::NEWER, None);
        self.store_link(at + slot::OLDER, second);
        let behind = second.map_or(header::LAST, |next| self.plan.slot(next) + slot::NEWER);
        self.store_link(behind, Some(index));
        self.store_link(header::FIRST, Some(index));
        Ok(())
    }

    /// Takes the slot out of the order of use.
    pub(super) fn leave(&mut self, index: u32) -> Step<()> {
        let at = self.plan.slot(index);
        let (newer, older) = (self.link(at + slot::NEWER)?, self.link(at + slot::OLDER)?);
        let before = newer.map_or(header::FIRST, |slot| self.plan.slot(slot) + slot::OLDER);
        let behind = older.map_or(header::LAST, |slot| self.plan.slot(slot) + slot::NEWER);
        if self.link(before)? != Some(index) || self.link(behind)? != Some(index) {
            return Err(Damaged);
        }
        self.store_link(before, older);
        self.store_link(behind, newer);
        Ok(())
    }

    /// Empties the slot and takes it out of every order.
    pub(super) fn release(&mut self, index: u32) -> Step<()> {
        let at = self.plan.slot(index);
        self.store_number(at + slot::CHECKSUM, 0);
        self.unchain(index)?;
        self.leave(index)?;
        self.drop_deadline(index)?;
        self.give_back(index)
    }

    pub(super) fn give_back(&mut self, index: u32) -> Step<()> {
        let next = self.link(header::FREE)?;
        self.store_link(self.plan.slot(index) + slot::CHAIN, next);
        self.store_link(header::FREE, Some(index));
        Ok(())
    }

    /// An empty slot, if there is one.
    pub(super) fn take_free(&mut self) -> Step<Option<u32>> {
        if let Some(index) = self.link(header::FREE)? {
            let at = self.plan.slot(index);
            if self.number(at + slot::CHECKSUM) != 0 {
                return Err(Damaged);
            }
            let next = self.link(at + slot::CHAIN)?;
            self.store_link(header::FREE, next);
            return Ok(Some(index));
        }
        let fresh = self.fresh();
        if fresh == self.plan.count {
            return Ok(None);
        }
        // Memory need not have been zero: the slot must be empty before it can be seen.
        self.store_number(self.plan.slot(fresh) + slot::CHECKSUM, 0);
        self.store_word(header::FRESH, fresh + 1);
        Ok(Some(fresh))
    }
}
