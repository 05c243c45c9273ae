//! The command line beside a running nginx: it sees who is signed in and who is banned, and what it ends or bans is
//! so in every worker soon after.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use ngx_http_auth_gate_module::store::{self, Ledger as _, Target};

use super::harness::visitor::PORTAL;
use super::harness::{Ask, Gate, Visitor, until};
use super::second_factor::now;
use super::storage::{KEY, bed, open};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
const BY_USER: &str = "regulation: { modes: [user], max_retries: 3, find_time: 2m, ban_time: 5m }";

/// What the command prints, which must end well.
pub fn auth_gate(gate: &Gate, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_auth-gate"))
        .args(arguments)
        .arg("--config")
        .arg(gate.prefix().join("configuration.yml"))
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {err}");
    assert_eq!(err, "", "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn list(gate: &Gate, what: &str) -> Vec<Value> {
    let list = auth_gate(gate, &[what, "list", "--format", "json"]);
    serde_json::from_str(&list).unwrap()
}

/// The sessions, when there are so many of them.
fn sessions(gate: &Gate, count: usize) -> Vec<Value> {
    until("the sessions to be written down", || {
        Some(list(gate, "session")).filter(|sessions| sessions.len() == count)
    })
}

/// Waits until no worker lets the visitor in any more.
fn is_out(visitor: &mut Visitor<'_>) {
    let mut refused = BTreeSet::new();
    let workers = visitor.gate.workers();
    until("every worker to refuse", || {
        let answer = visitor.page("app.example.com", "/x");
        assert!(matches!(answer.status, 200 | 302), "{answer:?}");
        match answer.status {
            302 => _ = refused.insert(answer.header("X-Worker").unwrap().parse().unwrap()),
            _ => refused.clear(),
        }
        (refused == workers).then_some(())
    });
}

#[test]
fn a_session_is_listed_with_where_and_with_what_until_it_is_over() {
    let gate = bed().workers(2).start();
    let mut alice = gate.visitor();
    let body = json!({"username": "alice", "password": "password"});
    let ask = Ask::api("POST", PORTAL, "/api/firstfactor", &body);
    assert_eq!(alice.send(&ask.with("User-Agent", FIREFOX)).status, 200);
    let listed = sessions(&gate, 1).remove(0);
    assert_eq!(listed["user"], "alice");
    assert_eq!(listed["device"], "Firefox on Linux");
    assert_eq!(listed["domain"], "example.com");
    assert_eq!(listed["methods"], json!(["password"]));
    assert!(
        listed["ip"].as_str().unwrap().starts_with("127."),
        "{listed}"
    );
    alice.sign_out();
    sessions(&gate, 0);
}

#[test]
fn a_user_who_is_signed_out_by_the_administrator_is_out_in_every_worker() {
    let gate = bed().workers(2).start();
    let mut alices = [gate.signed_in("alice"), gate.signed_in("alice")];
    let mut bob = gate.signed_in("bob");
    sessions(&gate, 3);
    let said = auth_gate(&gate, &["session", "end", "--user", "alice"]);
    assert!(said.starts_with("ended 2 sessions of alice"), "{said}");
    alices.iter_mut().for_each(is_out);
    assert!(bob.reaches("/x"));
    assert_eq!(sessions(&gate, 1)[0]["user"], "bob");
    assert!(gate.signed_in("alice").reaches("/x"), "and may come back");
}

#[test]
fn a46_a_thousand_orders_at_once_are_all_carried_out_and_hit_nobody_else() {
    let gate = bed().workers(2).start();
    let mut alices = [gate.signed_in("alice"), gate.signed_in("alice")];
    let mut bob = gate.signed_in("bob");
    sessions(&gate, 3);
    let store = open(gate.prefix(), KEY);
    let end = |user: String| {
        let command = store::Command::EndUser { user, except: None };
        store.place_order(&command, 0, now()).unwrap();
    };
    (0..1000).for_each(|number| end(format!("somebody{number}")));
    end("alice".to_owned());
    alices.iter_mut().for_each(is_out);
    assert!(bob.reaches("/x"));
    assert!(gate.signed_in("alice").reaches("/x"), "and may come back");
}

#[test]
fn one_session_ends_by_its_id_and_all_of_them_at_once() {
    let gate = bed().workers(2).start();
    let mut first = gate.signed_in("alice");
    let id = sessions(&gate, 1)[0]["id"].as_str().unwrap().to_owned();
    let (mut second, mut bob) = (gate.signed_in("alice"), gate.signed_in("bob"));
    sessions(&gate, 3);
    auth_gate(&gate, &["session", "end", &id]);
    is_out(&mut first);
    assert!(second.reaches("/x") && bob.reaches("/x"));
    auth_gate(&gate, &["session", "end", "--all"]);
    is_out(&mut second);
    is_out(&mut bob);
    assert!(list(&gate, "session").is_empty());
}

#[test]
fn sessions_that_a_worker_had_no_time_to_write_down_are_written_down_at_its_end() {
    let gate = bed().start();
    let mut alice = gate.signed_in("alice");
    gate.reload().unwrap();
    sessions(&gate, 1);
    assert!(alice.reaches("/x"));
    auth_gate(&gate, &["session", "end", "--user", "alice"]);
    is_out(&mut alice);
}

fn can_sign_in(gate: &Gate, user: &str) -> bool {
    match gate.visitor().sign_in(user, "password").status {
        200 => true,
        401 => false,
        other => panic!("{other}"),
    }
}

#[test]
fn a_ban_of_the_administrator_holds_without_regulation_until_it_is_taken_back() {
    let gate = bed()
        .yaml("regulation: { max_retries: 0 }")
        .workers(2)
        .start();
    let mut before = gate.signed_in("alice");
    auth_gate(&gate, &["ban", "add", "--user", "alice", "--for", "2 days"]);
    until("the ban", || (!can_sign_in(&gate, "alice")).then_some(()));
    assert!(before.reaches("/x"), "a ban ends no session");
    assert!(can_sign_in(&gate, "bob"));
    auth_gate(&gate, &["ban", "revoke", "--user", "alice"]);
    until("its end", || can_sign_in(&gate, "alice").then_some(()));
    let address = ["--ip", "127.0.0.1"];
    auth_gate(&gate, &[&["ban", "add"], &address[..]].concat());
    until("the ban", || (!can_sign_in(&gate, "bob")).then_some(()));
    auth_gate(&gate, &[&["ban", "revoke"], &address[..]].concat());
    until("its end", || can_sign_in(&gate, "bob").then_some(()));
}

#[test]
fn a58_a_ban_by_failures_is_listed_and_taken_back() {
    let gate = bed().yaml(BY_USER).workers(2).start();
    for _ in 0..3 {
        assert_eq!(gate.visitor().sign_in("alice", "wrong").status, 401);
    }
    let ban = until("the ban to be written down", || list(&gate, "ban").pop());
    assert_eq!(
        (&ban["user"], &ban["by"]),
        (&json!("alice"), &json!("regulation"))
    );
    assert!(!can_sign_in(&gate, "alice"));
    auth_gate(&gate, &["ban", "revoke", "--user", "alice"]);
    until("its end", || can_sign_in(&gate, "alice").then_some(()));
    assert!(list(&gate, "ban").is_empty());
}

#[test]
fn a58_bans_hold_in_an_nginx_that_was_started_anew() {
    fn with(by: store::BannedBy, prefix: &Path) {
        let ban = store::Ban {
            target: Target::User("alice".into()),
            until: now() + 600,
            created: now() - 60,
            by,
        };
        let banned = store::Event::Banned(ban);
        open(prefix, KEY).record(&[banned], 0, now()).unwrap();
    }
    let bans: [fn(&Path); 2] = [
        |prefix| with(store::BannedBy::Regulation, prefix),
        |prefix| with(store::BannedBy::Administrator, prefix),
    ];
    for ban in bans {
        let gate = bed().yaml(BY_USER).workers(2).prepare(ban).start();
        until("the ban", || (!can_sign_in(&gate, "alice")).then_some(()));
        assert!(can_sign_in(&gate, "bob"));
    }
}
