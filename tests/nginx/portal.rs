//! The portal over real HTTPS: its API for scripts, its pages for people, its address on any host.

use std::io::{Read as _, Write as _};

use serde_json::{Value, json};

use super::harness::site::SESSION;
use super::harness::{Ask, Site};

const APP: &str = "app.example.com";
const PORTAL: &str = "auth.example.com";

#[test]
fn the_api_speaks_as_authelia_does() {
    let gate = Site::bed().start();
    let mut visitor = gate.visitor();
    let state = |answer: super::harness::Answer| answer.json()["data"].clone();
    let get = |target: &str| Ask::api("GET", PORTAL, target, &Value::Null);
    assert_eq!(
        visitor.send(&get("/api/health")).json(),
        json!({"status": "OK"})
    );
    assert_eq!(
        state(visitor.send(&get("/api/state")))["authentication_level"],
        0
    );
    let refused = visitor.send(&get("/api/user/info"));
    assert_eq!(
        (refused.status, refused.text().as_str()),
        (403, "403 Forbidden")
    );
    let failed = visitor.sign_in("alice", "wrong");
    assert_eq!(
        (failed.status, failed.json()),
        (
            401,
            json!({"status": "KO", "message": "Authentication failed. Check your credentials."})
        )
    );

    let target = gate.url(APP, "/x");
    assert_eq!(
        visitor.sign_in_for("alice", "password", &target).json(),
        json!({"status": "OK", "data": {"redirect": target}})
    );
    let known = state(visitor.send(&get("/api/state")));
    assert_eq!(
        (&known["username"], &known["authentication_level"]),
        (&json!("alice"), &json!(1))
    );
    assert_eq!(
        state(visitor.send(&get("/api/user/info")))["display_name"],
        "Alice Example"
    );
    assert_eq!(
        gate.signed_in("bob").sign_in("bob", "password").json(),
        json!({"status": "OK"})
    );
    assert_eq!(visitor.sign_out().status, 200);
    assert_eq!(state(visitor.send(&get("/api/state")))["username"], "");

    assert_eq!(visitor.send(&get("/api/nothing")).status, 404);
    let method = visitor.send(&Ask::api("DELETE", PORTAL, "/api/state", &Value::Null));
    assert_eq!(
        (method.status, method.header("Allow").is_some()),
        (405, true)
    );
}

#[test]
fn bodies_have_a_limit() {
    let gate = Site::bed().start();
    let large = json!({"username": "alice", "password": "x".repeat(20 << 10)});
    assert_eq!(
        gate.send(&Ask::api("POST", PORTAL, "/api/firstfactor", &large))
            .status,
        413
    );
    let fields = [
        ("username", "alice".to_owned()),
        ("password", "x".repeat(20 << 10)),
    ]
    .map(|(n, v)| (n.to_owned(), v));
    assert_eq!(gate.send(&Ask::form(PORTAL, "/", &fields)).status, 413);
    let chunked = format!(
        "POST /api/firstfactor HTTP/1.1\r\nHost: {PORTAL}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5000\r\n{}\r\n0\r\n\r\n",
        "x".repeat(0x5000)
    );
    assert_eq!(gate.raw(PORTAL, chunked).status, 413);
    let body = json!({"username": "alice", "password": "password"}).to_string();
    let chunks: String = body
        .bytes()
        .map(|b| format!("1\r\n{}\r\n", char::from(b)))
        .collect();
    let pieces = format!(
        "POST /api/firstfactor HTTP/1.1\r\nHost: {PORTAL}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n"
    );
    assert_eq!(gate.raw(PORTAL, pieces).status, 200);
}

#[test]
fn pages_carry_the_headers_of_a_security_product() {
    let gate = Site::bed().start();
    let mut alice = gate.signed_in("alice");
    let pages = [
        gate.page(PORTAL, "/"),
        alice.page(PORTAL, "/"),
        alice.page(PORTAL, "/logout"),
        gate.page(PORTAL, "/nothing"),
        alice.page(APP, "/admin/x"),
        gate.page("unknown.example.com", "/"),
    ];
    for page in pages {
        let header = |name: &str| page.header(name).unwrap_or_default().to_lowercase();
        let policy = header("Content-Security-Policy");
        for directive in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action",
        ] {
            assert!(policy.contains(directive), "{}: {policy}", page.status);
        }
        assert!(
            !policy.contains("script-src") || !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(
            (
                header("X-Frame-Options").as_str(),
                header("X-Content-Type-Options").as_str()
            ),
            ("deny", "nosniff")
        );
        assert!(
            [
                "no-referrer",
                "same-origin",
                "strict-origin-when-cross-origin"
            ]
            .contains(&header("Referrer-Policy").as_str())
        );
        assert!(
            header("Content-Type").starts_with("text/html"),
            "{}",
            header("Content-Type")
        );
    }
}

#[test]
fn a_login_page_is_small_and_fetches_nothing() {
    let gate = Site::bed().start();
    let page = gate.page(PORTAL, "/?rd=https%3A%2F%2Fapp.example.com%2F&rm=GET");
    assert!(
        packed(&page.body) < 15 << 10,
        "{} bytes",
        packed(&page.body)
    );
    let text = page.text();
    for sign in ["src=", "@import", "url(http", "<script"] {
        assert!(!text.contains(sign), "{sign}: {text}");
    }
    assert!(text.contains("app.example.com"), "says where it leads");
}

/// Length after gzip, as a browser would fetch it.
fn packed(body: &[u8]) -> usize {
    let mut gzip = std::process::Command::new("gzip")
        .arg("-c")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    gzip.stdin.take().unwrap().write_all(body).unwrap();
    let mut bytes = Vec::new();
    gzip.stdout.take().unwrap().read_to_end(&mut bytes).unwrap();
    gzip.wait().unwrap();
    bytes.len()
}

#[test]
fn a77_no_length_that_a_visitor_chooses_is_stored() {
    let gate = Site::bed()
        .http("large_client_header_buffers 8 64k;")
        .start();
    let long = "a".repeat(10 << 10);
    assert_eq!(gate.visitor().sign_in(&long, "password").status, 401);
    assert_eq!(gate.visitor().sign_in("alice", &long).status, 401);
    let mut alice = gate.visitor();
    let wish = gate.url(APP, &format!("/{long}"));
    assert_eq!(alice.sign_in_for("alice", "password", &wish).status, 200);
    assert!(alice.session().value.len() < 200, "{:?}", alice.session());
}

#[test]
fn the_portal_can_live_under_a_path_of_another_host() {
    let session = SESSION.replace(
        "https://auth.example.com@port@",
        "https://app.example.com@port@/sso",
    );
    let gate = Site::bed()
        .session(&session)
        .app("location /sso { auth_gate_portal; }")
        .portal("return 404;")
        .start();
    let mut alice = gate.visitor();
    let challenge = alice.page(APP, "/deep?x=1");
    assert!(
        challenge.location().starts_with(&gate.url(APP, "/sso?"))
            || challenge.location().starts_with(&gate.url(APP, "/sso/?")),
        "{}",
        challenge.location()
    );
    let answer = alice.sign_in_by_form(challenge.location(), "alice", "password");
    assert_eq!(answer.location(), gate.url(APP, "/deep?x=1"));
    assert!(alice.reaches("/deep?x=1"));
    assert!(alice.page(APP, "/sso/").text().contains("Alice Example"));
    assert_eq!(
        alice.page(APP, "/ssox").status,
        404,
        "the portal ends at a segment"
    );
}

#[test]
fn blocks_inside_the_portals_location_are_the_portal() {
    let gate = Site::bed()
        .portal(
            "auth_gate on;
            location / { auth_gate_portal; if ($args ~ x) { set $seen 1; } limit_except GET POST { deny all; } }",
        )
        .start();
    let mut nobody = gate.visitor();
    for target in ["/", "/?x=1", "/api/health?x=1"] {
        let answer = nobody.page(PORTAL, target);
        assert_eq!(answer.status, 200, "{target}: {}", answer.location());
    }
    let ask = Ask::new("PUT", PORTAL, "/api/health");
    assert_eq!(nobody.send(&ask).status, 403);
}

#[test]
fn forbidden_pages_say_who_is_signed_in_and_offer_another_account() {
    let gate = Site::bed().start();
    let mut alice = gate.signed_in("alice");
    let page = alice.page(APP, "/admin/x");
    assert_eq!(page.status, 403);
    let text = page.text();
    for wanted in ["alice", "app.example.com/admin/x", &gate.url(PORTAL, "/")] {
        assert!(text.to_lowercase().contains(wanted), "{wanted}: {text}");
    }
    let json = alice.send(&Ask::new("GET", APP, "/admin/x").with("Accept", "application/json"));
    assert_eq!(
        (
            json.status,
            json.header("Content-Type")
                .unwrap_or_default()
                .starts_with("application/json")
        ),
        (403, true)
    );
    assert!(json.json().is_object());
}

#[test]
fn challenges_follow_what_the_client_can_read() {
    let gate = Site::bed().start();
    let ask = |method: &str, headers: &[(&str, &str)]| {
        let ask = headers
            .iter()
            .fold(Ask::new(method, APP, "/x"), |ask, (name, value)| {
                ask.with(name, value)
            });
        let answer = gate.send(&ask);
        assert!(
            answer.location().starts_with(&gate.url(PORTAL, "/?rd=")),
            "{method} {headers:?}: {answer:?}"
        );
        assert!(
            answer.location().ends_with(&format!("&rm={method}")),
            "{}",
            answer.location()
        );
        answer.status
    };
    let html = ("Accept", "text/html");
    for (method, status) in [
        ("GET", 302),
        ("HEAD", 302),
        ("OPTIONS", 302),
        ("POST", 303),
        ("PUT", 303),
        ("DELETE", 303),
        ("PATCH", 303),
    ] {
        assert_eq!(ask(method, &[html]), status, "{method}");
        assert_eq!(ask(method, &[]), 401, "{method} without Accept");
    }
    for (accept, status) in [
        ("*/*", 302),
        ("*/*;q=0.8", 302),
        ("application/json, text/html", 302),
        ("application/json, */*", 401),
        ("text/htmlx", 401),
        ("application/json", 401),
        ("text/plain;q=1,text/html;q=0.1", 302),
    ] {
        assert_eq!(ask("GET", &[("Accept", accept)]), status, "{accept}");
    }
    for (name, value) in [
        ("X-Requested-With", "XMLHttpRequest"),
        ("X-Requested-With", "xmlhttprequest"),
        ("Sec-Fetch-Mode", "cors"),
        ("Sec-Fetch-Mode", "no-cors"),
    ] {
        assert_eq!(ask("GET", &[html, (name, value)]), 401, "{name}: {value}");
    }
    assert_eq!(ask("GET", &[html, ("Sec-Fetch-Mode", "navigate")]), 302);
}

#[test]
fn a_challenge_keeps_the_connection() {
    let gate = Site::bed().start();
    let mut connection = gate.connect(APP);
    for method in ["GET", "HEAD", "GET"] {
        connection.send(
            Ask::new(method, APP, "/x")
                .with("Accept", "text/html")
                .bytes(&[]),
        );
        assert_eq!(connection.try_answer(method == "HEAD").unwrap().status, 302);
    }
    assert!(
        connection
            .send(Ask::page(APP, "/public/x").bytes(&[]))
            .answer()
            .status
            == 200
    );
}
