//! App passwords in the headers of guarded requests, as a password and as a bearer token. (A-39, A-58, A-65, A-66, A-67)

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use ngx_http_auth_gate_module::store::{AppPassword, AppPasswords as _};
use ngx_http_auth_gate_module::users::app_password::Token;

use super::harness::counted::METRICS;
use super::harness::exposition::Exposition;
use super::harness::place::give;
use super::harness::question::basic;
use super::harness::site::USERS;
use super::harness::{Answer, Ask, Gate, Site, until};
use super::second_factor::now;
use super::storage::{KEY, bed, open};

const APP: &str = "app.example.com";
const SLOW: Duration = Duration::from_millis(1990);

/// Whose app passwords there are: a number, and what it is good for.
const ALICE: u8 = 1;
const ALICE_AT_API: u8 = 2;
const ALICE_LATE: u8 = 3;
const CAROL: u8 = 4;
const BOB: u8 = 5;
const NOBODY: u8 = 9;

fn token(number: u8) -> String {
    Token::new(&[number; 30]).reveal().to_string()
}

fn keep(prefix: &Path) {
    let store = open(prefix, KEY);
    let add = |number, user: &str, hosts: &[&str], expires| {
        let token = Token::new(&[number; 30]);
        let new = AppPassword {
            id: token.id().bytes().into(),
            user: user.into(),
            name: number.to_string(),
            verifier: token.verifier().bytes().into(),
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            created: 1,
            expires,
            last_used: None,
        };
        let random = &mut |bytes: &mut [u8]| getrandom::fill(bytes).unwrap();
        store.add_app_password(&new, random).unwrap();
    };
    add(ALICE, "alice", &[], None);
    add(ALICE_AT_API, "alice", &["api.example.com"], None);
    add(ALICE_LATE, "alice", &[], Some(now() - 5));
    add(CAROL, "carol", &[], None);
    add(BOB, "bob", &["*.example.com"], Some(now() + 1000));
    drop(store);
    give(&prefix.join("store/db.sqlite3"));
}

fn site() -> Site {
    bed()
        .prepare(keep)
        .http("auth_gate_credentials cookie basic bearer;")
        .server(METRICS)
}

fn bearer(host: &str, token: &str) -> Ask {
    Ask::new("GET", host, "/x").with("Authorization", &format!("Bearer {token}"))
}

/// Whom the backend was told of, if it was asked.
fn user(gate: &Gate, ask: &Ask) -> (u16, String) {
    gate.backend().take();
    let answer = gate.send(ask);
    let seen = gate.backend().take();
    assert_eq!(seen.len(), usize::from(answer.status == 200), "{answer:?}");
    let user = seen.first().map_or("", |seen| {
        assert!(seen.all("Authorization").is_empty(), "{seen:?}");
        seen.one("Remote-User")
    });
    (answer.status, user.to_owned())
}

fn told(user: &str) -> (u16, String) {
    (200, user.to_owned())
}

fn is_refused_as_a_token(answer: &Answer) {
    assert_eq!((answer.status, answer.location()), (401, ""), "{answer:?}");
    let wanted = "Bearer realm=\"Authorization Required\", error=\"invalid_token\"";
    assert_eq!(answer.header("WWW-Authenticate"), Some(wanted));
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
}

#[test]
fn an_app_password_opens_as_a_password_and_as_a_token() {
    let gate = site().start();
    assert_eq!(user(&gate, &bearer(APP, &token(ALICE))), told("alice"));
    let odd = Ask::new("GET", APP, "/x").with("Authorization", &format!("bEARER {}", token(BOB)));
    assert_eq!(user(&gate, &odd), told("bob"));
    let pair = basic("alice", &token(ALICE));
    let ask = Ask::new("POST", APP, "/x").with("Authorization", &pair);
    assert_eq!(user(&gate, &ask.with_body("body")), told("alice"));
    let api = bearer("api.example.com", &token(ALICE_AT_API));
    assert_eq!(user(&gate, &api), told("alice"));
    let mut with_cookie = bearer(APP, &token(BOB));
    let alice = gate.signed_in("alice");
    with_cookie.headers.extend(alice.cookie_header(APP));
    assert_eq!(
        user(&gate, &with_cookie),
        told("bob"),
        "the cookie is ignored"
    );
    let admin = Ask::new("GET", APP, "/admin/x");
    let admin = admin.with("Authorization", &format!("Bearer {}", token(ALICE)));
    assert_eq!(user(&gate, &admin).0, 403);
    let counted = Exposition::of_gate(&gate);
    assert_eq!(
        counted.get("hashes_total", &[("result", "done")]),
        1.0,
        "that of the login"
    );
    let right = [("method", "app_password"), ("result", "success")];
    assert_eq!(counted.get("logins_total", &right), 6.0);
}

#[test]
fn a66_nothing_but_an_app_password_is_a_token() {
    let gate = site().start();
    let alice = gate.signed_in("alice");
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let claims = part(r#"{"sub":"alice","exp":1e300,"aud":"*","iss":"https://auth.example.com"}"#);
    let right = token(ALICE);
    let mut bad = vec![
        String::new(),
        "x".into(),
        format!("{}.{claims}.", part(r#"{"alg":"none"}"#)),
        format!(
            "{}.{claims}.{}",
            part(r#"{"alg":"HS256","kid":"../../dev/null"}"#),
            part("x")
        ),
        format!(
            "{}.{}.{}",
            part(r#"{"alg":"RS256"}"#),
            part(&claims),
            part("x")
        ),
        format!("{right}, {right}"),
        format!("{right} {right}"),
        right.to_uppercase(),
        format!(" {right}"),
        right[1..].to_owned(),
        "agp_".to_owned() + &"a".repeat(2000),
    ];
    bad.push(basic("alice", &right));
    let begun = Instant::now();
    for bad in &bad {
        let mut ask = bearer(APP, bad);
        ask.headers.extend(alice.cookie_header(APP));
        is_refused_as_a_token(&gate.send(&ask));
    }
    assert!(begun.elapsed() < SLOW, "nothing was looked up");
    let huge = bearer(APP, &"a".repeat(1 << 20));
    let answer = gate.connect(APP).send(huge.bytes(&[])).try_answer(false);
    assert!(
        answer.is_ok_and(|answer| answer.status == 400),
        "nginx takes no such header"
    );
    assert!(gate.backend().take().is_empty());
    alice.is_let_in(APP, "/x");
}

#[test]
fn a58_wrong_app_passwords_are_slow_counted_and_told() {
    let regulation =
        "regulation: { modes: [ip, user], max_retries: 3, find_time: 2m, ban_time: 5m }";
    let gate = site().yaml(regulation).start();
    let wrong = [
        bearer(APP, &token(ALICE_AT_API)),
        bearer(APP, &token(ALICE_LATE)),
        bearer(APP, &token(CAROL)),
        Ask::new("GET", APP, "/x").with("Authorization", &basic("bob", &token(ALICE))),
    ];
    std::thread::scope(|scope| {
        for ask in &wrong {
            let gate = &gate;
            scope.spawn(move || {
                let begun = Instant::now();
                let answer = gate.send(ask);
                assert_eq!(answer.status, 401, "{answer:?}");
                assert!(begun.elapsed() >= SLOW, "{ask:?}");
            });
        }
    });
    assert!(gate.backend().take().is_empty());
    let log = gate.log();
    for said in [
        "client=127.0.0.1 method=app_password user=\"alice\" reason=\"the app password does not open this host\"",
        "client=127.0.0.1 method=app_password user=\"alice\" reason=\"the app password has expired\"",
        "client=127.0.0.1 method=app_password user=\"bob\"",
    ] {
        assert!(log.contains(said), "{said}: {log}");
    }
    assert_eq!(user(&gate, &bearer(APP, &token(ALICE))), told("alice"));
    // Three that nobody has are a ban of the address, for good tokens and passwords alike.
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| is_refused_as_a_token(&gate.send(&bearer(APP, &token(NOBODY)))));
        }
    });
    is_refused_as_a_token(&gate.send(&bearer(APP, &token(ALICE))));
    assert_eq!(gate.visitor().sign_in("bob", "password").status, 401);
}

#[test]
fn what_is_revoked_or_whose_user_is_gone_opens_nothing_any_more() {
    let gate = site().start();
    for (number, name) in [(ALICE, "alice"), (BOB, "bob")] {
        assert_eq!(user(&gate, &bearer(APP, &token(number))), told(name));
    }
    let store = open(gate.prefix(), KEY);
    let id = Token::new(&[ALICE; 30]).id();
    let name = store.remove_app_password("alice", id.bytes()).unwrap();
    assert_eq!(name.as_deref(), Some("1"));
    is_refused_as_a_token(&gate.send(&bearer(APP, &token(ALICE))));
    gate.replace("users.yml", &USERS.replace("  bob:", "  robert:"));
    until("the new users", || {
        gate.log().contains("read again, 2").then_some(())
    });
    until("bob to be gone", || {
        (user(&gate, &bearer(APP, &token(BOB))).0 == 401).then_some(())
    });
}

#[test]
fn a39_a_token_that_is_not_read_is_the_applications() {
    let app = "location /own/ { auth_gate_credentials cookie basic; @proxy@ }
        location /token/ { auth_gate_credentials bearer; @proxy@ }";
    let gate = site().app(app).start();
    let alice = gate.signed_in("alice");
    let value = format!("Bearer {}", token(BOB));
    let ask = |target: &str, cookie: bool| {
        let mut ask = Ask::page(APP, target).with("Authorization", &value);
        if cookie {
            ask.headers.extend(alice.cookie_header(APP));
        }
        gate.send(&ask).status
    };
    assert_eq!((ask("/own/", false), ask("/own/", true)), (302, 200));
    let seen = gate.backend().take_one();
    assert_eq!(
        (seen.one("Authorization"), seen.one("Remote-User")),
        (value.as_str(), "alice")
    );
    assert_eq!(ask("/token/", true), 200);
    assert_eq!(gate.backend().take_one().one("Remote-User"), "bob");
    let answer = gate.page(APP, "/token/");
    assert_eq!(
        (answer.status, answer.header("WWW-Authenticate")),
        (401, Some("Bearer realm=\"Authorization Required\""))
    );
    let pair = Ask::page(APP, "/token/").with("Authorization", &basic("alice", "password"));
    assert_eq!(gate.send(&pair).status, 401, "another scheme is not read");
}

#[test]
fn a73_while_the_store_is_out_nobody_can_say_what_a_token_is_worth() {
    let gate = site().start();
    assert_eq!(user(&gate, &bearer(APP, &token(ALICE))), told("alice"));
    let (here, away) = (gate.prefix().join("store"), gate.prefix().join("away"));
    gate.restart();
    fs::rename(&here, &away).unwrap();
    for value in [
        format!("Bearer {}", token(ALICE)),
        basic("alice", &token(ALICE)),
    ] {
        let ask = Ask::new("GET", APP, "/x").with("Authorization", &value);
        let answer = gate.send(&ask);
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answer.header("Retry-After").is_some());
    }
    assert!(gate.backend().take().is_empty());
    fs::rename(&away, &here).unwrap();
    until("the store to be asked again", || {
        (user(&gate, &bearer(APP, &token(ALICE))) == told("alice")).then_some(())
    });
}

#[test]
fn without_a_store_every_token_is_a_bad_one() {
    let gate = Site::bed()
        .http("auth_gate_credentials cookie bearer;")
        .start();
    is_refused_as_a_token(&gate.send(&bearer(APP, &token(ALICE))));
}
