//! What workers tell may come late, twice, or in another order than it happened.

use ngx_http_auth_gate_module::store::{TriedAt, Try};

use super::*;

pub fn news_of_a_session_that_is_over_do_not_bring_it_back(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    record(&*ledger, &[ended(1)], now);
    let late = [
        started(session(1, "alice", now - 5)),
        Event::Used(used(1, "alice", now - 5, now + 1)),
    ];
    for event in late {
        assert_eq!(record(&*store.open(), &[event], now + 1), [1]);
        assert!(listed(&*ledger, None, now + 1).is_empty());
    }
    assert_eq!(fetch(&*ledger, 1, now + 1), None);
}

pub fn a_lost_session_is_kept_anew_when_it_is_used(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    let used = used(1, "alice", now - 500, now);
    assert!(record(&*ledger, &[Event::Used(used.clone())], now).is_empty());
    assert_eq!(fetch(&*store.open(), 1, now), Some(used));
}

pub fn a_lost_session_that_was_ended_with_all_of_its_user_is_over(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    ledger
        .place_order(&end_user("alice", Some(3)), 0, now)
        .unwrap();
    let news = [(1, "alice", 5), (2, "bob", 5), (3, "alice", 5)]
        .map(|(number, user, age)| Event::Used(used(number, user, now - age, now + 1)));
    assert_eq!(record(&*ledger, &news, now + 1), [1]);
    ledger.place_order(&Command::EndAll, 0, now + 2).unwrap();
    let news = [4, 5].map(|number| Event::Used(used(number, "bob", now - 5, now + 3)));
    assert_eq!(record(&*ledger, &news, now + 3), [4, 5]);
    assert!(listed(&*ledger, None, now + 3).is_empty());
}

pub fn older_news_of_a_use_change_nothing(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    let newest = used(1, "alice", now - 9, now);
    record(&*ledger, &[Event::Used(newest.clone())], now);
    let older = [
        Event::Used(used(1, "alice", now - 9, now - 5)),
        started(session(1, "alice", now - 9)),
    ];
    assert!(record(&*store.open(), &older, now + 1).is_empty());
    assert_eq!(fetch(&*ledger, 1, now + 1), Some(newest));
}

pub fn writing_down_once_more_does_no_harm(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    let events = [
        started(session(1, "alice", now)),
        started(session(2, "bob", now)),
        replacing(1, session(3, "alice", now)),
        Event::Used(used(3, "alice", now, now + 2)),
        ended(2),
        Event::Banned(ban(user("bob"), BannedBy::Regulation, now, now + 60)),
    ];
    let state = || {
        let bans = ledger.bans(now + 3).unwrap();
        (ledger.sessions(None, now + 3).unwrap(), bans)
    };
    record(&*ledger, &events, now + 2);
    let once = state();
    assert_eq!((once.0.len(), once.1.len()), (1, 1));
    // Nothing that lasts is called over, in whatever part it is told again.
    for part in [&events[..], &events[2..], &events[2..3], &events[3..]] {
        let over = record(&*store.open(), part, now + 3);
        assert!(!over.contains(&3), "{over:?}");
        assert_eq!(state(), once);
    }
}

pub fn a_ban_that_was_taken_back_does_not_come_back(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    let revoke = Command::Revoke(user("bob"));
    ledger.place_order(&revoke, 0, now + 5).unwrap();
    let told = |target, created| {
        let ban = ban(target, BannedBy::Regulation, created, now + 9000);
        record(&*ledger, &[Event::Banned(ban)], now + 6);
        ledger.bans(now + 6).unwrap().len()
    };
    assert_eq!(told(user("bob"), now + 4), 0);
    assert_eq!(told(user("alice"), now + 4), 1);
    assert_eq!(told(user("bob"), now + 6), 2);
}

fn tried(name: &str, when: u64, passed: bool) -> Event {
    Event::Tried(Try {
        at: TriedAt::Password,
        target: user(name),
        when,
        passed,
    })
}

fn failed(ledger: &dyn Ledger, since: u64) -> Vec<(String, u64)> {
    let failures = ledger.failures(since).unwrap();
    let name = |target| match target {
        Target::User(name) => name,
        Target::Address(address) => address.to_string(),
    };
    failures
        .into_iter()
        .map(|tried| (name(tried.target), tried.when))
        .collect()
}

pub fn a_failure_from_before_a_success_does_not_count(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    record(&*ledger, &[tried("bob", now, true)], now);
    let late = [-5, 5].map(|after| tried("bob", now.saturating_add_signed(after), false));
    record(&*store.open(), &late, now + 5);
    record(&*ledger, &[tried("alice", now - 5, false)], now + 5);
    let counted = [("alice".into(), now - 5), ("bob".into(), now + 5)];
    assert_eq!(failed(&*ledger, now - 60), counted);
    // Nor does a success that is told of late make up for what came after it.
    record(&*ledger, &[tried("bob", now + 3, true)], now + 6);
    assert_eq!(failed(&*ledger, now - 60), counted);
}

pub fn a_failure_from_before_its_user_was_forgiven_does_not_count(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    let revoke = Command::Revoke(user("bob"));
    ledger.place_order(&revoke, 0, now + 5).unwrap();
    let late = [4, 6].map(|after| tried("bob", now + after, false));
    record(&*ledger, &late, now + 6);
    assert_eq!(failed(&*ledger, now), [("bob".into(), now + 6)]);
}
