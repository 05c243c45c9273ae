//! From the cookie to the record of a session that holds, in a zone of any size.

use std::fs;
use std::hint::black_box;

use ngx_http_auth_gate_module::session::{
    self, Key, Keys, Lifetimes, Methods, Name, Record, Table, Token, domain_id,
};
use ngx_http_auth_gate_module::slots::Layout;
use sha2::{Digest, Sha256};

pub const DOMAIN: &str = "example.com";
pub const COOKIE: &str = "auth_gate_session";
pub const NOW: u64 = 1_800_000_000;
pub const LIFETIMES: Lifetimes = Lifetimes {
    expiration: 3600,
    inactivity: 300,
    remember_me: None,
};

/// What `auth_gate_zone` gives where no directive says otherwise.
const DEFAULT_ZONE: usize = 16 << 20;

/// How many different sessions take turns.
const VARIETY: usize = 64;

/// Writes a zone with `count` sessions: of the default size, or as large as they need.
pub fn keep(count: usize, file: &str) {
    let mut zone = vec![0; DEFAULT_ZONE.max(zone_for(count))];
    let mut table = open(&mut zone);
    for n in 0..count {
        let key = token(n).key();
        table
            .insert(&key, &record(n), NOW + 3600, NOW)
            .expect("a table that is whole");
    }
    assert_eq!(table.stats().used as usize, count, "the zone is too small");
    fs::write(file, zone).expect("a file for the zone");
}

/// Tokens opened, records looked up and checked.
pub fn open_and_look_up(count: usize, file: &str, times: usize) {
    let mut zone = fs::read(file).expect("a zone");
    let keys = keys();
    let cookies: Vec<String> = chosen(count).map(|n| header(&token(n), &keys)).collect();
    let mut table = open(&mut zone);
    assert!(
        cookies
            .iter()
            .all(|cookie| visitor(&mut table, &keys, cookie.as_bytes()).is_some())
    );
    measured_sessions(&mut table, &keys, &cookies, times);
}

/// Records looked up.
pub fn look_up(count: usize, file: &str, times: usize) {
    let mut zone = fs::read(file).expect("a zone");
    let keys: Vec<Key> = chosen(count).map(|n| token(n).key()).collect();
    let mut table = open(&mut zone);
    assert!(keys.iter().all(|key| table.lookup(key).is_some()));
    measured_look_ups(&mut table, &keys, times);
}

/// Prints how many bytes a session takes in a zone of the default size: of the table, of the zone.
pub fn report_bytes() {
    let mut zone = vec![0; DEFAULT_ZONE];
    let part = Layout::split(DEFAULT_ZONE).expect("a zone").sessions.len();
    let capacity = open(&mut zone).stats().capacity as usize;
    println!(
        "{} {}",
        part.div_ceil(capacity),
        DEFAULT_ZONE.div_ceil(capacity)
    );
}

/// The session of a `Cookie` header, if it holds.
pub fn visitor(table: &mut Table<'_>, keys: &Keys, header: &[u8]) -> Option<Record> {
    let mut found = session::tokens([header], COOKIE, keys, DOMAIN);
    let record = found.find_map(|token| table.lookup(&token.key()))?;
    let holds =
        record.domain == domain_id(DOMAIN) && session::check(&record, &LIFETIMES, NOW).is_ok();
    holds.then_some(record)
}

/// The table of a zone.
pub fn open(zone: &mut [u8]) -> Table<'_> {
    let part = Layout::split(zone.len())
        .expect("a zone that is large enough")
        .sessions;
    Table::open(&mut zone[part]).expect("room for sessions").0
}

/// The token of session number `n`.
pub fn token(n: usize) -> Token {
    Token::new(Sha256::digest(n.to_le_bytes()).into())
}

/// What a browser with that token and a cookie of the application sends.
pub fn header(token: &Token, keys: &Keys) -> String {
    format!("theme=dark; {COOKIE}={}; lang=en", token.seal(keys, DOMAIN))
}

pub fn keys() -> Keys {
    Keys::derive(b"a secret for the benchmark")
}

pub fn record(n: usize) -> Record {
    Record {
        user: Name::cut(&format!("user{n}")),
        domain: domain_id(DOMAIN),
        methods: Methods::PASSWORD,
        remember: false,
        created: NOW,
        last_activity: NOW,
    }
}

#[inline(never)]
fn measured_sessions(table: &mut Table<'_>, keys: &Keys, cookies: &[String], times: usize) {
    for turn in 0..times {
        black_box(visitor(
            table,
            keys,
            black_box(cookies[turn % cookies.len()].as_bytes()),
        ));
    }
}

#[inline(never)]
fn measured_look_ups(table: &mut Table<'_>, keys: &[Key], times: usize) {
    for turn in 0..times {
        black_box(table.lookup(black_box(&keys[turn % keys.len()])));
    }
}

fn chosen(count: usize) -> impl Iterator<Item = usize> {
    (0..VARIETY).map(move |turn| turn * count / VARIETY)
}

fn zone_for(count: usize) -> usize {
    // A sixteenth of a zone is for failed logins, and slots take less than this.
    (count * 256 / 15 * 16 + (1 << 20)).next_multiple_of(4096)
}
