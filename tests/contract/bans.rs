//! Bans and the attempts that may lead to some.

use std::net::IpAddr;

use ngx_http_auth_gate_module::store::{TriedAt, Try};

use super::*;

fn address() -> IpAddr {
    "192.0.2.1".parse().unwrap()
}

fn told(ban: Ban) -> Event {
    Event::Banned(ban)
}

pub fn bans_are_listed_until_they_end(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    let by = BannedBy::Regulation;
    let bob = ban(user("bob"), by, now, now + 300);
    let network = ban(
        Target::Address("2001:db8::".parse().unwrap()),
        by,
        now,
        now + 900,
    );
    let place = ban(
        Target::Address(address()),
        BannedBy::SecondFactors,
        now,
        now + 600,
    );
    let events = [&bob, &network, &place].map(|ban| told(ban.clone()));
    record(&*ledger, &events, now);
    for ledger in [ledger, store.open()] {
        let list = |now| ledger.bans(now).unwrap();
        assert_eq!(list(now), [network.clone(), place.clone(), bob.clone()]);
        assert_eq!(list(now + 599), [network.clone(), place.clone()]);
        assert_eq!(list(now + 600), std::slice::from_ref(&network));
        assert!(list(now + 900).is_empty());
    }
}

/// By whom, and for how long from `now` on.
fn lengths(ledger: &dyn Ledger, now: u64) -> Vec<(BannedBy, u64)> {
    let bans = ledger.bans(now).unwrap();
    bans.iter().map(|ban| (ban.by, ban.until - now)).collect()
}

pub fn a_ban_neither_hides_nor_shortens_another(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    let events = [
        told(ban(user("bob"), BannedBy::Regulation, now + 1, now + 9000)),
        told(ban(user("bob"), BannedBy::SecondFactors, now, now + 300)),
        // Of another worker, and late.
        told(ban(user("bob"), BannedBy::Regulation, now, now + 60)),
        told(ban(
            Target::Address(address()),
            BannedBy::Regulation,
            now,
            now + 90,
        )),
    ];
    record(&*ledger, &events, now + 1);
    let said = ban(user("bob"), BannedBy::Administrator, now, now + 30);
    assert_eq!(ledger.place_order(&Command::Ban(said), 0, now).unwrap(), 1);
    let expected = [
        (BannedBy::Regulation, 9000),
        (BannedBy::SecondFactors, 300),
        (BannedBy::Regulation, 90),
        (BannedBy::Administrator, 30),
    ];
    assert_eq!(lengths(&*store.open(), now), expected);
    let newest = ledger.bans(now).unwrap().remove(0);
    assert_eq!(newest.created, now + 1);
}

pub fn the_last_word_of_an_administrator_counts(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    for until in [300, 9000, 60] {
        let said = ban(user("bob"), BannedBy::Administrator, now, now + until);
        ledger.place_order(&Command::Ban(said), 0, now).unwrap();
        let expected = [(BannedBy::Administrator, until)];
        assert_eq!(lengths(&*store.open(), now), expected);
    }
}

fn tried(at: TriedAt, target: Target, when: u64, passed: bool) -> Try {
    Try {
        at,
        target,
        when,
        passed,
    }
}

pub fn failures_count_until_a_success(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    let (password, factor) = (TriedAt::Password, TriedAt::SecondFactor);
    let failures = [
        tried(password, user("bob"), now - 5, false),
        tried(password, Target::Address(address()), now - 4, false),
        tried(factor, user("bob"), now - 3, false),
        tried(password, user("alice"), now - 2, false),
    ];
    let mut newest_first = failures.clone().map(Event::Tried);
    newest_first.reverse();
    record(&*ledger, &newest_first, now);
    let other = store.open();
    assert_eq!(other.failures(now - 60).unwrap(), failures);
    assert_eq!(other.failures(now - 3).unwrap(), failures[2..]);
    let passed = Event::Tried(tried(password, user("bob"), now, true));
    record(&*other, &[passed], now);
    assert_eq!(ledger.failures(now - 60).unwrap(), failures[1..]);
    // Several within a second are several, and those behind a success count again.
    let again = tried(password, user("bob"), now, false);
    let twice = [again.clone(), again.clone()].map(Event::Tried);
    record(&*ledger, &twice, now);
    let counted = ledger.failures(now - 60).unwrap();
    assert_eq!(counted[..3], failures[1..]);
    assert_eq!(counted[3..], [again.clone(), again]);
}

pub fn forgiving_somebody_forgets_bans_and_failures(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    let failed = |target| Event::Tried(tried(TriedAt::Password, target, now, false));
    let events = [
        told(ban(user("bob"), BannedBy::Regulation, now, now + 300)),
        told(ban(user("bob"), BannedBy::SecondFactors, now, now + 300)),
        told(ban(
            Target::Address(address()),
            BannedBy::Regulation,
            now,
            now + 300,
        )),
        failed(user("bob")),
        failed(Target::Address(address())),
        Event::Tried(tried(TriedAt::SecondFactor, user("bob"), now, false)),
    ];
    record(&*ledger, &events, now);
    let said = ban(user("bob"), BannedBy::Administrator, now, now + 30);
    ledger.place_order(&Command::Ban(said), 0, now).unwrap();
    let revoke = Command::Revoke(user("bob"));
    assert_eq!(ledger.place_order(&revoke, 0, now + 1).unwrap(), 3);
    let other = store.open();
    let bans = other.bans(now + 1).unwrap();
    assert_eq!(
        (bans.len(), &bans[0].target),
        (1, &Target::Address(address()))
    );
    let failures = other.failures(now - 60).unwrap();
    assert_eq!(failures.len(), 1);
    assert_eq!(ledger.place_order(&revoke, 0, now + 2).unwrap(), 0);
    // What an administrator says next counts at once.
    let said = ban(user("bob"), BannedBy::Administrator, now + 2, now + 30);
    ledger.place_order(&Command::Ban(said), 0, now + 2).unwrap();
    assert_eq!(other.bans(now + 2).unwrap().len(), 2);
}
