//! The gate neither reads, buffers nor limits what passes through it.

use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use super::harness::{Ask, Gate, Site, grpc};

const APP: &str = "app.example.com";
const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// The `Cookie` line of somebody who is signed in.
fn cookie(gate: &Gate) -> String {
    format!(
        "Cookie: {}\r\n",
        gate.signed_in("alice").cookie_header(APP)[0].1
    )
}

#[test]
fn a_websocket_echoes_both_ways() {
    let websocket = "location /ws { @proxy@ proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; }";
    let gate = Site::bed().app(websocket).start();
    gate.backend().on("/ws", |seen, peer| {
        assert_eq!(seen.one("Upgrade"), "websocket");
        peer.send(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        )?;
        loop {
            let bytes = peer.some()?;
            peer.send(bytes)?;
        }
    });
    let mut connection = gate.connect(APP);
    connection.send(format!(
        "GET /ws HTTP/1.1\r\nHost: {APP}\r\n{}{UPGRADE}\r\n",
        cookie(&gate)
    ));
    assert_eq!(connection.answer().status, 101);
    for message in [&b"\x81\x05hello"[..], b"\x82\x00", &[0xff; 5000]] {
        connection.send(message);
        assert_eq!(connection.take(message.len()).unwrap(), message);
    }
    let seen = gate.backend().take_one();
    assert_eq!(
        (seen.one("Remote-User"), seen.one("Sec-WebSocket-Key")),
        ("alice", "dGhlIHNhbXBsZSBub25jZQ==")
    );
}

#[test]
fn server_sent_events_arrive_one_by_one() {
    let gate = Site::bed()
        .app("location /events { @proxy@ proxy_buffering off; }")
        .start();
    let (next, told) = channel::<()>();
    let told = Mutex::new(told);
    gate.backend().on("/events", move |_, peer| {
        peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")?;
        for n in 0..3 {
            peer.send(format!("9\r\ndata: {n}\n\n\r\n"))?;
            told.lock().unwrap().recv().unwrap();
        }
        peer.send("0\r\n\r\n")
    });
    let mut connection = gate.connect(APP);
    connection.send(format!(
        "GET /events HTTP/1.1\r\nHost: {APP}\r\n{}\r\n",
        cookie(&gate)
    ));
    assert_eq!(
        connection.head().unwrap().header("Content-Type"),
        Some("text/event-stream")
    );
    for n in 0..3 {
        assert_eq!(
            connection.chunk().unwrap(),
            format!("data: {n}\n\n").into_bytes()
        );
        next.send(()).unwrap();
    }
    assert!(connection.chunk().unwrap().is_empty());
}

#[test]
fn a_chunked_upload_streams_through() {
    let gate = Site::bed()
        .app("location /upload { @proxy@ proxy_request_buffering off; client_max_body_size 0; }")
        .start();
    let (tell, arrived) = channel::<usize>();
    let tell = Mutex::new(tell);
    gate.backend().on("/upload", move |_, peer| {
        let mut total = 0;
        loop {
            let chunk = peer.chunk()?;
            total += chunk.len();
            tell.lock().unwrap().send(total).unwrap();
            if chunk.is_empty() {
                return peer.answer("200 OK", "", &total.to_string());
            }
        }
    });
    let mut connection = gate.connect(APP);
    connection.send(format!(
        "POST /upload HTTP/1.1\r\nHost: {APP}\r\n{}Transfer-Encoding: chunked\r\n\r\n",
        cookie(&gate)
    ));
    for n in 1..=3_usize {
        connection.send("5\r\nhello\r\n");
        let reached = arrived
            .recv_timeout(Duration::from_secs(10))
            .expect("the chunk arrives before the next is sent");
        assert_eq!(reached, n * 5);
    }
    connection.send("0\r\n\r\n");
    assert_eq!(connection.answer().text(), "15");
}

#[test]
fn a_large_body_passes_whole() {
    let gate = Site::bed().app("client_max_body_size 0;").start();
    let body: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    let mut alice = gate.signed_in("alice");
    for target in ["/up", "/public/up"] {
        assert_eq!(
            alice
                .send(&Ask::new("PUT", APP, target).with_body(body.clone()))
                .status,
            200
        );
        assert!(gate.backend().take_one().body == body, "{target}");
    }
}

#[test]
fn expect_100_continue_is_answered_for_those_who_may_send() {
    let gate = Site::bed().start();
    let head = format!(
        "POST /x HTTP/1.1\r\nHost: {APP}\r\n{}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n",
        cookie(&gate)
    );
    let mut connection = gate.connect(APP);
    assert_eq!(connection.send(head).answer().status, 100);
    assert_eq!(connection.send("hello").answer().status, 200);
    assert_eq!(gate.backend().take_one().body, b"hello");

    let mut connection = gate.connect(APP);
    connection.send(format!(
        "POST /x HTTP/1.1\r\nHost: {APP}\r\nExpect: 100-continue\r\nContent-Length: 50000\r\n\r\n"
    ));
    // nginx itself invites before it throws a body away; nobody waits for what was announced.
    let answers = [
        connection.answer().status,
        connection
            .try_answer(false)
            .map_or(0, |answer| answer.status),
    ];
    assert!(answers == [100, 401] || answers[0] == 401, "{answers:?}");
    assert!(gate.backend().take().is_empty());
}

#[test]
fn a_grpc_call_passes_with_metadata_and_trailers() {
    let gate = Site::bed()
        .app("location /grpc.Service/ { grpc_pass grpc://@grpc@; }")
        .start();
    let alice = gate.signed_in("alice");
    let call = |cookie: &str| {
        let call = http::Request::post(format!("https://{APP}/grpc.Service/Call"));
        let call = call
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("cookie", cookie);
        call.body(grpc::framed(b"question")).unwrap()
    };
    let answers = gate.http2(
        APP,
        vec![call(&alice.cookie_header(APP)[0].1), call("none=1")],
    );
    let answer = answers[0].as_ref().unwrap();
    assert_eq!(
        (answer.status, answer.header("grpc-status")),
        (200, Some("0"))
    );
    let text = answer.text();
    assert!(
        text.contains("message: question") && text.contains("remote-user: alice"),
        "{text}"
    );
    assert!(!text.contains("auth_gate_session"), "{text}");
    assert_eq!(answers[1].as_ref().unwrap().status, 401);
}
