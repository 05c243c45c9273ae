//! Primaries that are lost, and the replicas that come in their place.

use std::time::{Duration, Instant};

use ngx_http_auth_gate_module::store::{Command, Ledger, Mark};

use super::fixture::{BY, NOW, listed, open, session, settings, started, store};
use super::servers::{Kind, NAME, Servers, until};

/// Waits until everything that was written has reached the replicas.
fn replicated(servers: &Servers) {
    for server in &servers.servers {
        if server.cli(&["role"]).starts_with("master") {
            assert_ne!(server.cli(&["wait", "1", "10000"]), "0");
        }
    }
}

#[test]
fn sentinels_name_another_primary_and_all_goes_on() {
    let mut servers = Servers::start(Kind::Sentinel);
    let store = store(&servers);
    store
        .record(&[started(1, "alice"), started(2, "bob")], BY, NOW)
        .unwrap();
    store
        .place_order(&Command::EndSession([2; 32]), 0, NOW)
        .unwrap();
    let mark = store
        .orders_after(Mark::default(), 10, Duration::ZERO)
        .unwrap()
        .next;
    replicated(&servers);
    servers.first().kill();
    until("writes to go on", || {
        store.record(&[started(3, "alice")], BY, NOW).ok()
    });
    assert_eq!(listed(&store, None, NOW), [3, 1]);
    let orders = store.orders_after(mark, 10, Duration::ZERO).unwrap();
    assert!(!orders.missed && orders.orders.is_empty());
    // The old one comes back as a replica: nobody writes there.
    servers.first().restart();
    until("the old primary to be a replica", || {
        let role = servers.servers[0].cli(&["role"]);
        role.starts_with("slave").then_some(())
    });
    for _ in 0..20 {
        store.probe(NOW).unwrap();
    }
}

#[test]
fn a_primary_that_becomes_a_replica_is_left_without_an_error() {
    let mut servers = Servers::start(Kind::Sentinel);
    let store = store(&servers);
    store.place_order(&Command::EndAll, 0, NOW).unwrap();
    let mark = store
        .orders_after(Mark::default(), 10, Duration::ZERO)
        .unwrap()
        .next;
    replicated(&servers);
    std::thread::scope(|scope| {
        let store = &store;
        // Somebody waits for orders all the while.
        let waiting = scope.spawn(move || {
            until("the order", || {
                let orders = store.orders_after(mark, 10, Duration::from_secs(20)).ok()?;
                assert!(!orders.missed);
                (!orders.orders.is_empty()).then_some(())
            });
        });
        let said = servers.sentinels[0].cli(&["sentinel", "failover", NAME]);
        assert_eq!(said, "OK");
        until("the old primary to be a replica", || {
            let role = servers.servers[0].cli(&["role"]);
            role.starts_with("slave").then_some(())
        });
        until("the order to be placed", || {
            store
                .place_order(&Command::EndSession([1; 32]), 0, NOW)
                .ok()
        });
        waiting.join().unwrap();
    });
    assert!(servers.first().cli(&["role"]).starts_with("slave"));
}

#[test]
fn a_cluster_loses_a_primary_and_all_goes_on() {
    let mut servers = Servers::start(Kind::Cluster);
    let store = store(&servers);
    let all: Vec<_> = (0..100).map(|number| started(number, "alice")).collect();
    store.record(&all, BY, NOW).unwrap();
    replicated(&servers);
    let lost = servers
        .servers
        .iter_mut()
        .find(|server| server.cli(&["role"]).starts_with("master"));
    lost.unwrap().kill();
    until("writes to go on", || store.record(&all, BY, NOW + 1).ok());
    assert_eq!(listed(&store, Some("alice"), NOW).len(), 100);
    assert_eq!(
        store.fetch(&[7; 32], NOW).unwrap(),
        Some(session(7, "alice"))
    );
    assert_eq!(store.place_order(&Command::EndAll, 0, NOW).unwrap(), 100);
}

#[test]
fn slots_that_move_are_followed() {
    let servers = Servers::start(Kind::Cluster);
    let mut settings = settings(&servers);
    // Slots move as fast as the machine lets them.
    settings.timeout = Duration::from_secs(30);
    let store = open(settings);
    let all: Vec<_> = (0..100).map(|number| started(number, "alice")).collect();
    store.record(&all, BY, NOW).unwrap();
    let masters: Vec<_> = servers
        .servers
        .iter()
        .filter(|server| server.cli(&["role"]).starts_with("master"))
        .map(|server| server.cli(&["cluster", "myid"]))
        .collect();
    let first = format!("{}:{}", servers.host(), super::servers::PORT);
    std::thread::scope(|scope| {
        let store = &store;
        let moving = scope.spawn(|| {
            servers.servers[0].cli(&[
                "--cluster",
                "reshard",
                &first,
                "--cluster-from",
                &masters[0],
                "--cluster-to",
                &masters[1],
                "--cluster-slots",
                "3000",
                "--cluster-yes",
            ])
        });
        while !moving.is_finished() {
            assert_eq!(listed(store, Some("alice"), NOW).len(), 100);
            store.record(&all, BY, NOW + 1).unwrap();
        }
        assert!(moving.join().unwrap().contains("Moving slot"));
    });
    assert_eq!(store.place_order(&Command::EndAll, 0, NOW).unwrap(), 100);
}

#[test]
fn a_node_that_hangs_holds_up_its_own_slots_only() {
    let mut servers = Servers::start(Kind::Cluster);
    let mut settings = settings(&servers);
    settings.timeout = Duration::from_secs(1);
    let store = open(settings);
    let all: Vec<_> = (0..100).map(|number| started(number, "alice")).collect();
    store.record(&all, BY, NOW).unwrap();
    servers.first().hang();
    let (mut well, mut late) = (0, Vec::new());
    for number in 0..100 {
        let begun = Instant::now();
        // The key of the user's epoch lies somewhere, too, and so this may be late for two reasons.
        match store.fetch(&[number; 32], NOW) {
            Ok(found) => {
                assert!(found.is_some());
                well += 1;
            }
            Err(_) => late.push(begun.elapsed()),
        }
    }
    assert!(
        late.iter().all(|late| *late < Duration::from_millis(1700)),
        "{late:?}"
    );
    let slow = late
        .iter()
        .filter(|late| **late > Duration::from_millis(500));
    assert!(slow.count() <= 6, "{late:?}");
    servers.first().go_on();
    until("all to be well", || {
        (0..100)
            .all(|number| matches!(store.fetch(&[number; 32], NOW), Ok(Some(_))))
            .then_some(())
    });
    assert!(well <= 100);
}
