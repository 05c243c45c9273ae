//! Processes that share a table of sessions are killed while they write, in earnest: what the
//! next one finds in the memory is what the compiled code wrote there, store by store.

use std::net::Ipv6Addr;
use std::time::{Duration, Instant};

use ngx_http_auth_gate_module::{
    session::{Device, Key, Methods, Name, Record, Table},
    slots::Opened,
};

const LENGTH: usize = 64 << 10;
const KEPT: u64 = 20;
/// Numbers of sessions that have ended for good begin here.
const BURIED: u64 = 1_000_000;

/// Anonymous memory that survives a fork.
fn shared_memory() -> &'static mut [u8] {
    let (access, kind) = (
        libc::PROT_READ | libc::PROT_WRITE,
        libc::MAP_SHARED | libc::MAP_ANONYMOUS,
    );
    // SAFETY: a new anonymous mapping, whose result is checked before use.
    let start = unsafe { libc::mmap(std::ptr::null_mut(), LENGTH, access, kind, -1, 0) };
    assert_ne!(start, libc::MAP_FAILED);
    // SAFETY: the mapping is LENGTH bytes long, zeroed, never unmapped, and referenced only here.
    unsafe { std::slice::from_raw_parts_mut(start.cast(), LENGTH) }
}

/// Lets `work` run in a child for `time` and kills it. Whether it died of that.
fn killed_after(time: Duration, work: impl FnOnce()) {
    // SAFETY: the child touches shared memory and its own copy of the heap only, and never returns.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "fork");
    if child == 0 {
        work();
        // SAFETY: ends the child at once, without running what the parent has registered.
        unsafe { libc::_exit(1) };
    }
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
    let mut status = 0;
    // SAFETY: the child is ours and not yet waited for.
    let waited = unsafe {
        libc::kill(child, libc::SIGKILL);
        libc::waitpid(child, &mut status, 0)
    };
    assert_eq!(waited, child);
    assert!(libc::WIFSIGNALED(status), "the writer ended by itself");
}

fn key(number: u64) -> Key {
    let mut key = Key([0; 32]);
    let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    key.0[..8].copy_from_slice(&spread.to_be_bytes());
    key.0[8..16].copy_from_slice(&number.to_be_bytes());
    key
}

/// A record in which every field follows from the number of its session.
fn record(number: u64, last_activity: u64) -> Record {
    Record {
        user: Name::cut(&format!("user {number}").repeat(9)),
        domain: number,
        password: 0x1234_5678_9abc_def0,
        methods: Methods::PASSWORD,
        remember: number.is_multiple_of(2),
        created: number,
        last_activity,
        address: Ipv6Addr::from(u128::from(number) << 64 | 1).into(),
        device: Device::default(),
    }
}

/// Touches sessions that stay, starts, replaces, drops and buries others, and tries to bring back those
/// that have ended, for ever.
fn write_for_ever(memory: &mut [u8], mut now: u64) {
    let records: Vec<_> = (0..300).map(|n| record(KEPT + n, 0)).collect();
    loop {
        let (mut table, _) = Table::open(memory).expect("room");
        table.touch(&key(now % KEPT), u64::MAX, now);
        let other = KEPT + now % 300;
        let ended = key(BURIED + now % KEPT);
        match now % 7 {
            0 => _ = table.remove(&key(other)),
            1 => _ = table.bury(&key(BURIED + other), now + 100, now),
            2 => _ = table.insert(&ended, &records[0], u64::MAX, now),
            3 => _ = table.bury(&ended, u64::MAX, now),
            4 => _ = table.remove(&ended) || table.touch(&ended, u64::MAX, now),
            _ => _ = table.insert(&key(other), &records[(now % 300) as usize], now + 100, now),
        }
        now += 1;
    }
}

#[test]
fn a51_a_killed_process_leaves_every_session_as_it_was() {
    let memory = shared_memory();
    let (mut table, _) = Table::open(memory).expect("room");
    for number in 0..KEPT {
        table
            .insert(&key(number), &record(number, 0), u64::MAX, 0)
            .expect("room");
        table
            .bury(&key(BURIED + number), u64::MAX, 0)
            .expect("room");
    }
    let (mut rebuilt, mut rounds) = (0, 0);
    while rebuilt < 100 {
        rounds += 1;
        assert!(rounds < 5000, "only {rebuilt} writers were killed at work");
        killed_after(Duration::from_micros(500 + rounds % 300 * 7), || {
            // No clock goes back.
            write_for_ever(memory, rounds << 32)
        });
        let (mut table, opened) = Table::open(memory).expect("room");
        rebuilt += u32::from(matches!(opened, Opened::Rebuilt { .. }));
        assert_ne!(opened, Opened::Formatted);
        for number in 0..KEPT {
            let found = table.lookup(&key(number)).expect("a session was lost");
            assert_eq!(found, record(number, found.last_activity));
            let ended = key(BURIED + number);
            assert!(table.is_buried(&ended, u64::MAX - 1), "a grave was lost");
            assert_eq!(table.lookup(&ended), None);
        }
        for session in table.iter() {
            let number = session.record.domain;
            assert_eq!(session.key, key(number));
            assert_eq!(session.record, record(number, session.record.last_activity));
        }
    }
}
