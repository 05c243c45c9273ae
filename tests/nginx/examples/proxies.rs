//! Other proxies in front of an application, each with the configuration that people copy, asking the gate.

use super::sites::{CONFIGURATION, example};
use super::{PASSWORD, WIKI, installed, signed_in};
use crate::nginx::harness::{Ask, Gate, Visitor};

/// The gate as endpoints.conf has it.
fn gate() -> Gate {
    example(
        include_str!("../../../nginx-conf/endpoints.conf"),
        CONFIGURATION,
    )
    .start()
}

/// The same visitor at another proxy.
fn at<'g>(proxy: &'g Gate, visitor: &Visitor<'_>) -> Visitor<'g> {
    Visitor {
        gate: proxy,
        jar: visitor.jar.clone(),
    }
}

#[test]
fn a_stock_nginx_asks_with_auth_request() {
    let gate = gate();
    let conf = include_str!("../../../nginx-conf/other-nginx.conf");
    let there = format!("{}:8081", gate.address().ip);
    let conf = conf.replace("127.0.0.1:9091", &there);
    let proxy = installed(&[("conf.d/example.conf".into(), conf)], "").start();

    // From the page to the portal, through the login form and back.
    let mut bob = gate.visitor();
    let challenge = proxy.visitor().page(WIKI, "/deep?x=1");
    assert_eq!(challenge.status, 302);
    let back = bob.sign_in_by_form(challenge.location(), "bob", PASSWORD);
    assert_eq!(back.location(), proxy.url(WIKI, "/deep?x=1"));
    let mut bob = at(&proxy, &bob);
    assert_eq!(bob.open(back.location()).status, 200);
    let seen = proxy.backend().take_one();
    assert_eq!(
        (seen.one("Remote-User"), seen.one("Remote-Groups")),
        ("bob", "readers")
    );

    let post = Ask::new("POST", WIKI, "/form").with_body("a=b");
    assert_eq!(bob.send(&post).status, 200);
    assert_eq!(proxy.backend().take_one().body, b"a=b");
    assert_eq!(proxy.visitor().send(&post).status, 302);

    // What a visitor claims: to be somebody, to have asked for something else, to come from elsewhere.
    let claims = [
        ("Remote-User", "alice"),
        ("X-Original-URL", "https://wiki.example.com/static/x"),
        ("X-Original-Method", "OPTIONS"),
        ("X-Forwarded-For", "10.0.0.1"),
    ];
    let seen = bob.is_let_in_with(WIKI, "/x", &claims);
    assert_eq!(seen.all("Remote-User"), ["bob"]);
    proxy.backend().take();
    let mut forged = Ask::page(WIKI, "/x");
    for (name, value) in claims {
        forged = forged.with(name, value);
    }
    assert_eq!(proxy.send(&forged).status, 302);
    proxy
        .visitor()
        .is_let_in_with(WIKI, "/static/x", &claims[..1]);
    assert_eq!(proxy.backend().take().len(), 0);

    // A sign-out at the gate holds here at once.
    let mut alice = signed_in(&gate, "alice");
    at(&proxy, &alice).is_let_in(WIKI, "/x");
    assert_eq!(alice.sign_out().status, 200);
    assert_eq!(at(&proxy, &alice).page(WIKI, "/x").status, 302);
}
