//! Only the real method counts.

use super::harness::{Ask, Site};

const APP: &str = "app.example.com";

#[test]
fn a40_only_the_real_method_counts() {
    let rules = "access_control:
  default_policy: deny
  rules:
    - { domain: app.example.com, methods: [GET, HEAD], policy: bypass }
    - { domain: app.example.com, policy: one_factor }
";
    let gate = Site::bed().rules(rules).start();
    gate.visitor().is_let_in(APP, "/x");
    assert_eq!(gate.send(&Ask::new("HEAD", APP, "/x")).status, 200);
    gate.backend().take();
    let overrides =
        "X-HTTP-Method-Override: GET\r\nX-HTTP-Method: GET\r\nX-Method-Override: GET\r\n";
    for (method, wanted) in [
        ("POST", &[303][..]),
        ("PUT", &[303]),
        ("DELETE", &[303]),
        ("OPTIONS", &[302]),
        ("PROPFIND", &[303]),
        ("TRACE", &[303, 405]),
        ("FOO", &[303, 400, 405]),
        ("get", &[400]),
        ("Get", &[400]),
        ("GETX", &[303, 400, 405]),
        ("HEADS", &[303, 400, 405]),
    ] {
        let bytes = format!(
            "{method} /x?_method=GET HTTP/1.1\r\nHost: {APP}\r\nAccept: text/html\r\n{overrides}\r\n"
        );
        let answer = gate.refuses(APP, bytes);
        assert!(
            wanted.contains(&answer.status),
            "{method}: {}",
            answer.status
        );
    }
}

#[test]
fn a41_options_without_a_session_is_challenged_like_anything_else() {
    let gate = Site::bed().start();
    let preflight = "Origin: https://evil.org\r\nAccess-Control-Request-Method: GET\r\n";
    for extra in ["", preflight, "Cookie: a=b\r\n", "Content-Length: 2\r\n"] {
        let body = if extra.starts_with("Content-Length") {
            "xx"
        } else {
            ""
        };
        let answer = gate.refuses(
            APP,
            format!("OPTIONS /x HTTP/1.1\r\nHost: {APP}\r\nAccept: text/html\r\n{extra}\r\n{body}"),
        );
        assert_eq!(answer.status, 302);
    }
}

#[test]
fn a41_a_websocket_without_a_session_is_unauthorized() {
    let gate = Site::bed().start();
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for accept in ["", "Accept: text/html\r\n", "Accept: */*\r\n"] {
        let answer = gate.refuses(
            APP,
            format!("GET /ws HTTP/1.1\r\nHost: {APP}\r\n{accept}{upgrade}\r\n"),
        );
        assert_eq!(answer.status, 401, "{accept}");
    }
}

#[test]
fn a41_connect_is_refused() {
    let gate = Site::bed().start();
    for target in ["app.example.com:443", "/public/x"] {
        let answer = gate.refuses(
            APP,
            format!("CONNECT {target} HTTP/1.1\r\nHost: {APP}\r\n\r\n"),
        );
        assert!(matches!(answer.status, 400 | 405), "{}", answer.status);
    }
}
