//! The authorization endpoints and the store: a session that the shared memory does not have is fetched for them, too, and
//! while the store cannot be asked nobody is taken for a stranger.

use std::fs;

use rusqlite::Connection;
use serde_json::json;

use super::harness::exposition::Exposition;
use super::harness::question::{ENDPOINTS, Question, ask, basic, challenged, connect, every, told};
use super::harness::site::SESSION;
use super::harness::visitor::PORTAL;
use super::harness::{Answer, Ask, Gate, Site, Visitor, until};
use super::servers::{Kind, Servers};
use super::shared::{at, site};
use super::storage;

const APP: &str = "app.example.com";
const METRICS: &str = "location = /metrics { allow 127.0.0.0/8; deny all; auth_gate_metrics; }";

fn bed() -> Site {
    storage::bed().server(ENDPOINTS).public(METRICS)
}

/// The same with a key of cookies that only the store has.
fn without_secret() -> Site {
    bed().session(&SESSION.replace("  secret: an insecure secret for tests\n", ""))
}

/// What an endpoint says of the visitor.
fn asked(door: &'static str, visitor: &Visitor<'_>) -> Answer {
    ask(visitor.gate, &Question::new(door, APP, "/x").of(visitor))
}

fn is_known(answer: &Answer, user: &str, what: &str) {
    let names = ["Remote-User", "X-authentik-username"].into_iter();
    let named = names.filter_map(|name| answer.header(name)).next();
    let named = (answer.status, named);
    assert_eq!(named, (200, Some(user)), "{what}: {answer:?}");
}

fn is_put_off(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 503, "{what}: {answer:?}");
    assert!(answer.header("Retry-After").is_some(), "{what}: {answer:?}");
    let named = ["Remote-User", "X-authentik-username"].map(|name| answer.header(name));
    assert!(named == [None; 2] && answer.location().is_empty(), "{what}");
}

fn scrape(gate: &Gate) -> Exposition {
    Exposition::read(&gate.page("public.example.com", "/metrics").text())
}

#[test]
fn a_session_from_before_a_restart_is_known_at_every_endpoint() {
    for site in [bed(), without_secret()] {
        let gate = site.workers(2).start();
        // Each is asked for first at one endpoint.
        let people: Vec<_> = every()
            .map(|door| (door, gate.signed_in("alice")))
            .collect();
        let bob = gate.signed_in("bob");
        gate.restart();
        for (door, alice) in &people {
            is_known(&asked(door, alice), "alice", door);
        }
        // A body that waits unread is no part of the next question.
        let (_, alice) = &people[0];
        gate.restart();
        let post = Question::new("ext-authz", APP, "/x").method("POST");
        let post = post.with("Content-Length", "5").of(alice);
        let mut connection = connect(&gate);
        for _ in 0..2 {
            let answer = connection
                .send([&post.bytes()[..], b"hello"].concat())
                .answer();
            is_known(&answer, "alice", "with a body");
        }
        // The portal's own endpoints are asked over TLS.
        let question = Question::new("forward-auth", APP, "/x").of(&bob);
        let bytes = String::from_utf8(question.bytes()).unwrap();
        let bytes = bytes.replace("auth.internal", PORTAL);
        is_known(&gate.raw(PORTAL, &bytes), "bob", "at the portal");
    }
}

#[test]
fn a45_who_signed_out_or_was_denied_stays_out_of_the_endpoints_after_a_restart() {
    let gate = bed().start();
    let mut alice = gate.signed_in("alice");
    let (stolen, bob) = (alice.clone(), gate.signed_in("bob"));
    assert_eq!(alice.sign_out().status, 200);
    let denied = Question::new("forward-auth", APP, "/x").of(&bob);
    let denied = denied.with("Session-Username", "somebody else");
    assert_eq!(ask(&gate, &denied).status, 401);
    for _ in 0..2 {
        for door in every() {
            for gone in [&stolen, &bob] {
                let answer = asked(door, gone);
                assert_eq!(answer.status, challenged(door), "{door}: {answer:?}");
            }
        }
        gate.restart();
    }
}

#[test]
fn a_session_that_is_used_at_an_endpoint_only_is_in_use() {
    let idle = SESSION.replace("  cookies:", "  inactivity: 10s\n  cookies:");
    let gate = bed().session(&idle).start();
    let alice = gate.signed_in("alice");
    let database = Connection::open(gate.prefix().join("store/db.sqlite3")).unwrap();
    let last_used = || -> i64 {
        let read = database.query_row("SELECT last_used FROM sessions", (), |row| row.get(0));
        read.unwrap()
    };
    let began = last_used();
    until("the use to be written down", || {
        is_known(&asked("forward-auth", &alice), "alice", "in use");
        (last_used() > began).then_some(())
    });
}

#[test]
fn a73_with_the_store_gone_an_endpoint_knows_whom_it_knew_and_puts_off_the_others() {
    let gate = bed().start();
    let (alice, bob) = (gate.signed_in("alice"), gate.signed_in("bob"));
    gate.restart();
    is_known(&asked("auth-request", &alice), "alice", "known again");
    let (here, away) = (gate.prefix().join("store"), gate.prefix().join("away"));
    fs::rename(&here, &away).unwrap();
    for door in every() {
        is_known(&asked(door, &alice), "alice", door);
        is_put_off(&asked(door, &bob), door);
        // Who presents nothing of ours is sent to sign in, and what is open stays open.
        let stranger = Question::new(door, APP, "/x");
        let refused = stranger.clone().with("Accept", "text/html");
        assert!(matches!(ask(&gate, &refused).status, 302 | 401), "{door}");
        let forged = stranger.with("Cookie", "auth_gate_session=AAAA");
        assert!(matches!(ask(&gate, &forged).status, 302 | 401), "{door}");
        let open = Question::new(door, "public.example.com", "/").of(&bob);
        let answer = ask(&gate, &open);
        assert_eq!((answer.status, told(door, &answer)), (200, None), "{door}");
    }
    // It is not the store that the visitor's own request would write to.
    let post = Question::new("ext-authz", APP, "/x").method("POST");
    is_known(&ask(&gate, &post.of(&alice)), "alice", "by POST");
    // A password says who it is, whatever comes beside it.
    let question = Question::new("forward-auth", APP, "/x").of(&bob);
    let right = question.with("Authorization", &basic("alice", "password"));
    is_known(&ask(&gate, &right), "alice", "by password");
    let unavailable = [("outcome", "unavailable"), ("requirement", "none")];
    assert_eq!(scrape(&gate).get("decisions_total", &unavailable), 8.0);
    fs::rename(&away, &here).unwrap();
    until("the store to be asked again", || {
        asked("auth-request", &bob).is(200)
    });
    is_known(&asked("forward-auth", &bob), "bob", "again");
}

#[test]
fn a73_after_the_grace_an_endpoint_knows_nobody_by_a_cookie() {
    let gate = bed().http("auth_gate_store_grace 1s;").start();
    let (alice, bob) = (gate.signed_in("alice"), gate.signed_in("bob"));
    gate.restart();
    is_known(&asked("auth-request", &alice), "alice", "known again");
    let (here, away) = (gate.prefix().join("store"), gate.prefix().join("away"));
    fs::rename(&here, &away).unwrap();
    is_put_off(&asked("forward-auth", &bob), "the outage is noticed");
    until("the grace to be over", || {
        asked("forward-auth", &alice).is(503)
    });
    is_put_off(&asked("auth-request", &alice), "known, but not any more");
    fs::rename(&away, &here).unwrap();
    until("the store to be back", || {
        asked("auth-request", &alice).is(200)
    });
}

#[test]
fn health_and_scripts_do_not_depend_on_the_store() {
    let gate = without_secret().tolerate("exited on signal 9").start();
    let mut alice = gate.signed_in("alice");
    let there = |alice: &mut Visitor<'_>| {
        let health = alice.send(&Ask::api("GET", PORTAL, "/api/health", &json!({})));
        assert_eq!(health.status, 200, "{health:?}");
        let script = alice.page(PORTAL, "/assets/webauthn.js");
        assert_eq!(script.status, 200, "{script:?}");
        assert_eq!(alice.page(PORTAL, "/assets/other.js").status, 404);
    };
    gate.kill();
    // Whoever starts now cannot ask what the key of cookies is.
    let lock = Connection::open(gate.prefix().join("store/db.sqlite3")).unwrap();
    lock.execute_batch("BEGIN EXCLUSIVE").unwrap();
    gate.start_anew();
    there(&mut alice);
    let state = alice.send(&Ask::api("GET", PORTAL, "/api/state", &json!({})));
    assert_eq!(state.status, 503, "{state:?}");
    for door in every() {
        is_put_off(&asked(door, &alice), door);
        let open = Question::new(door, "public.example.com", "/").of(&alice);
        assert_eq!(ask(&gate, &open).status, 200, "{door}");
    }
    lock.execute_batch("COMMIT").unwrap();
    until("the key to be there", || {
        asked("auth-request", &alice).is(200)
    });
    there(&mut alice);
    let (here, away) = (gate.prefix().join("store"), gate.prefix().join("away"));
    gate.restart();
    fs::rename(&here, &away).unwrap();
    there(&mut alice);
    is_put_off(&asked("auth-request", &alice), "not in the memory");
    fs::rename(&away, &here).unwrap();
}

#[test]
fn who_signs_in_or_fails_at_one_machine_does_so_at_the_endpoints_of_all() {
    let servers = Servers::start(Kind::Tcp);
    let regulation = "regulation: { modes: [user], max_retries: 3, find_time: 2m, ban_time: 5m }";
    let [one, two] = [1, 2].map(|_| site(&servers).yaml(regulation).server(ENDPOINTS).start());
    let alice = one.signed_in("alice");
    for door in every() {
        is_known(&asked(door, &at(&two, &alice)), "alice", door);
    }
    let with = |gate: &Gate, password: &str| {
        let question = Question::new("forward-auth", APP, "/x");
        ask(
            gate,
            &question.with("Authorization", &basic("bob", password)),
        )
    };
    for _ in 0..3 {
        assert_eq!(with(&one, "wrong").status, 401);
    }
    until("the ban at the other machine", || {
        with(&two, "password").is(401)
    });
}
