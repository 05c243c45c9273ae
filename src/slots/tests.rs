//! A table against a simple model, killed at every store, and with its memory damaged.

mod damage;
mod kill;
mod model;

use std::collections::{BTreeMap, HashSet};

use super::{
    cells::Step,
    plan::{Plan, header, slot},
    *,
};

const SHAPE: Shape = Shape {
    format: 7,
    payload: 20,
    victim: Victim::LeastRecentlyUsed,
};

/// Memory for a table of so many slots.
fn memory(slots: usize) -> Vec<u8> {
    (0..)
        .map(|length| vec![0xa5; length * 8])
        .find(|bytes| Plan::new(bytes.len(), SHAPE).is_ok_and(|plan| plan.count as usize == slots))
        .expect("some length")
}

fn open(bytes: &mut [u8]) -> Table<&mut [u8]> {
    Table::open(bytes, SHAPE).expect("room").0
}

fn key(number: u8) -> Key {
    let mut key = [number; KEY_LENGTH];
    // Spread over the buckets, with collisions.
    key[3] = number.wrapping_mul(37);
    key
}

/// A payload that tells whose it is.
fn payload(number: u8, version: u8) -> [u8; 20] {
    let mut payload = [number; 20];
    payload[19] = version;
    payload
}

/// What is in the table: number of the key to version, expiry and last use.
fn contents<M: Memory>(table: &Table<M>) -> BTreeMap<u8, (u8, u64, u64)> {
    let mut contents = BTreeMap::new();
    let mut place = 0;
    while let Some((next, entry)) = table.next(place) {
        let number = entry.payload[0];
        assert_eq!(*entry.key, key(number), "a record under another's key");
        assert_eq!(entry.payload, payload(number, entry.payload[19]));
        let value = (entry.payload[19], entry.expires, entry.touched);
        assert_eq!(contents.insert(number, value), None, "a key twice");
        place = next;
    }
    contents
}

impl<M: Memory> Table<M> {
    /// Asserts that all links fit together; gives the keys in order of use, newest first.
    fn verify(&self) -> Vec<Key> {
        self.verified().expect("links in bounds")
    }

    fn verified(&self) -> Step<Vec<Key>> {
        assert_eq!(
            (self.word(header::DIRTY), self.word(header::JOURNAL)),
            (0, 0)
        );
        let mut whole = HashSet::new();
        for index in (0..self.fresh()).filter(|index| self.entry(*index).is_some()) {
            whole.insert(index);
            assert_eq!(self.find(&self.key(index))?, Some(index));
        }
        assert_eq!(self.used() as usize, whole.len());
        let (mut order, mut at, mut newer) = (Vec::new(), header::FIRST, None);
        while let Some(index) = self.link(at)? {
            assert!(
                whole.remove(&index),
                "in the order of use twice, or not in use"
            );
            assert_eq!(self.link(self.plan.slot(index) + slot::NEWER)?, newer);
            order.push(self.key(index));
            newer = Some(index);
            at = self.plan.slot(index) + slot::OLDER;
        }
        assert!(whole.is_empty(), "in use and not in the order of use");
        assert_eq!(self.link(header::LAST)?, newer);
        self.verify_deadlines(order.len());
        let (mut free, mut at) = (HashSet::new(), header::FREE);
        while let Some(index) = self.link(at)? {
            assert!(free.insert(index) && self.entry(index).is_none());
            at = self.plan.slot(index) + slot::CHAIN;
        }
        assert_eq!(
            free.len() + order.len(),
            self.fresh() as usize,
            "a slot was lost"
        );
        Ok(order)
    }

    fn verify_deadlines(&self, used: usize) {
        let entry = |place: usize| self.number(self.plan.deadline(place as u32));
        for place in 0..used {
            assert!(
                entry(place.saturating_sub(1) / 2) <= entry(place),
                "no heap"
            );
            let owner = self.plan.slot(entry(place) as u32);
            assert_eq!(self.word(owner + slot::PLACE) as usize, place);
            assert_eq!(self.number(owner + slot::EXPIRES), entry(place) >> 32);
        }
    }
}

#[test]
fn memory_that_is_no_table_becomes_an_empty_one() {
    let mut bytes = memory(4);
    assert_eq!(
        Table::open(&mut bytes[..], SHAPE).expect("room").1,
        Opened::Formatted
    );
    open(&mut bytes).insert(&key(1), &payload(1, 1), 10, 1, 1);
    let (mut table, opened) = Table::open(&mut bytes[..], SHAPE).expect("room");
    assert_eq!(opened, Opened::Clean);
    assert_eq!(
        table.lookup(&key(1)).map(|entry| entry.payload[19]),
        Some(1)
    );
    table.verify();
}

#[test]
fn another_shape_and_another_size_begin_anew() {
    let mut bytes = memory(4);
    open(&mut bytes).insert(&key(1), &payload(1, 1), 10, 1, 1);
    for (shape, cut) in [
        (Shape { format: 8, ..SHAPE }, 0),
        (
            Shape {
                payload: 21,
                ..SHAPE
            },
            0,
        ),
        (SHAPE, 128),
    ] {
        let mut bytes = bytes.clone();
        let length = bytes.len() - cut;
        let (table, opened) = Table::open(&mut bytes[..length], shape).expect("room");
        assert_eq!((opened, table.stats().used), (Opened::Formatted, 0));
    }
    assert_eq!(Table::open(&mut bytes[..100], SHAPE).err(), Some(TooSmall));
    assert_eq!(Table::open(&mut [][..], SHAPE).err(), Some(TooSmall));
}

#[test]
fn a_full_table_makes_room_as_its_shape_says() {
    let used_first = |victim| {
        let mut bytes = memory(3);
        let (mut table, _) = Table::open(&mut bytes[..], Shape { victim, ..SHAPE }).expect("room");
        for (number, expires) in [(1, 30), (2, 10), (3, 20)] {
            let inserted = table.insert(&key(number), &payload(number, 0), expires, 1, 1);
            assert_eq!(inserted, Some(Inserted::Fresh));
        }
        assert_eq!(
            table.insert(&key(4), &payload(4, 0), 40, 1, 1),
            Some(Inserted::EvictedAlive)
        );
        assert_eq!(table.stats().evictions, 1);
        (1..=3).find(|number| table.lookup(&key(*number)).is_none())
    };
    assert_eq!(used_first(Victim::LeastRecentlyUsed), Some(1));
    assert_eq!(used_first(Victim::FirstToExpire), Some(2));
}
