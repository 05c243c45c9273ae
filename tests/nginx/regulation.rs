//! Guessing passwords is bounded, for everybody together and however it is spread. (A-57 to A-60, form and API)

use std::time::{Duration, Instant};

use super::harness::form::Form;
use super::harness::site::USERS;
use super::harness::{Ask, Gate, Site, Visitor, until};

const BY_USER: &str = "regulation: { modes: [user], max_retries: 3, find_time: 2m, ban_time: 5m }";
const BY_ADDRESS: &str = "regulation: { modes: [ip], max_retries: 3, find_time: 2m, ban_time: 5m }";

fn fails(gate: &Gate, user: &str, times: usize) {
    for _ in 0..times {
        assert_eq!(gate.visitor().sign_in(user, "wrong").status, 401);
    }
}

#[test]
fn a58_after_some_failures_the_right_password_fails_like_a_wrong_one() {
    let gate = Site::bed().workers(2).yaml(BY_USER).start();
    let wrong = gate.visitor().sign_in("alice", "wrong");
    fails(&gate, "alice", 2);
    let mut visitor = gate.visitor();
    let right = visitor.sign_in("alice", "password");
    assert_eq!((right.status, right.text()), (wrong.status, wrong.text()));
    assert!(visitor.jar.is_empty());
    let page =
        gate.visitor()
            .sign_in_by_form(&gate.url("auth.example.com", "/"), "alice", "password");
    assert_eq!(page.status, 401, "the form shares the ban");
    gate.signed_in("bob");
}

#[test]
fn a58_spellings_of_a_name_share_one_count() {
    let search = "
authentication_backend:
  file:
    path: users.yml
    search: { email: true, case_insensitive: true }";
    let gate = Site::bed().backend(search).yaml(BY_USER).start();
    for name in ["Alice", "alice@example.com", "ALICE"] {
        fails(&gate, name, 1);
    }
    assert_eq!(gate.visitor().sign_in("alice", "password").status, 401);
    gate.signed_in("bob");
}

#[test]
fn a58_look_alikes_are_nobody() {
    let gate = Site::bed().yaml(BY_USER).start();
    for name in [
        "Alice",
        "alice ",
        " alice",
        "alice\u{0}",
        "ａｌｉｃｅ",
        "al\u{131}ce",
        "alice@example.com",
        "alice\n",
    ] {
        assert_eq!(
            gate.visitor().sign_in(name, "password").status,
            401,
            "{name:?}"
        );
    }
    gate.signed_in("alice");
}

#[test]
fn a58_an_address_is_banned_on_its_own() {
    let gate = Site::bed().yaml(BY_ADDRESS).start();
    fails(&gate, "alice", 1);
    fails(&gate, "bob", 1);
    fails(&gate, "nobody", 1);
    assert_eq!(gate.visitor().sign_in("alice", "password").status, 401);
}

#[test]
fn a58_a_ban_ends_and_a_success_forgets() {
    let gate = Site::bed()
        .yaml("regulation: { max_retries: 2, find_time: 2s, ban_time: 2s }")
        .start();
    fails(&gate, "alice", 1);
    gate.signed_in("alice");
    fails(&gate, "alice", 1);
    gate.signed_in("alice");
    fails(&gate, "alice", 2);
    assert_eq!(gate.visitor().sign_in("alice", "password").status, 401);
    until("the ban to end", || {
        (gate.visitor().sign_in("alice", "password").status == 200).then_some(())
    });
}

#[test]
fn a58_a_ban_survives_a_reload() {
    let gate = Site::bed().yaml(BY_USER).start();
    fails(&gate, "alice", 3);
    gate.reload().unwrap();
    assert_eq!(gate.visitor().sign_in("alice", "password").status, 401);
}

#[test]
fn a59_a_parallel_burst_gets_no_more_tries() {
    let gate = Site::bed().workers(2).yaml(BY_USER).start();
    // Ninety-nine wrong passwords and then the right one, all under way together: had more than
    // three been tried, the last would sometimes be let in.
    let body = |password: &str| serde_json::json!({"username": "alice", "password": password});
    let mut connections: Vec<_> = (0..100).map(|_| gate.connect("auth.example.com")).collect();
    for (n, connection) in connections.iter_mut().enumerate() {
        let password = if n < 20 { "wrong" } else { "password" };
        connection.send(
            Ask::api(
                "POST",
                "auth.example.com",
                "/api/firstfactor",
                &body(password),
            )
            .bytes(&[]),
        );
    }
    let statuses: Vec<u16> = connections
        .iter_mut()
        .map(|connection| connection.answer().status)
        .collect();
    assert!(
        statuses[..20]
            .iter()
            .all(|status| matches!(status, 401 | 503)),
        "{statuses:?}"
    );
    let tried = statuses.iter().filter(|status| **status == 200).count();
    assert!(
        tried <= 3,
        "{tried} passwords were tried and right: {statuses:?}"
    );
}

#[test]
fn a60_three_hundred_invented_names_lock_nobody_out() {
    let gate = Site::bed().yaml(BY_USER).start();
    let body =
        |n: usize| serde_json::json!({"username": format!("nobody{n}"), "password": "wrong"});
    let mut connections: Vec<_> = (0..300).map(|_| gate.connect("auth.example.com")).collect();
    for (n, connection) in connections.iter_mut().enumerate() {
        connection
            .send(Ask::api("POST", "auth.example.com", "/api/firstfactor", &body(n)).bytes(&[]));
    }
    for connection in &mut connections {
        assert!(matches!(connection.answer().status, 401 | 503));
    }
    gate.signed_in("alice");
    gate.signed_in("bob");
}

#[test]
fn a57_every_failure_looks_alike() {
    let users = USERS.to_owned()
        + "  erin:\n    displayname: Erin\n    password: '$argon2id$v=19$m=4096,t=3,p=1$YXV0aC1nYXRlLXRlc3RzIQ$JBfjCQ7wzJSaim9E7HmE+1b9mFM8QLimo7LPK4BNnN8'\n";
    let gate = Site::bed()
        .users(&users)
        .yaml("regulation: { max_retries: 100 }")
        .start();
    gate.signed_in("alice");
    let (mut answers, mut times) = (Vec::new(), Vec::new());
    for user in ["alice", "carol", "nobody", "erin"] {
        let start = Instant::now();
        let answer = gate.visitor().sign_in(user, "wrong");
        times.push(start.elapsed());
        let mut headers: Vec<_> = answer
            .headers
            .iter()
            .filter(|(name, _)| !["Date", "X-Worker"].contains(&name.as_str()))
            .cloned()
            .collect();
        headers.sort();
        answers.push((answer.status, headers, answer.body));
    }
    assert!(
        answers.windows(2).all(|two| two[0] == two[1]),
        "{answers:?}"
    );
    assert!(
        times.iter().all(|time| *time >= Duration::from_millis(250)),
        "{times:?}"
    );
}

#[test]
fn a57_a_body_that_dawdles_buys_no_quicker_answer() {
    let gate = Site::bed().start();
    let body = r#"{"username":"nobody","password":"wrong"}"#;
    let mut connection = gate.connect("auth.example.com");
    connection.send(format!(
        "POST /api/firstfactor HTTP/1.1\r\nHost: auth.example.com\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    ));
    // Longer than any failure is held back: there is nothing to wait for but the clock.
    std::thread::sleep(Duration::from_millis(1200));
    let start = Instant::now();
    assert_eq!(connection.send(body).answer().status, 401);
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(250), "{took:?}");
}

/// The page after a failure, with everything that may differ taken out.
fn failed_page(visitor: &mut Visitor<'_>, user: &str) -> String {
    let answer = visitor.sign_in_by_form(&visitor.gate.url("auth.example.com", "/"), user, "wrong");
    assert_eq!(answer.status, 401);
    let token = Form::with_password(&answer.text())
        .fields
        .iter()
        .find(|(name, _)| name == "token")
        .unwrap()
        .1
        .clone();
    answer.text().replace(user, "USER").replace(&token, "TOKEN")
}

#[test]
fn a57_the_page_after_a_failure_is_the_same_for_everybody() {
    let gate = Site::bed().start();
    let pages = ["alice", "carol", "nobody"].map(|user| failed_page(&mut gate.visitor(), user));
    assert!(pages.windows(2).all(|two| two[0] == two[1]), "{pages:?}");
    assert!(pages[0].contains("role=\"alert\""), "{}", pages[0]);
}
