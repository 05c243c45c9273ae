//! Several machines share one sign-on through Redis: who signs in at one is signed in at all, and an end at one is an
//! end at all within a second.

use std::time::{Duration, Instant};

use serde_json::json;

use super::harness::crowd::crowd;
use super::harness::form::Form;
use super::harness::site::{SESSION, USERS};
use super::harness::visitor::PORTAL;
use super::harness::{Ask, Gate, Site, Visitor, until};
use super::servers::{Kind, Servers};

const APP: &str = "app.example.com";
const BY_USER: &str = "regulation: { modes: [user], max_retries: 3, find_time: 2m, ban_time: 5m }";

/// What "at once" means to people.
const SOON: Duration = Duration::from_secs(1);

/// A site whose sessions are in these servers.
pub(super) fn site(servers: &Servers) -> Site {
    let redis = servers.yaml();
    let timeout = redis.replacen('{', "{timeout: 2s, ", 1);
    Site::bed().session(&format!("{SESSION}  redis: {timeout}\n"))
}

/// Two machines.
fn machines(servers: &Servers, adjust: impl Fn(Site) -> Site) -> [Gate; 2] {
    [1, 2].map(|_| adjust(site(servers).workers(2)).start())
}

/// The same person at another machine.
pub(super) fn at<'g>(gate: &'g Gate, visitor: &Visitor<'_>) -> Visitor<'g> {
    Visitor {
        gate,
        jar: visitor.jar.clone(),
    }
}

/// Waits until every worker refuses the visitor, and says how long that took.
fn is_out_soon(visitor: &mut Visitor<'_>) {
    let began = Instant::now();
    until("the end", || {
        let out = (0..12).all(|_| visitor.page(APP, "/x").status == 302);
        out.then_some(())
    });
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

#[test]
fn who_signs_in_at_one_machine_is_signed_in_at_all() {
    for kind in [Kind::Tcp, Kind::Unix, Kind::Cluster, Kind::Sentinel] {
        let servers = Servers::start(kind);
        if kind == Kind::Unix {
            super::harness::place::give(&servers.socket());
        }
        let [one, two] = machines(&servers, |site| site);
        let mut alice = one.signed_in("alice");
        let mut there = at(&two, &alice);
        assert!(alice.reaches("/x") && there.reaches("/x"), "{kind:?}");
        let answer = there.send(&Ask::api("GET", PORTAL, "/api/state", &json!({})));
        assert!(answer.text().contains("\"alice\""), "{}", answer.text());
        assert_eq!(alice.sign_out().status, 200);
        is_out_soon(&mut there);
    }
}

#[test]
fn a45_a_sign_out_at_one_machine_counts_at_all_within_a_second() {
    let servers = Servers::start(Kind::Tcp);
    let [one, two] = machines(&servers, |site| site);
    for _ in 0..10 {
        let mut alice = one.signed_in("alice");
        let mut there = at(&two, &alice);
        let mut elsewhere = two.signed_in("alice");
        assert!(there.reaches("/x"));
        let mut before = alice.clone();
        assert_eq!(alice.sign_out().status, 200);
        is_out_soon(&mut there);
        is_out_soon(&mut before);
        assert!(elsewhere.reaches("/x"), "another session of hers goes on");
    }
}

#[test]
fn a46_ending_all_sessions_at_one_machine_ends_them_at_all_but_the_one_that_stays() {
    let servers = Servers::start(Kind::Tcp);
    let [one, two] = machines(&servers, |site| site);
    let mut here = one.signed_in("alice");
    let mut others = [one.signed_in("alice"), two.signed_in("alice")];
    let mut theirs: Vec<_> = others.iter().map(|other| at(&two, other)).collect();
    let mut bob = two.signed_in("bob");
    for visitor in others.iter_mut().chain(&mut theirs) {
        assert!(visitor.reaches("/x"));
    }
    let page = here.page(PORTAL, "/settings/sessions");
    let mut forms = Form::all(&page.text()).into_iter();
    let form = forms.find(|form| form.fields.iter().any(|(name, _)| name == "all"));
    let form = form.unwrap_or_else(|| panic!("no form to end all: {}", page.text()));
    let url = one.url(PORTAL, "/settings/sessions");
    assert_eq!(here.submit(&url, &form).status, 303);
    for visitor in others.iter_mut().chain(&mut theirs) {
        is_out_soon(visitor);
    }
    assert!(here.reaches("/x") && at(&two, &here).reaches("/x"));
    assert!(bob.reaches("/x") && at(&one, &bob).reaches("/x"));
}

#[test]
fn a58_failures_and_bans_at_one_machine_count_at_all() {
    let servers = Servers::start(Kind::Tcp);
    let [one, two] = machines(&servers, |site| site.yaml(BY_USER));
    let tries =
        |gate: &Gate, user: &str, password: &str| gate.visitor().sign_in(user, password).status;
    assert_eq!(tries(&one, "alice", "wrong"), 401);
    assert_eq!(tries(&two, "alice", "wrong"), 401);
    assert_eq!(tries(&one, "bob", "wrong"), 401);
    assert_eq!(tries(&two, "bob", "wrong"), 401);
    // A success at the other machine forgets them.
    assert_eq!(tries(&one, "bob", "password"), 200);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(tries(&one, "alice", "wrong"), 401);
            until("the ban at the other machine", || {
                (tries(&two, "alice", "password") == 401).then_some(())
            });
            assert_eq!(tries(&one, "alice", "password"), 401);
        });
    });
    for _ in 0..2 {
        assert_eq!(tries(&two, "bob", "wrong"), 401);
    }
    assert_eq!(tries(&one, "bob", "password"), 200);
}

#[test]
fn a47_disabling_a_user_in_one_file_ends_his_sessions_everywhere_and_the_other_file_decides_about_new_ones()
 {
    let servers = Servers::start(Kind::Tcp);
    let [one, two] = machines(&servers, |site| site);
    let mut here = one.signed_in("alice");
    let mut there = at(&two, &here);
    let mut bob = two.signed_in("bob");
    assert!(here.reaches("/x") && there.reaches("/x"));
    let disabled = USERS.replacen("  alice:\n", "  alice:\n    disabled: true\n", 1);
    assert_ne!(disabled, USERS);
    one.replace("users.yml", &disabled);
    for visitor in [&mut here, &mut there] {
        until("the end", || visitor.page(APP, "/x").is(302));
    }
    assert_eq!(one.visitor().sign_in("alice", "password").status, 401);
    let mut again = two.signed_in("alice");
    assert!(again.reaches("/x"));
    assert_eq!(at(&one, &again).page(APP, "/x").status, 302, "not here");
    assert!(again.reaches("/x"), "and that harms nobody there");
    assert!(bob.reaches("/x"));
}

#[test]
fn a_machine_that_was_cut_off_catches_up() {
    let servers = Servers::start(Kind::Tcp);
    let [one, two] = machines(&servers, |site| site);
    let mut alice = one.signed_in("alice");
    let mut there = at(&two, &alice);
    assert!(there.reaches("/x"));
    for _ in 0..3 {
        servers.servers[0].cli(&["client", "kill", "type", "normal", "skipme", "yes"]);
        assert!(there.reaches("/x"));
    }
    assert_eq!(alice.sign_out().status, 200);
    until("the end", || there.page(APP, "/x").is(302));
}

#[test]
fn nobody_is_idle_who_is_busy_at_the_other_machine() {
    let servers = Servers::start(Kind::Tcp);
    let idle = SESSION.replace("  cookies:", "  inactivity: 3s\n  cookies:");
    let redis = format!("{idle}  redis: {}\n", servers.yaml());
    let [one, two] = [1, 2].map(|_| Site::bed().session(&redis).start());
    let mut alice = one.signed_in("alice");
    let mut there = at(&two, &alice);
    assert!(there.reaches("/x"));
    let busy = Instant::now();
    until("longer than anybody may be idle", || {
        assert!(alice.reaches("/x"));
        (busy.elapsed() > Duration::from_secs(5)).then_some(())
    });
    assert!(there.reaches("/x"));
    assert!(alice.reaches("/x"));
}

/// What the machine has counted under that name and label.
fn counted(gate: &Gate, series: &str) -> u64 {
    let text = gate.page("metrics.example.com", "/").text();
    let line = text.lines().find_map(|line| line.strip_prefix(series));
    let value = line.and_then(|rest| rest.trim().parse().ok());
    value.unwrap_or_else(|| panic!("no {series} in {text}"))
}

const METRICS: &str = "server { @listen@ server_name metrics.example.com; \
    location / { allow all; auth_gate_metrics; } }";

#[test]
fn requests_that_come_at_once_with_a_session_from_elsewhere_share_one_fetch() {
    let servers = Servers::start(Kind::Tcp);
    let one = site(&servers).start();
    let alice = one.signed_in("alice");
    let two = site(&servers).server(METRICS).start();
    let there = at(&two, &alice);
    servers.servers[0].hang();
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| assert_eq!(there.clone().page(APP, "/x").status, 200));
        }
        until("all of them to wait", || {
            let waiting = counted(&two, "auth_gate_session_fetches_total{result=\"shared\"}");
            (waiting == 19).then_some(())
        });
        servers.servers[0].go_on();
    });
    assert_eq!(
        counted(&two, "auth_gate_session_fetches_total{result=\"found\"}"),
        1
    );
}

#[test]
fn a_made_up_cookie_never_reaches_the_store() {
    let servers = Servers::start(Kind::Tcp);
    let gate = site(&servers).server(METRICS).start();
    let alice = gate.signed_in("alice");
    let asked = |gate: &Gate| {
        ["found", "absent", "failed"]
            .map(|result| {
                counted(
                    gate,
                    &format!("auth_gate_session_fetches_total{{result=\"{result}\"}}"),
                )
            })
            .iter()
            .sum::<u64>()
    };
    let before = asked(&gate);
    let value = alice.session().value.clone();
    for place in [0, 20, 43, 44, 63] {
        let mut changed = value.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        let mut forged = alice.clone();
        for cookie in &mut forged.jar {
            cookie.value = String::from_utf8(changed.clone()).unwrap();
        }
        assert_eq!(forged.page(APP, "/x").status, 302);
    }
    assert_eq!(asked(&gate), before);
}

#[test]
fn two_machines_at_work_know_everybody_as_himself() {
    let servers = Servers::start(Kind::Tcp);
    let [one, two] = machines(&servers, |site| site);
    let people: Vec<(&str, Visitor<'_>)> = [&one, &two, &one, &two]
        .into_iter()
        .zip(["alice", "bob", "bob", "alice"])
        .map(|(gate, user)| (user, gate.signed_in(user)))
        .collect();
    let tally = crowd(&[&one, &two], &people, |crowd| {
        one.restart();
        crowd.pass(20);
        two.reload().unwrap();
        crowd.pass(20);
    });
    tally.is_right();
}
