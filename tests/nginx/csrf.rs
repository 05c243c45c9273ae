//! Other sites cannot sign a visitor in or out, nor can a request of the wrong shape. (A-55, A-62, A-80)

use serde_json::json;

use super::harness::form::Form;
use super::harness::{Ask, Gate, Site, Visitor};

const PORTAL: &str = "auth.example.com";

const FOREIGN: &[&[(&str, &str)]] = &[
    &[("Origin", "https://evil.org")],
    &[("Origin", "null")],
    &[("Origin", "https://app.example.com")],
    &[("Origin", "http://auth.example.com")],
    &[("Origin", "https://auth.example.com.evil.org")],
    &[("Sec-Fetch-Site", "cross-site")],
    &[("Sec-Fetch-Site", "same-site")],
];

fn with(ask: Ask, headers: &[(&str, &str)]) -> Ask {
    headers
        .iter()
        .fold(ask, |ask, (name, value)| ask.with(name, value))
}

fn has_session(visitor: &Visitor<'_>) -> bool {
    visitor
        .jar
        .iter()
        .any(|cookie| cookie.name == "auth_gate_session")
}

#[test]
fn a55_another_site_cannot_sign_a_visitor_in() {
    let gate = Site::bed().start();
    let body = json!({"username": "alice", "password": "password"});
    let fields = [("username", "alice"), ("password", "password")]
        .map(|(n, v)| (n.to_owned(), v.to_owned()));
    for headers in FOREIGN {
        let mut visitor = gate.visitor();
        let answer = visitor.send(&with(
            Ask::api("POST", PORTAL, "/api/firstfactor", &body),
            headers,
        ));
        assert_eq!(answer.status, 403, "{headers:?}");
        assert!(!has_session(&visitor), "{headers:?}");

        let page = visitor.page(PORTAL, "/");
        let mut form = Form::with_password(&page.text());
        form.fill("alice", "password");
        let answer = visitor.send(&with(Ask::form(PORTAL, "/", &form.fields), headers));
        assert_eq!(
            (answer.status, has_session(&visitor)),
            (403, false),
            "{headers:?}"
        );
    }
    for token in [None, Some("forged")] {
        let mut visitor = gate.visitor();
        visitor.page(PORTAL, "/");
        let more = token.map(|token| ("token".to_owned(), token.to_owned()));
        let sent: Vec<_> = fields.iter().cloned().chain(more).collect();
        let answer =
            visitor.send(&Ask::form(PORTAL, "/", &sent).with("Origin", "https://auth.example.com"));
        assert_eq!(
            (answer.status, has_session(&visitor)),
            (403, false),
            "{token:?}"
        );
    }
}

#[test]
fn a55_a_form_of_one_browser_is_none_of_another() {
    let gate = Site::bed().start();
    let (mut attacker, mut victim) = (gate.visitor(), gate.visitor());
    let mut form = Form::with_password(&attacker.page(PORTAL, "/").text());
    form.fill("bob", "password");
    victim.page(PORTAL, "/");
    let answer = victim.submit(&gate.url(PORTAL, "/"), &form);
    assert_eq!((answer.status, has_session(&victim)), (403, false));
}

#[test]
fn a55_another_site_cannot_sign_a_visitor_out() {
    let gate = Site::bed().start();
    let mut alice = gate.signed_in("alice");
    for headers in FOREIGN {
        alice.send(&with(
            Ask::api("POST", PORTAL, "/api/logout", &json!({})),
            headers,
        ));
        alice.send(&with(Ask::form(PORTAL, "/logout", &[]), headers));
        assert!(alice.clone().reaches("/x"), "{headers:?}");
    }
    let image = [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Mode", "no-cors"),
        ("Sec-Fetch-Dest", "image"),
    ];
    let navigation = [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Mode", "navigate"),
    ];
    for headers in [&image[..], &navigation[..], &[]] {
        for target in ["/logout", "/api/logout"] {
            alice.send(&with(Ask::new("GET", PORTAL, target), headers));
            assert!(alice.clone().reaches("/x"), "{target} {headers:?}");
        }
    }
}

#[test]
fn a80_an_image_on_a_sibling_ends_nothing() {
    let gate = Site::bed().start();
    let mut alice = gate.signed_in("alice");
    let headers = [
        ("Sec-Fetch-Site", "same-site"),
        ("Sec-Fetch-Mode", "no-cors"),
        ("Sec-Fetch-Dest", "image"),
    ];
    for target in [
        "/logout",
        "/logout?rd=https://app.example.com/",
        "/logout/",
        "/api/logout",
    ] {
        alice.send(&with(Ask::new("GET", PORTAL, target), &headers));
        alice.send(&with(Ask::new("HEAD", PORTAL, target), &headers));
        assert!(alice.clone().reaches("/x"), "{target}");
    }
    let person = [
        ("Sec-Fetch-Site", "none"),
        ("Sec-Fetch-Mode", "navigate"),
        ("Accept", "text/html"),
    ];
    alice.send(&with(Ask::new("GET", PORTAL, "/logout"), &person));
    assert!(
        !alice.reaches("/x"),
        "a person who opens the page is signed out"
    );
}

#[test]
fn a80_a_sign_out_that_is_asked_for_is_confirmed_by_a_form() {
    let gate = Site::bed().start();
    let mut alice = gate.signed_in("alice");
    let page = alice.page(PORTAL, "/logout");
    assert_eq!(page.status, 200);
    let form = Form::all(&page.text()).remove(0);
    alice.submit(&gate.url(PORTAL, "/logout"), &form);
    assert!(!alice.reaches("/x"));
}

fn anonymous_after(gate: &Gate, ask: &Ask) -> u16 {
    let mut visitor = gate.visitor();
    let answer = visitor.send(ask);
    assert!(!has_session(&visitor), "{ask:?} signed in");
    answer.status
}

#[test]
fn a62_requests_of_the_wrong_shape_sign_nobody_in() {
    let gate = Site::bed().yaml("regulation: { max_retries: 0 }").start();
    let raw = |kind: &str, body: &str| {
        Ask::new("POST", PORTAL, "/api/firstfactor")
            .with("Content-Type", kind)
            .with_body(body)
    };
    let json = "application/json";
    let form = "application/x-www-form-urlencoded";
    let right = r#"{"username":"alice","password":"password"}"#;
    let asks = [
        raw(json, ""),
        raw(json, "{}"),
        raw(json, "null"),
        raw(json, "[]"),
        raw(json, r#"{"username":"alice"}"#),
        raw(json, r#"{"username":"alice","password":null}"#),
        raw(json, r#"{"username":["alice"],"password":"password"}"#),
        raw(json, r#"{"username":"alice","password":{"$ne":""}}"#),
        raw(json, r#"{"username":"alice","password":""}"#),
        raw(
            json,
            r#"{"username":"bob","username":"alice","password":"password"}"#,
        ),
        raw(json, &format!("{right}{right}")),
        raw(form, "username=alice&password=password"),
        raw(form, right),
        raw("text/plain", right),
        raw("multipart/form-data; boundary=x", right),
        Ask::new("PUT", PORTAL, "/api/firstfactor")
            .with("Content-Type", json)
            .with_body(right),
        Ask::new(
            "GET",
            PORTAL,
            "/api/firstfactor?username=alice&password=password",
        ),
    ];
    for ask in &asks {
        let status = anonymous_after(&gate, ask);
        assert!(
            matches!(status, 400 | 401 | 403 | 405 | 415),
            "{status}: {ask:?}"
        );
    }
    for body in [
        "",
        "username=alice",
        "password=password",
        "username=alice&username=bob&password=password",
        "username=alice&password=password&password=x",
        right,
    ] {
        let mut visitor = gate.visitor();
        let token = Form::with_password(&visitor.page(PORTAL, "/").text())
            .fields
            .iter()
            .find(|(name, _)| name == "token")
            .unwrap()
            .1
            .clone();
        let body = format!("{body}&token={token}");
        let answer = visitor.send(
            &Ask::new("POST", PORTAL, "/")
                .with("Content-Type", form)
                .with_body(body.clone()),
        );
        assert!(
            matches!(answer.status, 400 | 401 | 403) && !has_session(&visitor),
            "{body}: {answer:?}"
        );
    }
}
