//! The life of nginx under load: reload, binary upgrade, restart, killed workers, an exchanged module. Who is signed in
//! stays so, as himself; who signed out stays out; no lock is left behind.

use std::fs;
use std::time::{Duration, Instant};

use rusqlite::Connection as Database;
use serde_json::json;

use super::harness::crowd::{crowd, gone, people};
use super::harness::gate::signal;
use super::harness::visitor::PORTAL;
use super::harness::{Ask, Connection, Gate, Visitor, until};
use super::storage::bed;

const APP: &str = "app.example.com";

fn is_out(visitor: &mut Visitor<'_>) {
    assert_eq!(visitor.page(APP, "/x").status, 302);
}

#[test]
fn a51_reloads_and_killed_workers_sign_nobody_out() {
    let gate = bed()
        .workers(2)
        .tolerate("exited on signal 9")
        .tolerate("was locked by")
        .start();
    let (people, mut gone) = (people(&gate), gone(&gate));
    let tally = crowd(&[&gate], &people, |crowd| {
        for _ in 0..3 {
            gate.reload().unwrap();
            crowd.pass(8);
        }
        for _ in 0..6 {
            let victim = until("a worker", || gate.workers().into_iter().next());
            gate.kill_worker(victim);
            crowd.pass(8);
        }
    });
    tally.is_right();
    assert_eq!(tally.told_to_wait, 0, "{tally:?}");
    is_out(&mut gone);
}

#[test]
fn a51_restarts_and_power_losses_sign_nobody_out() {
    let gate = bed().workers(2).tolerate("exited on signal 9").start();
    let (people, mut gone) = (people(&gate), gone(&gate));
    let tally = crowd(&[&gate], &people, |crowd| {
        for _ in 0..3 {
            gate.restart();
            crowd.pass(8);
            gate.kill();
            gate.start_anew();
            crowd.pass(8);
        }
    });
    tally.is_right();
    is_out(&mut gone);
}

#[test]
fn a51_a_binary_upgrade_signs_nobody_out() {
    let gate = bed().workers(2).start();
    gate.restart_as_daemon();
    let (people, mut gone_before) = (people(&gate), gone(&gate));
    let tally = crowd(&[&gate], &people, |crowd| {
        let old = gate.master_pid();
        signal("USR2", old);
        let new = until("the new master", || {
            let pid = gate.read("nginx.pid").trim().parse().ok()?;
            (pid != old && !gate.workers_of(pid).is_empty()).then_some(pid)
        });
        crowd.pass(16);
        // While both serve: who signs out at either is out at both.
        let mut gone = gone(&gate);
        until("both to know", || {
            let refused = (0..8).all(|_| gone.page(APP, "/x").status == 302);
            refused.then_some(())
        });
        signal("WINCH", old);
        until("the old workers to end", || {
            gate.workers_of(old).is_empty().then_some(())
        });
        crowd.pass(16);
        signal("QUIT", old);
        gate.follow(new);
        crowd.pass(16);
        is_out(&mut gone);
    });
    tally.is_right();
    assert_eq!(tally.told_to_wait, 0, "{tally:?}");
    is_out(&mut gone_before);
}

/// Longer than workers look back for what they missed when they begin, in seconds.
const LONG: Duration = Duration::from_secs(12);

#[test]
fn a45_an_old_nginx_that_takes_over_again_lets_nobody_in_who_signed_out_meanwhile() {
    let gate = bed().workers(2).start();
    gate.restart_as_daemon();
    let (mut stays, mut goes) = (gate.signed_in("alice"), gate.signed_in("alice"));
    let old = gate.master_pid();
    signal("USR2", old);
    let new = until("the new master", || {
        let pid = gate.read("nginx.pid").trim().parse().ok()?;
        (pid != old && !gate.workers_of(pid).is_empty()).then_some(pid)
    });
    signal("WINCH", old);
    until("the old workers to end", || {
        gate.workers_of(old).is_empty().then_some(())
    });
    assert!(stays.reaches("/x") && goes.reaches("/x"));
    let mut late = goes.clone();
    assert_eq!(goes.sign_out().status, 200);
    // The order to end it is older than what the workers of the old nginx read when they begin.
    let signed_out = Instant::now();
    while signed_out.elapsed() < LONG {
        assert!(stays.reaches("/x"));
        is_out(&mut late);
    }
    signal("HUP", old);
    until("the old workers to come back", || {
        (!gate.workers_of(old).is_empty()).then_some(())
    });
    signal("QUIT", new);
    until("the new nginx to end", || {
        gate.workers_of(new).is_empty().then_some(())
    });
    for _ in 0..16 {
        assert!(stays.reaches("/x"));
        is_out(&mut late);
    }
}

#[test]
fn a_module_that_is_exchanged_and_restarted_signs_nobody_out() {
    let gate = bed().start();
    let people = people(&gate);
    let tally = crowd(&[&gate], &people, |crowd| {
        let module = super::harness::nginx::module();
        let fresh = gate.prefix().join("module.so");
        fs::copy(&module, &fresh).unwrap();
        let conf = gate.read("nginx.conf");
        let conf = conf.replace(&module.display().to_string(), &fresh.display().to_string());
        gate.replace("nginx.conf", &conf);
        gate.restart();
        crowd.pass(8);
        let newer = gate.prefix().join("module.so.new");
        fs::copy(&module, &newer).unwrap();
        fs::rename(&newer, &fresh).unwrap();
        gate.reload().unwrap();
        crowd.pass(8);
        gate.restart();
        crowd.pass(8);
    });
    tally.is_right();
}

/// Requests without an answer: logins, most of which wait for their hash, and pages, which wait for
/// the store after a restart.
fn waiting(gate: &Gate, people: &[(&str, Visitor<'_>)]) -> Vec<Connection> {
    let login = json!({"username": "alice", "password": "password"});
    let login = Ask::api("POST", PORTAL, "/api/firstfactor", &login);
    let both = |(_, visitor): &(&str, Visitor<'_>)| {
        let (mut portal, mut app) = (gate.connect(PORTAL), gate.connect(APP));
        portal.send(login.bytes(&[]));
        app.send(Ask::page(APP, "/x").bytes(&visitor.cookie_header(APP)));
        [portal, app]
    };
    people.iter().flat_map(both).collect()
}

#[test]
fn a_stop_at_once_while_people_wait_breaks_nothing() {
    let gate = bed()
        .yaml("regulation: { max_retries: 0 }")
        .workers(2)
        // As nginx does with those that do not end within a second.
        .tolerate("exited on signal 9")
        .start();
    let people: Vec<_> = (0..5).flat_map(|_| people(&gate)).collect();
    for hangs in [false, true, false, true] {
        gate.restart();
        let lock = Database::open(gate.prefix().join("store/db.sqlite3")).unwrap();
        if hangs {
            lock.execute_batch("BEGIN EXCLUSIVE").unwrap();
        }
        let waiting = waiting(&gate, &people);
        gate.stop_at_once();
        drop((waiting, lock));
        gate.start_anew();
        // That nobody crashed is judged with the log.
        people[0].1.clone().is_let_in(APP, "/x");
    }
}
