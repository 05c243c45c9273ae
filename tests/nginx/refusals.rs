//! What a refusal carries, what it leaves on the connection, and what it holds up.

use std::time::{Duration, Instant};

use super::harness::{Ask, Gate, Site};

const APP: &str = "app.example.com";

/// The `Cookie` line of somebody who is signed in.
fn cookie(gate: &Gate) -> String {
    format!(
        "Cookie: {}\r\n",
        gate.signed_in("alice").cookie_header(APP)[0].1
    )
}

#[test]
fn a63_a_refusal_never_carries_what_it_protects() {
    let files = "root @prefix@/html; location /files/ { gzip_static on; } location /secret/ { auth_gate_policy deny; root @prefix@/html; }";
    let gate = Site::bed()
        .app(files)
        .file("html/files/a.txt", "the protected text")
        .file("html/files/a.txt.gz", "the protected text, packed")
        .file("html/secret/a.txt", "the protected text")
        .start();
    let mut alice = gate.signed_in("alice");
    let etag = alice
        .page(APP, "/files/a.txt")
        .header("ETag")
        .unwrap()
        .to_owned();
    let conditions = [
        "",
        "Range: bytes=0-3\r\n",
        "If-Modified-Since: Fri, 31 Dec 2049 00:00:00 GMT\r\n",
        "Accept-Encoding: gzip\r\n",
        &format!("If-None-Match: {etag}\r\n"),
        "If-None-Match: *\r\n",
        "If-Range: x\r\nRange: bytes=0-1\r\n",
    ];
    for condition in conditions {
        for (method, target, wanted) in [
            ("GET", "/files/a.txt", [302, 302]),
            ("HEAD", "/files/a.txt", [302, 302]),
            ("POST", "/files/a.txt", [303, 303]),
            ("GET", "/secret/a.txt", [403, 403]),
        ] {
            let answer = gate.refuses(APP, format!("{method} {target} HTTP/1.1\r\nHost: {APP}\r\nAccept: text/html\r\n{condition}\r\n"));
            assert!(
                wanted.contains(&answer.status),
                "{method} {condition}: {}",
                answer.status
            );
            assert!(
                !answer.text().contains("protected") && answer.header("ETag").is_none(),
                "{answer:?}"
            );
        }
    }
}

#[test]
fn a64_refusals_and_the_portal_are_not_stored() {
    let gate = Site::bed().start();
    let no_store = |answer: super::harness::Answer| {
        let control: Vec<_> = answer.headers_named("Cache-Control").collect();
        assert!(
            control.iter().any(|value| value.contains("no-store")),
            "{} {control:?}",
            answer.status
        );
    };
    no_store(gate.page(APP, "/x"));
    no_store(gate.send(&Ask::new("GET", APP, "/x")));
    no_store(gate.send(&Ask::new("POST", APP, "/x").with("Accept", "text/html")));
    no_store(gate.signed_in("alice").page(APP, "/admin/x"));
    no_store(gate.page("unknown.example.com", "/x"));
    for target in ["/", "/logout", "/api/state", "/api/health", "/nothing"] {
        no_store(gate.page("auth.example.com", target));
    }
}

#[test]
fn a64_a_cache_behind_the_gate_never_answers_for_it() {
    let cache = "proxy_cache_path @prefix@/cache keys_zone=pages:1m;";
    let location = "location /cached { @proxy@ proxy_cache pages; proxy_cache_valid any 1h; proxy_ignore_headers Set-Cookie Vary Cache-Control; }";
    let gate = Site::bed().http(cache).app(location).start();
    assert_eq!(
        gate.page(APP, "/cached").status,
        302,
        "a challenge is not cached either"
    );
    let mut alice = gate.signed_in("alice");
    assert!(
        alice
            .page(APP, "/cached")
            .text()
            .contains("Remote-User: alice")
    );
    assert_eq!(gate.backend().take().len(), 1);
    let answer = gate.page(APP, "/cached");
    assert!(
        answer.status == 302 && !answer.text().contains("alice"),
        "{answer:?}"
    );
}

#[test]
fn a76_an_anonymous_upload_is_answered_without_being_read() {
    let gate = Site::bed().app("client_max_body_size 0;").start();
    let mut connection = gate.connect(APP);
    connection.send(format!(
        "POST /x HTTP/1.1\r\nHost: {APP}\r\nTransfer-Encoding: chunked\r\n\r\n"
    ));
    connection.send(format!("10000\r\n{}\r\n", "x".repeat(0x10000)));
    assert_eq!(
        connection.answer().status,
        401,
        "before the end of the body"
    );
    assert!(gate.backend().take().is_empty());
}

#[test]
fn a76_each_request_of_a_pipeline_is_judged_on_its_own() {
    let gate = Site::bed().start();
    let alice = cookie(&gate);
    let body = "GET /admin/smuggled HTTP/1.1\r\nHost: app.example.com\r\n\r\n";
    let refused = format!(
        "POST /x HTTP/1.1\r\nHost: {APP}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let chunked = format!(
        "POST /x HTTP/1.1\r\nHost: {APP}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    let open = format!("GET /public/1 HTTP/1.1\r\nHost: {APP}\r\n\r\n");
    let allowed = format!("GET /2 HTTP/1.1\r\nHost: {APP}\r\n{alice}\r\n");
    for first in [refused, chunked] {
        gate.backend().take();
        let mut connection = gate.connect(APP);
        connection.send(format!("{first}{open}{allowed}{first}"));
        let statuses = [401, 200, 200, 401].map(|wanted| {
            (
                wanted,
                connection
                    .try_answer(false)
                    .map(|answer| answer.status)
                    .unwrap_or_default(),
            )
        });
        for (wanted, status) in statuses {
            assert!(status == wanted || status == 0, "{statuses:?}");
        }
        let seen: Vec<_> = gate
            .backend()
            .take()
            .iter()
            .map(|seen| seen.target().to_owned())
            .collect();
        assert!(seen.is_empty() || seen == ["/public/1", "/2"], "{seen:?}");
    }
}

#[test]
fn a76_lengths_that_contradict_each_other_are_refused() {
    let gate = Site::bed().start();
    for headers in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Content-Length: -1\r\n",
        "Transfer-Encoding: xchunked\r\n",
    ] {
        let answer = gate.raw(
            APP,
            format!("POST /public/x HTTP/1.1\r\nHost: {APP}\r\n{headers}\r\nhello"),
        );
        assert!(
            matches!(answer.status, 400 | 501),
            "{headers}: {}",
            answer.status
        );
    }
    assert!(gate.backend().take().is_empty());
}

#[test]
fn a78_a_slow_login_form_holds_nobody_up() {
    let gate = Site::bed()
        .portal("client_body_timeout 1s; location / { auth_gate_portal; }")
        .start();
    let mut slow: Vec<_> = (0..20).map(|_| gate.connect("auth.example.com")).collect();
    for connection in &mut slow {
        connection.send("POST /api/firstfactor HTTP/1.1\r\nHost: auth.example.com\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{");
    }
    let start = Instant::now();
    gate.visitor().is_let_in(APP, "/public/x");
    gate.signed_in("alice").is_let_in(APP, "/x");
    assert!(start.elapsed() < Duration::from_secs(5));
    for connection in &mut slow {
        let end = connection
            .try_answer(false)
            .map_or(0, |answer| answer.status);
        assert!(matches!(end, 0 | 408), "{end}");
    }
}
