//! What users change themselves, through the real nginx: a new password in the users file, the end of other sessions;
//! and what an administrator is told where that cannot work.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt as _;

use serde_json::json;

use super::harness::form::Form;
use super::harness::place::{give, is_root};
use super::harness::site::USERS;
use super::harness::visitor::PORTAL;
use super::harness::{Answer, Ask, Gate, Site, Visitor, until};
use super::second_factor::code_of;
use super::storage::bed as stored;

const APP: &str = "app.example.com";
const MAIL: &str = "notifier: { filesystem: { filename: mail/letter.txt } }";

/// Users in a folder that the workers can write, unwatched; letters in a file.
pub fn bed() -> Site {
    stored()
        .yaml(MAIL)
        .backend(
            "authentication_backend:
  file:
    path: people/users.yml
    watch: false
    password: { algorithm: argon2, argon2: { memory: 1024, iterations: 1, parallelism: 1 } }",
        )
        .file("people/users.yml", USERS)
        .file("mail/.keep", "")
        .prepare(|prefix| {
            for path in ["people", "people/users.yml", "mail"] {
                give(&prefix.join(path));
            }
        })
}

fn post(visitor: &mut Visitor<'_>, target: &str, body: &serde_json::Value) -> Answer {
    visitor.send(&Ask::api("POST", PORTAL, target, body))
}

/// Gives alice a new password by a mailed link, as somebody who has forgotten the old one.
fn reset(gate: &Gate, password: &str) {
    let mut visitor = gate.visitor();
    let asked = post(
        &mut visitor,
        "/api/reset-password/identity/start",
        &json!({"username": "alice"}),
    );
    assert_eq!(asked.status, 200, "{}", asked.text());
    let letter = until("the letter", || {
        let letter = gate.read("mail/letter.txt");
        letter.contains("/reset-password?token=").then_some(letter)
    });
    let token = letter.split("/reset-password?token=").nth(1).unwrap();
    let token = token.split_whitespace().next().unwrap();
    let finish = json!({"token": token});
    let opened = post(&mut visitor, "/api/reset-password/identity/finish", &finish);
    assert_eq!(opened.json()["status"], "OK", "{}", opened.text());
    let set = post(
        &mut visitor,
        "/api/reset-password",
        &json!({"password": password}),
    );
    assert_eq!(set.status, 200, "{}", set.text());
    assert!(!set.text().contains("KO"), "{}", set.text());
}

#[test]
fn a_new_password_counts_on_every_worker_though_nobody_watches_the_file() {
    let mut gate = bed().workers(2).start();
    let path = gate.prefix().join("people/users.yml");
    let (before, owner) = (
        fs::read_to_string(&path).unwrap(),
        fs::metadata(&path).unwrap(),
    );
    let old = gate.signed_in("alice");
    reset(&gate, "A new password, 1");

    let (after, now) = (
        fs::read_to_string(&path).unwrap(),
        fs::metadata(&path).unwrap(),
    );
    assert_eq!((now.uid(), now.mode()), (owner.uid(), owner.mode()));
    let changed = before
        .lines()
        .zip(after.lines())
        .filter(|(old, new)| old != new);
    assert_eq!(changed.count(), 1, "{after}");
    // Every connection may be any worker's.
    until("both workers to know it", || {
        let known = |_| gate.visitor().sign_in("alice", "A new password, 1").status == 200;
        (0..8).all(known).then_some(())
    });
    assert!(
        (0..8).all(|_| !old.clone().reaches("/x")),
        "an old session lives on"
    );
    assert_eq!(gate.visitor().sign_in("alice", "password").status, 401);
    gate.signed_in("bob");

    // A worker that begins later was forked from a master that read the old file.
    gate.tolerate("exited on signal 9");
    for worker in gate.workers() {
        gate.kill_worker(worker);
    }
    until("new workers to know it", || {
        let known = |_| gate.visitor().sign_in("alice", "A new password, 1").status == 200;
        (0..8).all(known).then_some(())
    });
}

/// Ends all sessions of the visitor but this one.
pub fn end_all_others(visitor: &mut Visitor<'_>) {
    let url = visitor.gate.url(PORTAL, "/settings/sessions");
    let page = visitor.open(&url);
    assert_eq!(page.status, 200, "{}", page.text());
    let all = |form: &Form| form.fields.iter().any(|(name, _)| name == "all");
    let form = Form::all(&page.text()).into_iter().find(all).unwrap();
    let ended = visitor.submit(&url, &form);
    assert_eq!(ended.status, 303, "{}", ended.text());
}

#[test]
fn all_other_sessions_end_and_this_one_stays() {
    let gate = bed().workers(2).start();
    let others: Vec<_> = (0..3).map(|_| gate.signed_in("alice")).collect();
    let bob = gate.signed_in("bob");
    let mut alice = gate.signed_in("alice");
    end_all_others(&mut alice);
    for mut other in others {
        assert!(!other.reaches("/x"));
    }
    assert!(alice.reaches("/x") && bob.clone().reaches("/x"));
}

#[test]
fn where_workers_cannot_write_the_users_file_it_is_said_and_nothing_is_offered() {
    if !is_root() {
        return;
    }
    let site = stored().yaml(MAIL).file("mail/.keep", "");
    site.clone().check().warned(&[
        "passwords can be neither changed nor reset",
        "@prefix@/users.yml",
        "chown www-data",
        "password_change.disable",
    ]);
    let gate = site.start();
    let asked = post(
        &mut gate.visitor(),
        "/api/reset-password/identity/start",
        &json!({"username": "alice"}),
    );
    assert_eq!(asked.status, 404, "{}", asked.text());
}

#[test]
fn a_mail_server_that_is_down_stops_nobody_and_is_said() {
    // Nobody listens where somebody just did.
    let dead = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let smtp = format!(
        "notifier: {{ smtp: {{ address: 'smtp://{dead}', sender: gate@example.com, timeout: 1s }} }}"
    );
    let gate = stored().yaml(&smtp).start();
    until("a line about it", || {
        gate.log()
            .lines()
            .any(|line| line.contains("[error]") && line.contains("notifier"))
            .then_some(())
    });
    gate.signed_in("bob").is_let_in(APP, "/x");
    stored().yaml(&smtp).check().taken();
}

#[test]
fn a_device_is_enrolled_with_a_mailed_code_and_proves_a_second_factor() {
    let gate = bed().workers(2).start();
    let mut alice = gate.signed_in("alice");
    let mut api = |method: &str, target: &str, body: serde_json::Value| {
        let answer = alice.send(&Ask::api(method, PORTAL, target, &body));
        assert_eq!(answer.status, 200, "{method} {target}: {}", answer.text());
        answer.json()
    };
    api("POST", "/api/user/session/elevation", json!(null));
    let letter = until("the letter", || {
        let letter = gate.read("mail/letter.txt");
        letter.contains("-----\n\n").then_some(letter)
    });
    let code = letter.split("-----\n\n").nth(1).unwrap();
    let code = code.split_whitespace().next().unwrap();
    api("PUT", "/api/user/session/elevation", json!({"otc": code}));

    let offer = json!({"algorithm": "SHA1", "length": 6, "period": 30});
    let offered = api("PUT", "/api/secondfactor/totp/register", offer);
    let secret = offered["data"]["base32_secret"].as_str().unwrap();
    let secret = data_encoding::BASE32_NOPAD
        .decode(secret.as_bytes())
        .unwrap();
    let code = code_of(&secret, 0);
    api(
        "POST",
        "/api/secondfactor/totp/register",
        json!({"token": code}),
    );
    let known = api("GET", "/api/user/info", json!(null));
    assert_eq!(known["data"]["has_totp"], true);

    let too_long = "x".repeat(20_000);
    let answer =
        alice.send(&Ask::new("PUT", PORTAL, "/api/secondfactor/totp/register").with_body(too_long));
    assert_eq!(answer.status, 413);

    let next = code_of(&secret, 1);
    let proven = post(
        &mut alice,
        "/api/secondfactor/totp",
        &json!({"token": next}),
    );
    assert_eq!(proven.status, 200, "{}", proven.text());
}
