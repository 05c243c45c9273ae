//! Sessions that have ended and must not come back: against a list, and in damaged memory.

use proptest::prelude::*;

use super::*;

/// Memory for a table of so many sessions.
fn memory(room: u32) -> Vec<u8> {
    (0..)
        .map(|words| vec![0; 8 * words])
        .find(|bytes| {
            let mut bytes = bytes.clone();
            Table::open(&mut bytes).is_ok_and(|(table, _)| table.stats().capacity == room)
        })
        .expect("some length")
}

fn open(bytes: &mut [u8]) -> Table<'_> {
    Table::open(bytes).expect("room").0
}

#[test]
fn what_is_buried_does_not_come_back() {
    let mut memory = vec![0; 10_000];
    let mut table = open(&mut memory);
    start(&mut table, 1, "alice", 1000);
    assert_eq!(table.bury(&key(1), 1500, 1001), Ok(Inserted::Replaced));
    assert_eq!(table.bury(&key(2), 1500, 1001), Ok(Inserted::Fresh));
    for number in [1, 2] {
        let key = key(number);
        let record = record("alice", 1000);
        assert!(table.is_buried(&key, 1499) && !table.is_buried(&key, 1500));
        assert_eq!(table.lookup(&key), None);
        assert!(!table.touch(&key, 2000, 1400) && !table.remove(&key));
        assert_eq!(
            table.insert(&key, &record, 2000, 1499),
            Err(Refused::Buried)
        );
    }
    assert_eq!((table.iter().count(), table.stats().used), (0, 2));
    let (found, _) = table.of_user_in("alice", 0..u32::MAX);
    assert!(found.is_empty() && table.next(0).is_none());
    // Shorter news take nothing back.
    table.bury(&key(1), 1200, 1001).expect("room");
    assert!(table.is_buried(&key(1), 1499));
    // Afterwards the key is as good as any.
    let late = record("alice", 1500);
    assert_eq!(
        table.insert(&key(1), &late, 2000, 1500),
        Ok(Inserted::Replaced)
    );
    assert_eq!(table.lookup(&key(1)), Some(late));
    assert!(table.remove(&key(1)));
}

#[test]
fn what_is_buried_survives_a_rebuild() {
    let mut memory = vec![0; 10_000];
    let mut table = open(&mut memory);
    start(&mut table, 1, "alice", 1000);
    table.bury(&key(2), 5000, 1000).expect("room");
    // The dirty mark of a writer that was killed.
    memory[24] = 1;
    let (mut table, opened) = Table::open(&mut memory).expect("room");
    let rebuilt = Opened::Rebuilt {
        kept: 2,
        dropped: 0,
    };
    assert_eq!(opened, rebuilt);
    assert!(table.is_buried(&key(2), 4999) && table.lookup(&key(1)).is_some());
}

/// Places in order of use, newest first: key, when it was made (none: buried), expiry.
#[derive(Default)]
struct Model(Vec<(u32, Option<u64>, u64)>);

impl Model {
    const ROOM: u32 = 5;

    fn find(&self, number: u32) -> Option<(u32, Option<u64>, u64)> {
        self.0.iter().find(|place| place.0 == number).copied()
    }

    fn put(&mut self, place: (u32, Option<u64>, u64), now: u64) -> Inserted {
        let inserted = if self.remove(place.0) {
            Inserted::Replaced
        } else if (self.0.len() as u32) < Self::ROOM {
            Inserted::Fresh
        } else if let Some(dead) = self
            .0
            .iter()
            .filter(|dead| dead.2 <= now)
            .min_by_key(|d| d.2)
        {
            self.remove(dead.0);
            Inserted::EvictedExpired
        } else {
            self.0.pop();
            Inserted::EvictedAlive
        };
        self.0.insert(0, place);
        inserted
    }

    fn remove(&mut self, number: u32) -> bool {
        let before = self.0.len();
        self.0.retain(|place| place.0 != number);
        self.0.len() < before
    }

    fn is_buried(&self, number: u32, now: u64) -> bool {
        let found = self.find(number);
        found.is_some_and(|(_, made, until)| made.is_none() && until > now)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_table_with_graves_does_what_a_list_does(ops in prop::collection::vec((0..5u8, 0..9u32, 1..60u64), 0..100)) {
        let mut bytes = memory(Model::ROOM);
        let mut model = Model::default();
        for (turn, (op, number, life)) in (1..).zip(ops) {
            let mut table = open(&mut bytes);
            // No two expire at once, so that it is clear which one gives way.
            let (now, ends) = (turn * 1000, (turn + life) * 1000 + turn);
            let known = model.find(number);
            match op {
                0 => {
                    let lives = known.is_some_and(|place| place.1.is_some());
                    prop_assert_eq!(table.remove(&key(number)), lives && model.remove(number));
                }
                1 => {
                    let lives = known.is_some_and(|place| place.1.is_some());
                    prop_assert_eq!(table.touch(&key(number), ends, now), lives);
                    if let Some((number, made, _)) = known.filter(|_| lives) {
                        model.put((number, made, ends), now);
                    }
                }
                2 => {
                    let until = known.filter(|place| place.1.is_none()).map_or(ends, |place| ends.max(place.2));
                    let buried = table.bury(&key(number), ends, now);
                    prop_assert_eq!(buried, Ok(model.put((number, None, until), now)));
                }
                _ => {
                    let inserted = table.insert(&key(number), &record("alice", now), ends, now);
                    let expected = match model.is_buried(number, now) {
                        true => Err(Refused::Buried),
                        false => Ok(model.put((number, Some(now), ends), now)),
                    };
                    prop_assert_eq!(inserted, expected);
                }
            }
            for number in 0..9 {
                let made = model.find(number).and_then(|place| place.1);
                prop_assert_eq!(table.lookup(&key(number)).map(|found| found.created), made);
                prop_assert_eq!(table.is_buried(&key(number), now), model.is_buried(number, now));
            }
            let lives = model.0.iter().filter(|place| place.1.is_some()).count();
            prop_assert_eq!((table.iter().count(), table.stats().used as usize), (lives, model.0.len()));
        }
    }

    #[test]
    fn a51_in_damaged_memory_nothing_rises_that_was_never_there(
        damage in prop::collection::vec((0..100_000usize, any::<u8>(), any::<bool>()), 1..6),
        ops in prop::collection::vec((0..4u8, 0..9u32), 0..30),
    ) {
        let mut bytes = memory(6);
        let mut table = open(&mut bytes);
        (0..3).for_each(|number| _ = start(&mut table, number, "alice", 1000));
        (3..6).for_each(|number| _ = table.bury(&key(number), 9000, 1000));
        for (place, byte, header) in damage {
            let length = if header { 128 } else { bytes.len() };
            bytes[place % length] = byte;
        }
        let mut made = [true, true, true, false, false, false, false, false, false];
        for (now, (op, number)) in (1001..).zip(ops) {
            let mut table = open(&mut bytes);
            match op {
                0 => _ = table.remove(&key(number)),
                1 => _ = table.bury(&key(number), 9000, now),
                2 => _ = table.touch(&key(number), 9000, now),
                _ => made[number as usize] |= table.insert(&key(number), &record("alice", now), 9000, now).is_ok(),
            }
            for session in table.iter() {
                prop_assert_eq!(session.record.user.as_str(), "alice");
            }
            for number in 0..9 {
                let found = table.lookup(&key(number));
                prop_assert!(found.is_none() || made[number as usize] && !table.is_buried(&key(number), now));
            }
        }
    }
}
