//! Who asks an authorization endpoint: passwords in a header, and a session that is denied by its application.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::harness::Site;
use super::harness::question::{ENDPOINTS, OUTPOST, Question, ask, basic, challenged, every, told};

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
    let log = gate.log();
    let told = |result: &str| {
        let begin =
            format!("event=sign_in result={result} client=127.0.0.1 method=basic user=\"alice\"");
        log.matches(&begin).count()
    };
    assert_eq!((told("failure"), told("banned")), (3, 1), "{log}");
    assert!(!log.contains("event=sign_in result=success"), "{log}");
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
    for door in every() {
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
                (answer.status, told(door, &answer)),
                (200, None),
                "{door} {bad}"
            );
        }
        let empty = Question::new(door, "app.example.com", "/x")
            .of(&alice)
            .with(header, "");
        assert_eq!(told(door, &ask(&gate, &empty)), Some("alice"), "{door}");
    }
    let wanted = Question::new("legacy", "app.example.com", "/x").query("auth=basic");
    assert_eq!(ask(&gate, &wanted.clone().of(&alice)).status, 401);
    let right = wanted.with("Authorization", &basic("bob", "password"));
    assert_eq!(ask(&gate, &right).header("Remote-User"), Some("bob"));
}

#[test]
fn a_session_that_another_user_is_named_beside_is_ended() {
    let gate = Site::bed().server(ENDPOINTS).start();
    for door in every() {
        let alice = gate.signed_in("alice");
        let question = Question::new(door, "app.example.com", "/x").of(&alice);
        let named = |name: &str| ask(&gate, &question.clone().with("Session-Username", name));
        assert_eq!(named("ALICE").status, 200, "{door}");
        assert_eq!(told(door, &ask(&gate, &question)), Some("alice"));
        assert_eq!(named("bob").status, challenged(door), "{door}");
        assert_eq!(ask(&gate, &question).status, challenged(door), "{door}");
        alice.is_refused("app.example.com", "/x");
    }
}

#[test]
fn a65_odd_credentials_are_refused_and_whole_ones_taken() {
    let gate = Site::bed().server(ENDPOINTS).start();
    let encoded = |bytes: &[u8]| format!("Basic {}", STANDARD.encode(bytes));
    let send_to = |door, value: &str| {
        let question = Question::new(door, "app.example.com", "/x");
        ask(&gate, &question.with("Authorization", value))
    };
    let send = |value: &str| send_to("auth-request", value);
    for odd in [
        encoded(b"alice\xff:password"),
        encoded(b"alice:\xff"),
        encoded(b"alice:password").replace("Basic ", "Basic\t"),
        encoded(b"alice:password").replace("Basic ", "Basic  "),
        encoded(b"alice:password").replace("Basic", "Basicx"),
        encoded(b"alice:password") + ", " + &encoded(b"bob:password"),
        encoded(&[b"alice:".as_slice(), &[b'x'; 4000]].concat()),
    ] {
        let answer = send(&odd);
        assert_eq!(
            (answer.status, answer.header("Remote-User")),
            (401, None),
            "{odd}"
        );
        // A whole pair counts as an attempt, and it is no more than the others are.
        let doors = OUTPOST.iter().filter(|_| odd.len() < 4000);
        for door in doors {
            let answer = send_to(door, &odd);
            assert_eq!((answer.status, told(door, &answer)), (401, None), "{door}");
            assert!(answer.header("WWW-Authenticate").is_some(), "{door}");
        }
    }
    for fine in ["Basic", "bAsIc", "BASIC"] {
        let value = encoded(b"alice:password").replace("Basic", fine);
        assert_eq!(send(&value).header("Remote-User"), Some("alice"), "{fine}");
        for door in OUTPOST {
            let answer = send_to(door, &value);
            assert_eq!(told(door, &answer), Some("alice"), "{door} {fine}");
        }
    }
    let twice = Question::new("legacy", "app.example.com", "/x");
    let twice = twice.with("Proxy-Authorization", &basic("alice", "password"));
    assert_eq!(ask(&gate, &twice).status, 200);
    let twice = twice.with("Proxy-Authorization", &basic("alice", "password"));
    assert_eq!(ask(&gate, &twice).status, 401);
    let huge = Question::new("auth-request", "app.example.com", "/x");
    let huge = huge.with("Authorization", &encoded(&vec![b'x'; 64_000]));
    assert_eq!(ask(&gate, &huge).status, 400);
    assert_eq!(
        send(&basic("bob", "password")).header("Remote-User"),
        Some("bob")
    );
}

#[test]
fn a58_spellings_of_a_name_share_one_count_in_a_header_too() {
    let search = "
authentication_backend:
  file:
    path: users.yml
    search: { email: true, case_insensitive: true }";
    let regulation = "regulation: { modes: [user], max_retries: 3, find_time: 2m, ban_time: 5m }";
    let gate = Site::bed()
        .backend(search)
        .yaml(regulation)
        .server(ENDPOINTS)
        .start();
    let tried = |name: &str, password: &str| {
        let question = Question::new("ext-authz", "app.example.com", "/x");
        ask(
            &gate,
            &question.with("Authorization", &basic(name, password)),
        )
    };
    assert_eq!(
        tried("ALICE", "password").header("Remote-User"),
        Some("alice")
    );
    std::thread::scope(|scope| {
        for name in [
            "Alice",
            "alice@example.com",
            "alice",
            "ａｌｉｃｅ",
            "alice ",
        ] {
            scope.spawn(move || assert_eq!(tried(name, "wrong").status, 401, "{name}"));
        }
    });
    assert_eq!(tried("alice", "password").status, 401);
    gate.signed_in("bob");
}
