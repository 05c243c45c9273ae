//! What is written down, on one server.

use ngx_http_auth_gate_module::store::{BannedBy, Command, Event, Ledger, LedgerSession, Target};

use super::fixture::{
    BY, NOW, ban, end_user, lasts, listed, rotated, session, started, store, tried,
};
use super::servers::{Kind, Servers};

#[test]
fn a_session_is_found_and_listed_as_it_was_written_until_it_ends() {
    let servers = Servers::start(Kind::Tcp);
    let one = store(&servers);
    let events = [started(1, "alice"), started(2, "bob"), started(3, "alice")];
    assert!(one.record(&events, BY, NOW).unwrap().is_empty());
    let other = store(&servers);
    assert_eq!(other.fetch(&[2; 32], NOW).unwrap(), Some(session(2, "bob")));
    assert_eq!(listed(&other, None, NOW), [3, 2, 1]);
    assert_eq!(listed(&other, Some("alice"), NOW), [3, 1]);
    assert_eq!(
        other.sessions(Some("bob"), NOW).unwrap(),
        [session(2, "bob")]
    );
    let used = LedgerSession {
        last_used: NOW + 60,
        ends: NOW + 4000,
        record: vec![9; 512],
        ..session(1, "alice")
    };
    other.record(&[Event::Used(used.clone())], BY, NOW).unwrap();
    // Late news take nothing back.
    one.record(&[started(1, "alice")], BY, NOW).unwrap();
    assert_eq!(one.fetch(&[1; 32], NOW + 3600).unwrap(), Some(used));
    assert_eq!(listed(&one, None, NOW + 3600), [1]);
    assert!(!lasts(&one, 1, NOW + 4000));
    assert!(one.is_shared());
}

#[test]
fn what_is_over_does_not_come_back() {
    let servers = Servers::start(Kind::Tcp);
    let store = store(&servers);
    store.record(&[started(1, "alice")], BY, NOW).unwrap();
    let ends = [Event::Ended([1; 32]), Event::Ended([2; 32])];
    store.record(&ends, BY, NOW).unwrap();
    let late = [
        Event::Used(session(1, "alice")),
        started(1, "alice"),
        started(2, "bob"),
        started(3, "carol"),
    ];
    let mut over = store.record(&late, BY, NOW).unwrap();
    over.sort_unstable();
    over.dedup();
    assert_eq!(over, [[1; 32], [2; 32]]);
    assert_eq!(listed(&store, None, NOW), [3]);
    assert_eq!(store.fetch(&[1; 32], NOW).unwrap(), None);
}

#[test]
fn a_session_that_was_lost_is_kept_anew_when_it_is_used_but_not_after_an_end_of_all() {
    let mut servers = Servers::start(Kind::Tcp);
    let store = store(&servers);
    store.record(&[started(1, "alice")], BY, NOW).unwrap();
    servers.first().cli(&["flushall"]);
    let used = [Event::Used(session(1, "alice"))];
    assert!(store.record(&used, BY, NOW).unwrap().is_empty());
    assert!(lasts(&store, 1, NOW));
    store
        .place_order(&end_user("bob", None), 0, NOW + 100)
        .unwrap();
    let used = [Event::Used(session(2, "bob"))];
    assert_eq!(store.record(&used, BY, NOW + 101).unwrap(), [[2; 32]]);
    // What begins after that is none of its business.
    assert!(
        store
            .record(&[started(101, "bob")], BY, NOW + 101)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_session_comes_in_the_place_of_another_once_and_shares_its_fate() {
    let servers = Servers::start(Kind::Tcp);
    let store = store(&servers);
    store.record(&[started(1, "alice")], BY, NOW).unwrap();
    let rotation = [rotated(2, "alice", 1)];
    assert!(store.record(&rotation, BY, NOW).unwrap().is_empty());
    assert_eq!(listed(&store, Some("alice"), NOW), [2]);
    // The same once more, as after an error, does no harm; another one does not come about.
    assert!(store.record(&rotation, BY, NOW).unwrap().is_empty());
    assert_eq!(
        store.record(&[rotated(3, "alice", 1)], BY, NOW).unwrap(),
        [[3; 32]]
    );
    assert!(lasts(&store, 2, NOW) && !lasts(&store, 3, NOW));
    store.record(&[Event::Ended([2; 32])], BY, NOW).unwrap();
    assert_eq!(store.record(&rotation, BY, NOW).unwrap(), [[2; 32]]);
    assert_eq!(
        store.record(&[rotated(4, "alice", 2)], BY, NOW).unwrap(),
        [[4; 32]]
    );
    assert!(!lasts(&store, 4, NOW));
    // An end of all that came between the two holds for both.
    store.record(&[started(5, "alice")], BY, NOW).unwrap();
    store.place_order(&Command::EndAll, 0, NOW).unwrap();
    assert_eq!(
        store.record(&[rotated(6, "alice", 5)], BY, NOW).unwrap(),
        [[6; 32]]
    );
    // One of which nothing is known is in nobody's way.
    assert!(
        store
            .record(&[rotated(8, "alice", 7)], BY, NOW)
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        store.record(&[started(7, "alice")], BY, NOW).unwrap(),
        [[7; 32]]
    );
}

#[test]
fn orders_change_what_is_written_down_and_say_how_much() {
    let servers = Servers::start(Kind::Tcp);
    let store = store(&servers);
    let users = ["alice", "alice", "alice", "bob", "carol"];
    let events: Vec<_> = (1..).zip(users).map(|(n, user)| started(n, user)).collect();
    store.record(&events, BY, NOW).unwrap();
    let place = |command: Command| store.place_order(&command, 0, NOW + 10).unwrap();
    assert_eq!(place(Command::EndSession([1; 32])), 1);
    assert_eq!(place(Command::EndSession([1; 32])), 0);
    assert_eq!(place(end_user("alice", Some(3))), 1);
    assert_eq!(listed(&store, None, NOW), [5, 4, 3]);
    assert_eq!(place(end_user("alice", Some(3))), 0);
    assert!(lasts(&store, 3, NOW), "it goes on after the second, too");
    let used = [
        Event::Used(session(3, "alice")),
        Event::Used(session(2, "alice")),
    ];
    assert_eq!(store.record(&used, BY, NOW + 11).unwrap(), [[2; 32]]);
    assert_eq!(place(end_user("alice", None)), 1);
    assert_eq!(place(Command::EndAll), 2);
    assert_eq!(place(Command::EndAll), 0);
    assert!(listed(&store, None, NOW).is_empty());
    assert_eq!(
        store
            .record(&[Event::Used(session(5, "carol"))], BY, NOW)
            .unwrap(),
        [[5; 32]]
    );
    store.record(&[started(6, "alice")], BY, NOW + 20).unwrap();
    assert!(lasts(&store, 6, NOW + 20), "what begins later lasts");
}

#[test]
fn bans_of_each_who_bans_stand_side_by_side() {
    let servers = Servers::start(Kind::Tcp);
    let store = store(&servers);
    let by = |by, created, until| Event::Banned(ban("alice", by, NOW + created, NOW + until));
    let events = [
        by(BannedBy::Regulation, 0, 300),
        by(BannedBy::Regulation, 10, 200),
        by(BannedBy::Administrator, 0, 500),
        by(BannedBy::Administrator, 5, 100),
        Event::Banned(ban("bob", BannedBy::SecondFactors, NOW, NOW + 250)),
        Event::Banned(ban("carol", BannedBy::Regulation, NOW, NOW)),
    ];
    store.record(&events, BY, NOW).unwrap();
    let bans = store.bans(NOW).unwrap();
    assert_eq!(
        bans,
        [
            ban("alice", BannedBy::Regulation, NOW + 10, NOW + 300),
            ban("bob", BannedBy::SecondFactors, NOW, NOW + 250),
            ban("alice", BannedBy::Administrator, NOW + 5, NOW + 100),
        ]
    );
    assert_eq!(store.bans(NOW + 250).unwrap().len(), 1);
    let revoke = Command::Revoke(Target::User("alice".into()));
    assert_eq!(store.place_order(&revoke, 0, NOW + 20).unwrap(), 2);
    assert_eq!(store.place_order(&revoke, 0, NOW + 20).unwrap(), 0);
    // News of a ban that was taken back do not bring it back; a new one holds.
    store.record(&events[..1], BY, NOW + 21).unwrap();
    assert_eq!(store.bans(NOW + 21).unwrap().len(), 1);
    store
        .record(&[by(BannedBy::Regulation, 30, 900)], BY, NOW + 30)
        .unwrap();
    let made = Command::Ban(ban("dave", BannedBy::Administrator, NOW, NOW + 9000));
    assert_eq!(store.place_order(&made, 0, NOW).unwrap(), 1);
    assert_eq!(store.bans(NOW + 30).unwrap().len(), 3);
}

#[test]
fn failures_count_until_a_success_and_for_a_day() {
    let servers = Servers::start(Kind::Tcp);
    let store = store(&servers);
    let events: Vec<_> = [
        ("alice", 1, false),
        ("alice", 1, false),
        ("bob", 2, false),
        ("alice", 3, false),
        ("alice", 2, true),
        ("carol", 2, true),
    ]
    .map(|(user, when, passed)| Event::Tried(tried(user, NOW + when, passed)))
    .into();
    store.record(&events, BY, NOW).unwrap();
    let failures = |since| store.failures(NOW + since).unwrap();
    assert_eq!(
        failures(0),
        [tried("bob", NOW + 2, false), tried("alice", NOW + 3, false)]
    );
    assert_eq!(failures(3), [tried("alice", NOW + 3, false)]);
    assert!(failures(4).is_empty());
    let twice = Event::Tried(tried("dave", NOW + 5, false));
    store.record(&[twice.clone(), twice], BY, NOW).unwrap();
    assert_eq!(failures(5).len(), 2, "two in one second are two");
    let revoke = Command::Revoke(Target::User("dave".into()));
    store.place_order(&revoke, 0, NOW).unwrap();
    assert!(failures(5).is_empty());
    let many = (0..300).map(|n| Event::Tried(tried("eve", NOW + n, false)));
    store.record(&many.collect::<Vec<_>>(), BY, NOW).unwrap();
    let kept = store.failures(NOW).unwrap();
    let eves = kept
        .iter()
        .filter(|tried| tried.target == Target::User("eve".into()));
    assert_eq!(eves.clone().count(), 128);
    assert_eq!(eves.map(|tried| tried.when).max(), Some(NOW + 299));
}

#[test]
fn all_share_one_secret_and_everything_passes() {
    let mut servers = Servers::start(Kind::Tcp);
    let store = store(&servers);
    store.probe(NOW).unwrap();
    assert_eq!(store.secret(&[1; 32]).unwrap(), [1; 32]);
    assert_eq!(store.secret(&[2; 32]).unwrap(), [1; 32]);
    let events = [
        started(1, "alice"),
        Event::Ended([2; 32]),
        Event::Tried(tried("alice", NOW, false)),
        Event::Banned(ban("alice", BannedBy::Regulation, NOW, NOW + 300)),
    ];
    store.record(&events, BY, NOW).unwrap();
    store
        .place_order(&end_user("alice", Some(1)), 0, NOW)
        .unwrap();
    let server = servers.first();
    let keys = server.cli(&["keys", "*"]);
    assert!(keys.lines().count() > 8, "{keys}");
    assert!(!keys.contains("alice"), "{keys}");
    let lasting = ["auth-gate:epoch", "auth-gate:secret", "auth-gate:orders"];
    for key in keys.lines() {
        let ends = server.cli(&["ttl", key]).parse::<i64>().unwrap();
        let lasts = lasting.iter().any(|lasting| key.starts_with(lasting));
        assert_eq!(ends < 0, lasts, "{key} ends in {ends} seconds");
        let dump = server.cli(&["dump", key]);
        assert!(
            !dump.contains("alice") && !dump.contains("Firefox"),
            "{key}"
        );
    }
}

#[test]
fn a_crowd_ends_up_with_one_truth() {
    let servers = Servers::start(Kind::Tcp);
    let store = store(&servers);
    let many: Vec<_> = (0..=255).map(|number| started(number, "alice")).collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| store.record(&many, BY, NOW).unwrap());
        }
    });
    assert_eq!(listed(&store, Some("alice"), NOW).len(), 256);
    // Uses and ends at the same time: what has ended has ended.
    std::thread::scope(|scope| {
        for part in 0..4_u8 {
            let store = &store;
            scope.spawn(move || {
                let uses = (0..=255).map(|number| {
                    let last_used = NOW + 60 + u64::from(part);
                    let session = session(number, "alice");
                    Event::Used(LedgerSession {
                        last_used,
                        ..session
                    })
                });
                store.record(&uses.collect::<Vec<_>>(), BY, NOW).unwrap();
            });
            scope.spawn(move || {
                let ends = (part * 50..part * 50 + 50).map(|number| Event::Ended([number; 32]));
                store.record(&ends.collect::<Vec<_>>(), BY, NOW).unwrap();
            });
        }
    });
    let left = listed(&store, Some("alice"), NOW);
    assert_eq!(left.len(), 56);
    assert!(left.iter().all(|number| *number >= 200));
    assert_eq!(store.place_order(&Command::EndAll, 0, NOW).unwrap(), 56);
}
