//! App passwords of programs at the authorization endpoints of a real nginx, and in the hands of their user and of the
//! administrator.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use ngx_http_auth_gate_module::store::{AppPassword, AppPasswords as _};
use ngx_http_auth_gate_module::users::app_password::Token;

use super::harness::browser::Browser;
use super::harness::counted::METRICS;
use super::harness::exposition::Exposition;
use super::harness::mail::MailServer;
use super::harness::question::{ENDPOINTS, Question, ask, basic};
use super::harness::visitor::PORTAL;
use super::harness::{Answer, Ask, Gate, Site};
use super::second_factor::now;
use super::storage::{KEY, bed as stored, open};

const APP: &str = "app.example.com";
const DOORS: [&str; 3] = ["auth-request", "forward-auth", "ext-authz"];

/// The same three endpoints, for tokens, too; and an oldest one as it always is.
const AUTHZ: &str = "server:
  endpoints:
    authz:
      auth-request: { implementation: AuthRequest, authn_strategies: [{ name: HeaderAuthorization, schemes: [Basic, Bearer] }, { name: CookieSession }] }
      forward-auth: { implementation: ForwardAuth, authn_strategies: [{ name: HeaderAuthorization, schemes: [Basic, Bearer] }, { name: CookieSession }] }
      ext-authz: { implementation: ExtAuthz, authn_strategies: [{ name: HeaderAuthorization, schemes: [Basic, Bearer] }, { name: CookieSession }] }
      legacy: { implementation: Legacy }
";

fn bed() -> Site {
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
fn add(gate: &Gate, user: &str, name: &str, more: &[&str]) -> String {
    // Whoever signs in has a worker make the store, which is then the workers'.
    gate.signed_in("bob");
    let arguments = ["add", "--user", user, "--name", name];
    let out = auth_gate(gate, &[&arguments[..], more].concat());
    out.trim_end().rsplit('\n').next().unwrap().to_owned()
}

fn asked(gate: &Gate, door: &'static str, host: &str, authorization: &str) -> Answer {
    let question = Question::new(door, host, "/x");
    ask(gate, &question.with("Authorization", authorization))
}

/// Status and user.
fn told(answer: &Answer) -> (u16, Option<&str>) {
    (answer.status, answer.header("Remote-User"))
}

fn bearer(token: &str) -> String {
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
fn a58_wrong_ones_ban_whom_they_name() {
    let regulation = "regulation: { modes: [user], max_retries: 3, find_time: 2m, ban_time: 5m }";
    let gate = bed().yaml(regulation).start();
    let right = add(&gate, "alice", "Backup", &[]);
    std::thread::scope(|scope| {
        for number in 0..3 {
            let gate = &gate;
            scope.spawn(move || {
                let wrong = basic("alice", &Token::new(&[number; 30]).reveal());
                assert_eq!(asked(gate, "auth-request", APP, &wrong).status, 401);
            });
        }
    });
    assert_eq!(
        told(&asked(&gate, "auth-request", APP, &bearer(&right))),
        (401, None)
    );
    let log = gate.log();
    let banned = "result=banned client=127.0.0.1 method=app_password user=\"alice\"";
    assert_eq!(log.matches(banned).count(), 1, "{log}");
    assert_eq!(gate.visitor().sign_in("alice", "password").status, 401);
    gate.signed_in("bob");
}

#[test]
fn a65_a66_tokens_of_any_other_kind_open_nothing() {
    let gate = bed().start();
    let token = add(&gate, "alice", "Backup", &[]);
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({"sub": "alice", "iss": "https://auth.example.com", "aud": "app", "exp": 4_000_000_000_u64});
    let jwt = |head: serde_json::Value, tail: &str| {
        format!("{}.{}.{tail}", part(head), part(claims.clone()))
    };
    let unsigned = jwt(json!({"alg": "none"}), "");
    let signed = jwt(
        json!({"alg": "HS256", "kid": "../../etc/passwd"}),
        "c2lnbmF0dXJl",
    );
    let nested = jwt(
        json!({"alg": "none", "cty": "JWT"}),
        &URL_SAFE_NO_PAD.encode(&unsigned),
    );
    let alice = gate.signed_in("alice");
    for odd in [
        bearer(&unsigned),
        bearer(&signed),
        bearer(&nested),
        bearer(&format!("{token}.{token}")),
        bearer(&token.to_uppercase()),
        bearer(&token[..token.len() - 1]),
        bearer(&format!("{token}%00")),
        bearer(&format!("{token}, Bearer {token}")),
        format!("Bearer\t{token}"),
        format!("Bearer  {token}"),
        format!("Bearer=\"{token}\""),
        format!("Token {token}"),
        "Bearer".into(),
        token.clone(),
        format!("Basic {token}"),
        format!("Basic {}", STANDARD.encode(&token)),
        format!("Basic {}", STANDARD.encode(format!(":{token}"))),
        format!(
            "Basic {}",
            STANDARD.encode([token.as_bytes(), b":x"].concat())
        ),
        format!(
            "Basic {}",
            STANDARD.encode([b"alice:".as_slice(), token.as_bytes(), b"\xff"].concat())
        ),
    ] {
        let question = Question::new("auth-request", APP, "/x").of(&alice);
        let answer = ask(&gate, &question.with("Authorization", &odd));
        assert_eq!(
            (told(&answer), answer.location()),
            ((401, None), ""),
            "{odd}"
        );
        assert!(answer.header("WWW-Authenticate").is_some(), "{odd}");
    }
    let twice = Question::new("auth-request", APP, "/x");
    let twice = twice.with("Authorization", &bearer(&token));
    assert_eq!(told(&ask(&gate, &twice)), (200, Some("alice")));
    let twice = twice.with("Authorization", &bearer(&token));
    // nginx itself takes this header once.
    assert_eq!(ask(&gate, &twice).status, 400);
    let huge = bearer(&unsigned.repeat(1 + (1 << 20) / unsigned.len()));
    let question = Question::new("auth-request", APP, "/x");
    // nginx ends it where it is larger than any header may be.
    assert_eq!(
        ask(&gate, &question.with("Authorization", &huge)).status,
        400
    );
    let odd = format!("bEARER {token}");
    assert_eq!(
        told(&asked(&gate, "auth-request", APP, &odd)),
        (200, Some("alice"))
    );
    // In the address it is no credential.
    let query = Question::new("auth-request", APP, &format!("/x?access_token={token}"));
    assert_eq!(ask(&gate, &query).status, 401);
}

#[test]
fn a67_one_for_another_host_opens_nothing_however_the_host_is_told() {
    let gate = bed().start();
    let token = add(&gate, "alice", "App", &["--host", APP]);
    let below = add(
        &gate,
        "alice",
        "Below",
        &["--host", "*.app.example.com", "--host", "api.example.com"],
    );
    for door in DOORS {
        for value in [basic("alice", &token), bearer(&token)] {
            assert_eq!(
                told(&asked(&gate, door, APP, &value)),
                (200, Some("alice")),
                "{door}"
            );
            assert_eq!(
                told(&asked(&gate, door, "APP.example.com:443", &value)).0,
                200,
                "{door}"
            );
            for other in ["api.example.com", "x.app.example.com"] {
                assert_eq!(
                    told(&asked(&gate, door, other, &value)),
                    (401, None),
                    "{door} {other}"
                );
            }
        }
        assert_eq!(
            told(&asked(&gate, door, "api.example.com", &bearer(&below))).0,
            200
        );
        assert_eq!(told(&asked(&gate, door, APP, &bearer(&below))).0, 401);
    }
    // A host that is not the one asked about has no say.
    let question = Question::new("auth-request", "api.example.com", "/x")
        .with("X-Forwarded-Host", APP)
        .with("X-Original-Host", APP)
        .with("Authorization", &bearer(&token));
    assert_eq!(ask(&gate, &question).status, 401);
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

#[test]
fn a_person_makes_one_for_a_program_and_takes_it_away() {
    for script in [true, false] {
        let mail = MailServer::start(&format!("app-password-{script}"));
        let gate = bed().yaml(&mail.notifier()).workers(2).start();
        let mut browser = Browser::start(&gate);
        if !script {
            browser = browser.without_javascript();
        }
        browser.open(&gate.url(PORTAL, "/"));
        browser.sign_in("alice", "password");
        browser.wait(
            "the signed-in page",
            "!!document.querySelector('form[action$=logout]')",
        );
        browser.click("a[href$='/settings']");
        browser.click("a[href$='/settings/app-passwords']");
        browser.click("a[href$='/settings/app-passwords/new']");
        browser.click("form:has(input[name=send]) button");
        browser.wait(
            "a field for the code",
            "!!document.querySelector('input#code')",
        );
        browser.click("input#code");
        browser.write(&mail.code());
        browser.press("Enter");
        browser.wait(
            "a field for the name",
            "!!document.querySelector('input#name')",
        );
        browser.click("input#name");
        browser.write("Calendar <b> on my phone");
        browser.click("input#hosts");
        browser.write("https://app.example.com/");
        browser.press("Enter");
        browser.wait("the error", "!!document.querySelector('#hosts-error')");
        browser.evaluate("document.querySelector('input#hosts').value = ''");
        browser.click("input#hosts");
        browser.write(APP);
        browser.press("Enter");
        browser.wait(
            "the app password",
            "!!document.querySelector('textarea#made')",
        );
        let token = browser.evaluate("document.querySelector('textarea#made').value");
        let token = token.as_str().unwrap().to_owned();
        // All of it can be seen, however small the window is.
        let hidden = "(t => t.scrollHeight > t.clientHeight || t.scrollWidth > t.clientWidth)(document.querySelector('textarea#made'))";
        assert_eq!(browser.evaluate(hidden), false);
        mail.letter("App password added");
        assert_eq!(
            told(&asked(&gate, "auth-request", APP, &bearer(&token))),
            (200, Some("alice"))
        );
        browser.click("nav a.button");
        browser.wait("the list", "!!document.querySelector('ul.list')");
        let text = browser.text();
        assert!(
            text.contains("Calendar <b> on my phone") && text.contains(APP),
            "{text}"
        );
        assert!(!text.contains(&token[24..]));
        browser.click("ul.list a");
        browser.wait("the one", "!!document.querySelector('h2')");
        browser.click("form button");
        browser.wait(
            "the word for it",
            "!!document.querySelector('[role=status]')",
        );
        mail.letter("App password revoked");
        assert_eq!(
            told(&asked(&gate, "auth-request", APP, &bearer(&token))),
            (401, None)
        );
        let log = gate.log();
        for event in ["add_app_password", "revoke_app_password"] {
            let line = format!(
                "event={event} result=success client=127.0.0.1 user=\"alice\" name=\"Calendar <b> on my phone\""
            );
            assert!(log.contains(&line), "{log}");
        }
    }
}
