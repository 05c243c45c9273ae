//! From the cookie to the record of a session that holds, in a zone of any size.

use std::fs;
use std::hint::black_box;
use std::net::Ipv4Addr;

use ngx_http_auth_gate_module::config::Config;
use ngx_http_auth_gate_module::session::{
    Device, Key, Keys, Methods, Name, Realm, Record, Table, Token, standing, tokens,
};
use ngx_http_auth_gate_module::slots::Layout;
use ngx_http_auth_gate_module::users::{Directory, User};
use sha2::{Digest, Sha256};

use super::files;

pub const NOW: u64 = 1_800_000_000;

/// What `auth_gate_zone` gives where no directive says otherwise.
const DEFAULT_ZONE: usize = 16 << 20;

/// How many different sessions take turns.
const VARIETY: usize = 64;

/// Writes a zone with `count` sessions: of the default size, or as large as they need.
pub fn keep(count: usize, file: &str) {
    let mut zone = vec![0; DEFAULT_ZONE.max(zone_for(count))];
    let mut table = open(&mut zone);
    let record = record(&files::load());
    for n in 0..count {
        table
            .insert(&token(n).key(), &record, NOW + 3600, NOW)
            .expect("a table that is whole");
    }
    assert_eq!(table.stats().used as usize, count, "the zone is too small");
    fs::write(file, zone).expect("a file for the zone");
}

/// Tokens opened, records looked up and checked.
pub fn open_and_look_up(count: usize, file: &str, times: usize) {
    let mut zone = fs::read(file).expect("a zone");
    let config = files::load();
    let gate = Gate::new(&config);
    let cookies: Vec<String> = chosen(count).map(|n| gate.header(&token(n))).collect();
    let mut table = open(&mut zone);
    assert!(
        cookies
            .iter()
            .all(|cookie| gate.visitor(&mut table, cookie.as_bytes()).is_some())
    );
    measured_sessions(&gate, &mut table, &cookies, times);
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

/// What it takes to know a visitor by the cookie.
pub struct Gate<'c> {
    keys: Keys,
    realm: &'c Realm,
    directory: &'c Directory,
}

impl<'c> Gate<'c> {
    pub fn new(config: &'c Config) -> Self {
        Gate {
            keys: Keys::derive(b"a secret for the benchmark"),
            realm: &config.session.cookies[0].realm,
            directory: &config.directory,
        }
    }

    /// What a browser with that token and two cookies of the application sends.
    pub fn header(&self, token: &Token) -> String {
        let (name, value) = (
            self.realm.cookie.name(),
            token.seal(&self.keys, &self.realm.domain),
        );
        format!("theme=dark; {name}={value}; lang=en")
    }

    /// The user of the session in a `Cookie` header, if it holds.
    pub fn visitor(&self, table: &mut Table<'_>, header: &[u8]) -> Option<&'c User> {
        let (name, domain) = (self.realm.cookie.name(), &self.realm.domain);
        tokens([header], name, &self.keys, domain).find_map(|token| {
            let record = table.lookup(&token.key())?;
            standing(&record, self.realm, NOW).ok()?;
            let holder = self
                .directory
                .holder(record.user.as_str(), record.password)?;
            Some(&**holder)
        })
    }
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

/// A session of alice's.
pub fn record(config: &Config) -> Record {
    let alice = config.directory.user("alice").expect("alice");
    Record {
        user: Name::cut(&alice.name),
        domain: config.session.cookies[0].realm.id,
        methods: Methods::PASSWORD,
        remember: false,
        password: alice.password.fingerprint(),
        created: NOW,
        last_activity: NOW,
        address: Ipv4Addr::LOCALHOST.into(),
        device: Device::default(),
    }
}

#[inline(never)]
fn measured_sessions(gate: &Gate<'_>, table: &mut Table<'_>, cookies: &[String], times: usize) {
    for turn in 0..times {
        let cookie = black_box(cookies[turn % cookies.len()].as_bytes());
        black_box(gate.visitor(table, cookie));
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
    // An eighth of a zone is for what is counted, and slots take less than this.
    (count * 276 / 7 * 8 + (1 << 20)).next_multiple_of(4096)
}
