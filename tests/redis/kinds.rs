//! The same on servers of every kind.

use std::time::Duration;

use ngx_http_auth_gate_module::store::{BannedBy, Command, Event, Ledger, Mark, Target};

use super::fixture::{
    BY, NOW, ban, end_user, lasts, listed, rotated, session, started, store, tried,
};
use super::servers::{Kind, Servers};

/// Does everything that can be done once.
fn works(servers: &Servers) {
    let (one, other) = (store(servers), store(servers));
    one.probe(NOW).unwrap();
    assert_eq!(
        one.secret(&[1; 32]).unwrap(),
        other.secret(&[2; 32]).unwrap()
    );
    let users = ["alice", "bob", "carol", "dave"];
    let all: Vec<_> = (0..200_u8)
        .map(|n| started(n, users[usize::from(n) % 4]))
        .collect();
    assert!(one.record(&all, BY, NOW).unwrap().is_empty());
    assert_eq!(listed(&other, None, NOW).len(), 200);
    assert_eq!(
        other.fetch(&[7; 32], NOW).unwrap(),
        Some(session(7, "dave"))
    );
    let events = [
        rotated(201, "alice", 0),
        Event::Ended([1; 32]),
        Event::Used(session(2, "carol")),
        Event::Tried(tried("alice", NOW, false)),
        Event::Banned(ban("bob", BannedBy::Regulation, NOW, NOW + 300)),
    ];
    assert!(one.record(&events, BY, NOW).unwrap().is_empty());
    assert!(lasts(&other, 201, NOW) && !lasts(&other, 0, NOW) && !lasts(&other, 1, NOW));
    assert_eq!(other.failures(NOW).unwrap(), [tried("alice", NOW, false)]);
    assert_eq!(other.bans(NOW).unwrap().len(), 1);
    let place = |command: Command| other.place_order(&command, 0, NOW).unwrap();
    assert_eq!(place(end_user("alice", Some(201))), 49);
    assert_eq!(place(Command::Revoke(Target::User("bob".into()))), 1);
    assert_eq!(place(Command::EndAll), 150);
    assert!(listed(&one, None, NOW).is_empty());
    let orders = one
        .orders_after(Mark::default(), 100, Duration::ZERO)
        .unwrap();
    assert!(!orders.missed);
    let by: Vec<_> = orders.orders.iter().map(|order| order.by).collect();
    assert_eq!(by, [BY, BY, BY, BY, 0, 0, 0]);
    assert_eq!(orders.orders[0].command, Command::EndSession([0; 32]));
    assert_eq!(orders.orders[6].command, Command::EndAll);
}

#[test]
fn one_server_on_the_network() {
    works(&Servers::start(Kind::Tcp));
}

#[test]
fn one_server_on_a_unix_socket() {
    works(&Servers::start(Kind::Unix));
}

#[test]
fn one_server_over_tls_for_a_user_who_may_do_no_more_than_is_needed() {
    works(&Servers::start(Kind::Tls));
}

#[test]
fn a_primary_that_sentinels_know() {
    works(&Servers::start(Kind::Sentinel));
}

#[test]
fn a_cluster() {
    works(&Servers::start(Kind::Cluster));
}

#[test]
fn another_database_is_another_store() {
    let servers = Servers::start(Kind::Tcp);
    let mut settings = super::fixture::settings(&servers);
    settings.database = 3;
    let other = super::fixture::open(settings);
    store(&servers)
        .record(&[started(1, "alice")], BY, NOW)
        .unwrap();
    assert!(!lasts(&other, 1, NOW));
    other.record(&[started(2, "alice")], BY, NOW).unwrap();
    assert!(lasts(&other, 2, NOW) && !lasts(&store(&servers), 2, NOW));
}
