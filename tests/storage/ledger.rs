//! What is written down of sessions, bans and attempts, and the orders to the workers: what every
//! ledger does, and what this one does besides.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use ngx_http_auth_gate_module::store::{
    Command, Event, Ledger, Mark, Sqlite, Target, TriedAt, Try,
};
use rusqlite::Connection;

use super::contract::{self, Store, end_user, ended, listed, orders_after, session, started};
use super::fixture::{NOW, folder, open, store};

const DAY: u64 = 24 * 60 * 60;

impl Store for Sqlite {
    fn open(&self) -> Box<dyn Ledger> {
        Box::new(open(self.path()).unwrap())
    }
}

contract::tests!(store);

#[test]
fn sessions_that_are_told_of_late_are_judged_by_when_they_began() {
    let store = store("ledger_order_age");
    store.place_order(&Command::EndAll, 0, NOW + 5).unwrap();
    store
        .place_order(&end_user("bob", None), 0, NOW + 15)
        .unwrap();
    let events = [
        (1, "alice", 4),
        (2, "alice", 5),
        (3, "bob", 14),
        (4, "bob", 15),
    ]
    .map(|(number, user, age)| started(session(number, user, NOW + age)));
    assert_eq!(contract::record(&store, &events, NOW + 20), [1, 3]);
    assert_eq!(listed(&store, None, NOW + 20), [4, 2]);
}

#[test]
fn an_end_is_remembered_for_an_hour() {
    let store = store("ledger_remembered");
    contract::record(&store, &[ended(1), started(session(2, "alice", NOW))], NOW);
    let late = Event::Used(contract::used(1, "alice", NOW, NOW + 3599));
    assert_eq!(contract::record(&store, &[late], NOW + 3599), [1]);
    contract::record(&store, &[], NOW + 3600);
    let raw = Connection::open(store.path()).unwrap();
    let rows: i64 = raw
        .query_one("SELECT count(*) FROM sessions", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 0);
}

#[test]
fn orders_are_forgotten_after_a_day_and_whoever_missed_some_hears_of_it() {
    let store = store("ledger_numbers");
    for number in 0..3 {
        let end = Command::EndSession([number; 32]);
        store.place_order(&end, 0, NOW + u64::from(number)).unwrap();
    }
    let all = orders_after(&store, Mark::default());
    let (first, last) = (all.orders[0].mark, all.next);
    contract::record(&store, &[], NOW + DAY + 1);
    assert_eq!(orders_after(&store, first).orders.len(), 2);
    assert!(!orders_after(&store, first).missed);
    assert!(orders_after(&store, Mark::default()).missed);
    contract::record(&store, &[], NOW + DAY + 9);
    // Nothing is left: he who has heard of all of them has missed none.
    let none = orders_after(&store, last);
    assert_eq!(
        (none.orders.len(), none.next, none.missed),
        (0, last, false)
    );
    let none = orders_after(&store, first);
    assert_eq!((none.orders.len(), none.next, none.missed), (0, last, true));
    assert_eq!(store.mark_before(10, NOW + DAY + 9).unwrap(), last);
    // Numbers never come twice.
    let later = NOW + DAY + 9;
    store.place_order(&Command::EndAll, 0, later).unwrap();
    let new = orders_after(&store, last);
    assert!(new.next > last && !new.missed);
}

#[test]
fn in_a_file_that_was_put_in_the_place_of_another_orders_may_have_been_missed() {
    let store = store("ledger_exchanged");
    store.place_order(&Command::EndAll, 0, NOW).unwrap();
    let orders = orders_after(&store, Mark(500, 0));
    assert_eq!((orders.orders.len(), orders.missed), (1, true));
    assert!(!orders_after(&store, orders.next).missed);
}

#[test]
fn a_clock_that_was_set_back_hides_no_order() {
    let store = store("ledger_clock");
    for at in [NOW + 1000, NOW] {
        store.place_order(&Command::EndAll, 0, at).unwrap();
    }
    let mark = store.mark_before(10, NOW + 500).unwrap();
    let (orders, at) = (orders_after(&store, mark).orders, [NOW + 1000, NOW]);
    assert!(orders.iter().map(|order| order.at).eq(at));
}

#[test]
fn a_flood_of_addresses_pushes_out_no_failure_of_a_user() {
    const MOST: usize = 32_768;
    let store = store("ledger_flood");
    let failed = |target, when| {
        Event::Tried(Try {
            at: TriedAt::Password,
            target,
            when,
            passed: false,
        })
    };
    let alice = Target::User("alice".into());
    contract::record(&store, &[failed(alice.clone(), NOW)], NOW);
    let flood = (0..MOST as u32 + 100).map(|number| {
        let address = IpAddr::from(Ipv4Addr::from(number));
        failed(Target::Address(address), NOW + 1)
    });
    contract::record(&store, &flood.collect::<Vec<_>>(), NOW + 1);
    contract::record(&store, &[], NOW + 1);
    let failures = store.failures(NOW).unwrap();
    assert_eq!((failures.len(), &failures[0].target), (MOST + 1, &alice));
    let newest = Ipv4Addr::from(MOST as u32 + 99);
    assert_eq!(failures[MOST].target, Target::Address(newest.into()));
    contract::record(&store, &[], NOW + DAY + 2);
    assert!(store.failures(0).unwrap().is_empty());
}

#[test]
fn all_who_open_a_store_at_once_agree_on_one_secret() {
    let path = folder("ledger_secret").join("db.sqlite3");
    let start = Barrier::new(8);
    let secrets: Vec<_> = thread::scope(|scope| {
        let openers = [0; 8].iter().zip(1..).map(|(_, number)| {
            let (path, start) = (&path, &start);
            scope.spawn(move || {
                start.wait();
                open(path).unwrap().secret(&[number; 32]).unwrap()
            })
        });
        let openers: Vec<_> = openers.collect();
        openers.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(secrets.iter().all(|secret| *secret == secrets[0]));
}

#[test]
fn a_thousand_events_of_many_at_once_are_all_written_down() {
    let first = store("ledger_crowd");
    let second = open(first.path()).unwrap();
    thread::scope(|scope| {
        for turn in 0..8_u8 {
            let store = [&first, &second][usize::from(turn) % 2];
            scope.spawn(move || {
                for number in (0..248).filter(|number| number % 8 == turn) {
                    let events = [started(session(number, "alice", NOW))];
                    assert!(contract::record(store, &events, NOW).is_empty());
                    store.fetch(&[number; 32], NOW).unwrap().unwrap();
                }
            });
        }
    });
    assert_eq!(listed(&second, Some("alice"), NOW).len(), 248);
    let orders = second.orders_after(Mark::default(), 9, Duration::from_secs(9));
    assert!(
        orders.unwrap().orders.is_empty(),
        "nor does it wait for any"
    );
}
