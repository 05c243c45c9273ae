//! What a session cookie is worth: exactly what its session is, on every worker, until it ends.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use super::cookies::with_cookie;
use super::harness::site::USERS;
use super::harness::{Ask, Gate, Site, Visitor, until};

const APP: &str = "app.example.com";

#[test]
fn a44_the_id_changes_at_login_and_the_old_one_is_dead() {
    let gate = Site::bed().start();
    let mut alice = gate.signed_in("alice");
    let first = alice.session().clone();
    assert_eq!(alice.sign_in("alice", "password").status, 200);
    let second = alice.session().clone();
    assert_ne!(first.value, second.value);
    assert_eq!(
        with_cookie(&gate, &format!("{}={}", first.name, first.value)),
        302
    );
    assert!(alice.reaches("/x"));
}

#[test]
fn a44_an_id_that_an_attacker_planted_is_never_signed_in() {
    let gate = Site::bed().start();
    let planted = gate.signed_in("bob").session().clone();
    let mut victim = gate.visitor();
    victim.jar.push(planted.clone());
    assert_eq!(victim.sign_in("alice", "password").status, 200);
    assert_ne!(victim.session().value, planted.value);
    let seen = victim.is_let_in(APP, "/x");
    assert_eq!(seen.one("Remote-User"), "alice");
    gate.backend().take();
    with_cookie(&gate, &format!("{}={}", planted.name, planted.value));
    assert!(
        gate.backend()
            .take()
            .iter()
            .all(|seen| seen.one("Remote-User") != "alice")
    );

    let mut invented = planted.clone();
    invented.value = "A".repeat(planted.value.len());
    let mut victim = gate.visitor();
    victim.jar.push(invented.clone());
    victim.sign_in("alice", "password");
    assert_ne!(victim.session().value, invented.value);
}

/// The statuses that each worker gives to that cookie.
fn on_every_worker(gate: &Gate, visitor: &Visitor<'_>, count: usize) -> Vec<u16> {
    let (mut met, mut statuses) = (BTreeSet::new(), Vec::new());
    until("every worker to answer", || {
        // Connections held open together are spread over the workers.
        let mut connections: Vec<_> = (0..8).map(|_| gate.connect(APP)).collect();
        for connection in &mut connections {
            let answer = connection
                .send(Ask::page(APP, "/x").bytes(&visitor.cookie_header(APP)))
                .answer();
            met.insert(answer.header("X-Worker").unwrap_or_default().to_owned());
            statuses.push(answer.status);
        }
        (met.len() == count).then_some(())
    });
    statuses
}

#[test]
fn a45_a_sign_out_counts_on_every_worker_at_once() {
    let gate = Site::bed().workers(3).start();
    let mut alice = gate.signed_in("alice");
    assert!(
        on_every_worker(&gate, &alice, 3)
            .iter()
            .all(|status| *status == 200)
    );
    let before = alice.clone();
    assert_eq!(alice.sign_out().status, 200);
    assert!(
        alice
            .jar
            .iter()
            .all(|cookie| cookie.name != before.session().name),
        "the cookie is cleared: {:?}",
        alice.jar
    );
    assert!(
        on_every_worker(&gate, &before, 3)
            .iter()
            .all(|status| *status == 302)
    );
}

#[test]
fn a46_a_sign_out_touches_nobody_else_and_leaves_nothing_alive() {
    let gate = Site::bed().workers(2).start();
    let (alice, mut bob, mut elsewhere) = (
        gate.signed_in("alice"),
        gate.signed_in("bob"),
        gate.signed_in("alice"),
    );
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    alice.clone().page(APP, "/x");
                }
            });
        }
        until("some traffic", || {
            (gate.backend().seen().len() > 20).then_some(())
        });
        alice.clone().sign_out();
        stop.store(true, Ordering::Relaxed);
    });
    gate.backend().take();
    for _ in 0..5 {
        alice.is_refused(APP, "/x");
    }
    assert!(bob.reaches("/admin/x"));
    assert!(
        elsewhere.reaches("/x"),
        "the other browser of alice signs out for itself"
    );
}

#[test]
fn a47_a_change_in_the_users_file_counts_for_running_sessions() {
    let gate = Site::bed().workers(2).start();
    let (alice, bob) = (gate.signed_in("alice"), gate.signed_in("bob"));
    bob.is_let_in(APP, "/admin/x");
    gate.replace(
        "users.yml",
        &USERS
            .replace("groups: [admins, users]", "groups: [users]")
            .replacen("  alice:\n", "  alice:\n    disabled: true\n", 1),
    );
    until("bob to lose the group", || {
        (bob.clone().page(APP, "/admin/x").status == 403).then_some(())
    });
    until("alice to be shut out", || {
        (alice.clone().page(APP, "/x").status == 302).then_some(())
    });
    // One worker may read the file a moment after the other.
    until("every worker to know bob's groups", || {
        let known = |_| bob.is_let_in(APP, "/x").one("Remote-Groups") == "users";
        (0..10).all(known).then_some(())
    });

    gate.replace("users.yml", &USERS.replacen("  alice:\n", "  alicia:\n", 1));
    gate.reload().unwrap();
    alice.is_refused(APP, "/x");
    bob.is_let_in(APP, "/admin/x");
}

#[test]
fn a47_a_changed_password_ends_older_sessions() {
    let gate = Site::bed().start();
    let mut alice = gate.signed_in("alice");
    let (head, rest) = USERS.split_once("m=1024,t=1,p=1$").unwrap();
    let changed = format!(
        "{head}m=1024,t=1,p=1${}",
        rest.replacen(&rest[..4], "AAAA", 1)
    );
    gate.replace("users.yml", &changed);
    until("alice to be shut out", || {
        (alice.page(APP, "/x").status == 302).then_some(())
    });
}

const TWO_DOMAINS: &str = "session:
  secret: an insecure secret for tests
  cookies:
    - { domain: example.com, authelia_url: 'https://auth.example.com@port@' }
    - { domain: example.org, authelia_url: 'https://auth.example.org@port@', name: other }
    - { domain: example.net, authelia_url: 'https://auth.example.net@port@' }
";

#[test]
fn a49_a_session_of_one_domain_is_none_of_another() {
    let more = "server { @listen@ server_name app.example.org app.example.net; auth_gate on; location / { @proxy@ } }
        server { @listen@ server_name auth.example.org auth.example.net; location / { auth_gate_portal; } }";
    let rules = "access_control:\n  default_policy: one_factor\n";
    let gate = Site::bed()
        .session(TWO_DOMAINS)
        .rules(rules)
        .server(more)
        .start();
    let mut alice = gate.signed_in("alice");
    assert!(alice.reaches("/x"));
    let value = &alice.session().value;
    for (host, name) in [
        ("app.example.org", "other"),
        ("app.example.net", alice.session().name.as_str()),
    ] {
        gate.backend().take();
        let bytes = format!(
            "GET /x HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\nCookie: {name}={value}\r\n\r\n"
        );
        let answer = gate.raw(APP, bytes);
        assert_eq!(answer.status, 302, "{host}");
        assert!(
            answer.location().contains(&host.replace("app", "auth")),
            "{host}: {}",
            answer.location()
        );
        assert!(gate.backend().take().is_empty());
    }
}

#[test]
fn a50_two_hundred_people_sign_in_at_once_and_stay_themselves() {
    let hash = USERS
        .lines()
        .find(|line| line.contains("password:"))
        .unwrap();
    let users: String = (0..200)
        .map(|n| format!("  user{n}:\n    displayname: User {n}\n{hash}\n    groups: [g{n}]\n"))
        .collect();
    let gate = Site::bed()
        .workers(2)
        .users(&format!("users:\n{users}"))
        .start();
    std::thread::scope(|scope| {
        for thread in 0..20 {
            let gate = &gate;
            scope.spawn(move || {
                for n in (thread..200).step_by(20) {
                    let mut visitor = gate.signed_in(&format!("user{n}"));
                    let answer = visitor.page(APP, &format!("/{n}")).text();
                    for wanted in [
                        format!("Remote-User: user{n}\n"),
                        format!("Remote-Groups: g{n}\n"),
                        format!("Remote-Name: User {n}\n"),
                    ] {
                        assert!(answer.contains(&wanted), "{wanted}: {answer}");
                    }
                }
            });
        }
    });
    assert_eq!(gate.backend().take().len(), 200);
}

#[test]
fn signing_in_leads_back_and_signing_out_leads_out() {
    let gate = Site::bed().start();
    let mut alice = gate.visitor();
    let challenge = alice.page(APP, "/deep/link?a=1&b=%26");
    assert_eq!(challenge.status, 302);
    let answer = alice.sign_in_by_form(challenge.location(), "alice", "password");
    assert!(matches!(answer.status, 302 | 303), "{answer:?}");
    assert_eq!(answer.location(), gate.url(APP, "/deep/link?a=1&b=%26"));
    assert_eq!(alice.open(answer.location()).status, 200);
    alice.sign_out();
    assert!(!alice.reaches("/deep/link"));
}
