//! What the fuzz target does with its input; the plain tests replay the corpus through it.

use std::net::{IpAddr, Ipv4Addr};

use ngx_http_auth_gate_module::session::{Device, Key, Methods, Name, Record, Table};
use ngx_http_auth_gate_module::users::regulation::{
    Attempt, Attempts, Modes, Settings, Subject, Told, Who,
};

const LENGTH: usize = 4 << 10;
const NUMBERS: u8 = 24;
const KEY: [u8; 32] = [9; 32];
const SETTINGS: Settings = Settings {
    modes: Modes {
        user: true,
        ip: true,
    },
    max_retries: 3,
    find_time: 120,
    ban_time: 300,
};

/// Works with memory that others have written to. The first byte of `data` tells what that is: any
/// bytes at all, any behind the header of a table, or a table in which single bytes were changed; the
/// second how many bytes of work there are at the end.
pub fn run(data: &[u8]) {
    let [kind, length, data @ ..] = data else {
        return;
    };
    let (memory, work) = data.split_at(data.len().saturating_sub(usize::from(*length)));
    match kind % 6 {
        0 => sessions(&mut memory.to_vec(), work, false),
        1 => sessions(&mut behind_header(memory, table), work, false),
        2 => sessions(&mut changed(memory, table), work, true),
        3 => attempts(&mut memory.to_vec(), work, false),
        4 => attempts(&mut behind_header(memory, counts), work, false),
        _ => attempts(&mut changed(memory, counts), work, true),
    }
}

/// Memory as `make` leaves it, and everything but the constants of its header as in `bytes`.
fn behind_header(bytes: &[u8], make: fn() -> Vec<u8>) -> Vec<u8> {
    const CONSTANTS: usize = 24;
    let mut memory = make();
    for (place, byte) in memory.iter_mut().skip(CONSTANTS).zip(bytes) {
        *place = *byte;
    }
    memory
}

/// The same with single bytes changed: two bytes of place, one of value.
fn changed(changes: &[u8], make: fn() -> Vec<u8>) -> Vec<u8> {
    let mut memory = make();
    for [low, high, byte] in changes.as_chunks().0 {
        let place = usize::from(u16::from_le_bytes([*low, *high]));
        let place = place % memory.len();
        memory[place] = *byte;
    }
    memory
}

fn key(number: u8) -> Key {
    let mut key = [number; 32];
    key[3] = number.wrapping_mul(37);
    Key(key)
}

fn record(number: u8, now: u64) -> Record {
    Record {
        user: Name::cut(&name(number)),
        domain: number.into(),
        password: 7,
        methods: Methods::PASSWORD,
        remember: false,
        created: now,
        last_activity: now,
        address: Ipv4Addr::LOCALHOST.into(),
        device: Device::default(),
    }
}

fn name(number: u8) -> String {
    format!("user {number}")
}

fn table() -> Vec<u8> {
    let mut memory = vec![0; LENGTH];
    let (mut table, _) = Table::open(&mut memory).expect("room");
    for number in 0..8 {
        table
            .insert(&key(number), &record(number, 1000), 5000, 1000)
            .expect("room");
    }
    table.bury(&key(8), 5000, 1000).expect("room");
    table.remove(&key(3));
    memory
}

/// Does with sessions what two bytes each say. Where all that was there was `ours`, what is found must be.
fn sessions(memory: &mut [u8], work: &[u8], ours: bool) {
    for (now, [what, number]) in (1001..).zip(work.as_chunks().0) {
        let Ok((mut table, _)) = Table::open(memory) else {
            return;
        };
        let number = number % NUMBERS;
        let key = key(number);
        match what % 5 {
            0 => _ = table.remove(&key),
            1 => _ = table.touch(&key, now + 9, now),
            2 => {
                table.bury(&key, now + 9, now).expect("room");
                assert!(table.is_buried(&key, now) && table.lookup(&key).is_none());
                let late = table.insert(&key, &record(number, now), now + 9, now);
                assert!(late.is_err());
            }
            3 => {
                let kept = table.insert(&key, &record(number, now), now + 9, now);
                assert_eq!(kept.is_err(), table.is_buried(&key, now));
                assert_eq!(table.lookup(&key).is_some(), kept.is_ok());
            }
            _ => {
                let all = table.iter().count();
                assert!(all <= table.stats().capacity as usize);
            }
        }
        let found = table.lookup(&key);
        assert!(!ours || found.is_none_or(|found| found.user == *name(number)));
    }
}

fn counts() -> Vec<u8> {
    let mut memory = vec![0; 4 * LENGTH];
    let (mut attempts, _) = Attempts::open(&mut memory, &KEY).expect("room");
    for number in 0..4 {
        let _ = attempts.reserve(&attempt(&name(number), number), &SETTINGS, 1000);
    }
    attempts.ban_user(&name(3), 5000, 1000);
    memory
}

fn attempt(user: &str, number: u8) -> Attempt<'_> {
    Attempt {
        user: Some(user),
        address: IpAddr::from([192, 0, 2, number]),
    }
}

/// The same with failed attempts.
fn attempts(memory: &mut [u8], work: &[u8], ours: bool) {
    for (now, [what, number]) in (1001..).zip(work.as_chunks().0) {
        let Ok((mut attempts, _)) = Attempts::open(memory, &KEY) else {
            return;
        };
        let number = number % NUMBERS;
        let name = name(number);
        match what % 6 {
            0 | 1 => {
                if let Ok(reserved) = attempts.reserve(&attempt(&name, number), &SETTINGS, now) {
                    assert_eq!(reserved.subjects().count(), 2);
                    let bans = attempts.banned_by(&reserved);
                    assert!(bans.iter().all(|(_, until)| *until > now));
                    attempts.settle(&reserved, *what > 128);
                }
            }
            2 => {
                let told = Told {
                    subject: Subject::user(&name),
                    when: now.saturating_add_signed((*what).cast_signed().into()),
                    passed: *what > 128,
                };
                let ban = attempts.count_told(&told, &SETTINGS, now);
                assert!(ban.is_none_or(|ban| ban.until > now));
            }
            3 => assert!(attempts.ban_user(&name, now + 9, now)),
            4 => _ = attempts.revoke_user(&name),
            _ => {
                for listed in attempts.list(now) {
                    assert!(listed.banned_until.is_none_or(|until| until > now));
                    if let (true, Who::User(user)) = (ours, listed.who) {
                        assert!(user.as_str().starts_with("user "));
                    }
                }
            }
        }
    }
}
