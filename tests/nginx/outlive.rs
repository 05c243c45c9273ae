//! Sessions outlive the process: whatever happens to nginx, who was signed in is, and who was signed out stays so.

use std::fs;
use std::time::Instant;

use rusqlite::Connection;
use serde_json::json;

use super::harness::site::SESSION;
use super::harness::visitor::PORTAL;
use super::harness::{Ask, Site, Visitor, until};
use super::storage::bed;

const APP: &str = "app.example.com";
const BY_USER: &str = "regulation: { modes: [user], max_retries: 3, find_time: 2m, ban_time: 5m }";

fn is_out(visitor: &mut Visitor<'_>) {
    assert_eq!(visitor.page(APP, "/x").status, 302);
}

/// A gate whose cookies are made with a key that only the store has.
fn without_secret() -> Site {
    bed().session(&SESSION.replace("  secret: an insecure secret for tests\n", ""))
}

#[test]
fn a_restart_signs_nobody_out() {
    for site in [bed(), without_secret()] {
        let gate = site.workers(2).start();
        let mut alice = gate.signed_in("alice");
        let mut bob = gate.signed_in("bob");
        assert!(alice.reaches("/x"));
        gate.restart();
        assert!(alice.reaches("/x") && bob.reaches("/x"));
        let answer = alice.send(&Ask::api("GET", PORTAL, "/api/state", &json!({})));
        assert!(answer.text().contains("\"alice\""), "{}", answer.text());
    }
}

#[test]
fn a51_a_machine_that_loses_its_power_signs_nobody_out() {
    let gate = without_secret()
        .workers(2)
        .tolerate("exited on signal 9")
        .start();
    let mut alice = gate.signed_in("alice");
    gate.kill();
    gate.start_anew();
    assert!(alice.reaches("/x"));
}

#[test]
fn a45_who_signed_out_before_a_restart_is_out_after_it() {
    let gate = bed().start();
    let mut alice = gate.signed_in("alice");
    let mut stolen = alice.clone();
    assert_eq!(alice.sign_out().status, 200);
    is_out(&mut stolen);
    gate.restart();
    is_out(&mut stolen);
    let mut again = gate.signed_in("alice");
    assert!(again.reaches("/x"));
}

#[test]
fn a44_the_id_before_a_step_up_is_dead_after_a_restart_too() {
    let gate = bed().start();
    let mut old = gate.signed_in("alice");
    let mut new = old.clone();
    new.sign_in("alice", "password");
    assert_ne!(old.session().value, new.session().value);
    gate.restart();
    is_out(&mut old);
    assert!(new.reaches("/x"));
}

#[test]
fn a58_failures_and_bans_outlive_a_restart() {
    let gate = bed().yaml(BY_USER).start();
    let fails = |user: &str| assert_eq!(gate.visitor().sign_in(user, "wrong").status, 401);
    for _ in 0..2 {
        fails("alice");
    }
    for _ in 0..3 {
        fails("bob");
    }
    gate.restart();
    until("what was counted to be there", || {
        let answer = gate.visitor().sign_in("bob", "password");
        (answer.status == 401).then_some(())
    });
    fails("alice");
    let answer = gate.visitor().sign_in("alice", "password");
    assert_eq!(answer.status, 401, "the third failure bans");
}

#[test]
fn a51_a_session_that_made_room_in_a_full_zone_comes_back_when_it_is_used() {
    let conf = "auth_gate_config @prefix@/configuration.yml; auth_gate_zone auth_gate:240k;";
    let gate = bed().http_only(conf).start();
    let mut first = gate.signed_in("alice");
    // More than the smallest zone holds, without asking in between: asking is using.
    let mut last = gate.signed_in("bob");
    (0..800).for_each(|_| last = gate.signed_in("bob"));
    assert!(gate.log().contains("the zone is full"));
    assert!(first.reaches("/x") && last.reaches("/x"));
    assert!(first.page(APP, "/x").text().contains("Remote-User: alice"));
}

#[test]
fn a73_with_the_store_gone_who_is_known_goes_on_and_nobody_else_is_let_in() {
    let gate = bed().http("auth_gate_store_grace 15m;").start();
    let mut alice = gate.signed_in("alice");
    let mut bob = gate.signed_in("bob");
    gate.restart();
    assert!(alice.reaches("/x"), "known again");
    let (here, away) = (gate.prefix().join("store"), gate.prefix().join("away"));
    fs::rename(&here, &away).unwrap();
    assert!(alice.reaches("/x"));
    let answer = bob.page(APP, "/x");
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.header("Retry-After").is_some());
    assert!(answer.text().contains("<html"), "{}", answer.text());
    assert_eq!(gate.page("public.example.com", "/").status, 200);
    assert_eq!(gate.page(APP, "/x").status, 302, "no cookie, no question");
    assert_eq!(gate.visitor().sign_in("bob", "password").status, 503);
    fs::rename(&away, &here).unwrap();
    until("the store to be asked again", || {
        bob.page(APP, "/x").is(200)
    });
    until("a sign-in", || {
        gate.visitor().sign_in("bob", "password").is(200)
    });
    let log = gate.log();
    assert_eq!(log.matches("event=outage").count(), 1, "{log}");
    until("the end to be said", || {
        let count = gate.log().matches("event=recovery").count();
        (count == 1).then_some(())
    });
}

#[test]
fn a73_after_the_grace_nothing_that_is_known_counts_any_more() {
    let gate = bed().http("auth_gate_store_grace 1s;").start();
    let mut alice = gate.signed_in("alice");
    let (here, away) = (gate.prefix().join("store"), gate.prefix().join("away"));
    fs::rename(&here, &away).unwrap();
    until("the grace to be over", || alice.page(APP, "/x").is(503));
    assert_eq!(gate.page(APP, "/x").status, 302);
    fs::rename(&away, &here).unwrap();
    until("the store to be back", || alice.page(APP, "/x").is(200));
}

#[test]
fn a45_a_sign_out_while_the_store_is_gone_holds_when_it_is_back() {
    let gate = bed().start();
    let mut alice = gate.signed_in("alice");
    let mut stolen = alice.clone();
    let (here, away) = (gate.prefix().join("store"), gate.prefix().join("away"));
    fs::rename(&here, &away).unwrap();
    assert_eq!(alice.sign_out().status, 503);
    is_out(&mut stolen);
    fs::rename(&away, &here).unwrap();
    until("the store to be back", || {
        gate.visitor().sign_in("bob", "password").is(200)
    });
    is_out(&mut stolen);
    gate.restart();
    is_out(&mut stolen);
}

#[test]
fn a_store_that_others_hold_costs_each_visitor_its_time_out_at_most() {
    let gate = bed().yaml("regulation: { max_retries: 0 }").start();
    let mut alice = gate.signed_in("alice");
    gate.signed_in("bob");
    let lock = Connection::open(gate.prefix().join("store/db.sqlite3")).unwrap();
    lock.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..24 {
            scope.spawn(|| {
                let answer = gate.visitor().sign_in("bob", "password");
                assert_eq!(answer.status, 503, "{}", answer.text());
            });
        }
    });
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
    assert!(alice.reaches("/x"));
    lock.execute_batch("COMMIT").unwrap();
    until("a sign-in", || {
        gate.visitor().sign_in("bob", "password").is(200)
    });
}
