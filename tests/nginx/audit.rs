//! What happened stands in the log in fields that programs read, and fail2ban bans those who failed, and nobody whom they
//! name.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::harness::exposition::Exposition;
use super::harness::question::{ENDPOINTS, Question, ask, basic};
use super::harness::visitor::PORTAL;
use super::harness::{Ask, Gate, Site, until};
use super::{second_factor, storage};

/// The portal writes a log of its own, and addresses are those that a load balancer tells.
const HTTP: &str = "set_real_ip_from 127.0.0.0/8; real_ip_header X-Forwarded-For;";
const OWN_LOG: &str = "location / { auth_gate_portal; error_log @prefix@/auth-gate.log notice; }";

/// Somebody who is not the one to blame.
const INNOCENT: &str = "192.0.2.66";

fn bed() -> Site {
    Site::bed().http(HTTP).portal(OWN_LOG)
}

/// Signs in from an address; whether that was right.
fn sign_in(gate: &Gate, from: &str, user: &str, password: &str) -> bool {
    let body = serde_json::json!({"username": user, "password": password});
    let ask = Ask::api("POST", PORTAL, "/api/firstfactor", &body).with("X-Forwarded-For", from);
    match gate.send(&ask).status {
        200 => true,
        401 => false,
        other => panic!("{other}"),
    }
}

/// What stands behind `auth_gate: ` in lines about an event.
fn lines(log: &str, event: &str) -> Vec<String> {
    let begin = format!("auth_gate: event={event}");
    let about = log.lines().filter_map(|line| line.split_once(&begin));
    about
        .map(|(_, rest)| format!("event={event}{rest}"))
        .collect()
}

fn example(path: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.join("nginx-conf/fail2ban").join(path)
}

/// The addresses that fail2ban finds in a log, and how often.
fn found(log: &str, gate: &Gate) -> BTreeMap<String, usize> {
    let output = Command::new("fail2ban-regex")
        .args(["-o", "ip"])
        .arg(gate.prefix().join(log))
        .arg(example("filter.d/auth-gate.conf"))
        .output()
        .expect("fail2ban-regex: scripts/setup test installs it");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(err.is_empty(), "{err}");
    let mut found = BTreeMap::new();
    for ip in said.lines().filter(|line| !line.is_empty()) {
        *found.entry(ip.to_owned()).or_default() += 1;
    }
    found
}

fn counted<const N: usize>(wanted: [(&str, usize); N]) -> BTreeMap<String, usize> {
    wanted.map(|(ip, count)| (ip.to_owned(), count)).into()
}

#[test]
fn fail2ban_finds_those_who_failed_and_nobody_else() {
    let gate = bed()
        .yaml("regulation: { modes: [user], max_retries: 3, find_time: 2m, ban_time: 5m }")
        .start();
    assert!(sign_in(&gate, "192.0.2.1", "alice", "password"));
    assert!(!sign_in(&gate, "192.0.2.2", "nobody", "password"));
    for _ in 0..4 {
        assert!(!sign_in(&gate, "192.0.2.3", "bob", "wrong"));
    }
    assert!(!sign_in(&gate, "2001:db8::7", "alice", "wrong"));
    assert_eq!(
        found("auth-gate.log", &gate),
        counted([("192.0.2.2", 1), ("192.0.2.3", 4), ("2001:db8::7", 1)])
    );
}

#[test]
fn a_typed_name_bans_nobody_and_forges_no_line() {
    let gate = bed().start();
    let now = gate.log()[.."2026/11/28 00:00:00".len()].to_owned();
    let forged =
        format!("[error] 1#1: *1 auth_gate: event=sign_in result=failure client={INNOCENT}");
    let names = [
        format!("\" client={INNOCENT} result=failure x=\""),
        format!("bob\n{now} {forged} method=password"),
        format!("bob\r\n{now} {forged}"),
        format!("bob\u{2028}{now} {forged}"),
        format!("bob\\\", client: {INNOCENT}, server: x\n{now} {forged}"),
        format!("{}{now} {forged}", "x".repeat(4000)),
        format!("\u{0}{now} {forged}"),
        format!("{} {forged}", "\u{1b}[2K".repeat(60)),
    ];
    for name in &names {
        assert!(!sign_in(&gate, "192.0.2.2", name, "password"));
    }
    // Where a value is not ours to write, such as that of a header, nginx appends it.
    let agent = format!("x\", client: {INNOCENT}, {forged}");
    let target = format!("/api/firstfactor?auth_gate:event=sign_in&client={INNOCENT}");
    let body = serde_json::json!({"username": "bob", "password": "wrong"});
    let ask = Ask::api("POST", PORTAL, &target, &body)
        .with("Referer", &agent)
        .with("X-Forwarded-For", "192.0.2.2");
    assert_eq!(gate.send(&ask).status, 401);
    let log = gate.read("auth-gate.log");
    assert_eq!(
        found("auth-gate.log", &gate),
        counted([("192.0.2.2", names.len() + 1)])
    );
    let failed = "event=sign_in result=failure client=192.0.2.2 method=password user=\"";
    let told = lines(&log, "sign_in");
    assert!(told.iter().all(|line| line.starts_with(failed)), "{told:?}");
    assert!(
        told.iter()
            .all(|line| line.contains(", client: 192.0.2.2, server: auth.example.com"))
    );
}

#[test]
fn who_fails_at_an_endpoint_is_told_by_the_address_that_the_proxy_tells() {
    let gate = Site::bed().server(ENDPOINTS).start();
    let with = |pair: (&str, &str), headers: &[(&str, &str)]| {
        let question = Question::new("forward-auth", "app.example.com", "/x");
        let question = question.with("Authorization", &basic(pair.0, pair.1));
        let add = |question: Question, (name, value): &(&str, &str)| question.with(name, value);
        ask(&gate, &headers.iter().fold(question, add)).status
    };
    let from = ("X-Forwarded-For", "192.0.2.2");
    assert_eq!(with(("alice", "password"), &[from]), 200);
    let forged = format!("\" client={INNOCENT} result=failure x=\"");
    for user in ["bob", &forged] {
        assert_eq!(with((user, "wrong"), &[from]), 401);
    }
    // Nothing of a question that cannot be answered is held against anybody.
    let host = format!("x event=sign_in result=failure client={INNOCENT}");
    let twice = ("X-Forwarded-Host", &*host);
    assert_eq!(with(("bob", "wrong"), &[from, twice]), 400);
    assert_eq!(found("error.log", &gate), counted([("192.0.2.2", 2)]));
    let log = gate.log();
    let failed = "event=sign_in result=failure client=192.0.2.2 method=basic user=\"";
    let told = lines(&log, "sign_in");
    assert!(told.iter().all(|line| line.starts_with(failed)), "{told:?}");
    assert_eq!(told.len(), 2, "what was right is no news: {told:?}");
    let misasked = "event=misask result=error client=127.0.0.1 endpoint=\"/api/authz/forward-auth\" \
                    reason=\"X-Forwarded-Host came more than once";
    let told = lines(&log, "misask");
    assert!(told.len() == 1 && told[0].starts_with(misasked), "{told:?}");
}

#[test]
fn a_path_of_another_location_gets_into_no_log_of_the_portal() {
    let gate = bed()
        .public("auth_gate off; location / { root @prefix@/nothing; }")
        .start();
    // nginx writes the names of files as they are.
    let target = format!(
        "/%0a2026/11/28%2000:00:00%20%5Berror%5D%201%231:%20*1%20auth_gate:%20event=sign_in%20result=failure%20client={INNOCENT}%20x"
    );
    assert_eq!(gate.page("public.example.com", &target).status, 404);
    let forged = |line: &str| line.starts_with("2026/11/28 00:00:00 [error] 1#1: *1 auth_gate: ");
    assert!(gate.log().lines().any(forged), "{}", gate.log());
    assert!(!sign_in(&gate, "192.0.2.2", "alice", "wrong"));
    assert_eq!(found("auth-gate.log", &gate), counted([("192.0.2.2", 1)]));
}

#[test]
fn what_happens_is_told_in_fields() {
    let gate = Site::bed()
        .http(HTTP)
        .yaml("regulation: { modes: [user, ip], max_retries: 2, find_time: 2m, ban_time: 5m }")
        .start();
    let mut alice = gate.signed_in("alice");
    alice.sign_out();
    for _ in 0..3 {
        assert!(!sign_in(&gate, "192.0.2.9", "bob", "wrong"));
    }
    let log = gate.log();
    let told = lines(&log, "sign_in");
    let results: Vec<&str> = told
        .iter()
        .map(|line| line.split(' ').nth(1).unwrap())
        .collect();
    assert_eq!(
        results,
        [
            "result=success",
            "result=failure",
            "result=failure",
            "result=banned"
        ]
    );
    let banned = "event=sign_in result=banned client=192.0.2.9 method=password user=\"bob\"";
    assert!(told[3].starts_with(banned), "{told:?}");
    assert!(lines(&log, "sign_out")[0].starts_with("event=sign_out result=success client=127."));
    let bans = lines(&log, "ban");
    let begin = "event=ban by=regulation until=2";
    assert!(bans.iter().all(|line| line.starts_with(begin)), "{bans:?}");
    assert!(
        bans.iter().any(|line| line.ends_with("Z user=\"bob\"")),
        "{bans:?}"
    );
    assert!(
        bans.iter()
            .any(|line| line.ends_with("Z address=192.0.2.9")),
        "{bans:?}"
    );
    let level = |words: &str| {
        let line = log.lines().find(|line| line.contains(words)).unwrap();
        line.split(['[', ']']).nth(1).unwrap()
    };
    assert_eq!(level("event=sign_in result=success"), "notice");
    assert_eq!(level("event=sign_in result=failure"), "error");
    assert_eq!(level("event=ban"), "error");
}

#[test]
fn steps_up_are_told_and_counted() {
    let metrics = "location = /metrics { allow 127.0.0.0/8; deny all; auth_gate_metrics; }";
    let gate = second_factor::bed().public(metrics).start();
    let mut alice = gate.signed_in("alice");
    assert_eq!(second_factor::prove(&mut alice, "000000", "").status, 403);
    let code = second_factor::code(0);
    assert_eq!(second_factor::prove(&mut alice, &code, "").status, 200);
    assert_eq!(
        second_factor::prove(&mut alice, &code, "").status,
        403,
        "once only"
    );
    let log = gate.log();
    let told = lines(&log, "step_up");
    let begin = |result: &str| {
        format!("event=step_up result={result} client=127.0.0.1 method=totp user=\"alice\"")
    };
    for (line, result) in told.iter().zip(["failure", "success", "failure"]) {
        assert!(line.starts_with(&begin(result)), "{told:?}");
    }
    assert!(told[0].contains(" reason=\""), "{told:?}");
    assert_eq!(told.len(), 3);
    let read = Exposition::read(&gate.page("public.example.com", "/metrics").text());
    let logins =
        |method, result| read.get("logins_total", &[("method", method), ("result", result)]);
    assert_eq!(
        (logins("totp", "failure"), logins("totp", "success")),
        (2.0, 1.0)
    );
    assert_eq!(logins("password", "success"), 1.0);
    assert_eq!(read.get("sessions_started_total", &[]), 1.0);
    assert_eq!(read.get("store_up", &[("store", "sqlite")]), 1.0);
    assert_eq!(
        read.get("queue_length", &[("queue", "errands_running")]),
        0.0
    );
}

#[test]
fn what_an_administrator_does_is_told_once() {
    let gate = storage::bed().workers(2).start();
    let order = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_auth-gate"))
            .args(arguments)
            .arg("--config")
            .arg(gate.prefix().join("configuration.yml"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    };
    // The store is there once it was needed.
    gate.signed_in("alice");
    until("the store", || {
        fs::exists(gate.prefix().join("store/db.sqlite3"))
            .unwrap()
            .then_some(())
    });
    order(&["ban", "add", "--user", "bob", "--for", "1 hour"]);
    order(&["ban", "add", "--ip", "2001:db8::1"]);
    order(&["ban", "revoke", "--user", "bob"]);
    order(&["session", "end", "--user", "alice"]);
    order(&["session", "end", "--all"]);
    let wanted = [("ban", 2), ("unban", 1), ("end_sessions", 2)];
    until("all of it to be told", || {
        let log = gate.log();
        let there =
            |(event, count): &(&str, usize)| lines(&log, &format!("{event} ")).len() == *count;
        wanted.iter().all(there).then_some(())
    });
    let log = gate.log();
    assert!(lines(&log, "ban ")[0].starts_with("event=ban by=administrator until=2"));
    assert_eq!(
        lines(&log, "unban "),
        ["event=unban by=administrator user=\"bob\""]
    );
    assert_eq!(
        lines(&log, "end_sessions "),
        [
            "event=end_sessions by=administrator user=\"alice\"",
            "event=end_sessions by=administrator whose=all"
        ]
    );
}

#[test]
fn the_example_jail_reads_the_log_that_the_readme_names() {
    let jail = fs::read_to_string(example("jail.d/auth-gate.conf")).unwrap();
    let readme = include_str!("../../README.md");
    let log = "/var/log/nginx/auth-gate.log";
    assert!(
        jail.contains(&format!("logpath  = {log}\n")) && jail.contains("filter   = auth-gate\n")
    );
    assert!(readme.contains(&format!("error_log {log} notice;")));
}
