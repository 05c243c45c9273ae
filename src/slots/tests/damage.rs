//! Memory that others have scribbled over: no panic, no endless walk, no wrong record.

use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a51_damaged_memory_gives_no_wrong_record(
        damage in prop::collection::vec((0..100_000usize, any::<u8>(), 0..3usize), 1..6),
        ops in prop::collection::vec((0..4u8, 0..12u8, any::<u8>()), 0..30),
    ) {
        let mut bytes = memory(6);
        let mut table = open(&mut bytes);
        for number in 0..6 {
            table.insert(&key(number), &payload(number, 0), 50, 1, 1);
        }
        table.remove(&key(3));
        for (place, byte, part) in damage {
            // Header, links of a slot, anywhere.
            let length = bytes.len();
            let place = match part {
                0 => header::VERSION + place % 60,
                1 => Plan::new(length, SHAPE).expect("room").slots + place % 24,
                _ => place % length,
            };
            bytes[place] = byte;
        }
        for (now, (op, number, version)) in (10..).zip(ops) {
            let mut table = open(&mut bytes);
            match op {
                0 => _ = table.remove(&key(number)),
                1 => _ = table.update(&key(number), &payload(number, version), now + 5, now),
                2 => _ = table.insert(&key(number), &payload(number, version), now + 5, now, now),
                _ => (),
            }
            if let Some(entry) = table.lookup(&key(number)) {
                prop_assert_eq!(entry.payload, &payload(number, entry.payload[19]));
            }
            let mut place = 0;
            while let Some((next, entry)) = table.next(place) {
                let number = entry.payload[0];
                prop_assert_eq!((*entry.key, entry.payload), (key(number), &payload(number, entry.payload[19])[..]));
                place = next;
            }
        }
    }

    #[test]
    fn any_bytes_at_all_can_be_opened(mut bytes in prop::collection::vec(any::<u8>(), 0..2000), header in any::<bool>(), dirty: bool) {
        if let (true, Ok(plan)) = (header, Plan::new(bytes.len(), SHAPE)) {
            bytes[..header::DIRTY].copy_from_slice(&plan.constants());
            bytes[header::DIRTY] = dirty.into();
        }
        if let Ok((mut table, _)) = Table::open(&mut bytes[..], SHAPE) {
            for number in 0..20 {
                table.insert(&key(number), &payload(number, 0), 9, 1, 1);
                let found = table.lookup(&key(number)).map(|entry| entry.payload.to_vec());
                prop_assert_eq!(found, Some(payload(number, 0).to_vec()));
            }
        }
    }
}

#[test]
fn of_a_key_that_damage_let_in_twice_the_last_used_stays() {
    let mut bytes = memory(6);
    let mut table = open(&mut bytes);
    let bucket = table.plan.bucket(&key(1));
    table.insert(&key(1), &payload(1, 0), 50, 1, 1);
    table.store_word(bucket, 0);
    assert_eq!(
        table.insert(&key(1), &payload(1, 1), 50, 2, 2),
        Some(Inserted::Fresh)
    );
    table.store_word(header::DIRTY, 1);
    let (table, opened) = Table::open(&mut bytes[..], SHAPE).expect("room");
    assert_eq!(
        opened,
        Opened::Rebuilt {
            kept: 1,
            dropped: 1
        }
    );
    table.verify();
    assert_eq!(contents(&table)[&1].0, 1);
}
