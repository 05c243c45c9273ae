//! Orders to everybody, and what all who use the store share.

use ngx_http_auth_gate_module::store::{TriedAt, Try};

use super::*;

pub fn orders_come_to_everybody_in_their_order(store: &dyn Store) {
    let (first, second, now) = (store.open(), store.open(), now());
    assert_eq!(orders_after(&*first, Mark::default()).orders, []);
    let placed = [
        Command::EndSession([2; 32]),
        end_user("ä:{}", Some(3)),
        end_user("bob", None),
        Command::Ban(ban(user("carol"), BannedBy::Administrator, now, now + 60)),
        Command::Ban(ban(
            Target::Address("2001:db8::".parse().unwrap()),
            BannedBy::Administrator,
            now,
            now + 90,
        )),
        Command::Revoke(Target::Address("192.0.2.1".parse().unwrap())),
        Command::Revoke(user("carol")),
        Command::EndAll,
    ];
    for (ledger, command) in [&first, &second].into_iter().cycle().zip(&placed) {
        ledger.place_order(command, 0, now).unwrap();
    }
    for ledger in [first, second] {
        let all = orders_after(&*ledger, Mark::default());
        let told: Vec<_> = all
            .orders
            .iter()
            .map(|order| order.command.clone())
            .collect();
        assert_eq!(told, placed);
        assert!(all.orders.is_sorted_by(|one, next| one.mark < next.mark));
        assert!(all.orders.iter().all(|order| order.at == now));
        assert_eq!((all.next, all.missed), (all.orders[7].mark, false));
    }
}

pub fn an_order_says_who_told_of_it(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    let tellers = [0, 1, 7, u64::MAX, 1 << 63];
    for (by, age) in tellers.into_iter().zip(0..) {
        ledger
            .place_order(&end_user("alice", None), by, now - age)
            .unwrap();
        ledger.record(&[ended(age as u8)], by, now - age).unwrap();
    }
    let orders = orders_after(&*store.open(), Mark::default()).orders;
    let told: Vec<_> = orders.iter().map(|order| (order.by, order.at)).collect();
    let expected = tellers
        .into_iter()
        .zip(0..)
        .map(|(by, age)| (by, now - age));
    assert_eq!(told, expected.flat_map(|one| [one; 2]).collect::<Vec<_>>());
}

pub fn a_mark_leads_to_the_orders_behind_it(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    let begun = ledger.mark_before(10, now).unwrap();
    for number in 0..5 {
        let end = Command::EndSession([number; 32]);
        ledger.place_order(&end, 0, now).unwrap();
    }
    let all = orders_after(&*ledger, begun).orders;
    assert_eq!(all.len(), 5);
    let mut mark = begun;
    let mut seen = Vec::new();
    for most in [2, 2, 2, 2] {
        let some = ledger.orders_after(mark, most, Duration::ZERO).unwrap();
        assert!(some.orders.len() <= 2 && !some.missed);
        mark = some.next;
        seen.extend(some.orders);
    }
    assert_eq!((seen, mark), (all.clone(), all[4].mark));
    // Those of the last seconds are behind the mark, older ones are not.
    let recent = ledger.mark_before(3600, now).unwrap();
    assert_eq!(orders_after(&*ledger, recent).orders, all);
    let later = ledger.mark_before(10, now + 3600).unwrap();
    let behind = orders_after(&*store.open(), later);
    assert_eq!((behind.orders.len(), behind.missed), (0, false));
    ledger.place_order(&Command::EndAll, 0, now).unwrap();
    let newest = orders_after(&*ledger, mark).orders;
    assert_eq!(newest.len(), 1);
    assert!(newest[0].mark > mark);
}

pub fn what_a_session_does_is_told_by_orders(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    let events = [1, 2].map(|number| started(session(number, "alice", now)));
    record(&*ledger, &events, now);
    let used = Event::Used(used(1, "alice", now, now + 1));
    record(&*ledger, &[used], now + 1);
    assert!(commands(&*ledger).is_empty(), "nobody need know of that");
    record(&*ledger, &[ended(1)], now + 2);
    record(&*ledger, &[replacing(2, session(3, "alice", now))], now + 2);
    let ends = [1, 2].map(|number| Command::EndSession([number; 32]));
    assert_eq!(commands(&*store.open()), ends);
}

pub fn machines_hear_of_bans_and_attempts(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    let made = ban(user("bob"), BannedBy::SecondFactors, now, now + 60);
    let tried = Try {
        at: TriedAt::SecondFactor,
        target: user("bob"),
        when: now,
        passed: false,
    };
    let events = [Event::Tried(tried.clone()), Event::Banned(made.clone())];
    record(&*ledger, &events, now);
    let orders = orders_after(&*store.open(), Mark::default()).orders;
    let told: Vec<_> = orders.iter().map(|order| order.command.clone()).collect();
    match ledger.is_shared() {
        true => {
            assert_eq!(told, [Command::Count(tried), Command::Ban(made)]);
            assert!(orders.iter().all(|order| (order.by, order.at) == (1, now)));
        }
        false => assert!(told.is_empty(), "there are no others"),
    }
}

pub fn the_secret_is_the_one_that_was_proposed_first(store: &dyn Store) {
    let (first, second) = (store.open(), store.open());
    assert_eq!(first.secret(&[1; 32]).unwrap(), [1; 32]);
    assert_eq!(second.secret(&[2; 32]).unwrap(), [1; 32]);
    assert_eq!(first.secret(&[3; 32]).unwrap(), [1; 32]);
    drop((first, second));
    assert_eq!(store.open().secret(&[4; 32]).unwrap(), [1; 32]);
}

pub fn a_store_that_works_can_be_probed(store: &dyn Store) {
    let (ledger, now) = (store.open(), now());
    ledger.probe(now).unwrap();
    ledger.probe(now + 1).unwrap();
    assert!(ledger.sessions(None, now).unwrap().is_empty());
    assert!(commands(&*ledger).is_empty());
}
