//! How sessions begin, last and end.

use super::*;

pub fn a_session_comes_back_as_it_was_written_down(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    let first = session(1, "alice", now);
    assert!(record(&*ledger, &[started(first.clone())], now).is_empty());
    for ledger in [ledger, store.open()] {
        assert_eq!(fetch(&*ledger, 1, now), Some(first.clone()));
        assert_eq!(fetch(&*ledger, 2, now), None);
        for user in [None, Some("alice")] {
            let listed = ledger.sessions(user, now).unwrap();
            assert_eq!(listed, std::slice::from_ref(&first));
        }
        assert!(listed(&*ledger, Some("bob"), now).is_empty());
        assert_eq!(listed(&*ledger, None, first.ends - 1), [1]);
        assert!(listed(&*ledger, None, first.ends).is_empty());
        assert_eq!(fetch(&*ledger, 1, first.ends), None);
    }
}

pub fn what_is_in_a_session_comes_back_to_the_byte(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    let odd = LedgerSession {
        user: "ä {\"x\"}\n:*%\0'".into(),
        domain: "xn--bcher-kva.example".into(),
        address: "192.0.2.1".parse().unwrap(),
        device: String::new(),
        methods: Vec::new(),
        remember: false,
        record: longest_record(),
        ..session(1, "", now)
    };
    let many = LedgerSession {
        methods: ["password", "totp", "webauthn", "user verified"]
            .map(Into::into)
            .into(),
        record: vec![0],
        ..session(2, &"x".repeat(140), now)
    };
    let events = [started(odd.clone()), started(many.clone())];
    record(&*ledger, &events, now);
    assert_eq!(fetch(&*ledger, 1, now), Some(odd.clone()));
    assert_eq!(fetch(&*ledger, 2, now), Some(many));
    assert_eq!(ledger.sessions(Some(&odd.user), now).unwrap(), [odd]);
}

pub fn a_session_that_is_used_ends_later(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    record(&*ledger, &[started(session(1, "alice", now))], now);
    let used = used(1, "alice", now, now + 500);
    assert!(record(&*ledger, &[Event::Used(used.clone())], now + 500).is_empty());
    assert_eq!(fetch(&*store.open(), 1, now + 1000), Some(used));
    assert_eq!(fetch(&*ledger, 1, now + 1100), None);
}

pub fn a_session_that_has_ended_is_over_for_everybody(store: &dyn Store) {
    let (first, second, now) = (store.open(), store.open(), now());
    let both = [1, 2].map(|number| started(session(number, "alice", now)));
    record(&*first, &both, now);
    assert!(record(&*second, &[ended(1)], now + 1).is_empty());
    for ledger in [first, second] {
        assert_eq!(fetch(&*ledger, 1, now + 1), None);
        assert_eq!(listed(&*ledger, None, now + 1), [2]);
        assert_eq!(listed(&*ledger, Some("alice"), now + 1), [2]);
    }
}

pub fn a_session_takes_the_place_of_another(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    record(&*ledger, &[started(session(1, "alice", now))], now);
    let second = session(2, "alice", now);
    let over = record(&*ledger, &[replacing(1, second.clone())], now + 1);
    assert!(over.is_empty());
    assert_eq!(listed(&*store.open(), None, now + 1), [2]);
    assert_eq!(fetch(&*ledger, 2, now + 1), Some(second));
    assert_eq!(commands(&*ledger), [Command::EndSession([1; 32])]);
    // A request that was under way with the old one.
    let late = Event::Used(used(1, "alice", now, now + 2));
    assert_eq!(record(&*ledger, &[late], now + 2), [1]);
    assert_eq!(listed(&*ledger, None, now + 2), [2]);
}

pub fn what_takes_the_place_of_a_session_that_is_over_is_over(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    let three = [1, 3, 5].map(|number| started(session(number, "alice", now)));
    record(&*ledger, &three, now);
    record(&*ledger, &[ended(1)], now + 1);
    ledger
        .place_order(&end_user("alice", Some(5)), 0, now + 1)
        .unwrap();
    for (old, new) in [(1, 2), (3, 4)] {
        let late = replacing(old, session(new, "alice", now));
        assert_eq!(record(&*ledger, &[late], now + 2), [new]);
        let used = Event::Used(used(new, "alice", now, now + 3));
        assert_eq!(record(&*ledger, &[used], now + 3), [new], "and stays so");
    }
    // The one that goes on goes on under another key, too, though it began before the order.
    let next = replacing(5, session(6, "alice", now));
    assert!(record(&*ledger, &[next], now + 3).is_empty());
    assert_eq!(listed(&*ledger, None, now + 3), [6]);
}

pub fn a_session_may_take_the_place_of_one_that_was_lost(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    let new = replacing(1, session(2, "alice", now));
    assert!(record(&*ledger, &[new], now + 1).is_empty());
    assert_eq!(listed(&*ledger, None, now + 1), [2]);
    let late = Event::Used(used(1, "alice", now, now + 2));
    assert_eq!(record(&*ledger, &[late], now + 2), [1]);
}

pub fn the_sessions_of_a_user_end_but_one(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    let names = [(1, "alice"), (2, "bob"), (3, "alice"), (4, "alice")];
    let events = names.map(|(number, user)| started(session(number, user, now)));
    record(&*ledger, &events, now);
    let place = |command, at| ledger.place_order(&command, 7, at).unwrap();
    assert_eq!(place(end_user("alice", Some(3)), now + 1), 2);
    let other = store.open();
    assert_eq!(listed(&*other, Some("alice"), now + 1), [3]);
    assert_eq!(listed(&*other, Some("bob"), now + 1), [2]);
    // Somebody else's key keeps nothing alive.
    assert_eq!(place(end_user("alice", Some(2)), now + 2), 1);
    assert_eq!(place(end_user("alice", None), now + 3), 0);
    assert_eq!(listed(&*other, None, now + 3), [2]);
    // He may come back at once.
    let back = started(session(5, "alice", now + 3));
    assert!(record(&*ledger, &[back], now + 3).is_empty());
    assert_eq!(listed(&*other, Some("alice"), now + 3), [5]);
}

pub fn all_sessions_end_at_once(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    // One was made by a machine whose clock is fast.
    let events = [(1, "alice", now), (2, "bob", now + 30), (3, "carol", now)]
        .map(|(number, user, created)| started(session(number, user, created)));
    record(&*ledger, &events, now);
    record(&*ledger, &[ended(3)], now);
    assert_eq!(ledger.place_order(&Command::EndAll, 7, now + 1).unwrap(), 2);
    assert!(listed(&*store.open(), None, now + 1).is_empty());
    assert!(listed(&*ledger, Some("bob"), now + 1).is_empty());
    assert_eq!(ledger.place_order(&Command::EndAll, 7, now + 2).unwrap(), 0);
    let news = [1, 2].map(|number| Event::Used(used(number, "alice", now, now + 40)));
    assert_eq!(record(&*ledger, &news, now + 40), [1, 2]);
    let back = started(session(4, "alice", now + 40));
    assert!(record(&*ledger, &[back], now + 40).is_empty());
    assert_eq!(listed(&*ledger, None, now + 40), [4]);
}

pub fn one_session_ends_by_order(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    let both = [1, 2].map(|number| started(session(number, "alice", now)));
    record(&*ledger, &both, now);
    let end = Command::EndSession([1; 32]);
    let place = || ledger.place_order(&end, 0, now + 1).unwrap();
    assert_eq!((place(), place()), (1, 0));
    assert_eq!(listed(&*store.open(), None, now + 1), [2]);
    let late = Event::Used(used(1, "alice", now, now + 2));
    assert_eq!(record(&*ledger, &[late], now + 2), [1]);
}

pub fn sessions_are_listed_newest_first(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    let events = [
        (1, "alice", 3),
        (2, "bob", 1),
        (3, "alice", 4),
        (4, "bob", 2),
    ]
    .map(|(number, user, age)| started(session(number, user, now - age)));
    record(&*ledger, &events, now);
    assert_eq!(listed(&*ledger, None, now), [2, 4, 1, 3]);
    assert_eq!(listed(&*ledger, Some("alice"), now), [1, 3]);
}

pub fn many_events_are_written_down_in_one_go(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    assert!(record(&*ledger, &[], now).is_empty());
    let starts = (0..200).map(|number| started(session(number, "alice", now)));
    let ends = (0..100).map(ended);
    let news = (0..3).map(|number| Event::Used(used(number, "alice", now, now + 1)));
    let events: Vec<_> = starts.chain(ends).chain(news).collect();
    assert_eq!(record(&*ledger, &events, now + 1), [0, 1, 2]);
    assert_eq!(listed(&*ledger, None, now + 1).len(), 100);
}
