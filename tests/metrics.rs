//! What is counted is told in the format that Prometheus reads, whatever was counted.
#![allow(
    clippy::unwrap_used,
    reason = "a test that unwraps nothing fails, as it should"
)]

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use ngx_http_auth_gate_module::metrics::{
    Banned, BannedFor, Counter, Counts, Decided, Duration, Ended, Exposition as Text, Fetched,
    Hashed, Hashes, Kind, Level, Method, Operation, Ordered, Outcome, Reading, Store, Table,
    TableFigures, Wanted,
};

#[path = "nginx/harness/exposition.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod exposition;

use exposition::Exposition;

fn text(counts: &Counts, stores: &[Store]) -> String {
    let figures = TableFigures {
        capacity: 100,
        used: 7,
        evictions: 3,
        rebuilds: 1,
    };
    let tables: Vec<_> = Table::ALL.iter().map(|table| (*table, figures)).collect();
    Reading {
        counts,
        stores,
        alive: &|process| process % 2 == 0,
        tables: &tables,
        zone_bytes: 1 << 20,
        hashes: Hashes {
            running: 1,
            waiting: 2,
        },
        users: 5,
        version: "0.1.0",
        nginx_version: "1.22.1",
    }
    .text()
}

fn counter() -> impl Strategy<Value = Counter> {
    let (decided, wanted) = (select(Decided::ALL), select(Wanted::ALL));
    let (method, outcome) = (select(Method::ALL), select(Outcome::ALL));
    let (store, operation) = (select(Store::ALL), select(Operation::ALL));
    prop_oneof![
        (decided, wanted).prop_map(|(decided, wanted)| Counter::Decision(decided, wanted)),
        (method, outcome).prop_map(|(method, outcome)| Counter::Login(method, outcome)),
        (select(Banned::ALL), select(BannedFor::ALL))
            .prop_map(|(whom, why)| Counter::Ban(whom, why)),
        Just(Counter::SessionStart),
        select(Ended::ALL).prop_map(Counter::SessionEnd),
        (store, operation, any::<bool>())
            .prop_map(|(store, operation, ok)| Counter::StoreOperation(store, operation, ok)),
        select(Store::ALL).prop_map(Counter::StoreOutage),
        select(Fetched::ALL).prop_map(Counter::Fetch),
        select(Ordered::ALL).prop_map(Counter::Order),
        select(Hashed::ALL).prop_map(Counter::Hash),
    ]
}

/// Where a counter is found in the text.
fn named(counter: Counter) -> (&'static str, Vec<(&'static str, &'static str)>) {
    match counter {
        Counter::Decision(decided, wanted) => (
            "decisions_total",
            vec![("outcome", decided.word()), ("requirement", wanted.word())],
        ),
        Counter::Login(method, outcome) => (
            "logins_total",
            vec![("method", method.word()), ("result", outcome.word())],
        ),
        Counter::Ban(whom, why) => (
            "bans_total",
            vec![("whom", whom.word()), ("for", why.word())],
        ),
        Counter::SessionStart => ("sessions_started_total", vec![]),
        Counter::SessionEnd(by) => ("sign_outs_total", vec![("by", by.word())]),
        Counter::StoreOperation(store, operation, ok) => (
            "store_operations_total",
            vec![
                ("store", store.word()),
                ("operation", operation.word()),
                ("result", if ok { "ok" } else { "error" }),
            ],
        ),
        Counter::StoreOutage(store) => ("store_outages_total", vec![("store", store.word())]),
        Counter::Fetch(fetched) => ("session_fetches_total", vec![("result", fetched.word())]),
        Counter::Order(order) => ("orders_total", vec![("order", order.word())]),
        Counter::Hash(hashed) => ("hashes_total", vec![("result", hashed.word())]),
    }
}

proptest! {
    #[test]
    fn every_count_is_told_under_its_name(
        events in vec((0..100_usize, counter()), 0..60),
        times in vec((prop_oneof![select(Store::ALL).prop_map(Duration::Store), Just(Duration::Hash)], 0..20_000_000_u64), 0..20),
    ) {
        let counts = Counts::default();
        events.iter().for_each(|(worker, counter)| counts.count(*worker, *counter));
        times.iter().for_each(|(duration, micros)| counts.measure(*duration, *micros));
        let read = Exposition::read(&text(&counts, Store::ALL));
        for (_, counter) in &events {
            let (name, labels) = named(*counter);
            let wanted = events.iter().filter(|(_, other)| other == counter).count();
            prop_assert_eq!(read.get(name, &labels), wanted as f64);
        }
        let hashes = times.iter().filter(|(duration, _)| *duration == Duration::Hash);
        let seconds: u64 = hashes.clone().map(|(_, micros)| micros).sum();
        prop_assert_eq!(read.get("hash_duration_seconds_count", &[]), hashes.count() as f64);
        prop_assert_eq!(read.get("hash_duration_seconds_sum", &[]), seconds as f64 / 1e6);
    }

    #[test]
    fn whatever_a_label_holds_stays_in_its_quotes(word in "(?s).*", help in "(?s).*") {
        let mut out = Text::default();
        out.begin("x", &help, Kind::Gauge);
        out.number("x", &[("first", word.as_str()), ("second", "2")], 1);
        out.number("x", &[], 2.5);
        // Of all ends of a line the format knows one.
        let read = Exposition::read(&out.finish().replace('\r', "_"));
        let word = word.replace('\r', "_");
        prop_assert_eq!(read.get("x", &[("first", &word), ("second", "2")]), 1.0);
        prop_assert_eq!(read.get("x", &[]), 2.5);
        prop_assert_eq!(&read.families["auth_gate_x"].1, &help.replace('\r', "_"));
    }
}

#[test]
fn levels_are_those_of_processes_that_are_there() {
    let counts = Counts::default();
    counts.set((1, 10), Level::ErrandsWaiting, 4);
    counts.set((2, 11), Level::ErrandsWaiting, 8);
    let read = Exposition::read(&text(&counts, &[]));
    let length = |queue| read.get("queue_length", &[("queue", queue)]);
    assert_eq!(length("errands_waiting"), 4.0);
    assert_eq!(
        (length("hashes_running"), length("hashes_waiting")),
        (1.0, 2.0)
    );
}

#[test]
fn of_a_store_that_is_not_in_use_nothing_is_told() {
    let counts = Counts::default();
    assert!(counts.see(Store::Sqlite, false));
    let text = text(&counts, &[Store::Sqlite]);
    let read = Exposition::read(&text);
    assert_eq!(read.get("store_up", &[("store", "sqlite")]), 0.0);
    assert!(!text.contains("redis"), "{text}");
    assert_eq!(read.get("users", &[]), 5.0);
    let sessions = [("table", "sessions")];
    assert_eq!(read.get("zone_entries", &sessions), 7.0);
    assert_eq!(read.get("zone_evictions_total", &sessions), 3.0);
}
