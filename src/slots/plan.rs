//! Where everything lies in the memory of a table.

use super::table::KEY_LENGTH;

/// What a table holds. A table opened with another shape than it has is formatted anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// What the payload means: the version of its encoding, different for different tables.
    pub format: u32,
    /// Length of a payload in bytes.
    pub payload: usize,
    /// Who gives way when the table is full of living records. Not a matter of layout.
    pub victim: Victim,
}

/// Which living record gives way to a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    /// The least recently used one.
    LeastRecentlyUsed,
    /// The one that expires first.
    FirstToExpire,
}

/// The memory has no room for a single slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no room for a slot")]
pub struct TooSmall;

/// Offsets in the header.
pub(super) mod header {
    pub const MAGIC: usize = 0;
    pub const VERSION: usize = 8;
    pub const FORMAT: usize = 12;
    pub const PAYLOAD: usize = 16;
    pub const COUNT: usize = 20;
    /// Not 0: somebody was killed while he wrote.
    pub const DIRTY: usize = 24;
    /// The slot that the journal is to be copied to, plus one.
    pub const JOURNAL: usize = 28;
    /// Slots from this one on were never used.
    pub const FRESH: usize = 32;
    /// First free slot, most and least recently used slot, all plus one.
    pub const FREE: usize = 36;
    pub const FIRST: usize = 40;
    pub const LAST: usize = 44;
    /// Slots in use; also the length of the heap.
    pub const USED: usize = 48;
    /// How often the table was rebuilt.
    pub const REBUILDS: usize = 52;
    /// How many records that had not expired gave way.
    pub const EVICTIONS: usize = 56;
    pub const END: usize = 128;
}

/// Offsets in a slot.
pub(super) mod slot {
    use super::KEY_LENGTH;

    /// 0: the slot is free.
    pub const CHECKSUM: usize = 0;
    /// Next slot of the same bucket, or next free slot; neighbours in order of use; all plus one.
    pub const CHAIN: usize = 8;
    pub const NEWER: usize = 12;
    pub const OLDER: usize = 16;
    /// Place in the heap.
    pub const PLACE: usize = 20;
    /// From here on the checksum counts.
    pub const KEY: usize = 24;
    pub const EXPIRES: usize = KEY + KEY_LENGTH;
    pub const TOUCHED: usize = EXPIRES + 8;
    pub const PAYLOAD: usize = TOUCHED + 8;
}

pub(super) const MAGIC: u64 = u64::from_le_bytes(*b"authgate");
pub(super) const VERSION: u32 = 2;
pub(super) const BUCKET: usize = 4;
pub(super) const DEADLINE: usize = 8;

/// The layout that a length of memory and a shape give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub shape: Shape,
    pub count: u32,
    pub slot_size: usize,
    pub deadlines: usize,
    pub buckets: usize,
    pub journal: usize,
    pub slots: usize,
}

impl Plan {
    pub fn new(length: usize, shape: Shape) -> Result<Plan, TooSmall> {
        let slot_size = slot::PAYLOAD + shape.payload.next_multiple_of(8);
        // Eight bytes may be lost to the alignment of what follows the buckets.
        let room = length
            .checked_sub(header::END + slot_size + 8)
            .ok_or(TooSmall)?;
        let count = room / (slot_size + BUCKET + DEADLINE);
        let count = count.min(u32::MAX as usize - 1);
        if count == 0 {
            return Err(TooSmall);
        }
        let buckets = header::END + count * DEADLINE;
        let journal = (buckets + count * BUCKET).next_multiple_of(8);
        Ok(Plan {
            shape,
            count: count as u32,
            slot_size,
            deadlines: header::END,
            buckets,
            journal,
            slots: journal + slot_size,
        })
    }

    /// The part of the header that never changes.
    pub fn constants(&self) -> [u8; header::DIRTY] {
        let mut bytes = [0; header::DIRTY];
        bytes[header::MAGIC..][..8].copy_from_slice(&MAGIC.to_le_bytes());
        bytes[header::VERSION..][..4].copy_from_slice(&VERSION.to_le_bytes());
        bytes[header::FORMAT..][..4].copy_from_slice(&self.shape.format.to_le_bytes());
        bytes[header::PAYLOAD..][..4].copy_from_slice(&(self.shape.payload as u32).to_le_bytes());
        bytes[header::COUNT..][..4].copy_from_slice(&self.count.to_le_bytes());
        bytes
    }

    pub fn slot(&self, index: u32) -> usize {
        self.slots + index as usize * self.slot_size
    }

    pub fn deadline(&self, place: u32) -> usize {
        self.deadlines + place as usize * DEADLINE
    }

    /// The bucket of a key. Keys are hashes already.
    pub fn bucket(&self, key: &[u8; KEY_LENGTH]) -> usize {
        let [a, b, c, d, ..] = *key;
        let hash = u64::from(u32::from_le_bytes([a, b, c, d]));
        self.buckets + ((hash * u64::from(self.count)) >> 32) as usize * BUCKET
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_fits_and_nothing_overlaps() {
        for payload in [1, 8, 100, 168, 184] {
            let shape = Shape {
                format: 1,
                payload,
                victim: Victim::LeastRecentlyUsed,
            };
            for length in 0..4000 {
                let Ok(plan) = Plan::new(length, shape) else {
                    assert!(length < header::END + 2 * (slot::PAYLOAD + payload) + 64);
                    continue;
                };
                assert!(plan.deadline(plan.count) <= plan.buckets);
                assert!(plan.buckets + plan.count as usize * BUCKET <= plan.journal);
                assert!(plan.bucket(&[0xff; KEY_LENGTH]) + BUCKET <= plan.journal);
                assert!(plan.slot(plan.count) <= length);
                assert!(length - plan.slot(plan.count) < plan.slot_size + 28);
                assert_eq!((plan.journal % 8, plan.slots % 8), (0, 0));
            }
        }
    }
}
