//! HTTP/3 is one more way to the same decision. Where nginx or curl is without it, nothing is tried and the test says so.

use super::harness::{Gate, Site, http3};

const APP: &str = "app.example.com";
const PORTAL: &str = "auth.example.com";

fn gate() -> Gate {
    Site::bed()
        .app("@quic@")
        .public("@quic@ auth_gate on; location / { @proxy@ }")
        .portal("@quic@ location / { auth_gate_portal; }")
        .start()
}

fn header(name: &str, value: &str) -> (String, String) {
    (name.into(), value.into())
}

#[test]
fn a_visitor_is_judged_alike_over_http3() {
    if !http3::is_possible() {
        return;
    }
    let gate = gate();
    let (mut alice, mut bob) = (gate.signed_in("alice"), gate.signed_in("bob"));
    let mut nobody = gate.visitor();
    for (host, target) in [
        (APP, "/x"),
        (APP, "/admin/x"),
        (APP, "/%61dmin/x"),
        (APP, "/a/..%2fadmin/x"),
        ("admin.example.com", "/x"),
        ("public.example.com", "/x"),
        (PORTAL, "/api/state"),
    ] {
        for visitor in [&mut alice, &mut bob, &mut nobody] {
            let known = visitor.page(host, target);
            let seen = gate.backend().take().len();
            let cookies = visitor.cookie_header(host);
            let answer = http3::ask(&gate, host, target, &cookies, None);
            assert_eq!(
                (answer.status, answer.header("location")),
                (known.status, known.header("location")),
                "{host}{target} with {} cookies",
                cookies.len()
            );
            assert_eq!(gate.backend().take().len(), seen, "{host}{target}");
        }
    }
}

#[test]
fn a_session_that_begins_over_http3_holds_and_tells_who_it_is() {
    if !http3::is_possible() {
        return;
    }
    let gate = gate();
    let login = r#"{"username":"alice","password":"password","keepMeLoggedIn":false}"#;
    let answer = http3::ask(&gate, PORTAL, "/api/firstfactor", &[], Some(login));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut alice = gate.visitor();
    alice.keep(PORTAL, &answer);
    let mut headers = alice.cookie_header(APP);
    headers.push(header("Remote-User", "bob"));
    headers.push(header("Remote-Groups", "admins"));
    let answer = http3::ask(&gate, APP, "/x", &headers, None);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = gate.backend().take_one();
    assert_eq!(seen.one("Remote-User"), "alice");
    assert!(!seen.one("Remote-Groups").contains("admins"));
    alice.is_let_in(APP, "/x");
}
