//! What a visitor claims about himself never arrives, however it is spelt.

use super::harness::{Ask, Gate, Seen, Site};

const APP: &str = "app.example.com";
/// One location for each kind of backend.
pub(super) const BACKENDS: &str = "location /p { @proxy@ }
    location /f { fastcgi_pass @fastcgi@; fastcgi_param REMOTE_USER $remote_user; }
    location /u { uwsgi_pass @uwsgi@; uwsgi_param REMOTE_USER $remote_user; }
    location /g { grpc_pass grpc://@grpc@; }";

/// What a backend is told in headers.
pub(super) const NAMES: [&str; 4] = [
    "Remote-User",
    "Remote-Groups",
    "Remote-Name",
    "Remote-Email",
];

/// Every claim of a visitor, in the spelling that `spell` gives to the names.
fn claims(spell: impl Fn(&str) -> String) -> Vec<(String, String)> {
    NAMES
        .iter()
        .map(|name| (spell(name), format!("claimed-{name}")))
        .collect()
}

fn claiming(ask: Ask, claims: &[(String, String)]) -> Ask {
    claims
        .iter()
        .fold(ask, |ask, (name, value)| ask.with(name, value))
}

/// Nothing of the claims arrived; what stands in the headers is `user`'s or empty.
pub(super) fn assert_identity(seen: &Seen, user: &str) {
    for name in NAMES {
        let values = seen.folded(name);
        assert!(values.len() <= 1, "{name} in several spellings: {seen:?}");
        assert!(
            values.iter().all(|value| !value.contains("claimed")),
            "a claim arrived: {seen:?}"
        );
    }
    assert_eq!(seen.one("Remote-User"), user, "{seen:?}");
}

#[test]
fn a32_claims_of_a_visitor_never_arrive() {
    let users = super::harness::site::USERS.replace("    email: alice@example.com\n", "");
    let rules = "access_control:
  default_policy: deny
  rules:
    - { domain: app.example.com, methods: OPTIONS, policy: bypass }
    - { domain: app.example.com, resources: '^/public/', policy: bypass }
    - { domain: app.example.com, policy: one_factor }
";
    let gate = Site::bed()
        .rules(rules)
        .users(&users)
        .app("auth_gate_unauthenticated ^/free/;")
        .start();
    let sent = claims(str::to_owned);
    for (who, user) in [(gate.visitor(), ""), (gate.signed_in("alice"), "alice")] {
        for (method, target) in [
            ("GET", "/public/x"),
            ("GET", "/free/x"),
            ("POST", "/public/x"),
            ("OPTIONS", "/x"),
        ] {
            let ask =
                claiming(Ask::new(method, APP, target), &sent).with("Origin", "https://evil.org");
            assert_eq!(
                who.clone()
                    .send(&ask.with("Access-Control-Request-Method", "GET"))
                    .status,
                200
            );
            assert_identity(&gate.backend().take_one(), user);
        }
    }
    let mut alice = gate.signed_in("alice");
    alice.send(&claiming(Ask::page(APP, "/x"), &sent));
    let seen = gate.backend().take_one();
    assert_identity(&seen, "alice");
    assert_eq!(
        seen.one("Remote-Email"),
        "",
        "alice has no address: nothing may stand there"
    );
}

#[test]
fn a32_locations_without_identity_pass_no_claims_on() {
    let gate = Site::bed()
        .app("location /off/ { auth_gate off; @proxy@ } location /mine/ { auth_gate_identity_headers off; @proxy@ }")
        .start();
    gate.send(&claiming(Ask::page(APP, "/off/x"), &claims(str::to_owned)));
    assert_identity(&gate.backend().take_one(), "");
    gate.signed_in("alice")
        .send(&claiming(Ask::page(APP, "/mine/x"), &claims(str::to_owned)));
    assert_eq!(
        gate.backend().take_one().one("Remote-User"),
        "claimed-Remote-User",
        "the administrator said off"
    );
}

/// Spellings of a header name that some backend takes for the same name.
fn spellings() -> Vec<fn(&str) -> String> {
    vec![
        |name| name.to_owned(),
        |name| name.to_uppercase(),
        |name| name.to_lowercase(),
        |name| name.replace('-', "_"),
        |name| name.replace('-', "-_"),
        |name| name.replace('-', "__"),
        |name| name.replace('-', "."),
        |name| name.replace('-', "~"),
        |name| name.replace('-', "_").to_uppercase(),
    ]
}

#[test]
fn a33_no_spelling_of_a_claim_reaches_any_kind_of_backend() {
    for lenience in [
        "",
        "underscores_in_headers on;",
        "ignore_invalid_headers off;",
        "underscores_in_headers on; ignore_invalid_headers off;",
    ] {
        let gate = Site::bed().http(lenience).app(BACKENDS).start();
        let mut alice = gate.signed_in("alice");
        for spell in spellings() {
            let sent = claims(spell);
            for target in ["/p", "/f", "/u"] {
                for visitor in [&mut gate.visitor(), &mut alice] {
                    let answer = visitor.send(&claiming(Ask::page(APP, target), &sent));
                    assert!(
                        !answer.text().contains("claimed"),
                        "{lenience} {target} {}: {}",
                        sent[0].0,
                        answer.text()
                    );
                }
            }
            grpc_hears_no_claim(&gate, &alice.cookie_header(APP), &sent);
        }
    }
}

fn grpc_hears_no_claim(gate: &Gate, cookie: &[(String, String)], sent: &[(String, String)]) {
    let mut call =
        http::Request::post(format!("https://{APP}/g")).header("content-type", "application/grpc");
    for (name, value) in cookie.iter().chain(sent) {
        call = call.header(name.to_lowercase(), value);
    }
    let call = call.body(super::harness::grpc::framed(b"hello")).unwrap();
    let answer = gate.http2(APP, vec![call]).remove(0).unwrap();
    assert!(answer.text().contains("remote-user: alice"), "{answer:?}");
    assert!(
        !answer.text().contains("claimed"),
        "{}: {}",
        sent[0].0,
        answer.text()
    );
}

#[test]
fn a33_names_with_spaces_are_refused() {
    let gate = Site::bed().start();
    for line in [
        "Remote-User : claimed",
        " Remote-User: claimed",
        "Remote User: claimed",
        "Remote-User\t: claimed",
    ] {
        let bytes = format!("GET /public/x HTTP/1.1\r\nHost: {APP}\r\n{line}\r\nX-Last: 1\r\n\r\n");
        let answer = gate.raw(APP, bytes);
        let seen = gate.backend().take();
        assert!(
            matches!(answer.status, 200 | 400),
            "{line}: {}",
            answer.status
        );
        seen.iter().for_each(|seen| assert_identity(seen, ""));
    }
}

#[test]
fn a34_a_header_sent_twice_folded_or_joined_gives_one_value() {
    let gate = Site::bed().start();
    let alice = gate.signed_in("alice");
    let (_, cookie) = &alice.cookie_header(APP)[0];
    let forms = [
        "Remote-User: claimed\r\nRemote-User: claimed2",
        "Remote-User: claimed,\r\n claimed2",
        "Remote-User: claimed, alice",
        "REMOTE-USER: claimed\r\nX: y\r\nremote-user: claimed",
    ];
    for form in forms {
        let bytes = format!("GET /x HTTP/1.1\r\nHost: {APP}\r\n{form}\r\nCookie: {cookie}\r\n\r\n");
        let answer = gate.raw(APP, bytes);
        assert!(
            matches!(answer.status, 200 | 400),
            "{form:?}: {}",
            answer.status
        );
        gate.backend()
            .take()
            .iter()
            .for_each(|seen| assert_identity(seen, "alice"));
    }
}

#[test]
fn a83_claims_are_gone_before_the_rewrite_phase_reads_them() {
    let app = "set $outer $http_remote_user;
        location /set { set $u $http_remote_user; @proxy@ proxy_set_header X-User \"$u$outer\"; }
        location /if { if ($http_remote_user) { set $u claimed; } @proxy@ proxy_set_header X-User $u; }";
    let gate = Site::bed()
        .app(app)
        .app("auth_gate_unauthenticated ^/(set|if);")
        .start();
    for target in ["/set", "/if"] {
        let seen = gate
            .visitor()
            .is_let_in_with(APP, target, &[("Remote-User", "claimed")]);
        assert!(
            !format!("{seen:?}").contains("claimed"),
            "{target}: {seen:?}"
        );
    }
}

#[test]
fn a83_twenty_claims_in_a_row_are_removed_to_the_last() {
    let gate = Site::bed().start();
    for count in [1, 4, 18, 19, 20, 21, 22, 39, 40, 41, 60] {
        let claims = "Remote-User: claimed\r\n".repeat(count);
        for others in ["", "X-One: 1\r\n"] {
            let orders = [
                format!("{claims}Host: {APP}\r\n{others}"),
                format!("Host: {APP}\r\n{claims}{others}"),
                format!("Host: {APP}\r\n{others}{claims}"),
            ];
            for headers in orders {
                let answer = gate.raw(APP, format!("GET /public/x HTTP/1.1\r\n{headers}\r\n"));
                assert_eq!(answer.status, 200);
                let seen = gate.backend().take_one();
                assert_identity(&seen, "");
                assert_eq!(seen.one("X-One"), if others.is_empty() { "" } else { "1" });
            }
        }
    }
}
