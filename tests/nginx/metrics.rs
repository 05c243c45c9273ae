//! What is counted reaches Prometheus: all workers together, through reloads and kills, and only those who may ask.
//!

use std::collections::BTreeSet;

use super::harness::exposition::Exposition;
use super::harness::question::{self, ENDPOINTS, Question, basic};
use super::harness::{Answer, Ask, Gate, Site, until};

const APP: &str = "app.example.com";
const METRICS: &str = "metrics.example.com";

const SERVER: &str = "
server {
    @listen@
    server_name metrics.example.com;
    location = /metrics { allow 127.0.0.0/8; deny all; auth_gate_metrics; }
    location /denied { deny all; auth_gate_metrics; }
    location / { return 404; }
}";

fn bed() -> Site {
    Site::bed().workers(2).server(SERVER)
}

fn scrape(gate: &Gate) -> Exposition {
    let answer = gate.page(METRICS, "/metrics");
    assert_eq!(answer.status, 200, "{}", answer.text());
    Exposition::read(&answer.text())
}

fn ask(gate: &Gate, method: &str, target: &str) -> Answer {
    gate.send(&Ask::new(method, METRICS, target))
}

/// Asks for a page as whoever that is, until each worker has answered so often.
fn spread(gate: &Gate, times: usize, mut page: impl FnMut() -> Answer) -> usize {
    let (mut asked, mut seen) = (0, Vec::new());
    until("each worker to answer", || {
        let answer = page();
        asked += 1;
        seen.push(answer.header("X-Worker").unwrap().to_owned());
        let often =
            |pid: &u32| seen.iter().filter(|seen| **seen == pid.to_string()).count() >= times;
        gate.workers().iter().all(often).then_some(asked)
    })
}

fn decisions(read: &Exposition, outcome: &str, requirement: &str) -> f64 {
    let labels = [("outcome", outcome), ("requirement", requirement)];
    read.get("decisions_total", &labels)
}

#[test]
fn decisions_of_all_workers_are_told_together() {
    let gate = bed().start();
    let alice = gate.signed_in("alice");
    let allowed = spread(&gate, 3, || alice.clone().page(APP, "/x"));
    let challenged = spread(&gate, 3, || gate.page(APP, "/x"));
    let forbidden = spread(&gate, 1, || alice.clone().page(APP, "/admin/x"));
    let read = scrape(&gate);
    assert_eq!(decisions(&read, "allow", "one_factor"), allowed as f64);
    assert_eq!(
        decisions(&read, "challenge", "one_factor"),
        challenged as f64
    );
    assert_eq!(decisions(&read, "forbid", "deny"), forbidden as f64);
    let all = allowed + challenged + forbidden;
    assert_eq!(read.sum("decisions_total"), all as f64, "and nothing else");
}

#[test]
fn what_endpoints_are_asked_is_counted_too() {
    let gate = bed().server(ENDPOINTS).start();
    let alice = gate.signed_in("alice");
    let about = |target: &str| Question::new("forward-auth", APP, target);
    let with = |password: &str| about("/x").with("Authorization", &basic("bob", password));
    for (question, status) in [
        (about("/x").of(&alice), 200),
        (about("/public/x"), 200),
        (about("/x").with("Accept", "text/html"), 302),
        (about("/admin/x").of(&alice), 403),
        (with("password"), 200),
        (with("wrong"), 401),
        (about("/x").with("X-Forwarded-Host", "twice"), 400),
        (about("/x").of(&alice).query("authelia_url=x"), 400),
    ] {
        assert_eq!(question::ask(&gate, &question).status, status);
    }
    // These are no questions.
    let other = question::written("POST", "/api/authz/forward-auth", "x", [].iter());
    assert_eq!(question::connect(&gate).send(other).answer().status, 405);
    let read = scrape(&gate);
    for (outcome, requirement, count) in [
        ("allow", "one_factor", 2.0),
        ("allow", "bypass", 1.0),
        ("challenge", "one_factor", 2.0),
        ("forbid", "deny", 1.0),
        ("error", "none", 2.0),
    ] {
        assert_eq!(decisions(&read, outcome, requirement), count, "{outcome}");
    }
    assert_eq!(read.sum("decisions_total"), 8.0, "and nothing else");
    let basic = |result| read.get("logins_total", &[("method", "basic"), ("result", result)]);
    assert_eq!((basic("success"), basic("failure")), (1.0, 1.0));
    assert_eq!(read.get("sessions_started_total", &[]), 1.0);
}

#[test]
fn counts_outlive_a_reload_and_a_killed_worker() {
    let gate = bed().tolerate("exited on signal 9").start();
    let alice = gate.signed_in("alice");
    let mut allowed = spread(&gate, 2, || alice.clone().page(APP, "/x"));
    gate.reload().unwrap();
    allowed += spread(&gate, 1, || alice.clone().page(APP, "/x"));
    let victim = until("a worker", || gate.workers().into_iter().next());
    gate.kill_worker(victim);
    allowed += spread(&gate, 1, || alice.clone().page(APP, "/x"));
    let read = scrape(&gate);
    assert_eq!(decisions(&read, "allow", "one_factor"), allowed as f64);
    assert_eq!(read.get("sessions_started_total", &[]), 1.0);
}

#[test]
fn logins_sessions_bans_and_hashes_are_counted() {
    let gate = bed()
        .yaml("regulation: { modes: [user], max_retries: 3, find_time: 2m, ban_time: 5m }")
        .start();
    let mut bob = gate.signed_in("bob");
    for password in ["wrong", "wrong", "wrong", "password"] {
        assert_eq!(gate.visitor().sign_in("alice", password).status, 401);
    }
    bob.sign_out();
    let read = scrape(&gate);
    let logins = |result| {
        read.get(
            "logins_total",
            &[("method", "password"), ("result", result)],
        )
    };
    assert_eq!(
        (logins("success"), logins("failure"), logins("banned")),
        (1.0, 3.0, 1.0)
    );
    let ban = [("whom", "user"), ("for", "password")];
    assert_eq!(read.get("bans_total", &ban), 1.0);
    assert_eq!(read.get("sign_outs_total", &[("by", "sign_out")]), 1.0);
    assert_eq!(read.get("hashes_total", &[("result", "done")]), 5.0);
    assert_eq!(read.get("hash_duration_seconds_count", &[]), 5.0);
    assert_eq!(
        read.get("zone_entries", &[("table", "password_users")]),
        1.0
    );
    // That it has ended is remembered for a while.
    assert_eq!(read.get("zone_entries", &[("table", "sessions")]), 1.0);
    assert!(read.get("zone_capacity", &[("table", "sessions")]) > 1000.0);
    assert!(read.get("zone_size_bytes", &[]) > 1e6 * 0.9);
    assert_eq!(read.get("users", &[]), 2.0, "carol is switched off");
    assert_eq!(
        read.get("queue_length", &[("queue", "hashes_running")]),
        0.0
    );
    let build: BTreeSet<_> = read.of("auth_gate_build_info").collect::<Vec<_>>()[0]
        .0
        .keys()
        .cloned()
        .collect();
    assert_eq!(build, ["nginx_version", "version"].map(String::from).into());
}

#[test]
fn the_answer_is_the_text_format_and_nothing_but_get_and_head_is_taken() {
    let gate = bed().start();
    let got = ask(&gate, "GET", "/metrics");
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!(got.header("Content-Type"), Some(kind));
    assert_eq!(got.header("Cache-Control"), Some("no-store"));
    let head = ask(&gate, "HEAD", "/metrics");
    assert_eq!(
        (head.status, head.header("Content-Type")),
        (200, Some(kind))
    );
    assert!(head.body.is_empty());
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "GETX"] {
        let answer = ask(&gate, method, "/metrics");
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("Allow"), Some("GET, HEAD"), "{method}");
    }
}

#[test]
fn a72_metrics_are_for_those_who_are_allowed() {
    let gate = bed()
        .app("location /inherits { allow 127.0.0.0/8; deny all; auth_gate_metrics; }")
        .app("location /shows { auth_gate off; ssi on; ssi_types *; root @prefix@; }")
        .file("shows/page", "<!--# include virtual=\"/inherits\" -->")
        .start();
    assert_eq!(gate.page(METRICS, "/denied").status, 403);
    assert_eq!(gate.page(APP, "/inherits").status, 200, "is not guarded");
    let page = gate.page(APP, "/shows/page");
    assert_eq!(page.status, 200);
    assert!(!page.text().contains("auth_gate_"), "{}", page.text());
}

#[test]
fn plain_http_will_do() {
    let server = SERVER.replace("@listen@", "@clear@");
    let gate = Site::bed().server(&server).start();
    let ask = Ask::page(METRICS, "/metrics");
    let answer = gate.connect_plain().send(ask.bytes(&[])).answer();
    Exposition::read(&answer.text());
}

#[test]
fn a_block_inside_of_the_location_tells_the_same() {
    let inside = "
location = /metrics {
    allow 127.0.0.0/8; deny all;
    auth_gate_metrics;
    if ($arg_x) { add_header X-Inside yes; }
    limit_except GET { deny all; }
}";
    let gate = Site::bed().public(inside).start();
    for target in ["/metrics", "/metrics?x=1"] {
        let answer = gate.page("public.example.com", target);
        assert_eq!(answer.status, 200, "{target}");
        Exposition::read(&answer.text());
    }
    let post = gate.send(&Ask::new("POST", "public.example.com", "/metrics"));
    assert_eq!(post.status, 403);
}

#[test]
fn a72_a_location_that_everybody_may_read_is_warned_about() {
    let site = |inside: &str| {
        let location = format!("location = /metrics {{ {inside} auth_gate_metrics; }}");
        Site::bed()
            .public(&location)
            .server(&format!(
                "server {{ listen 8000; server_name x; {location} }}"
            ))
            .check()
    };
    site("").warned(&["anybody may read", "location /metrics", "deny all"]);
    site("allow 127.0.0.1; deny all;").taken_silently();
    site("deny all;").taken_silently();
    let inherited = "server { listen 8000; server_name x; allow 10.0.0.0/8; deny all;
        location /metrics { auth_gate_metrics; } }";
    Site::bed().server(inherited).check().taken_silently();
    let here = "server { listen 127.0.0.1:8000; listen [::1]:8000; listen unix:@prefix@/socket; server_name x;
        location /metrics { auth_gate_metrics; } }";
    Site::bed().server(here).check().taken_silently();
}

#[test]
fn mistakes_are_told() {
    let location = |inside: &str| {
        let location = format!("location /metrics {{ deny all; {inside} }}");
        Site::bed().public(&location).check()
    };
    location("auth_gate_metrics; auth_gate_metrics;").refused(&["auth_gate_metrics", "duplicate"]);
    location("auth_gate_metrics on;").refused(&["auth_gate_metrics", "number of arguments"]);
    location("auth_gate_metrics; @proxy@").refused(&["auth_gate_metrics", "only one of them can"]);
    Site::bed()
        .http("auth_gate_metrics;")
        .check()
        .refused(&["auth_gate_metrics", "not allowed here"]);
    Site::bed()
        .http_only("")
        .app_only("location /metrics { deny all; auth_gate_metrics; }")
        .public("location / { @proxy@ }")
        .portal("location / { @proxy@ }")
        .check()
        .refused(&["auth_gate_metrics", "needs \"auth_gate_config FILE;\""]);
}
