//! Whoever writes is killed at every store, and the next one finds everything in order.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::*;

/// Memory whose writer dies after so many words.
struct Deadly<'a> {
    bytes: &'a mut [u8],
    left: usize,
}

impl Memory for Deadly<'_> {
    fn bytes(&self) -> &[u8] {
        self.bytes
    }

    fn store(&mut self, at: usize, bytes: &[u8]) {
        for (place, word) in (at..).step_by(8).zip(bytes.chunks(8)) {
            if self.left == 0 {
                resume_unwind(Box::new("killed"));
            }
            self.left -= 1;
            self.bytes[place..][..word.len()].copy_from_slice(word);
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Insert(u8),
    Update(u8),
    Remove(u8),
}

impl Op {
    fn number(self) -> u8 {
        match self {
            Op::Insert(number) | Op::Update(number) | Op::Remove(number) => number,
        }
    }

    fn run<M: Memory>(self, table: &mut Table<M>, now: u64) {
        let version = now as u8;
        match self {
            Op::Insert(n) => _ = table.insert(&key(n), &payload(n, version), now + 7, now, now),
            Op::Update(n) => _ = table.update(&key(n), &payload(n, version), now + 9, now),
            Op::Remove(n) => _ = table.remove(&key(n)),
        }
    }
}

/// Does `work` with a table whose writer is killed after `stores` words; whether he lived.
fn survives(bytes: &mut [u8], stores: usize, work: impl FnOnce(&mut Table<Deadly<'_>>)) -> bool {
    let killed = catch_unwind(AssertUnwindSafe(|| {
        let memory = Deadly {
            bytes,
            left: stores,
        };
        work(&mut Table::open(memory, SHAPE).expect("room").0);
    }));
    killed.is_ok()
}

fn script() -> Vec<Op> {
    use Op::{Insert, Remove, Update};
    let mut script = vec![
        Insert(1),
        Insert(2),
        Update(1),
        Insert(1),
        Remove(2),
        Insert(3),
    ];
    // More than there is room for, living and dead, in an order that looks random.
    let mut state = 1u32;
    for _ in 0..60 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let number = (state >> 24) as u8 % 9;
        script.push(match state >> 16 & 3 {
            0 => Update(number),
            1 => Remove(number),
            _ => Insert(number),
        });
    }
    script
}

#[test]
fn a51_a_kill_at_any_store_loses_nothing_else_and_makes_nothing_up() {
    let mut bytes = memory(5);
    open(&mut bytes);
    let mut kills = 0;
    for (now, op) in (1..).zip(script()) {
        let before = contents(&open(&mut bytes));
        let mut after_bytes = bytes.clone();
        op.run(&mut open(&mut after_bytes), now);
        let after = contents(&open(&mut after_bytes));
        for stores in 0.. {
            let mut torn = bytes.clone();
            if survives(&mut torn, stores, |table| op.run(table, now)) {
                break;
            }
            kills += 1;
            assert_whole(&mut torn, op, &before, &after);
        }
        bytes = after_bytes;
    }
    assert!(kills > 1000, "{kills}");
}

fn assert_whole(
    torn: &mut [u8],
    op: Op,
    before: &BTreeMap<u8, (u8, u64, u64)>,
    after: &BTreeMap<u8, (u8, u64, u64)>,
) {
    let mut table = open(torn);
    table.verify();
    let found = contents(&table);
    for (number, record) in before {
        // Who had to make room may be gone already; an update leaves the old or the new record.
        let evicted = *number != op.number() && !after.contains_key(number);
        let changed = *number == op.number();
        match found.get(number) {
            Some(kept) if changed => assert!(kept == record || Some(kept) == after.get(number)),
            Some(kept) => assert_eq!(kept, record),
            None => assert!(
                evicted || changed && !after.contains_key(number),
                "{op:?} lost {number}"
            ),
        }
    }
    let made_up = |number: &&u8| !before.contains_key(number) && !after.contains_key(number);
    assert_eq!(found.keys().find(made_up), None);
    // It goes on as if nothing had happened.
    for number in 20..30 {
        table.insert(&key(number), &payload(number, 0), 5000, 1000, 1000);
        table.verify();
    }
    assert_eq!(
        contents(&table).keys().copied().collect::<Vec<_>>(),
        (25..30).collect::<Vec<_>>()
    );
}

#[test]
fn a51_a_kill_while_the_table_is_rebuilt_loses_nothing() {
    let mut bytes = memory(5);
    let mut table = open(&mut bytes);
    (1..=5).for_each(|number| Op::Insert(number).run(&mut table, number.into()));
    Op::Remove(2).run(&mut table, 6);
    let before = contents(&table);
    // The journal is written and not yet copied: the update is to be seen in the end.
    let mut after_bytes = bytes.clone();
    Op::Update(4).run(&mut open(&mut after_bytes), 8);
    let after = contents(&open(&mut after_bytes));
    for first in 0.. {
        let mut torn = bytes.clone();
        if survives(&mut torn, first, |table| Op::Update(4).run(table, 8)) {
            break;
        }
        for second in 0.. {
            let mut again = torn.clone();
            let lived = survives(&mut again, second, |_| ());
            let table = open(&mut again);
            table.verify();
            let found = contents(&table);
            assert!(found == before || found == after);
            if lived {
                break;
            }
        }
    }
}

#[test]
fn a51_a_kill_while_the_table_is_formatted_leaves_an_empty_one() {
    let mut full = memory(5);
    (1..=5).for_each(|number| Op::Insert(number).run(&mut open(&mut full), 1));
    full[header::VERSION] ^= 1;
    for stores in 0.. {
        let mut bytes = full.clone();
        let lived = survives(&mut bytes, stores, |_| ());
        let table = open(&mut bytes);
        table.verify();
        assert!(contents(&table).is_empty());
        if lived {
            break;
        }
    }
}

#[test]
fn the_order_of_use_survives_a_rebuild() {
    let mut bytes = memory(5);
    let mut table = open(&mut bytes);
    (1..=5).for_each(|number| Op::Insert(number).run(&mut table, number.into()));
    Op::Update(2).run(&mut table, 6);
    let order = table.verify();
    bytes[header::DIRTY] = 1;
    let (table, opened) = Table::open(&mut bytes[..], SHAPE).expect("room");
    assert_eq!(
        opened,
        Opened::Rebuilt {
            kept: 5,
            dropped: 0
        }
    );
    assert_eq!(table.verify(), order);
    assert_eq!(table.stats().rebuilds, 1);
}
