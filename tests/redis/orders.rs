//! Orders, on one server: that they come at once, and that missed ones are told to be.

use std::time::{Duration, Instant};

use ngx_http_auth_gate_module::store::{Command, Event, Ledger, Mark, Redis, Target};

use super::fixture::{BY, NOW, ban, started, store, tried};
use super::servers::{Kind, Servers};

fn after(store: &Redis, mark: Mark) -> ngx_http_auth_gate_module::store::Orders {
    store.orders_after(mark, 100, Duration::ZERO).unwrap()
}

#[test]
fn what_others_must_know_is_ordered_and_nothing_else() {
    use ngx_http_auth_gate_module::store::BannedBy::Regulation;
    let servers = Servers::start(Kind::Tcp);
    let store = store(&servers);
    let made = ban("alice", Regulation, NOW, NOW + 300);
    let count = tried("alice", NOW, false);
    let events = [
        started(1, "alice"),
        Event::Used(super::fixture::session(1, "alice")),
        Event::Ended([1; 32]),
        Event::Banned(made.clone()),
        Event::Tried(count.clone()),
    ];
    store.record(&events, BY, NOW + 1).unwrap();
    let orders = after(&store, Mark::default());
    let commands: Vec<_> = orders
        .orders
        .iter()
        .map(|order| order.command.clone())
        .collect();
    assert_eq!(
        commands,
        [
            Command::EndSession([1; 32]),
            Command::Ban(made),
            Command::Count(count)
        ]
    );
    assert!(
        orders
            .orders
            .iter()
            .all(|order| (order.at, order.by) == (NOW + 1, BY))
    );
    assert!(orders.orders.is_sorted_by_key(|order| order.mark));
    assert_eq!(orders.next, orders.orders[2].mark);
    let first = store
        .orders_after(Mark::default(), 1, Duration::ZERO)
        .unwrap();
    assert_eq!(first.orders.len(), 1);
    assert_eq!(after(&store, first.next).orders, orders.orders[1..]);
    let none = after(&store, orders.next);
    assert_eq!(
        (none.orders.len(), none.next, none.missed),
        (0, orders.next, false)
    );
}

#[test]
fn an_order_comes_while_one_waits_for_it() {
    let servers = Servers::start(Kind::Tcp);
    let store = store(&servers);
    store.place_order(&Command::EndAll, 0, NOW).unwrap();
    let mark = after(&store, Mark::default()).next;
    let begun = Instant::now();
    let late = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let wait = Duration::from_secs(20);
            let orders = store.orders_after(mark, 100, wait).unwrap();
            assert_eq!(orders.orders[0].command, Command::EndSession([5; 32]));
            Instant::now()
        });
        super::servers::until("somebody to wait", || {
            let clients = servers.servers[0].cli(&["info", "clients"]);
            clients.contains("blocked_clients:1").then_some(())
        });
        let placed = Instant::now();
        store
            .place_order(&Command::EndSession([5; 32]), 0, NOW)
            .unwrap();
        waiting.join().unwrap().saturating_duration_since(placed)
    });
    assert!(late < Duration::from_millis(200), "{late:?}");
    assert!(begun.elapsed() < Duration::from_secs(20));
    let mark = after(&store, mark).next;
    let begun = Instant::now();
    let nothing = store
        .orders_after(mark, 100, Duration::from_millis(300))
        .unwrap();
    assert!(nothing.orders.is_empty() && nothing.next == mark);
    assert!(begun.elapsed() >= Duration::from_millis(290));
}

#[test]
fn orders_that_are_gone_are_missed() {
    let mut servers = Servers::start(Kind::Tcp);
    let store = store(&servers);
    for _ in 0..5 {
        store.place_order(&Command::EndAll, 0, NOW).unwrap();
    }
    let orders = after(&store, Mark::default());
    let (second, last) = (orders.orders[1].mark, orders.next);
    servers
        .first()
        .cli(&["xtrim", "auth-gate:orders", "MAXLEN", "2"]);
    let missed = after(&store, second);
    assert!(missed.missed && missed.orders.is_empty());
    assert_eq!(missed.next, last);
    assert!(!after(&store, last).missed);
    servers.first().cli(&["flushall"]);
    let missed = after(&store, last);
    assert!(missed.missed);
    assert_eq!(missed.next, Mark::default());
    assert!(!after(&store, missed.next).missed);
    // Another server that does not know the last ones, but others already.
    store.place_order(&Command::EndAll, 0, NOW).unwrap();
    assert!(after(&store, Mark(last.0, last.1 + 7)).missed);
}

#[test]
fn a_stream_that_had_to_drop_orders_does_not_begin_at_the_beginning() {
    let mut servers = Servers::start(Kind::Tcp);
    let store = store(&servers);
    let fill =
        "for n = 1, 17000 do redis.call('XADD', KEYS[1], 'MAXLEN', '~', 16384, '*', 'o', 'x') end";
    servers
        .first()
        .cli(&["eval", fill, "1", "auth-gate:orders"]);
    let missed = after(&store, Mark::default());
    assert!(missed.missed && missed.next > Mark::default());
    assert_eq!(store.mark_before(NOW, NOW).unwrap(), Mark::default());
    let next = after(&store, missed.next);
    assert!(!next.missed && next.orders.is_empty());
}

#[test]
fn the_mark_of_a_while_ago_has_everything_since_behind_it() {
    let servers = Servers::start(Kind::Tcp);
    let store = store(&servers);
    let now = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap()
        .as_secs();
    let mark = |seconds, now| store.mark_before(seconds, now).unwrap();
    assert_eq!(mark(0, now), Mark::default());
    store.place_order(&Command::EndAll, 0, now).unwrap();
    let last = after(&store, Mark::default()).next;
    // A clock may be wrong by a minute.
    assert_eq!(mark(10, now + 60), Mark::default());
    assert_eq!(mark(10, now + 80), last);
}

#[test]
fn what_is_no_order_of_ours_is_passed_over() {
    let mut servers = Servers::start(Kind::Tcp);
    let store = store(&servers);
    let server = servers.first();
    server.cli(&["xadd", "auth-gate:orders", "*", "o", "forged"]);
    server.cli(&["xadd", "auth-gate:orders", "*", "x", "1", "y", "2"]);
    let revoke = Command::Revoke(Target::Address("192.0.2.1".parse().unwrap()));
    store.place_order(&revoke, 3, NOW).unwrap();
    let orders = after(&store, Mark::default());
    assert_eq!(orders.orders.len(), 1);
    assert_eq!(
        (orders.orders[0].by, &orders.orders[0].command),
        (3, &revoke)
    );
}
