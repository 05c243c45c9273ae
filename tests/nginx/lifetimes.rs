//! When a session ends by itself.

use std::time::{Duration, Instant};

use super::harness::site::SESSION;
use super::harness::{Ask, Site, until};

#[test]
fn a49_the_absolute_end_of_a_session_is_the_servers() {
    let gate = Site::bed()
        .session(&SESSION.replace(
            "  cookies:",
            "  expiration: 2s\n  inactivity: 1h\n  cookies:",
        ))
        .start();
    let mut alice = gate.signed_in("alice");
    assert!(alice.reaches("/x"));
    alice
        .jar
        .iter()
        .for_each(|cookie| assert_eq!(cookie.attribute("max-age"), Some("2")));
    let start = Instant::now();
    until("the session to end although it is used", || {
        (!alice.reaches("/x")).then_some(())
    });
    assert!(
        start.elapsed() < Duration::from_secs(4),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn a49_an_idle_session_ends() {
    let gate = Site::bed()
        .session(&SESSION.replace("  cookies:", "  inactivity: 1s\n  cookies:"))
        .start();
    let mut alice = gate.signed_in("alice");
    assert!(alice.reaches("/x"));
    let left = Instant::now();
    until("two idle seconds and a bit", || {
        (left.elapsed() > Duration::from_millis(2300)).then_some(())
    });
    assert!(!alice.reaches("/x"));
}

#[test]
fn a49_remember_me_outlives_inactivity() {
    let gate = Site::bed()
        .session(&SESSION.replace(
            "  cookies:",
            "  inactivity: 1s\n  remember_me: 1d\n  cookies:",
        ))
        .start();
    let mut alice = gate.visitor();
    let body =
        serde_json::json!({"username": "alice", "password": "password", "keepMeLoggedIn": true});
    alice.send(&Ask::api(
        "POST",
        "auth.example.com",
        "/api/firstfactor",
        &body,
    ));
    assert_eq!(alice.session().attribute("max-age"), Some("86400"));
    let left = Instant::now();
    until("two idle seconds and a bit", || {
        (left.elapsed() > Duration::from_millis(2300)).then_some(())
    });
    assert!(alice.reaches("/x"));
}
