//! Other sites cannot sign a visitor in or out, nor put words into our pages. (A-55, A-56, A-62, A-80, A-81)

use serde_json::{Value, json};

use super::harness::form::Form;
use super::harness::{Answer, Ask, Gate, Site, Visitor};

const APP: &str = "app.example.com";
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

#[test]
fn a81_no_password_is_taken_over_plain_http() {
    let plain = "server { @clear@ server_name auth.example.com; location / { auth_gate_portal; } }
        server { @clear@ server_name app.example.com; auth_gate on; location / { @proxy@ } }";
    let gate = Site::bed().server(plain).start();
    let body = json!({"username": "alice", "password": "password"});
    let fields = [("username", "alice"), ("password", "password")]
        .map(|(n, v)| (n.to_owned(), v.to_owned()));
    let asks = [
        Ask::page(PORTAL, "/"),
        Ask::api("POST", PORTAL, "/api/firstfactor", &body),
        Ask::form(PORTAL, "/", &fields),
        Ask::page(PORTAL, "/logout"),
        Ask::api("GET", PORTAL, "/api/state", &Value::Null),
        Ask::page(APP, "/x"),
        Ask::page(APP, "/public/x"),
    ];
    let session = gate.signed_in("alice").cookie_header(APP);
    for ask in asks {
        for cookies in [&[][..], &session] {
            let answer = gate.connect_plain().send(ask.bytes(cookies)).answer();
            assert_eq!(answer.status, 400, "{ask:?}");
            assert!(answer.header("Set-Cookie").is_none(), "{ask:?}");
        }
    }
    let page = gate
        .connect_plain()
        .send(Ask::page(PORTAL, "/").bytes(&[]))
        .answer();
    assert!(
        page.text().contains("auth_gate_scheme"),
        "the page says what to set: {}",
        page.text()
    );
    let health = gate
        .connect_plain()
        .send(Ask::new("GET", PORTAL, "/api/health").bytes(&[]))
        .answer();
    assert_eq!(health.status, 200);
    assert!(gate.backend().take().is_empty());
}

#[test]
fn a81_tls_that_ends_before_nginx_is_declared() {
    let plain = "auth_gate_scheme https;
        server { @clear@ server_name auth.example.com; location / { auth_gate_portal; } }
        server { @clear@ server_name app.example.com; auth_gate on; location / { @proxy@ } }";
    let gate = Site::bed().server(plain).start();
    let session = gate.signed_in("alice").cookie_header(APP);
    assert_eq!(
        gate.connect_plain()
            .send(Ask::page(APP, "/x").bytes(&session))
            .answer()
            .status,
        200
    );
    let challenge = gate
        .connect_plain()
        .send(Ask::page(APP, "/x").bytes(&[]))
        .answer();
    assert!(
        challenge.status == 302
            && challenge
                .location()
                .contains("rd=https%3A%2F%2Fapp.example.com%2Fx"),
        "{challenge:?}"
    );
}

/// What an attacker may get reflected, and the bytes that must not come back as they are.
const MARKUP: &[&str] = &[
    "\"><script>alert(1)</script>",
    "'><img src=x onerror=alert(1)>",
    "</style><script>x</script>",
    "javascript:alert(1)",
    "\u{2028}<svg onload=x>",
];

fn assert_harmless(answer: &Answer, markup: &str) {
    let text = answer.text();
    assert!(
        !text.contains(markup) || !markup.contains('<'),
        "{markup} came back: {text}"
    );
    assert!(
        !text.contains("<script>alert")
            && !text.contains("onerror=alert(1)>")
            && !text.contains("<svg onload"),
        "{text}"
    );
    for (name, value) in &answer.headers {
        assert!(
            !value.contains('<') && !value.contains('\u{2028}'),
            "{name}: {value}"
        );
    }
    if answer
        .header("Content-Type")
        .is_some_and(|kind| kind.starts_with("text/html"))
    {
        let policy = answer.header("Content-Security-Policy").unwrap_or_default();
        let scripts = policy
            .split(';')
            .find(|d| d.trim().starts_with("script-src"))
            .unwrap_or("default-src");
        assert!(
            policy.contains("default-src 'none'") && !scripts.contains("unsafe"),
            "{policy}"
        );
        assert!(!text.contains("<script"), "{text}");
    }
}

#[test]
fn a56_nothing_is_reflected_unescaped() {
    let gate = Site::bed().start();
    let mut alice = gate.signed_in("alice");
    for markup in MARKUP {
        let encoded = form_urlencoded::Serializer::new(String::new())
            .append_pair("rd", &format!("https://app.example.com/{markup}"))
            .append_pair("rm", markup)
            .append_pair("error", markup)
            .append_pair("state", markup)
            .finish();
        for target in [
            format!("/?{encoded}"),
            format!("/logout?{encoded}"),
            format!("/nothing?{encoded}"),
        ] {
            assert_harmless(&gate.page(PORTAL, &target), markup);
            assert_harmless(&alice.page(PORTAL, &target), markup);
        }
        assert_harmless(
            &gate
                .visitor()
                .sign_in_by_form(&gate.url(PORTAL, "/"), markup, "wrong"),
            markup,
        );
        let path: String =
            percent_encoding::utf8_percent_encode(markup, percent_encoding::NON_ALPHANUMERIC)
                .collect();
        for target in [
            format!("/admin/{path}"),
            format!("/{path}"),
            format!("/x?{path}"),
            format!("/admin/x?{}", markup.replace([' ', '\u{2028}'], "+")),
        ] {
            assert_harmless(&gate.page(APP, &target), markup);
            assert_harmless(&alice.page(APP, &target), markup);
        }
    }
    for host in ["<b>.example.com", "x\"y.example.com", "a'b.example.com"] {
        assert_harmless(
            &gate.raw(
                APP,
                format!("GET /x HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\n\r\n"),
            ),
            host,
        );
    }
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
