//! Requests that wait while the password in their header is checked: what comes with them, what comes behind them, and
//! what happens when their client, the queue or the store is gone.

use std::fs;
use std::time::{Duration, Instant};

use super::harness::counted::METRICS;
use super::harness::exposition::Exposition;
use super::harness::question::{ENDPOINTS, Question, ask, basic};
use super::harness::site::USERS;
use super::harness::{Ask, Connection, Gate, Site, grpc, until};
use super::storage;

const APP: &str = "app.example.com";

/// "password" at 19 MiB, in milliseconds, in a tenth of a second, and in seconds.
const SHORT: &str = "$argon2id$v=19$m=19456,t=1,p=1$JtCf5HhHWJd/kNtzWmYWjQ$h/EhOdg4HTkHSsDcfRebYGv/rmB6IZ4sxMgpZqvmCCY";
const LONG: &str = "$argon2id$v=19$m=19456,t=20,p=1$wXUt2DNrDNkeUyAU9f4gHA$L3BvbH7F5l4v0TFliKXYsKnQgaEm6miOStNJGODT5JU";
const ENDLESS: &str = "$argon2id$v=19$m=19456,t=100,p=1$KhSuHVMuf4sJ54J7Wzy3xA$eQTmLwzTl95yL2S5OEufcqYYAga118F+NcZUWICNCfA";

fn site(hash: &str) -> Site {
    // Attempts under way count as failed until they are through.
    regulated(hash, "regulation: { max_retries: 0 }")
}

fn regulated(hash: &str, regulation: &str) -> Site {
    let users = USERS
        .lines()
        .map(|line| match line.split_once("password: ") {
            Some((before, _)) => format!("{before}password: '{hash}'\n"),
            None => format!("{line}\n"),
        });
    Site::bed()
        .users(&users.collect::<String>())
        .server(METRICS)
        .yaml(regulation)
}

fn asked(method: &str, target: &str, name: &str, password: &str) -> Ask {
    Ask::new(method, APP, target).with("Authorization", &basic(name, password))
}

fn hashes(gate: &Gate, result: &str) -> f64 {
    Exposition::of_gate(gate).get("hashes_total", &[("result", result)])
}

#[test]
fn a76_a_body_waits_unread_and_passes_whole() {
    let gate = site(LONG).app("client_max_body_size 0;").start();
    let body: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    let answer = gate.send(&asked("PUT", "/up", "alice", "password").with_body(body.clone()));
    assert_eq!(answer.status, 200);
    let seen = gate.backend().take_one();
    assert!(seen.body == body && seen.one("Remote-User") == "alice");
    assert!(seen.all("Authorization").is_empty());
    let answer = gate.send(&asked("PUT", "/up", "alice", "wrong").with_body(body));
    assert_eq!(answer.status, 401);
    assert!(gate.backend().take().is_empty());
}

#[test]
fn a76_requests_behind_one_another_are_judged_each_by_itself() {
    let gate = site(SHORT).start();
    let mut connection = gate.connect(APP);
    let requests = [
        asked("POST", "/1", "alice", "password").with_body("one"),
        asked("GET", "/2", "alice", "wrong"),
        asked("POST", "/3", "alice", "wrong").with_body("three"),
        Ask::page(APP, "/4"),
        asked("HEAD", "/5", "bob", "password"),
        asked("GET", "/6", "bob", "password"),
    ];
    let all: Vec<u8> = requests.iter().flat_map(|ask| ask.bytes(&[])).collect();
    connection.send(all);
    let mut statuses = Vec::new();
    for ask in &requests {
        let answer = connection.try_answer(ask.method == "HEAD").unwrap();
        statuses.push(answer.status);
    }
    assert_eq!(statuses, [200, 401, 401, 302, 200, 200]);
    let seen = gate.backend().take();
    let users: Vec<_> = seen
        .iter()
        .map(|seen| (seen.target(), seen.one("Remote-User")))
        .collect();
    assert_eq!(users, [("/1", "alice"), ("/5", "bob"), ("/6", "bob")]);
}

#[test]
fn streams_of_one_connection_get_each_its_own_answer() {
    let gate = site(SHORT)
        .app("location /grpc.Service/ { grpc_pass grpc://@grpc@; }")
        .start();
    let request = |name: &str, password: &str| {
        http::Request::get(format!("https://{APP}/{name}"))
            .header("authorization", basic(name, password))
            .body(bytes::Bytes::new())
            .unwrap()
    };
    let call = http::Request::post(format!("https://{APP}/grpc.Service/Call"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("authorization", basic("alice", "password"))
        .body(grpc::framed(b"question"))
        .unwrap();
    let requests = vec![
        (request("alice", "password"), None),
        (request("bob", "wrong"), None),
        (
            request("alice", "password"),
            Some(Duration::from_millis(20)),
        ),
        (request("bob", "password"), None),
        (call, None),
    ];
    let answers = super::harness::http2::ask_at_once(gate.address().tls(), APP, requests).unwrap();
    let status = |at: usize| answers[at].as_ref().map_or(0, |answer| answer.status);
    assert_eq!(
        (status(0), status(1), status(3), status(4)),
        (200, 401, 200, 200)
    );
    let text = |at: usize| answers[at].as_ref().unwrap().text();
    assert!(text(0).contains("Remote-User: alice"), "{}", text(0));
    assert!(text(3).contains("Remote-User: bob"), "{}", text(3));
    let text = text(4);
    assert!(text.contains("remote-user: alice"), "{text}");
    assert!(!text.contains("authorization"), "{text}");
}

#[test]
fn a_websocket_opens_with_a_password() {
    let websocket = "location /ws { @proxy@ proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; }";
    let gate = site(LONG).app(websocket).start();
    gate.backend().on("/ws", |_, peer| {
        peer.send(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        )?;
        loop {
            let bytes = peer.some()?;
            peer.send(bytes)?;
        }
    });
    let open = |password: &str| {
        let ask = asked("GET", "/ws", "alice", password)
            .with("Connection", "Upgrade")
            .with("Upgrade", "websocket")
            .with("Sec-WebSocket-Version", "13")
            .with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        let mut connection = gate.connect(APP);
        connection.send(ask.bytes(&[]));
        connection
    };
    let mut connection = open("password");
    assert_eq!(connection.answer().status, 101);
    connection.send("hello");
    assert_eq!(connection.take(5).unwrap(), b"hello");
    assert_eq!(open("wrong").answer().status, 401);
}

#[test]
fn whoever_has_gone_is_not_hashed_and_troubles_nobody() {
    let gate = site(LONG).start();
    let send = |password: &str| {
        let mut connection = gate.connect(APP);
        connection.send(asked("GET", "/x", "alice", password).bytes(&[]));
        connection
    };
    // One is under way, one waits for its time, the rest for their turn.
    let slow = send("wrong");
    until("the first to be checked", || {
        (hashes(&gate, "done") == 1.0).then_some(())
    });
    let all: Vec<_> = (0..8)
        .map(|number| send(&format!("wrong {number}")))
        .collect();
    drop((slow, all));
    let begun = Instant::now();
    let answer = gate.send(&asked("GET", "/x", "bob", "password"));
    assert_eq!(answer.status, 200, "after {:?}", begun.elapsed());
    assert!(hashes(&gate, "abandoned") > 0.0);
    let told = gate.log().matches("result=failure").count();
    assert!(told < 9, "{told} were checked for nobody");
}

#[test]
fn a58_whoever_goes_before_a_password_is_checked_has_not_failed() {
    let regulation =
        "regulation: { modes: [user, ip], max_retries: 3, find_time: 2m, ban_time: 5m }";
    let gate = regulated(LONG, regulation).start();
    let gone = |name: &str, password: &str| {
        let ended = |numbers: &Exposition| {
            let result = |result| numbers.get("hashes_total", &[("result", result)]);
            result("done") + result("abandoned")
        };
        let before = ended(&Exposition::of_gate(&gate));
        let mut connection = gate.connect(APP);
        connection.send(asked("GET", "/x", name, password).bytes(&[]));
        until("the password to be on its way", || {
            let now = Exposition::of_gate(&gate);
            let running = now.get("queue_length", &[("queue", "hashes_running")]);
            (running > 0.0 || ended(&now) > before).then_some(())
        });
        drop(connection);
        until("the check to end", || {
            (ended(&Exposition::of_gate(&gate)) > before).then_some(())
        });
    };
    for _ in 0..4 {
        gone("alice", "password");
    }
    let answer = gate.send(&asked("GET", "/x", "alice", "password"));
    assert_eq!(answer.status, 200);
    // A guess is one, whether or not somebody waits for its answer.
    for number in 0..3 {
        gone("bob", &format!("wrong {number}"));
    }
    let answer = gate.send(&asked("GET", "/x", "bob", "password"));
    assert_eq!(answer.status, 401);
}

#[test]
fn a59_many_who_are_right_at_once_ban_nobody() {
    let regulation = "regulation: { modes: [user], max_retries: 3, find_time: 2m, ban_time: 5m }";
    let gate = regulated(SHORT, regulation)
        .server(ENDPOINTS)
        .workers(4)
        .start();
    let program = &|number: usize| match number % 2 {
        // Each worker checks what comes to it, and endpoints each question.
        0 => gate.send(&asked("GET", "/x", "alice", "password")),
        _ => {
            let question = Question::new("forward-auth", APP, "/x");
            ask(
                &gate,
                &question.with("Authorization", &basic("alice", "password")),
            )
        }
    };
    std::thread::scope(|scope| {
        for number in 0..16 {
            scope.spawn(move || assert_eq!(program(number).status, 200));
        }
    });
    assert!(!gate.log().contains("method=basic"), "{}", gate.log());
}

#[test]
fn whoever_waits_for_the_check_of_somebody_who_has_gone_is_checked() {
    let gate = site(SHORT).start();
    let send = |name: &str| {
        let mut connection = gate.connect(APP);
        connection.send(asked("GET", "/x", name, "password").bytes(&[]));
        connection
    };
    let places = || Exposition::of_gate(&gate).get("queue_length", &[("queue", "hashes_waiting")]);
    // All places are taken, alice's first request waits for one, and her others for that.
    let mut bobs: Vec<_> = (0..20)
        .map(|number| {
            let mut connection = gate.connect(APP);
            let wrong = format!("wrong {number}");
            connection.send(asked("GET", "/x", "bob", &wrong).bytes(&[]));
            connection
        })
        .collect();
    until("a queue", || (places() > 0.0).then_some(()));
    let first = send("alice");
    let mut others: Vec<_> = (0..3).map(|_| send("alice")).collect();
    drop(first);
    for other in &mut others {
        assert_eq!(other.answer().status, 200);
    }
    for bob in &mut bobs {
        assert_eq!(bob.answer().status, 401);
    }
}

#[test]
fn a_reload_lets_those_end_whose_time_has_not_come() {
    let gate = Site::bed().server(METRICS).start();
    let mut connection = gate.connect(APP);
    connection.send(asked("GET", "/x", "alice", "wrong").bytes(&[]));
    until("the password to be checked", || {
        (hashes(&gate, "done") == 1.0).then_some(())
    });
    gate.reload().unwrap();
    assert_eq!(connection.answer().status, 401);
    let again = asked("GET", "/x", "alice", "password");
    assert_eq!(gate.send(&again).status, 200);
}

#[test]
fn where_nobody_can_check_another_password_it_is_said_when_to_come_back() {
    let gate = site(ENDLESS).start();
    let _queue: Vec<_> = (0..70)
        .map(|number| {
            let mut connection = gate.connect(APP);
            let wrong = format!("wrong {number}");
            connection.send(asked("GET", "/x", "alice", &wrong).bytes(&[]));
            connection
        })
        .collect();
    let put_off = until("the queue to be full", || {
        Some(gate.send(&asked("GET", "/public/x", "alice", "password")))
            .filter(|answer| answer.status == 200)?;
        let mut connection = gate.connect(APP);
        connection.send(asked("GET", "/x", "bob", "password").bytes(&[]));
        let answer = connection.try_answer(false).ok()?;
        (answer.status == 503).then_some(answer)
    });
    assert_eq!(put_off.header("Retry-After"), Some("5"));
    assert!(put_off.header("WWW-Authenticate").is_none());
    let busy = [("method", "basic"), ("result", "busy")];
    assert!(Exposition::of_gate(&gate).get("logins_total", &busy) >= 1.0);
}

#[test]
fn a73_a_password_counts_while_the_store_is_out() {
    let gate = storage::bed().server(METRICS).start();
    let bob = gate.signed_in("bob");
    gate.restart();
    let (here, away) = (gate.prefix().join("store"), gate.prefix().join("away"));
    fs::rename(&here, &away).unwrap();
    assert_eq!(bob.clone().page(APP, "/x").status, 503);
    for with_cookie in [false, true] {
        let mut ask = asked("GET", "/x", "alice", "password");
        if with_cookie {
            ask.headers.extend(bob.cookie_header(APP));
        }
        assert_eq!(gate.send(&ask).status, 200);
        let mut wrong = asked("GET", "/x", "alice", "wrong");
        if with_cookie {
            wrong.headers.extend(bob.cookie_header(APP));
        }
        assert_eq!(gate.send(&wrong).status, 401);
    }
    fs::rename(&away, &here).unwrap();
}

#[test]
fn a_connection_that_is_kept_asks_again_and_again() {
    let gate = site(SHORT).start();
    let mut connection: Connection = gate.connect(APP);
    for _ in 0..3 {
        for (password, status) in [("password", 200), ("wrong", 401)] {
            let ask = asked("POST", "/x", "alice", password).with_body("body");
            assert_eq!(connection.send(ask.bytes(&[])).answer().status, status);
        }
    }
}
