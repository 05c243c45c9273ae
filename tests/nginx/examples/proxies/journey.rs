//! A visitor at a proxy: to the login page and back, and everything that he may not.

use std::net::Ipv4Addr;

use serde_json::json;

use super::super::sites::{CONFIGURATION, example_behind};
use super::{Guest, Kind, PASSWORD, WIKI, gate, listener, yes};
use crate::nginx::harness::question::basic;
use crate::nginx::harness::visitor::{PORTAL, split};
use crate::nginx::harness::{Ask, http2};

const SOCKET: &str = "/socket";

fn script(target: &str) -> Ask {
    let ask = Ask::new("GET", WIKI, target).with("Accept", "*/*");
    ask.with("Sec-Fetch-Mode", "cors")
}

fn socket() -> Ask {
    Ask::new("GET", WIKI, SOCKET)
        .with("Connection", "Upgrade")
        .with("Upgrade", "websocket")
        .with("Sec-WebSocket-Version", "13")
        .with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        .with("Sec-Fetch-Mode", "websocket")
}

pub(super) fn leads_to_the_portal_and_back(kind: Kind) {
    let gate = gate();
    let front = kind.start(listener(&gate));
    let stranger = Guest::stranger(&*front);

    let challenge = stranger.is_kept_out(&Ask::page(WIKI, "/deep?x=1"));
    let cached = challenge.header("Cache-Control");
    assert_eq!((challenge.status, cached), (302, Some("no-store")));
    let mut bob = gate.visitor();
    let back = bob.sign_in_by_form(challenge.location(), "bob", PASSWORD);
    assert_eq!(back.location(), front.url(WIKI, "/deep?x=1"));
    let bob_here = Guest::known(&*front, &bob);
    assert_eq!(bob_here.page("/deep?x=1").status, 200);
    let seen = front.backend().take_one();
    assert_eq!(seen.target(), "/deep?x=1");
    let told = ["User", "Groups", "Name", "Email"].map(|what| seen.one(&format!("Remote-{what}")));
    let wanted = ["bob", "readers", "Bob the Lizard", "bob@example.com"];
    assert_eq!(told, wanted);

    forms_arrive_whole(kind, &stranger, &bob_here);
    scripts_and_sockets_are_told(&stranger, &bob_here);
    passwords_in_a_header_count(&stranger);
    assert_eq!(
        bob_here.is_kept_out(&Ask::page(WIKI, "/shut/x")).status,
        403
    );
    stranger.page("/static/x");
    let seen = front.backend().take_one();
    assert!(seen.all("Remote-User").concat().is_empty(), "{seen:?}");
    http2_is_guarded(kind, &bob_here);

    assert_eq!(bob.sign_out().status, 200);
    assert_eq!(bob_here.is_kept_out(&Ask::page(WIKI, "/x")).status, 302);
}

fn forms_arrive_whole(kind: Kind, stranger: &Guest<'_>, known: &Guest<'_>) {
    let body = "a=b&".repeat(50_000);
    let form = Ask::new("POST", WIKI, "/form")
        .with("Accept", "text/html")
        .with("Content-Type", "application/x-www-form-urlencoded")
        .with_body(body.clone());
    assert_eq!(known.send(&form).status, 200);
    let seen = known.front.backend().take_one();
    assert_eq!(seen.line.split(' ').next(), Some("POST"));
    assert!(seen.body == body.as_bytes(), "{} bytes", seen.body.len());
    let small = form.with_body("a=b");
    let away = if kind == Kind::Nginx { 302 } else { 303 };
    assert_eq!(stranger.is_kept_out(&small).status, away);
}

fn scripts_and_sockets_are_told(stranger: &Guest<'_>, known: &Guest<'_>) {
    assert_eq!(stranger.is_kept_out(&script("/data")).status, 401);
    let older = Ask::page(WIKI, "/data").with("X-Requested-With", "XMLHttpRequest");
    assert_eq!(stranger.is_kept_out(&older).status, 401);
    assert_eq!(known.send(&script("/data")).status, 200);

    let backend = known.front.backend();
    backend.on(SOCKET, |_, peer| {
        peer.send(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        )?;
        let bytes = peer.some()?;
        peer.send(bytes)
    });
    assert_eq!(stranger.is_kept_out(&socket()).status, 401);
    let mut connection = known.connect();
    let answer = connection.send(socket().bytes(&known.cookies)).answer();
    assert_eq!(answer.status, 101, "{}", answer.text());
    let echo = connection.send(b"\x81\x05hello").take(7);
    assert_eq!(echo.expect("an echo"), b"\x81\x05hello");
    assert_eq!(backend.take().pop().expect("it").one("Remote-User"), "bob");
}

fn passwords_in_a_header_count(stranger: &Guest<'_>) {
    let with = |password| script("/feed").with("Authorization", &basic("alice", password));
    assert_eq!(stranger.send(&with(PASSWORD)).status, 200);
    let seen = stranger.front.backend().take_one();
    assert_eq!(seen.one("Remote-User"), "alice");
    let wrong = Ask::page(WIKI, "/feed").with("Authorization", &basic("alice", "wrong"));
    let answer = stranger.is_kept_out(&wrong);
    let asked = answer.header("WWW-Authenticate").unwrap_or_default();
    assert!(
        answer.status == 401 && asked.starts_with("Basic "),
        "{answer:?}"
    );
}

fn http2_is_guarded(kind: Kind, known: &Guest<'_>) {
    if kind == Kind::Apache {
        // Its module for HTTP/2 is another example's.
        return;
    }
    let page =
        || http::Request::get("https://wiki.example.com/h2?x=1").header("accept", "text/html");
    let body = bytes::Bytes::new;
    let requests = vec![
        page().body(body()).expect("a request"),
        page()
            .header("cookie", &known.cookies[0].1)
            .header("remote-user", "alice")
            .body(body())
            .expect("a request"),
    ];
    let answers = http2::ask(known.front.address().tls(), WIKI, requests);
    let statuses: Vec<u16> = answers
        .into_iter()
        .map(|answer| answer.expect("an answer").status)
        .collect();
    assert_eq!(statuses, [302, 200]);
    let seen = known.front.backend().take_one();
    assert_eq!((seen.target(), seen.one("Remote-User")), ("/h2?x=1", "bob"));
}

pub(super) fn ends_where_the_gate_is_gone(kind: Kind) {
    let gate = gate();
    let front = kind.start(listener(&gate));
    let mut bob = gate.visitor();
    assert_eq!(bob.sign_in("bob", PASSWORD).status, 200);
    let bob_here = Guest::known(&*front, &bob);
    assert_eq!(bob_here.page("/x").status, 200);
    gate.stop_at_once();
    let stranger = Guest::stranger(&*front);
    let asks = [
        (&bob_here, "/x"),
        (&stranger, "/x"),
        (&stranger, "/static/x"),
    ];
    // HAProxy tries three times, with a second between.
    std::thread::scope(|scope| {
        for (guest, target) in asks {
            scope.spawn(move || {
                let answer = guest.is_kept_out(&Ask::page(WIKI, target));
                assert!(answer.status >= 500, "{answer:?}");
            });
        }
    });
    gate.start_anew();
    // What nobody stored is gone; what needs no session is there.
    assert_eq!(bob_here.page("/static/x").status, 200);
    odd_answers_are_no_leave(kind);
}

/// A gate that fails, one that says nothing, or something else at its address.
fn odd_answers_are_no_leave(kind: Kind) {
    let strange = yes(kind, Ipv4Addr::LOCALHOST, "");
    let soon = [
        ("SECONDS = 10", "SECONDS = 1"),
        ("http.TIMEOUT = 10", "http.TIMEOUT = 3"),
    ];
    let front = kind.start_with(strange.address, &soon);
    let stranger = Guest::stranger(&*front);
    assert_eq!(stranger.page("/x").status, 200);
    for (status, headers) in [
        ("500 Internal Server Error", ""),
        ("503 Service Unavailable", "Retry-After: 1\r\n"),
        ("404 Not Found", ""),
        ("429 Too Many Requests", ""),
        ("302 Found", ""),
    ] {
        strange.on(kind.endpoint(), move |_, peer| {
            peer.answer(status, headers, "")
        });
        stranger.is_kept_out(&Ask::page(WIKI, "/x"));
    }
    strange.on(kind.endpoint(), |_, peer| {
        peer.send("\r\nno answer\r\n\r\n")
    });
    let answer = stranger.is_kept_out(&Ask::page(WIKI, "/x"));
    assert!(answer.status >= 500, "{answer:?}");
    // The other two wait for as long as they are told to.
    if matches!(kind, Kind::Haproxy | Kind::Apache) {
        strange.on(kind.endpoint(), |_, peer| peer.some().map(drop));
        assert_eq!(stranger.is_kept_out(&Ask::page(WIKI, "/x")).status, 503);
    }
}

/// The listener for proxies, and one where the harness sees that nginx runs.
const BESIDE: &str = "server {
    listen @address@:8444;
    location / { auth_gate_endpoints; }
}
server {
    @listen@
    ssl_certificate auth-gate/example.com.crt;
    ssl_certificate_key auth-gate/example.com.key;
    return 404;
}";

#[test]
fn visitors_reach_the_portal_through_the_same_proxy() {
    let conf = include_str!("../../../../nginx-conf/behind-tls-terminator.conf");
    let gate = example_behind(conf, CONFIGURATION, BESIDE, &[]).start();
    let address = gate.address().ip;
    let portal = format!("{address}:8081");
    for kind in [Kind::Caddy, Kind::Haproxy, Kind::Apache] {
        let front = kind.start_with((address, 8444).into(), &[("10.0.0.5:80", &portal)]);
        let mut guest = Guest::stranger(&*front);
        let away = guest.is_kept_out(&Ask::page(WIKI, "/x"));
        assert_eq!(away.status, 302, "{kind:?}");
        let login = Ask::page(PORTAL, &split(away.location()).1);
        assert_eq!(guest.send(&login).status, 200, "{kind:?}");
        let body = json!({"username": "bob", "password": PASSWORD, "keepMeLoggedIn": false});
        let signed_in = guest.send(&Ask::api("POST", PORTAL, "/api/firstfactor", &body));
        assert_eq!(signed_in.status, 200, "{kind:?}");
        let mut visitor = gate.visitor();
        visitor.keep(PORTAL, &signed_in);
        guest.cookies = visitor.cookie_header(WIKI);
        assert_eq!(guest.page("/x").status, 200, "{kind:?}");
        assert_eq!(front.backend().take_one().one("Remote-User"), "bob");
    }
}

#[test]
fn scripts_that_fail_let_nobody_through() {
    let asked = yes(Kind::Haproxy, Ipv4Addr::LOCALHOST, "");
    let changes: [(Kind, &str, &str); 4] = [
        (
            Kind::Haproxy,
            "local answer = ",
            "error('no')\nlocal answer = ",
        ),
        (Kind::Haproxy, "txn:set_var", "nothing()\ntxn:set_var"),
        (
            Kind::Apache,
            "return apache2.OK",
            "nothing()\nreturn apache2.OK",
        ),
        (Kind::Apache, "apache.lua check", "none.lua check"),
    ];
    for (kind, said, here) in changes {
        let front = kind.start_with(asked.address, &[(said, here)]);
        let answer = Guest::stranger(&*front).is_kept_out(&Ask::page(WIKI, "/x"));
        assert!(answer.status >= 500, "{here}: {answer:?}");
    }
}
