//! Paths that can be read in more than one way are judged by their strictest reading. (A-01 to A-08, A-14, A-15)

use super::harness::{Gate, Site};

const APP: &str = "app.example.com";

/// Neither somebody unknown nor alice, who is no administrator, gets anywhere with these.
pub(super) fn nobody_passes(gate: &Gate, targets: &[&str]) {
    let (nobody, alice) = (gate.visitor(), gate.signed_in("alice"));
    for target in targets {
        nobody.is_refused(APP, target);
        alice.is_refused(APP, target);
    }
}

#[test]
fn the_test_bed_tells_its_visitors_apart() {
    let gate = Site::bed().start();
    let (nobody, alice, bob) = (
        gate.visitor(),
        gate.signed_in("alice"),
        gate.signed_in("bob"),
    );
    nobody.is_let_in(APP, "/public/x");
    nobody.is_let_in("public.example.com", "/x");
    assert_eq!(nobody.is_refused(APP, "/x").status, 302);
    assert_eq!(nobody.is_refused(APP, "/admin/x").status, 302);
    alice.is_let_in(APP, "/x");
    assert_eq!(alice.is_refused(APP, "/admin/x").status, 403);
    bob.is_let_in(APP, "/admin/x");
}

#[test]
fn a01_raw_dot_segments_do_not_lead_out_of_a_bypass() {
    let gate = Site::bed().start();
    nobody_passes(
        &gate,
        &[
            "/public/../admin/x",
            "/public/./../admin/x",
            "/public/a/../../admin/x",
        ],
    );
}

#[test]
fn a02_encoded_dot_segments_do_not_lead_out_of_a_bypass() {
    let gate = Site::bed().start();
    nobody_passes(
        &gate,
        &[
            "/public/%2e%2e/admin/x",
            "/public/..%2fadmin/x",
            "/public/.%2e/admin/x",
            "/public/%2E./admin/x",
        ],
    );
    gate.visitor().is_refused(APP, "/public/.%2e/admin");
}

#[test]
fn a03_twice_encoded_paths_are_judged_by_their_strictest_reading() {
    let gate = Site::bed().start();
    let targets = [
        "/public/%252e%252e/admin/x",
        "/public/..%252fadmin/x",
        "/public/%25252e%25252e/admin/x",
        "/%2561dmin/x",
    ];
    nobody_passes(&gate, &targets);
}

#[test]
fn a04_extra_slashes_change_no_verdict() {
    let targets = [
        "//admin/x",
        "/.//admin/x",
        "/admin//x",
        "/x/..//admin/",
        "///admin///x",
        "/public/..//admin/x",
    ];
    for merge in ["on", "off"] {
        let gate = Site::bed().app(&format!("merge_slashes {merge};")).start();
        nobody_passes(&gate, &targets);
        gate.signed_in("bob").is_let_in(APP, "//admin/x");
    }
}

#[test]
fn a05_encoded_letters_change_no_verdict() {
    let gate = Site::bed().start();
    nobody_passes(
        &gate,
        &[
            "/%61dmin/x",
            "/adm%69n/x",
            "/ad%6Din/x",
            "/ad%6din/x",
            "/%61%64%6d%69%6E/x",
            "/admin%2fx",
            "/admin%2Fx",
        ],
    );
}

#[test]
fn a06_path_parameters_hide_nothing() {
    let gate = Site::bed().start();
    let targets = [
        "/public/..;/admin/x",
        "/public;/../admin/x",
        "/admin;v=1/x",
        "/public/..;a=b;c/admin;d/x",
        "/public/..%3b/admin/x",
    ];
    nobody_passes(&gate, &targets);
    gate.visitor().is_refused(APP, "/public;/../admin");
}

#[test]
fn a07_backslashes_are_slashes() {
    let gate = Site::bed().start();
    let targets = [
        r"/public/..\admin\x",
        r"/public\..\admin\x",
        "/public/..%5cadmin%5cx",
        "/public%5C..%5Cadmin/x",
        r"\admin\x",
    ];
    nobody_passes(&gate, &targets);
}

#[test]
fn a08a_combined_disguises_are_seen_through() {
    let gate = Site::bed().start();
    let tricks = [
        "/public%2f..%3b\\admin",
        "/public/..%20/admin",
        "/public/%c0%ae%c0%ae/admin",
    ];
    for target in tricks.iter().chain(&["/assets/x;/..;v=1%5cadmin;/x.js"]) {
        gate.visitor().is_refused(APP, target);
    }
    nobody_passes(
        &gate,
        &tricks
            .map(|target| format!("{target}/x"))
            .each_ref()
            .map(String::as_str),
    );
    let more = [
        "/public/%252e%252e%255cadmin;/x",
        "/public/..%c0%afadmin%20/x",
        "/public/%c0%ae%c0%ae%5cadmin./x",
    ];
    nobody_passes(&gate, &more);
}

#[test]
fn a08_nul_is_refused_and_overlong_slashes_open_nothing() {
    let gate = Site::bed().start();
    for visitor in [gate.visitor(), gate.signed_in("bob")] {
        for target in [
            "/admin%00.png",
            "/public/%00/../admin",
            "/public/x%00",
            "/x%2500",
        ] {
            assert_eq!(visitor.is_refused(APP, target).status, 400, "{target}");
        }
    }
    nobody_passes(
        &gate,
        &[
            "/public/..%c0%afadmin%c0%afx",
            "/public/..%e0%80%afadmin%e0%80%afx",
            "/public%c0%af..%c0%afadmin/x",
        ],
    );
}

#[test]
fn a14_no_form_of_the_admin_path_reaches_the_backend_anonymously() {
    let gate = Site::bed().start();
    for target in [
        "/admin",
        "/admin/",
        "/admin/.",
        "/admin/..",
        "/admin.",
        "/admin%20",
        "/admin/%2e",
        "/admin%2f",
        "/admin?",
        "/admin;",
    ] {
        gate.visitor().is_refused(APP, target);
    }
}

#[test]
fn a15_control_characters_are_refused_and_not_reflected() {
    let rules = "access_control:
  default_policy: deny
  rules:
    - { domain: app.example.com, resources: ['^/public/.*', 'open$'], policy: bypass }
    - { domain: app.example.com, resources: '^/admin$', policy: deny }
    - { domain: app.example.com, policy: one_factor }
";
    let gate = Site::bed().rules(rules).start();
    for visitor in [gate.visitor(), gate.signed_in("alice")] {
        for target in [
            "/public/%0a/../admin",
            "/admin%0a",
            "/open%0a",
            "/x%0d%0aSet-Cookie:evil=1",
            "/public/%250a",
            "/x%7f",
            "/x%09",
        ] {
            let answer = visitor.is_refused(APP, target);
            assert_eq!(answer.status, 400, "{target}");
            assert!(
                answer.header("Set-Cookie").is_none() && !answer.text().contains("evil=1"),
                "{target}: {answer:?}"
            );
        }
        for target in ["/x\ty", "/x\x7fy", "/x\x01y"] {
            assert_eq!(visitor.is_refused(APP, target).status, 400, "{target:?}");
        }
    }
}
