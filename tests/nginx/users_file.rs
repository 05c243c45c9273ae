//! The users file is watched by the workers, who are not root.

use std::time::{Duration, Instant};

use super::harness::site::USERS;
use super::harness::{Gate, Site, until};

const APP: &str = "app.example.com";

fn groups(gate: &Gate, user: &str) -> String {
    gate.signed_in(user)
        .is_let_in(APP, "/x")
        .one("Remote-Groups")
        .to_owned()
}

#[test]
fn a_change_counts_within_a_second_on_every_worker() {
    let gate = Site::bed().workers(2).start();
    let mut alice = gate.signed_in("alice");
    for (round, by_rename) in [true, false, true, false].into_iter().enumerate() {
        let group = format!("round{round}");
        let text = USERS.replacen("groups: [users]", &format!("groups: [{group}]"), 1);
        if by_rename {
            gate.replace("users.yml", &text)
        } else {
            gate.overwrite("users.yml", &text)
        }
        let changed = Instant::now();
        until("the new group", || {
            alice.page(APP, "/x").text().contains(&group).then_some(())
        });
        let took = changed.elapsed();
        assert!(
            took < Duration::from_millis(1500),
            "{took:?} by {}",
            if by_rename { "rename" } else { "writing" }
        );
        until("every worker", || {
            (0..10)
                .all(|_| alice.page(APP, "/x").text().contains(&group))
                .then_some(())
        });
    }
}

#[test]
fn new_users_can_sign_in_without_a_reload() {
    let gate = Site::bed().start();
    let mut dave = gate.visitor();
    assert_eq!(dave.sign_in("dave", "password").status, 401);
    gate.replace(
        "users.yml",
        &USERS.replace("  carol:\n    disabled: true\n", "  dave:\n"),
    );
    until("dave", || {
        (dave.sign_in("dave", "password").status == 200).then_some(())
    });
    assert_eq!(groups(&gate, "dave"), "users");
}

#[test]
fn a_broken_file_keeps_the_old_content() {
    let gate = Site::bed().start();
    let mut alice = gate.signed_in("alice");
    for broken in ["users: [", "", "users:\n  alice: {}\n"] {
        let before = gate.log().len();
        gate.overwrite("users.yml", broken);
        until("a line in the log", || {
            gate.log()[before..]
                .lines()
                .any(|l| l.contains("[error]") && l.contains("users.yml"))
                .then_some(())
        });
        assert!(alice.reaches("/x"), "{broken:?}");
        gate.signed_in("bob");
    }
    std::fs::remove_file(gate.prefix().join("users.yml")).unwrap();
    gate.signed_in("bob").is_let_in(APP, "/admin/x");
    gate.replace(
        "users.yml",
        &USERS.replacen("groups: [users]", "groups: [back]", 1),
    );
    until("the file to count again", || {
        alice
            .page(APP, "/x")
            .text()
            .contains("Remote-Groups: back")
            .then_some(())
    });
}

#[test]
fn without_watch_a_change_waits_for_the_reload() {
    let gate = Site::bed().watch(false).start();
    let mut alice = gate.signed_in("alice");
    gate.replace(
        "users.yml",
        &USERS.replacen("groups: [users]", "groups: [changed]", 1),
    );
    assert!(
        alice
            .page(APP, "/x")
            .text()
            .contains("Remote-Groups: users")
    );
    gate.reload().unwrap();
    assert!(
        alice
            .page(APP, "/x")
            .text()
            .contains("Remote-Groups: changed")
    );
}

#[test]
fn a_file_that_workers_cannot_read_is_said_at_once() {
    if !super::harness::place::is_root() {
        return;
    }
    let checked = Site::bed().mode("users.yml", 0o600).check();
    let said = checked
        .text
        .lines()
        .any(|l| l.contains("users.yml") && l.contains("chown"));
    assert!(said, "a sentence with the chown to type: {}", checked.text);
}

#[test]
fn carol_does_not_exist() {
    let gate = Site::bed().start();
    assert_eq!(gate.visitor().sign_in("carol", "password").status, 401);
}
