//! What a cookie may be, and that a wrong one is worth nothing.

use super::harness::site::SESSION;
use super::harness::{Ask, Gate, Seen, Site};

const APP: &str = "app.example.com";

pub(super) fn with_cookie(gate: &Gate, cookie: &str) -> u16 {
    gate.send(&Ask::page(APP, "/x").with("Cookie", cookie))
        .status
}

#[test]
fn a42_garbage_for_a_cookie_is_worth_nothing() {
    let gate = Site::bed()
        .http("large_client_header_buffers 8 64k;")
        .start();
    let session = gate.signed_in("alice").session().clone();
    let (name, value) = (&session.name, &session.value);
    let mut garbage: Vec<String> = [
        "",
        "x",
        "=",
        "%",
        "%00",
        "%zz",
        "\"\"",
        "a.b.c",
        "====",
        "../../etc/passwd",
    ]
    .map(str::to_owned)
    .into();
    garbage.push("A".repeat(16 << 10));
    garbage.extend(
        [1, 2, 10, value.len() / 2, value.len() - 1].map(|length| value[..length].to_owned()),
    );
    garbage.extend([
        format!("{value}A"),
        format!("{value}="),
        format!("A{value}"),
        format!("v9.{value}"),
        value.to_lowercase(),
    ]);
    garbage.extend(
        (0..value.len())
            .map(|at| {
                let mut changed = value.clone().into_bytes();
                changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
                String::from_utf8(changed).unwrap()
            })
            .filter(|changed| changed != value),
    );
    for value in &garbage {
        let answer = gate.refuses(APP, format!("GET /x HTTP/1.1\r\nHost: {APP}\r\nAccept: text/html\r\nCookie: {name}={value}\r\n\r\n"));
        assert_eq!(answer.status, 302, "{value}");
    }
    let nul = [
        b"GET /x HTTP/1.1\r\nHost: app.example.com\r\nCookie: ",
        name.as_bytes(),
        b"=a\0b\r\n\r\n",
    ]
    .concat();
    gate.refuses(APP, nul);
    assert_eq!(with_cookie(&gate, &format!("{name}={value}")), 200);
}

#[test]
fn a42_a_cookie_made_with_another_key_is_worth_nothing() {
    let other = Site::bed()
        .session(&SESSION.replace("an insecure secret", "a different secret"))
        .start();
    let foreign = other.signed_in("alice").session().clone();
    let gate = Site::bed().start();
    assert_eq!(
        with_cookie(&gate, &format!("{}={}", foreign.name, foreign.value)),
        302
    );
}

/// Five thousand; scripts/sanitize asks for more.
fn random_cookies() -> usize {
    let count = std::env::var("AUTH_GATE_RANDOM_COOKIES").ok();
    count.map_or(5_000, |count| count.parse().expect("a number of cookies"))
}

#[test]
fn a42_thousands_of_random_cookies_leave_the_worker_alive() {
    let gate = Site::bed().http("keepalive_requests 1000000;").start();
    let (workers, name) = (
        gate.workers(),
        gate.signed_in("alice").session().name.clone(),
    );
    gate.backend().take();
    let mut connection = gate.connect(APP);
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..random_cookies() / 50 {
        let mut batch = Vec::new();
        for _ in 0..50 {
            batch.extend(format!("GET /x HTTP/1.1\r\nHost: {APP}\r\nCookie: {name}=").into_bytes());
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let mut word = state;
            for _ in 0..(state >> 56) {
                word = word.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
                batch.push(
                    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_%;=\x80\xff"
                        [(word >> 33) as usize % 69],
                );
            }
            batch.extend(b"\r\n\r\n");
        }
        connection.send(&batch);
        for _ in 0..50 {
            let status = connection.answer().status;
            assert_eq!(status, 401, "without an Accept header");
        }
    }
    assert!(gate.backend().take().is_empty());
    assert_eq!(gate.workers(), workers);
}

#[test]
fn a43_a_shadow_cookie_changes_nobodys_identity() {
    let gate = Site::bed().start();
    let (alice, bob) = (
        gate.signed_in("alice").session().clone(),
        gate.signed_in("bob").session().clone(),
    );
    let name = &alice.name;
    let user = |cookie: &str| {
        gate.backend().take();
        let status = with_cookie(&gate, cookie);
        (
            status,
            gate.backend()
                .take()
                .first()
                .map(|seen: &Seen| seen.one("Remote-User").to_owned()),
        )
    };
    let garbage = format!("{name}=garbage");
    let valid = format!("{name}={}", alice.value);
    let orders = [format!("{valid}; {garbage}"), format!("{garbage}; {valid}")];
    assert_eq!(
        user(&orders[0]),
        user(&orders[1]),
        "the order of a good and a bad cookie"
    );
    let both = format!("{valid}; {name}={}", bob.value);
    assert_eq!(user(&both), user(&both));
    assert!(
        user(&both).1.is_none_or(|user| user == "alice"),
        "the first is the closest path: RFC 6265, 5.4"
    );
    assert_eq!(user(&vec![garbage; 60].join("; ")).0, 302);
}

#[test]
fn a43_host_only_cookies_cannot_be_set_by_a_sibling() {
    let session = SESSION
        .replace("    - domain", "    - host_only: true\n      domain")
        .replace("auth.example.com", "app.example.com")
        .replace("domain: example.com", "domain: app.example.com")
        .replace("@port@\n", "@port@/sso/\n");
    let gate = Site::bed()
        .session(&session)
        .app("location /sso/ { auth_gate_portal; }")
        .portal("return 404;")
        .start();
    let mut alice = gate.visitor();
    let body = serde_json::json!({"username": "alice", "password": "password"});
    assert_eq!(
        alice
            .send(&Ask::api("POST", APP, "/sso/api/firstfactor", &body))
            .status,
        200
    );
    let cookie = alice.session().clone();
    assert!(
        cookie.name.starts_with("__Host-") && cookie.host_only,
        "{cookie:?}"
    );
    assert_eq!(
        (cookie.attribute("path"), cookie.attribute("secure")),
        (Some("/"), Some(""))
    );
    assert!(alice.reaches("/x"));
    let plain = cookie.name.trim_start_matches("__Host-");
    assert_eq!(
        with_cookie(&gate, &format!("{plain}={}", cookie.value)),
        302,
        "the bare name counts for nothing"
    );
}

#[test]
fn a49_cookies_are_bound_to_https_and_to_a_time() {
    let gate = Site::bed().start();
    let alice = gate.signed_in("alice");
    let cookie = alice.session();
    assert!(
        cookie.attribute("secure").is_some() && cookie.attribute("httponly").is_some(),
        "{cookie:?}"
    );
    assert_eq!(cookie.attribute("samesite").unwrap().to_lowercase(), "lax");
    assert_eq!(
        (cookie.attribute("domain"), cookie.attribute("path")),
        (Some("example.com"), Some("/"))
    );
    assert_eq!(cookie.attribute("max-age"), Some("3600"));
    assert!(
        !cookie.value.contains(['%', '+', '/', '=', ';']),
        "{cookie:?}"
    );
}
