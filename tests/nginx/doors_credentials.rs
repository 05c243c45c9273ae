//! Who asks an authorization endpoint: passwords in a header, and a session that is denied by its application.

use std::time::{Duration, Instant};

use super::harness::Site;
use super::harness::question::{DOORS, ENDPOINTS, Question, ask, basic};

#[test]
fn a58_wrong_passwords_in_a_header_are_slow_and_counted() {
    let regulation = "regulation: { modes: [user], max_retries: 3, find_time: 2m, ban_time: 5m }";
    let gate = Site::bed().server(ENDPOINTS).yaml(regulation).start();
    let tried = |name: &str, password: &str, host: &str| {
        let question = Question::new("forward-auth", host, "/x");
        let begun = Instant::now();
        let answer = ask(
            &gate,
            &question.with("Authorization", &basic(name, password)),
        );
        (answer, begun.elapsed())
    };
    let slow = Duration::from_millis(1990);
    std::thread::scope(|scope| {
        for (name, host) in [
            ("alice", "app.example.com"),
            ("alice", "app.example.com"),
            ("alice", "public.example.com"),
            ("nobody", "app.example.com"),
            ("carol", "app.example.com"),
        ] {
            scope.spawn(move || {
                let (answer, took) = tried(name, "wrong", host);
                let wanted = if host.starts_with("public") { 200 } else { 401 };
                assert_eq!(answer.status, wanted, "{name}");
                assert!(answer.header("Remote-User").is_none());
                assert!(took >= slow, "{name} after {took:?}");
            });
        }
    });
    let (banned, took) = tried("alice", "password", "app.example.com");
    assert_eq!(banned.status, 401);
    assert!(took >= slow, "{took:?}");
    let (bob, took) = tried("bob", "password", "app.example.com");
    assert_eq!((bob.status, bob.header("Remote-User")), (200, Some("bob")));
    assert!(took < slow, "{took:?}");
    assert_eq!(gate.log().matches("failed sign-in as \"alice\"").count(), 4);
    let mut alice = gate.visitor();
    assert_eq!(
        alice.sign_in("alice", "password").status,
        401,
        "the form shares the ban"
    );
}

#[test]
fn a58_a_bad_credential_is_worth_less_than_a_good_cookie() {
    let gate = Site::bed().server(ENDPOINTS).start();
    let alice = gate.signed_in("alice");
    for door in DOORS {
        let header = if door == "legacy" {
            "Proxy-Authorization"
        } else {
            "Authorization"
        };
        for bad in [
            "Basic",
            "Basic !",
            "Basic eA==",
            "Digest x",
            "Bearer x",
            "x",
        ] {
            let question = Question::new(door, "app.example.com", "/x").of(&alice);
            let answer = ask(&gate, &question.with(header, bad));
            assert_eq!(
                (answer.status, answer.location()),
                (401, ""),
                "{door} {bad}"
            );
            assert!(answer.header("WWW-Authenticate").is_some(), "{door} {bad}");
            let open = Question::new(door, "public.example.com", "/x").of(&alice);
            let answer = ask(&gate, &open.with(header, bad));
            assert_eq!(
                (answer.status, answer.header("Remote-User")),
                (200, None),
                "{door} {bad}"
            );
        }
        let empty = Question::new(door, "app.example.com", "/x")
            .of(&alice)
            .with(header, "");
        assert_eq!(
            ask(&gate, &empty).header("Remote-User"),
            Some("alice"),
            "{door}"
        );
    }
    let wanted = Question::new("legacy", "app.example.com", "/x").query("auth=basic");
    assert_eq!(ask(&gate, &wanted.clone().of(&alice)).status, 401);
    let right = wanted.with("Authorization", &basic("bob", "password"));
    assert_eq!(ask(&gate, &right).header("Remote-User"), Some("bob"));
}

#[test]
fn a_session_that_another_user_is_named_beside_is_ended() {
    let gate = Site::bed().server(ENDPOINTS).start();
    for door in DOORS {
        let alice = gate.signed_in("alice");
        let question = Question::new(door, "app.example.com", "/x").of(&alice);
        let named = |name: &str| ask(&gate, &question.clone().with("Session-Username", name));
        assert_eq!(named("ALICE").status, 200, "{door}");
        assert_eq!(ask(&gate, &question).header("Remote-User"), Some("alice"));
        assert_eq!(named("bob").status, 401, "{door}");
        assert_eq!(ask(&gate, &question).status, 401, "{door}");
        alice.is_refused("app.example.com", "/x");
    }
}
