//! App passwords of programs at the authorization endpoints of a real nginx, until the administrator revokes them.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use ngx_http_auth_gate_module::store::{AppPassword, AppPasswords as _};
use ngx_http_auth_gate_module::users::app_password::Token;

use super::harness::counted::METRICS;
use super::harness::exposition::Exposition;
use super::harness::question::{ENDPOINTS, Question, ask, basic};
use super::harness::visitor::PORTAL;
use super::harness::{Answer, Ask, Gate, Site};
use super::second_factor::now;
use super::storage::{KEY, bed as stored, open};

pub(super) const APP: &str = "app.example.com";
pub(super) const DOORS: [&str; 3] = ["auth-request", "forward-auth", "ext-authz"];

/// The same three endpoints, for tokens, too; and an oldest one as it always is.
const AUTHZ: &str = "server:
  endpoints:
    authz:
      auth-request: { implementation: AuthRequest, authn_strategies: [{ name: HeaderAuthorization, schemes: [Basic, Bearer] }, { name: CookieSession }] }
      forward-auth: { implementation: ForwardAuth, authn_strategies: [{ name: HeaderAuthorization, schemes: [Basic, Bearer] }, { name: CookieSession }] }
      ext-authz: { implementation: ExtAuthz, authn_strategies: [{ name: HeaderAuthorization, schemes: [Basic, Bearer] }, { name: CookieSession }] }
      legacy: { implementation: Legacy }
";

pub(super) fn bed() -> Site {
    stored().server(ENDPOINTS).yaml(AUTHZ)
}

/// What the command prints, which must end well.
fn auth_gate(gate: &Gate, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_auth-gate"))
        .args(["user", "app-password"])
        .args(arguments)
        .arg("--config")
        .arg(gate.prefix().join("configuration.yml"))
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {err}");
    String::from_utf8(output.stdout).unwrap()
}

/// Gives a user an app password by the command line, beside a running nginx.
pub(super) fn add(gate: &Gate, user: &str, name: &str, more: &[&str]) -> String {
    // Whoever signs in has a worker make the store, which is then the workers'.
    gate.signed_in("bob");
    let arguments = ["add", "--user", user, "--name", name];
    let out = auth_gate(gate, &[&arguments[..], more].concat());
    out.trim_end().rsplit('\n').next().unwrap().to_owned()
}

pub(super) fn asked(gate: &Gate, door: &'static str, host: &str, authorization: &str) -> Answer {
    let question = Question::new(door, host, "/x");
    ask(gate, &question.with("Authorization", authorization))
}

/// Status and user.
pub(super) fn told(answer: &Answer) -> (u16, Option<&str>) {
    (answer.status, answer.header("Remote-User"))
}

pub(super) fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[test]
fn a_program_is_its_user_until_the_administrator_revokes_it() {
    let gate = bed().workers(2).start();
    let token = add(&gate, "alice", "Backup", &[]);
    for door in DOORS {
        for value in [basic("alice", &token), bearer(&token)] {
            let answer = asked(&gate, door, APP, &value);
            assert_eq!(told(&answer), (200, Some("alice")), "{door} {value}");
            // What alice may not, her program may not.
            let admin = Question::new(door, APP, "/admin/x").with("Authorization", &value);
            assert_eq!(ask(&gate, &admin).status, 403, "{door}");
        }
        assert_eq!(told(&asked(&gate, door, APP, &basic("bob", &token))).0, 401);
    }
    let legacy = Question::new("legacy", APP, "/x");
    let legacy = ask(
        &gate,
        &legacy.with("Proxy-Authorization", &basic("alice", &token)),
    );
    assert_eq!(told(&legacy), (200, Some("alice")));
    auth_gate(&gate, &["revoke", "--user", "alice", "--name", "Backup"]);
    // At once, on every worker: each connection may be any's.
    for _ in 0..4 {
        assert_eq!(
            told(&asked(&gate, "auth-request", APP, &bearer(&token))),
            (401, None)
        );
    }
    let log = gate.log();
    assert!(!log.contains(&token[30..]), "no part of it is in the log");
}

#[test]
fn wrong_ones_are_slow_told_and_counted_and_never_hashed() {
    let regulation = "regulation: { modes: [user], max_retries: 3, find_time: 2m, ban_time: 5m }";
    let gate = bed().server(METRICS).yaml(regulation).start();
    let right = add(&gate, "alice", "Backup", &[]);
    let elsewhere = add(&gate, "alice", "Wiki", &["--host", "wiki.example.com"]);
    let hashed = Exposition::of_gate(&gate).sum("hashes_total");
    assert!(hashed > 0.0, "bob has signed in");
    let unknown = Token::new(&[7; 30]).reveal();
    let slow = Duration::from_millis(1990);
    std::thread::scope(|scope| {
        for value in [
            basic("alice", &unknown),
            basic("alice", &unknown),
            basic("alice", &elsewhere),
            basic("carol", &right),
            bearer(&unknown),
        ] {
            let gate = &gate;
            scope.spawn(move || {
                let begun = Instant::now();
                let answer = asked(gate, "forward-auth", APP, &value);
                assert_eq!(told(&answer), (401, None), "{value}");
                assert!(
                    begun.elapsed() >= slow,
                    "{value} after {:?}",
                    begun.elapsed()
                );
            });
        }
    });
    let begun = Instant::now();
    assert_eq!(
        told(&asked(&gate, "forward-auth", APP, &bearer(&right))),
        (200, Some("alice"))
    );
    assert!(begun.elapsed() < slow);
    let found = Exposition::of_gate(&gate);
    assert_eq!(found.sum("hashes_total"), hashed);
    let logins = |outcome| {
        found.get(
            "logins_total",
            &[("method", "app_password"), ("result", outcome)],
        )
    };
    assert_eq!((logins("success"), logins("failure")), (1.0, 5.0));
    let log = gate.log();
    let lines = |tail: &str| {
        let line =
            format!("event=sign_in result=failure client=127.0.0.1 method=app_password{tail}");
        log.matches(&line).count()
    };
    assert_eq!(lines(" user=\"alice\","), 2, "{log}");
    assert_eq!(
        lines(" user=\"alice\" reason=\"the app password does not open this host\""),
        1,
        "{log}"
    );
    assert_eq!((lines(" user=\"carol\""), lines(",")), (1, 1), "{log}");
    for token in [&*unknown, &elsewhere, &right] {
        assert!(!log.contains(&token[24..]), "no part of it is in the log");
    }
}

#[test]
fn many_that_are_right_at_once_are_no_failures() {
    let regulation =
        "regulation: { modes: [user, ip], max_retries: 3, find_time: 2m, ban_time: 5m }";
    let gate = bed().yaml(regulation).workers(2).start();
    let token = add(&gate, "alice", "Sync", &[]);
    std::thread::scope(|scope| {
        for number in 0..24 {
            let (gate, token) = (&gate, &token);
            scope.spawn(move || {
                let value = match number % 2 {
                    0 => basic("alice", token),
                    _ => bearer(token),
                };
                let answer = asked(gate, "forward-auth", APP, &value);
                assert_eq!(told(&answer), (200, Some("alice")));
            });
        }
    });
    gate.signed_in("alice");
    let used = auth_gate(&gate, &["list", "--format", "json"]);
    assert!(!used.contains("\"last_used\":null"), "{used}");
}

#[test]
fn what_is_open_to_everybody_stays_so_and_two_factors_stay_two() {
    let rules = "access_control:
  default_policy: deny
  rules:
    - { domain: public.example.com, policy: bypass }
    - { domain: api.example.com, policy: two_factor }
    - { domain: app.example.com, policy: one_factor }
";
    let gate = bed().rules(rules).start();
    let token = add(&gate, "alice", "Backup", &[]);
    assert_eq!(
        told(&asked(&gate, "auth-request", APP, &bearer(&token))),
        (200, Some("alice"))
    );
    assert_eq!(
        told(&asked(
            &gate,
            "auth-request",
            "api.example.com",
            &bearer(&token)
        )),
        (401, None)
    );
    let unknown = bearer(&Token::new(&[7; 30]).reveal());
    assert_eq!(
        told(&asked(
            &gate,
            "auth-request",
            "public.example.com",
            &unknown
        )),
        (200, None)
    );
}

#[test]
fn while_the_store_is_out_nobody_is_let_in_or_held_to_have_failed() {
    let regulation = "regulation: { modes: [user], max_retries: 1, find_time: 2m, ban_time: 5m }";
    let gate = bed().yaml(regulation).start();
    let token = add(&gate, "alice", "Backup", &[]);
    let (here, away) = (gate.prefix().join("store"), gate.prefix().join("away"));
    gate.restart();
    fs::rename(&here, &away).unwrap();
    for value in [basic("alice", &token), bearer(&token)] {
        let answer = asked(&gate, "auth-request", APP, &value);
        assert_eq!(told(&answer), (503, None), "{value}");
        assert!(answer.header("Retry-After").is_some());
    }
    fs::rename(&away, &here).unwrap();
    super::harness::until("the store to be asked again", || {
        let answer = asked(&gate, "auth-request", APP, &basic("alice", &token));
        (told(&answer) == (200, Some("alice"))).then_some(())
    });
}

#[test]
fn one_that_is_over_or_whose_user_is_gone_opens_nothing() {
    let gate = bed().start();
    let token = add(&gate, "alice", "Backup", &[]);
    let old = Token::new(&[9; 30]);
    let over = AppPassword {
        id: old.id().bytes().into(),
        user: "alice".into(),
        name: "Old".into(),
        verifier: old.verifier().bytes().into(),
        hosts: Vec::new(),
        created: now() - 600,
        expires: Some(now() - 1),
        last_used: None,
    };
    let random = &mut |bytes: &mut [u8]| getrandom::fill(bytes).unwrap();
    open(gate.prefix(), KEY)
        .add_app_password(&over, random)
        .unwrap();
    assert_eq!(
        told(&asked(&gate, "auth-request", APP, &bearer(&old.reveal()))),
        (401, None)
    );
    assert!(
        gate.log()
            .contains("user=\"alice\" reason=\"the app password has expired\"")
    );
    assert_eq!(
        told(&asked(&gate, "auth-request", APP, &bearer(&token))),
        (200, Some("alice"))
    );
    let users = super::harness::site::USERS.replacen("alice:", "alicia:", 1);
    gate.replace("users.yml", &users);
    super::harness::until("the users file to be read", || {
        (told(&asked(&gate, "auth-request", APP, &bearer(&token))) == (401, None)).then_some(())
    });
}

#[test]
fn nobody_signs_in_at_the_portal_with_one() {
    let gate = bed().start();
    let token = add(&gate, "alice", "Backup", &[]);
    let mut visitor = gate.visitor();
    assert_eq!(visitor.sign_in("alice", &token).status, 401);
    for value in [basic("alice", &token), bearer(&token)] {
        for target in [
            "/api/user/info",
            "/api/user/app-passwords",
            "/api/user/session/elevation",
        ] {
            let ask = Ask::api("GET", PORTAL, target, &json!({})).with("Authorization", &value);
            assert_eq!(visitor.send(&ask).status, 403, "{target}");
        }
        let make = Ask::api(
            "POST",
            PORTAL,
            "/api/user/app-passwords",
            &json!({"name": "More"}),
        );
        assert_eq!(
            visitor.send(&make.with("Authorization", &value)).status,
            403
        );
    }
    assert_eq!(
        auth_gate(&gate, &["list", "--format", "json"])
            .matches("\"id\"")
            .count(),
        1
    );
}
