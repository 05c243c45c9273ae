//! `auth_gate_endpoints` and `auth_gate_trusted_proxies`: where they may stand, what they inherit, what is refused.

use super::harness::Site;
use super::harness::question::{ENDPOINTS, Question, ask, connect};

fn refuses(server: &str, said: &[&str]) {
    let server = format!("server {{ listen @address@:8081; {server} }}");
    Site::bed().server(&server).check().refused(said);
}

#[test]
fn a74_mistakes_stop_nginx_with_a_sentence() {
    refuses(
        "location / { auth_gate_endpoints; auth_gate_endpoints; }",
        &["auth_gate_endpoints", "duplicate"],
    );
    for both in [
        "location / { auth_gate_endpoints; auth_gate_portal; }",
        "location / { auth_gate_portal; auth_gate_endpoints; }",
    ] {
        refuses(both, &["beside", "remove"]);
    }
    refuses(
        "location / { auth_gate_endpoints; proxy_pass http://127.0.0.1:9; }",
        &["auth_gate_endpoints", "location of its own"],
    );
    refuses("auth_gate_endpoints;", &["not allowed here"]);
    for network in [
        "nonsense",
        "10.0.0.0/33",
        "10.0.0.1/8",
        "example.com",
        "\"\"",
    ] {
        refuses(
            &format!("auth_gate_trusted_proxies {network};"),
            &["auth_gate_trusted_proxies", "has no network"],
        );
    }
    refuses(
        "auth_gate_trusted_proxies 10.0.0.0/8; auth_gate_trusted_proxies ::1;",
        &["auth_gate_trusted_proxies", "duplicate"],
    );
    Site::bed()
        .http_only("")
        .app_only("")
        .public("")
        .portal("")
        .server(ENDPOINTS)
        .check()
        .refused(&["auth_gate_endpoints", "need \"auth_gate_config FILE;\""]);
}

#[test]
fn a_plain_listener_for_proxies_is_taken_without_a_word() {
    Site::bed().server(ENDPOINTS).check().taken_silently();
    let one = "server { listen @address@:8081; location = /api/verify { auth_gate_endpoints; } }";
    Site::bed().server(one).check().taken_silently();
}

#[test]
fn what_serves_endpoints_is_never_guarded_whatever_it_inherits() {
    let server = "server {
        listen @address@:8081;
        auth_gate on;
        auth_gate_scheme https;
        location / { auth_gate_endpoints; if ($arg_rd) { set $x 1; } }
        location /api/authz/forward-auth { @proxy@ }
    }";
    let gate = Site::bed().server(server).start();
    let question = |door, host| Question::new(door, host, "/x");
    let rd = "rd=https%3A%2F%2Fauth.example.com@port@%2F";
    let rd = rd.replace("@port@", &gate.address().port_suffix().replace(':', "%3A"));
    for door in ["auth-request", "legacy"] {
        let answer = ask(&gate, &question(door, "public.example.com"));
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (200, "200 OK"),
            "{door}"
        );
        assert_eq!(
            ask(&gate, &question(door, "app.example.com")).status,
            401,
            "{door}"
        );
    }
    let answer = ask(&gate, &question("legacy", "public.example.com").query(&rd));
    assert_eq!(answer.status, 200, "inside a block without a name");
    let guarded = ask(&gate, &question("forward-auth", "public.example.com"));
    assert_eq!(guarded.status, 400, "{guarded:?}");
    assert!(gate.backend().take().is_empty());
}

#[test]
fn trusted_proxies_are_inherited_until_named_again() {
    let rules = "access_control:
  default_policy: deny
  rules:
    - { domain: app.example.com, networks: [203.0.113.0/24], policy: bypass }
";
    let server = "auth_gate_trusted_proxies 192.0.2.1;
    server {
        listen @address@:8081;
        auth_gate_trusted_proxies @address@/32 127.0.0.0/8;
        location /api/verify { auth_gate_endpoints; }
        location /api/authz/forward-auth { auth_gate_trusted_proxies 192.0.2.0/24 2001:db8::/32; auth_gate_endpoints; }
    }";
    let gate = Site::bed().rules(rules).server(server).start();
    let from = |door, address| {
        let question = Question::new(door, "app.example.com", "/x");
        ask(&gate, &question.with("X-Forwarded-For", address)).status
    };
    assert_eq!(from("legacy", "203.0.113.7"), 200);
    assert_eq!(from("forward-auth", "203.0.113.7"), 403);
    assert_eq!(from("legacy", "198.51.100.7"), 403);
}

#[test]
fn a_body_that_comes_along_is_nobodys() {
    let gate = Site::bed().server(ENDPOINTS).start();
    let mut connection = connect(&gate);
    let body = vec![b'x'; 200_000];
    for _ in 0..3 {
        let question = Question::new("ext-authz", "public.example.com", "/x").method("POST");
        let length = body.len().to_string();
        let mut bytes = question.with("Content-Length", &length).bytes();
        bytes.extend(&body);
        assert_eq!(connection.send(bytes).answer().status, 200);
    }
    let smuggled = "GET /api/authz/auth-request HTTP/1.1\r\nHost: x\r\n\r\n";
    let question = Question::new("ext-authz", "public.example.com", "/x").method("PUT");
    let mut bytes = question
        .with("Content-Length", &smuggled.len().to_string())
        .bytes();
    bytes.extend(smuggled.as_bytes());
    assert_eq!(connection.send(bytes).answer().status, 200);
    let next = Question::new("ext-authz", "app.example.com", "/x");
    assert_eq!(
        connection.send(next.bytes()).answer().status,
        401,
        "the body was no request"
    );
}
