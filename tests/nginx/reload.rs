//! Reloads and killed workers cost nobody his session.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use super::harness::site::SESSION;
use super::harness::{Ask, Gate, Site, until};

const APP: &str = "app.example.com";

#[test]
fn a51_sessions_survive_a_reload() {
    let gate = Site::bed().workers(2).start();
    let (mut alice, mut bob) = (gate.signed_in("alice"), gate.signed_in("bob"));
    for _ in 0..3 {
        gate.reload().unwrap();
        assert!(alice.reaches("/x") && bob.reaches("/admin/x"));
    }
    alice.sign_out();
    gate.reload().unwrap();
    assert!(!alice.reaches("/x"));
}

#[test]
fn sessions_survive_a_reload_when_the_key_is_random() {
    let gate = Site::bed()
        .session(&SESSION.replace("  secret: an insecure secret for tests\n", ""))
        .start();
    let mut alice = gate.signed_in("alice");
    gate.reload().unwrap();
    assert!(alice.reaches("/x"));
}

#[test]
fn a_reload_applies_new_rules() {
    let gate = Site::bed().start();
    let mut alice = gate.signed_in("alice");
    assert!(alice.reaches("/x"));
    let before = gate.read("configuration.yml");
    gate.overwrite(
        "configuration.yml",
        &before.replace("policy: deny\n", "policy: one_factor\n"),
    );
    assert!(
        !alice.reaches("/admin/x"),
        "a file that nobody was told to read"
    );
    gate.reload().unwrap();
    assert!(alice.reaches("/admin/x"));
}

#[test]
fn a_killed_worker_takes_no_session_and_no_lock_with_it() {
    let gate = Site::bed()
        .workers(2)
        .tolerate("exited on signal 9")
        .tolerate("was locked by")
        .start();
    let (alice, mut bob) = (gate.signed_in("alice"), gate.signed_in("bob"));
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    // A connection may die with its worker; what is answered must be right.
                    let mut connection = gate.connect(APP);
                    connection.send(Ask::page(APP, "/x").bytes(&alice.cookie_header(APP)));
                    if let Ok(answer) = connection.try_answer(false) {
                        assert!(
                            answer.status == 200 && answer.text().contains("Remote-User: alice"),
                            "{answer:?}"
                        );
                    }
                }
            });
        }
        for _ in 0..10 {
            let victim = until("a worker", || gate.workers().into_iter().next());
            gate.kill_worker(victim);
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(bob.reaches("/admin/x") && alice.clone().reaches("/x"));
    gate.signed_in("alice").is_let_in(APP, "/x");
}

#[test]
fn a_worker_killed_while_it_signs_people_in_blocks_nobody_else() {
    let gate = Site::bed()
        .workers(2)
        .tolerate("exited on signal 9")
        .tolerate("was locked by")
        .start();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let body = serde_json::json!({"username": "alice", "password": "password"});
                while !stop.load(Ordering::Relaxed) {
                    let mut connection = gate.connect("auth.example.com");
                    connection.send(
                        Ask::api("POST", "auth.example.com", "/api/firstfactor", &body).bytes(&[]),
                    );
                    let _ = connection.try_answer(false);
                }
            });
        }
        for _ in 0..10 {
            let victim = until("a worker", || gate.workers().into_iter().next());
            gate.kill_worker(victim);
        }
        stop.store(true, Ordering::Relaxed);
    });
    gate.signed_in("bob").is_let_in(APP, "/admin/x");
}

fn names(gate: &Gate) -> BTreeSet<String> {
    gate.backend()
        .take()
        .iter()
        .map(|seen| seen.one("Remote-User").to_owned())
        .collect()
}

#[test]
fn a51_a_full_zone_loses_the_oldest_session_and_mixes_nobody_up() {
    let hash = super::harness::site::USERS
        .lines()
        .find(|line| line.contains("password:"))
        .unwrap();
    let users = format!(
        "users:\n  first:\n    displayname: First\n{hash}\n  other:\n    displayname: Other\n{hash}\n"
    );
    let conf = "auth_gate_config @prefix@/configuration.yml; auth_gate_zone auth_gate:240k;";
    let gate = Site::bed().http_only(conf).users(&users).start();
    let first = gate.signed_in("first");
    let mut last = gate.signed_in("other");
    // More than the smallest zone holds, without asking in between: asking is using.
    (0..800).for_each(|_| last = gate.signed_in("other"));
    assert_eq!(first.clone().page(APP, "/x").status, 302);
    assert!(names(&gate).is_empty(), "somebody else's session");
    last.is_let_in(APP, "/x");
    let said = gate
        .log()
        .lines()
        .filter(|line| line.contains("auth_gate") && line.contains("full"))
        .count();
    assert!(said <= 2, "a full zone is said once, not {said} times");
}
