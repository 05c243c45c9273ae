//! What is written down of sessions and bans, and the orders of the command line.

use std::net::IpAddr;

use ngx_http_auth_gate_module::store::{
    Ban, BannedBy, Command, Event, Ledger, LedgerSession, Target,
};

use super::fixture::{NOW, open, store};

fn session(number: u8, user: &str) -> LedgerSession {
    LedgerSession {
        key: [number; 32],
        user: user.into(),
        domain: "example.com".into(),
        address: "2001:db8::1".parse().unwrap(),
        device: "Firefox on Linux".into(),
        methods: vec!["password".into(), "totp".into()],
        remember: true,
        created: NOW + u64::from(number),
        last_used: NOW + u64::from(number),
        ends: NOW + 3600,
    }
}

fn keys(store: &dyn Ledger, user: Option<&str>, now: u64) -> Vec<u8> {
    let sessions = store.sessions(user, now).unwrap();
    sessions.iter().map(|session| session.key[0]).collect()
}

#[test]
fn sessions_are_listed_as_they_were_written_down_until_they_end() {
    let store = store("ledger_sessions");
    let started: Vec<_> = [(1, "alice"), (2, "bob"), (3, "alice")]
        .map(|(number, user)| Event::Started(session(number, user)))
        .into();
    store.record(&started, NOW).unwrap();
    let again = open(store.path()).unwrap();
    assert_eq!(keys(&again, None, NOW), [3, 2, 1]);
    assert_eq!(
        again.sessions(Some("bob"), NOW).unwrap(),
        [session(2, "bob")]
    );
    let used = Event::Used {
        key: [1; 32],
        at: NOW + 60,
        ends: NOW + 4000,
    };
    store.record(&[used], NOW + 60).unwrap();
    assert_eq!(keys(&store, None, NOW + 3600), [1]);
    let found = store.sessions(None, NOW + 3600).unwrap();
    assert_eq!((found[0].last_used, found[0].ends), (NOW + 60, NOW + 4000));
    assert!(keys(&store, None, NOW + 4000).is_empty());
    store.record(&[Event::Ended([1; 32])], NOW).unwrap();
    assert_eq!(keys(&store, None, NOW), [3, 2]);
}

#[test]
fn late_news_of_a_session_that_is_over_do_not_bring_it_back() {
    let store = store("ledger_late");
    store.record(&[Event::Ended([1; 32])], NOW).unwrap();
    let late = [
        Event::Started(session(1, "alice")),
        Event::Used {
            key: [1; 32],
            at: NOW,
            ends: NOW + 9000,
        },
    ];
    store.record(&late, NOW + 1).unwrap();
    assert!(keys(&store, None, NOW + 1).is_empty());
    let rows = || -> i64 {
        let raw = rusqlite::Connection::open(store.path()).unwrap();
        raw.query_one("SELECT count(*) FROM sessions", [], |row| row.get(0))
            .unwrap()
    };
    assert_eq!(rows(), 1);
    store.record(&[], NOW + 3600).unwrap();
    assert_eq!(rows(), 0, "what is over is forgotten");
}

#[test]
fn sessions_of_memory_that_is_gone_are_over() {
    let store = store("ledger_emptied");
    let started = [1, 2, 9].map(|number| Event::Started(session(number, "alice")));
    store.record(&started, NOW).unwrap();
    store
        .record(&[Event::Emptied { at: NOW + 5 }], NOW + 5)
        .unwrap();
    assert_eq!(keys(&store, None, NOW + 5), [9]);
}

#[test]
fn an_order_is_for_every_worker_and_counts_at_once() {
    let store = store("ledger_orders");
    let started = [(1, "alice"), (2, "bob"), (3, "alice"), (4, "carol")]
        .map(|(number, user)| Event::Started(session(number, user)));
    store.record(&started, NOW).unwrap();
    let at = NOW + 10;
    let place = |command: Command| store.place_order(&command, at).unwrap();
    let alice = Target::User("alice".into());
    let commands = [
        Command::EndSession([2; 32]),
        Command::EndUser("alice".into()),
        Command::Ban(alice.clone(), at + 60),
        Command::Revoke(alice),
        Command::EndAll,
    ];
    assert_eq!(commands.clone().map(place), [1, 2, 1, 1, 1]);
    assert!(keys(&store, None, at).is_empty());
    assert_eq!(place(Command::EndSession([2; 32])), 0, "it was over");
    let orders = store.orders_after(0, 100).unwrap();
    let told: Vec<_> = orders.iter().map(|order| order.command.clone()).collect();
    assert_eq!(told[..5], commands);
    assert!(orders.iter().all(|order| order.at == at));
    let ids: Vec<_> = orders.iter().map(|order| order.id).collect();
    assert!(ids.is_sorted());
    let first = store.orders_after(0, 2).unwrap();
    assert_eq!(first, orders[..2]);
    assert_eq!(store.orders_after(first[1].id, 100).unwrap(), orders[2..]);
    assert!(store.orders_after(ids[5], 100).unwrap().is_empty());
    assert_eq!(store.last_order_before(at).unwrap(), 0);
    assert_eq!(store.last_order_before(at + 1).unwrap(), ids[5]);
}

#[test]
fn a_session_that_began_after_the_order_lasts() {
    let store = store("ledger_order_age");
    let started = [1, 9].map(|number| Event::Started(session(number, "alice")));
    store.record(&started, NOW).unwrap();
    let ended = store.place_order(&Command::EndAll, NOW + 5).unwrap();
    assert_eq!((ended, keys(&store, None, NOW + 5)), (1, vec![9]));
    // Those that are told of late are judged by when they began.
    let late = [2, 8].map(|number| Event::Started(session(number, "bob")));
    store.record(&late, NOW + 9).unwrap();
    assert_eq!(keys(&store, None, NOW + 9), [9, 8]);
}

#[test]
fn numbers_of_orders_never_come_twice() {
    let store = store("ledger_numbers");
    store.place_order(&Command::EndAll, NOW).unwrap();
    let first = store.orders_after(0, 10).unwrap()[0].id;
    let later = NOW + 3 * 24 * 60 * 60;
    store.record(&[], later).unwrap();
    assert!(store.orders_after(0, 10).unwrap().is_empty());
    store.place_order(&Command::EndAll, later).unwrap();
    assert!(store.orders_after(first, 10).unwrap()[0].id > first);
}

#[test]
fn bans_are_listed_until_they_end_and_the_administrators_word_counts() {
    let store = store("ledger_bans");
    let address: IpAddr = "192.0.2.1".parse().unwrap();
    let ban = |target: Target, until| Ban {
        target,
        until,
        created: NOW,
        by: BannedBy::Regulation,
    };
    let counted = [
        Event::Banned(ban(Target::User("bob".into()), NOW + 300)),
        Event::Banned(ban(Target::Address(address), NOW + 600)),
    ];
    store.record(&counted, NOW).unwrap();
    assert_eq!(
        store.bans(NOW).unwrap(),
        [
            ban(Target::Address(address), NOW + 600),
            ban(Target::User("bob".into()), NOW + 300)
        ]
    );
    let said = Command::Ban(Target::User("bob".into()), NOW + 9000);
    store.place_order(&said, NOW).unwrap();
    store.record(&counted, NOW + 1).unwrap();
    let bans = store.bans(NOW + 600).unwrap();
    assert_eq!(bans.len(), 1);
    assert_eq!(
        (bans[0].until, bans[0].by),
        (NOW + 9000, BannedBy::Administrator)
    );
    assert!(store.bans(NOW + 9000).unwrap().is_empty());
}

fn told(by: BannedBy, created: u64, until: u64) -> Event {
    Event::Banned(Ban {
        target: Target::User("bob".into()),
        until,
        created,
        by,
    })
}

#[test]
fn a_ban_neither_hides_nor_shortens_another() {
    let store = store("ledger_bans_by");
    let told = [
        told(BannedBy::Regulation, NOW + 1, NOW + 9000),
        told(BannedBy::SecondFactors, NOW, NOW + 300),
        // Of another worker, and late.
        told(BannedBy::Regulation, NOW, NOW + 60),
    ];
    store.record(&told, NOW + 2).unwrap();
    let said = Command::Ban(Target::User("bob".into()), NOW + 30);
    store.place_order(&said, NOW + 2).unwrap();
    let bans = store.bans(NOW + 2).unwrap();
    let kept: Vec<_> = bans.iter().map(|ban| (ban.by, ban.until - NOW)).collect();
    let expected = [
        (BannedBy::Regulation, 9000),
        (BannedBy::SecondFactors, 300),
        (BannedBy::Administrator, 30),
    ];
    assert_eq!(kept, expected);
    let revoke = Command::Revoke(Target::User("bob".into()));
    assert_eq!(store.place_order(&revoke, NOW + 3).unwrap(), 3);
    assert!(store.bans(NOW + 3).unwrap().is_empty());
}

#[test]
fn late_news_of_a_ban_that_was_taken_back_do_not_bring_it_back() {
    let store = store("ledger_bans_late");
    let revoke = Command::Revoke(Target::User("bob".into()));
    store.place_order(&revoke, NOW + 5).unwrap();
    let late = told(BannedBy::Regulation, NOW + 4, NOW + 9000);
    store.record(&[late], NOW + 6).unwrap();
    assert!(store.bans(NOW + 6).unwrap().is_empty());
    let new = told(BannedBy::Regulation, NOW + 6, NOW + 9000);
    store.record(&[new], NOW + 7).unwrap();
    assert_eq!(store.bans(NOW + 7).unwrap().len(), 1);
    // What an administrator says next counts at once.
    store.place_order(&revoke, NOW + 8).unwrap();
    let said = Command::Ban(Target::User("bob".into()), NOW + 90);
    store.place_order(&said, NOW + 8).unwrap();
    assert_eq!(store.bans(NOW + 8).unwrap().len(), 1);
}
