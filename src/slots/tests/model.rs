//! The table against a list that is searched from end to end.

use proptest::prelude::*;

use super::*;

/// Records in order of use, newest first: number, version, expiry, last use.
#[derive(Default)]
struct Model(Vec<(u8, u8, u64, u64)>);

impl Model {
    const ROOM: usize = 6;

    fn insert(&mut self, number: u8, version: u8, expires: u64, now: u64) -> Inserted {
        let inserted = if self.remove(number) {
            Inserted::Replaced
        } else if self.0.len() < Self::ROOM {
            Inserted::Fresh
        } else if let Some(dead) = self
            .0
            .iter()
            .filter(|record| record.2 <= now)
            .min_by_key(|record| record.2)
            .copied()
        {
            self.remove(dead.0);
            Inserted::EvictedExpired
        } else {
            self.0.pop();
            Inserted::EvictedAlive
        };
        self.0.insert(0, (number, version, expires, now));
        inserted
    }

    fn remove(&mut self, number: u8) -> bool {
        let before = self.0.len();
        self.0.retain(|record| record.0 != number);
        self.0.len() < before
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_table_does_what_a_list_does(ops in prop::collection::vec((0..4u8, 0..12u8, any::<u8>(), 0..100u64), 0..120)) {
        let mut bytes = memory(Model::ROOM);
        let mut model = Model::default();
        for (now, (op, number, version, life)) in (1..).zip(ops) {
            let mut table = open(&mut bytes);
            // No two expire at once, so that it is clear which one gives way.
            let expires = (now + life) * 1000 + now;
            let now = now * 1000;
            match op {
                0 => {
                    let removed = table.remove(&key(number));
                    prop_assert_eq!(removed, model.remove(number));
                }
                1 => {
                    let updated = table.update(&key(number), &payload(number, version), expires, now);
                    prop_assert_eq!(updated, model.remove(number));
                    if updated {
                        model.0.insert(0, (number, version, expires, now));
                    }
                }
                _ => {
                    let inserted = table.insert(&key(number), &payload(number, version), expires, now, now);
                    prop_assert_eq!(inserted, Some(model.insert(number, version, expires, now)));
                }
            }
            let order = table.verify();
            prop_assert_eq!(order, model.0.iter().map(|record| key(record.0)).collect::<Vec<_>>());
            let records = model.0.iter().map(|r| (r.0, (r.1, r.2, r.3))).collect();
            prop_assert_eq!(contents(&table), records);
            for number in 0..12 {
                let found = table.lookup(&key(number)).map(|entry| (entry.payload[19], entry.expires));
                let expected = model.0.iter().find(|r| r.0 == number).map(|r| (r.1, r.2));
                prop_assert_eq!(found, expected);
            }
        }
    }
}
