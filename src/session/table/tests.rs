use std::net::Ipv4Addr;

use super::*;
use crate::session::{Device, Lifetimes, Methods, Name, Token, check};

mod buried;

const LIFETIMES: Lifetimes = Lifetimes {
    expiration: 3600,
    inactivity: 300,
    remember_me: Some(86400),
};

fn record(user: &str, now: u64) -> Record {
    Record {
        user: Name::new(user).expect("short"),
        domain: 7,
        password: 0x1234_5678_9abc_def0,
        methods: Methods::PASSWORD,
        remember: false,
        created: now,
        last_activity: now,
        address: Ipv4Addr::new(192, 0, 2, 1).into(),
        device: Device::default(),
    }
}

fn key(number: u32) -> Key {
    let mut random = [0; 32];
    random[..4].copy_from_slice(&number.to_le_bytes());
    Token::new(random).key()
}

fn start(table: &mut Table<'_>, number: u32, user: &str, now: u64) -> Inserted {
    let record = record(user, now);
    table
        .insert(&key(number), &record, LIFETIMES.ends(&record), now)
        .expect("kept")
}

#[test]
fn a_session_is_found_until_it_is_ended() {
    let mut memory = vec![0; 10_000];
    let (mut table, opened) = Table::open(&mut memory).expect("room");
    assert_eq!(opened, Opened::Formatted);
    start(&mut table, 1, "alice", 1000);
    let (mut table, opened) = Table::open(&mut memory).expect("room");
    assert_eq!(opened, Opened::Clean);
    assert_eq!(table.lookup(&key(1)), Some(record("alice", 1000)));
    assert_eq!(table.lookup(&key(2)), None);
    assert!(table.remove(&key(1)) && !table.remove(&key(1)));
    assert_eq!(table.lookup(&key(1)), None);
}

#[test]
fn a_touch_prolongs_and_never_revives() {
    let mut memory = vec![0; 10_000];
    let (mut table, _) = Table::open(&mut memory).expect("room");
    start(&mut table, 1, "alice", 1000);
    assert!(table.touch(&key(1), 1600, 1299));
    let found = table.lookup(&key(1)).expect("there");
    assert_eq!((found.created, found.last_activity), (1000, 1299));
    assert_eq!(check(&found, &LIFETIMES, 1500), Ok(()));
    assert!(
        table.touch(&key(1), 1400, 1200),
        "an older touch is no news"
    );
    assert_eq!(table.lookup(&key(1)), Some(found));
    table.remove(&key(1));
    assert!(!table.touch(&key(1), 1600, 1300));
    assert_eq!(table.lookup(&key(1)), None);
}

#[test]
fn a46_all_sessions_of_a_user_end_and_no_others() {
    let mut memory = vec![0; 100_000];
    let (mut table, _) = Table::open(&mut memory).expect("room");
    for number in 0..300 {
        start(
            &mut table,
            number,
            ["alice", "bob", "alic", "alice2"][number as usize % 4],
            1000,
        );
    }
    let (mut found, mut place, mut more) = (Vec::new(), 0, true);
    while more {
        let portion = table.of_user_in("alice", place..place + 7);
        (more, place) = (portion.1, place + 7);
        found.extend(portion.0);
    }
    let named = |session: &Session| session.record.user == *"alice";
    assert_eq!((found.len(), found.iter().all(named)), (75, true));
    found.retain(|session| session.key != key(8));
    found.iter().for_each(|session| {
        assert!(table.remove(&session.key));
    });
    assert_eq!(table.iter().filter(named).count(), 1);
    assert_eq!(table.lookup(&key(8)), Some(record("alice", 1000)));
    assert_eq!(table.iter().count(), 226);
    assert_eq!(table.of_user_in("alice", 0..u32::MAX).0.len(), 1);
}

#[test]
fn a51_the_dead_give_way_first_and_then_the_least_recently_used() {
    let mut memory = vec![0; 10_000];
    let (mut table, _) = Table::open(&mut memory).expect("room");
    let room = table.stats().capacity;
    for number in 0..room {
        assert_eq!(start(&mut table, number, "alice", 1000), Inserted::Fresh);
    }
    for number in (0..room).filter(|number| *number != 5) {
        table.touch(&key(number), 1800, 1200);
    }
    assert_eq!(start(&mut table, 1000, "bob", 1300), Inserted::EvictedAlive);
    assert_eq!(table.lookup(&key(5)), None);
    assert_eq!(start(&mut table, 1001, "bob", 1300), Inserted::EvictedAlive);
    assert_eq!(table.lookup(&key(0)), None);
    table.touch(&key(3), 1350, 1300);
    assert_eq!(
        start(&mut table, 1002, "bob", 1350),
        Inserted::EvictedExpired
    );
    assert_eq!(table.lookup(&key(3)), None);
    assert_eq!(
        table.lookup(&key(1)).map(|found| found.user.to_string()),
        Some("alice".into())
    );
}

#[test]
fn a_walk_in_portions_sees_every_session() {
    let mut memory = vec![0; 100_000];
    let (mut table, _) = Table::open(&mut memory).expect("room");
    for number in 0..100 {
        start(&mut table, number, "alice", 1000);
    }
    let (mut seen, mut place) = (0, 0);
    while let Some((next, session)) = table.next(place) {
        assert_eq!(session.expires, 1301);
        seen += 1;
        place = next;
        table.remove(&session.key);
    }
    assert_eq!((seen, table.stats().used), (100, 0));
}

#[test]
fn a51_a_million_sessions_are_kept_and_found() {
    const SESSIONS: u32 = 1_000_000;
    const BYTES_EACH: usize = 272;
    let mut memory = vec![0; SESSIONS as usize * BYTES_EACH];
    let (mut table, _) = Table::open(&mut memory).expect("room");
    assert!(
        table.stats().capacity >= SESSIONS,
        "more than {BYTES_EACH} bytes a session"
    );
    // Keys are hashes in earnest; made up here, as it is not the hash that is tested.
    let key = |number: u32| {
        let spread = u64::from(number)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(32);
        let mut key = Key([7; 32]);
        key.0[..8].copy_from_slice(&spread.to_le_bytes());
        key
    };
    let mut record = record("somebody with a name of usual length", 0);
    for number in 0..SESSIONS {
        record.created = number.into();
        assert_eq!(
            table.insert(&key(number), &record, 2_000_000, 0),
            Ok(Inserted::Fresh)
        );
    }
    for number in 0..SESSIONS {
        let found = table.lookup(&key(number)).map(|found| found.created);
        assert_eq!(found, Some(number.into()));
    }
    let room = table.stats().capacity - SESSIONS;
    let mut next = SESSIONS;
    let mut insert = |table: &mut Table<'_>, count: u32| -> Vec<_> {
        let keys = next..next + count;
        next += count;
        keys.map(|n| table.insert(&key(n), &record, 9000, 100).expect("room"))
            .collect()
    };
    let fresh = insert(&mut table, room);
    assert!(fresh.iter().all(|one| *one == Inserted::Fresh));
    // Those that are dead give way first, whenever they were used; then those that were not used.
    for number in [SESSIONS / 2, SESSIONS - 1, 7] {
        assert!(table.touch(&key(number), 90, 80));
    }
    table.bury(&key(9), 95, 80).expect("room");
    assert_eq!(insert(&mut table, 4), [Inserted::EvictedExpired; 4]);
    assert_eq!(insert(&mut table, 3), [Inserted::EvictedAlive; 3]);
    let lost = (0..SESSIONS).filter(|number| table.lookup(&key(*number)).is_none());
    let lost: Vec<_> = lost.take(10).collect();
    assert_eq!(lost, [0, 1, 2, 7, 9, SESSIONS / 2, SESSIONS - 1]);
    let stats = table.stats();
    assert_eq!((stats.used, stats.evictions), (stats.capacity, 3));
}
