//! Names and passwords in the headers of guarded requests: who gets in, who does not, and what that costs.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::harness::counted::METRICS;
use super::harness::exposition::Exposition;
use super::harness::question::basic;
use super::harness::{Answer, Ask, Gate, Site};

const APP: &str = "app.example.com";

/// What a wrong password takes at least.
const SLOW: Duration = Duration::from_millis(1990);

/// What a program asks for.
fn program(target: &str, name: &str, password: &str) -> Ask {
    Ask::new("GET", APP, target).with("Authorization", &basic(name, password))
}

/// The user that the backend was told, if it was asked; it was if and only if the answer is 200.
fn user(gate: &Gate, ask: &Ask) -> (u16, Option<String>) {
    gate.backend().take();
    let answer = gate.send(ask);
    let seen = gate.backend().take();
    assert_eq!(seen.len(), usize::from(answer.status == 200), "{answer:?}");
    let user = seen.first().map(|seen| seen.one("Remote-User").to_owned());
    (answer.status, user)
}

fn told(user: &str) -> (u16, Option<String>) {
    (200, Some(user.to_owned()))
}

fn is_asked_for_a_password(answer: &Answer) {
    assert_eq!((answer.status, answer.location()), (401, ""), "{answer:?}");
    assert_eq!(
        answer.header("WWW-Authenticate"),
        Some("Basic realm=\"Authorization Required\"")
    );
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
}

#[test]
fn a_right_password_in_a_header_is_one_factor() {
    let search = "
authentication_backend:
  file:
    path: users.yml
    search: { email: true, case_insensitive: true }";
    let gate = Site::bed().backend(search).start();
    assert_eq!(
        user(&gate, &program("/x", "alice", "password")),
        told("alice")
    );
    assert_eq!(
        user(&gate, &program("/x", "ALICE@example.com", "password")),
        told("alice"),
        "the canonical name"
    );
    let (status, _) = user(&gate, &program("/admin/x", "alice", "password"));
    assert_eq!(status, 403);
    assert_eq!(
        user(&gate, &program("/admin/x", "bob", "password")),
        told("bob")
    );
    let alice = gate.signed_in("alice");
    let mut both = program("/x", "bob", "password");
    both.headers.extend(alice.cookie_header(APP));
    assert_eq!(user(&gate, &both), told("bob"), "the cookie is ignored");
    alice.is_let_in(APP, "/x");
}

#[test]
fn a_browser_without_a_header_is_sent_to_the_portal_as_ever() {
    let gate = Site::bed().start();
    let answer = gate.page(APP, "/x");
    assert_eq!(answer.status, 302);
    assert!(answer.header("WWW-Authenticate").is_none());
    let empty = Ask::page(APP, "/x").with("Authorization", "");
    assert_eq!(gate.send(&empty).status, 302);
}

#[test]
fn one_factor_where_two_are_wanted_asks_for_another_credential() {
    let rules = "access_control:\n  default_policy: two_factor\n";
    let gate = Site::bed().rules(rules).tolerate("no storage").start();
    is_asked_for_a_password(&gate.send(&program("/x", "alice", "password")));
    assert!(gate.backend().take().is_empty());
    assert_eq!(gate.page(APP, "/x").status, 302);
}

#[test]
fn a58_a_bad_credential_is_worth_less_than_a_good_cookie() {
    let gate = Site::bed().start();
    let alice = gate.signed_in("alice");
    let encoded = |text: &str| format!("Basic {}", STANDARD.encode(text));
    let started = Instant::now();
    for bad in [
        "Basic".to_owned(),
        "basic !".to_owned(),
        "Basic\talice".to_owned(),
        encoded("alice"),
        encoded(":password"),
        encoded("alice:"),
        encoded("alice:password") + "=",
        encoded("alice:password").replace(' ', "  "),
    ] {
        let mut ask = Ask::page(APP, "/x").with("Authorization", &bad);
        ask.headers.extend(alice.cookie_header(APP));
        is_asked_for_a_password(&gate.send(&ask));
        assert!(gate.backend().take().is_empty(), "{bad}");
    }
    assert!(started.elapsed() < SLOW, "nothing was checked");
    assert!(!gate.log().contains("method=basic"), "nothing was counted");
    alice.is_let_in(APP, "/x");
}

#[test]
fn a65_odd_credentials_are_refused_and_whole_ones_taken() {
    let gate = Site::bed().yaml("regulation: { max_retries: 0 }").start();
    let encoded = |bytes: &[u8]| format!("Basic {}", STANDARD.encode(bytes));
    let odd = [
        encoded(b"alice\xff:password"),
        encoded(b"alice:\xff"),
        encoded(b"alice:password") + ", " + &encoded(b"bob:password"),
        encoded(&[b"alice:".as_slice(), &[b'x'; 4000]].concat()),
        encoded(&[b"alice:password".as_slice(), &[b'x'; 80]].concat()),
        encoded(b"alice:password:"),
        encoded(b"alice:password\0"),
    ];
    std::thread::scope(|scope| {
        for odd in &odd {
            let gate = &gate;
            scope.spawn(move || {
                let answer = gate.send(&Ask::new("GET", APP, "/x").with("Authorization", odd));
                is_asked_for_a_password(&answer);
            });
        }
    });
    assert!(gate.backend().take().is_empty());
    let huge = encoded(&vec![b'x'; 64_000]);
    let answer = gate.send(&Ask::new("GET", APP, "/x").with("Authorization", &huge));
    assert_eq!(answer.status, 400, "nginx takes no such header");
    let pair = encoded(b"alice:password");
    let twice = Ask::new("GET", APP, "/x")
        .with("Authorization", &pair)
        .with("Authorization", &pair);
    assert!(matches!(gate.send(&twice).status, 400 | 401));
    assert!(gate.backend().take().is_empty());
    for fine in ["Basic", "bAsIc", "BASIC"] {
        let ask = Ask::new("GET", APP, "/x").with("Authorization", &pair.replace("Basic", fine));
        assert_eq!(user(&gate, &ask), told("alice"), "{fine}");
    }
}

#[test]
fn a58_wrong_passwords_are_slow_counted_and_told() {
    let regulation = "regulation: { modes: [user], max_retries: 3, find_time: 2m, ban_time: 5m }";
    let gate = Site::bed().yaml(regulation).server(METRICS).start();
    std::thread::scope(|scope| {
        for (number, name) in ["alice", "alice", "alice", "nobody", "carol"]
            .iter()
            .enumerate()
        {
            let gate = &gate;
            scope.spawn(move || {
                let begun = Instant::now();
                let wrong = format!("wrong {number}");
                is_asked_for_a_password(&gate.send(&program("/x", name, &wrong)));
                assert!(
                    begun.elapsed() >= SLOW,
                    "{name} after {:?}",
                    begun.elapsed()
                );
            });
        }
    });
    assert!(gate.backend().take().is_empty());
    let begun = Instant::now();
    is_asked_for_a_password(&gate.send(&program("/x", "alice", "password")));
    assert!(begun.elapsed() >= SLOW, "a ban looks like a wrong password");
    let begun = Instant::now();
    assert_eq!(user(&gate, &program("/x", "bob", "password")), told("bob"));
    assert!(begun.elapsed() < SLOW);
    let log = gate.log();
    let said = |result: &str, user: &str| {
        let begin =
            format!("event=sign_in result={result} client=127.0.0.1 method=basic user=\"{user}\"");
        log.matches(&begin).count()
    };
    assert_eq!(
        (said("failure", "alice"), said("banned", "alice")),
        (3, 1),
        "{log}"
    );
    assert_eq!(
        (said("failure", "nobody"), said("failure", "carol")),
        (1, 1),
        "{log}"
    );
    assert!(!log.contains("event=sign_in result=success"), "{log}");
    assert_eq!(
        gate.visitor().sign_in("alice", "password").status,
        401,
        "the form shares the ban"
    );
    let counted = Exposition::of_gate(&gate);
    let logins = |result| counted.get("logins_total", &[("method", "basic"), ("result", result)]);
    assert_eq!(
        (logins("success"), logins("failure"), logins("banned")),
        (1.0, 5.0, 1.0)
    );
}

#[test]
fn a59_a_burst_of_wrong_passwords_gets_no_more_tries_than_are_allowed() {
    let regulation = "regulation: { modes: [user], max_retries: 3, find_time: 2m, ban_time: 5m }";
    let gate = Site::bed().yaml(regulation).start();
    std::thread::scope(|scope| {
        for number in 0..20 {
            let gate = &gate;
            scope.spawn(move || {
                let ask = program("/x", "alice", &format!("wrong {number}"));
                is_asked_for_a_password(&gate.send(&ask));
            });
        }
    });
    let log = gate.log();
    let said = |result| log.matches(&format!("sign_in result={result} ")).count();
    assert_eq!((said("failure"), said("banned")), (3, 17), "{log}");
}

#[test]
fn requests_that_come_at_once_with_the_same_password_are_one_attempt() {
    let regulation = "regulation: { modes: [user], max_retries: 3, find_time: 2m, ban_time: 5m }";
    let gate = Site::bed().yaml(regulation).server(METRICS).start();
    let at_once = |password: &'static str, status: u16| {
        std::thread::scope(|scope| {
            for _ in 0..12 {
                let gate = &gate;
                scope.spawn(move || {
                    let answer = gate.send(&program("/x", "alice", password));
                    assert_eq!(answer.status, status, "{answer:?}");
                });
            }
        });
    };
    // Else the fourth would be refused while three are under way.
    at_once("password", 200);
    assert_eq!(gate.backend().take().len(), 12);
    assert!(!gate.log().contains("method=basic"), "{}", gate.log());
    at_once("wrong", 401);
    assert!(gate.backend().take().is_empty());
    let counted = Exposition::of_gate(&gate);
    let passed = [("method", "basic"), ("result", "success")];
    assert_eq!(counted.get("logins_total", &passed), 12.0);
}

#[test]
fn a57_nobody_can_tell_an_unknown_name_from_a_wrong_password() {
    let gate = Site::bed().yaml("regulation: { max_retries: 0 }").start();
    let form = |answer: Answer| {
        let mut names: Vec<_> = answer.headers.into_iter().collect();
        names.retain(|(name, _)| !name.eq_ignore_ascii_case("date"));
        (answer.status, names, answer.body)
    };
    let asked: Vec<_> = std::thread::scope(|scope| {
        let names = ["alice", "nobody", "carol", "bob"];
        let asked = names.map(|name| {
            let gate = &gate;
            scope.spawn(move || {
                let begun = Instant::now();
                let answer = gate.send(&program("/x", name, "wrong"));
                (form(answer), begun.elapsed())
            })
        });
        asked.map(|asked| asked.join().unwrap()).into()
    });
    for (answer, took) in &asked {
        assert_eq!(*answer, asked[0].0);
        // Two seconds, at most 85 ms at random, and what the machine needs.
        assert!(*took >= SLOW && *took < 2 * SLOW, "{took:?}");
    }
}

#[test]
fn what_a_location_reads_can_be_chosen() {
    let app = "
        location /cookie/ { auth_gate_credentials cookie; @proxy@ }
        location /basic/ { auth_gate_credentials basic; @proxy@ }
        location /proxy/ { auth_gate_credentials proxy_basic; @proxy@ }
        location /all/ { auth_gate_credentials cookie basic proxy_basic; @proxy@ }";
    let gate = Site::bed().app(app).start();
    let alice = gate.signed_in("alice");
    let pair = basic("bob", "password");
    let send = |target: &str, header: &str, cookie: bool| {
        let mut ask = Ask::page(APP, target);
        if !header.is_empty() {
            ask = ask.with(header, &pair);
        }
        if cookie {
            ask.headers.extend(alice.cookie_header(APP));
        }
        user(&gate, &ask)
    };
    let (own, proxy) = ("Authorization", "Proxy-Authorization");
    assert_eq!(send("/cookie/", own, true), told("alice"));
    assert_eq!(send("/cookie/", own, false), (302, None));
    assert_eq!(send("/basic/", own, true), told("bob"));
    assert_eq!(send("/basic/", "", true), (401, None), "no cookie counts");
    assert_eq!(send("/basic/", proxy, false), (401, None));
    assert_eq!(send("/proxy/", proxy, true), told("bob"));
    assert_eq!(send("/proxy/", own, true), (407, None));
    assert_eq!(send("/all/", own, true), told("bob"));
    assert_eq!(send("/all/", proxy, true), told("bob"));
    assert_eq!(send("/all/", "", true), told("alice"));
    assert_eq!(send("/all/", "", false), (302, None));
    let answer = gate.page(APP, "/proxy/");
    assert_eq!(
        (answer.status, answer.header("Proxy-Authenticate")),
        (407, Some("Basic realm=\"Authorization Required\""))
    );
    let wrong = Ask::page(APP, "/all/").with(proxy, "Basic !");
    assert_eq!(gate.send(&wrong).status, 407);
    is_asked_for_a_password(&gate.page(APP, "/basic/"));
    let first = Ask::page(APP, "/all/")
        .with(own, "Basic !")
        .with(proxy, &pair);
    is_asked_for_a_password(&gate.send(&first));
}

#[test]
fn what_is_read_is_inherited_until_something_else_is_said() {
    let server = "server {
        @listen@
        server_name other.example.com;
        auth_gate on;
        auth_gate_credentials basic;
        location / { @proxy@ location /inner/ { if ($arg_x) { set $y 1; } @proxy@ } }
        location /cookie/ { auth_gate_credentials cookie; @proxy@ location /cookie/inner/ { @proxy@ } }
    }";
    let gate = Site::bed()
        .http("auth_gate_credentials cookie;")
        .server(server)
        .start();
    let asks = |host: &str, target: &str| {
        let answer = gate.page(host, target);
        (answer.status, answer.header("WWW-Authenticate").is_some())
    };
    assert_eq!(asks(APP, "/x"), (302, false));
    for target in ["/", "/inner/", "/inner/?x=1"] {
        assert_eq!(asks("other.example.com", target), (401, true), "{target}");
    }
    for target in ["/cookie/", "/cookie/inner/"] {
        assert_eq!(asks("other.example.com", target), (302, false), "{target}");
    }
    // A program is not redirected.
    let asked = user(&gate, &program("/x", "alice", "password"));
    assert_eq!(asked, (401, None));
}

#[test]
fn a69_an_address_with_two_signs_or_of_another_domain_is_nobodys() {
    let search = "
authentication_backend:
  file:
    path: users.yml
    search: { email: true, case_insensitive: false }";
    let gate = Site::bed().backend(search).start();
    std::thread::scope(|scope| {
        for name in [
            "x@alice@example.com",
            "alice@example.com@evil.test",
            "alice@evil.test",
            "alice@example.com\0",
            " alice@example.com",
            "Alice",
        ] {
            let gate = &gate;
            scope.spawn(move || {
                is_asked_for_a_password(&gate.send(&program("/x", name, "password")));
            });
        }
    });
    assert!(gate.backend().take().is_empty());
    let right = program("/x", "ALICE@Example.com", "password");
    assert_eq!(user(&gate, &right), told("alice"));
}

#[test]
fn an_error_page_may_dress_the_refusal_and_the_challenge_stays() {
    let app = "error_page 401 /refused.html;
        location = /refused.html { auth_gate off; root @prefix@/html; }";
    let gate = Site::bed()
        .app(app)
        .file("html/refused.html", "a page of the site")
        .start();
    let answer = gate.send(&Ask::page(APP, "/x").with("Authorization", "Basic !"));
    is_asked_for_a_password(&answer);
    assert_eq!(answer.text(), "a page of the site");
}

#[test]
fn a74_mistakes_stop_nginx_with_a_sentence() {
    let refused = |line: &str, said: &[&str]| {
        Site::bed().app(line).check().refused(said);
    };
    refused("auth_gate_credentials;", &["auth_gate_credentials"]);
    refused(
        "auth_gate_credentials cookies;",
        &[
            "auth_gate_credentials",
            "no value \"cookies\"",
            "proxy_basic",
        ],
    );
    refused(
        "auth_gate_credentials basic basic;",
        &["has \"basic\" twice"],
    );
    refused("auth_gate_credentials cache=5m;", &["names nothing"]);
    refused(
        "auth_gate_credentials cookie cache=5m;",
        &["cache", "basic"],
    );
    refused(
        "auth_gate_credentials bearer cache=5m;",
        &["cache", "password"],
    );
    refused(
        "auth_gate_credentials basic cache=soon;",
        &["cache=soon", "cache=5m"],
    );
    refused(
        "auth_gate_credentials basic cache=1m cache=2m;",
        &["\"cache\" twice"],
    );
    refused(
        "auth_gate_credentials basic; auth_gate_credentials cookie;",
        &["duplicate"],
    );
    Site::bed()
        .http("auth_gate_credentials cookie basic cache=5m;")
        .app("auth_gate_credentials basic; location /x { auth_gate_credentials cookie basic proxy_basic bearer cache=0; @proxy@ }")
        .check()
        .taken_silently();
}
