//! What a pattern of a rule opens and closes, and what a query cannot. (A-09 to A-13, A-18)

use std::time::{Duration, Instant};

use super::harness::Site;
use super::paths::nobody_passes;

const APP: &str = "app.example.com";

#[test]
fn a09_a_number_sign_cuts_nothing_off() {
    let rules = "access_control:
  default_policy: deny
  rules:
    - { domain: app.example.com, resources: ['^/public/secret$', '^/public/[^/]+/endpoint$'], policy: bypass }
    - { domain: app.example.com, resources: '^/admin/', policy: deny }
    - { domain: app.example.com, policy: one_factor }
";
    let gate = Site::bed().rules(rules).start();
    let (nobody, alice) = (gate.visitor(), gate.signed_in("alice"));
    nobody.is_let_in(APP, "/public/secret");
    nobody.is_refused(APP, "/public/secret%23/x");
    nobody.is_refused(APP, "/public/a/b%23/endpoint");
    alice.is_refused(APP, "/admin/x%23/public/secret");
    for target in [
        "/public/a#/../admin",
        "/admin#/public/",
        "/public/secret#",
        "#/public/secret",
    ] {
        assert_eq!(nobody.is_refused(APP, target).status, 400, "{target}");
        assert_eq!(alice.is_refused(APP, target).status, 400, "{target}");
    }
}

#[test]
fn a10_a_query_opens_nothing() {
    let rules = r"access_control:
  default_policy: deny
  rules:
    - { domain: app.example.com, resources: ['/public/', '\.css$'], policy: bypass }
    - { domain: app.example.com, resources: '^/admin/', policy: deny }
    - { domain: app.example.com, policy: one_factor }
";
    let gate = Site::bed().rules(rules).start();
    gate.visitor().is_let_in(APP, "/style.css?v=1.css");
    gate.visitor().is_let_in(APP, "/public/x?a");
    let targets = [
        "/admin/x?/public/",
        "/admin/x%3f/public/",
        "/admin/x?redirect=/public/a",
        "/admin/x?a=.css",
        "/admin/x?.css",
        "/admin/x%3f.css",
    ];
    nobody_passes(&gate, &targets);
    gate.visitor().is_refused(APP, "/x?a=.css");
}

#[test]
fn a11_an_unanchored_bypass_matches_anywhere_and_is_warned_about() {
    let rules = "access_control:
  default_policy: deny
  rules:
    - { domain: app.example.com, resources: '/public', policy: bypass }
    - { domain: app.example.com, policy: one_factor }
";
    let site = Site::bed().rules(rules);
    site.clone()
        .check()
        .warned(&["configuration.yml", "`^/public`"]);
    let gate = site.start();
    gate.visitor().is_let_in(APP, "/x/public/y");
    gate.visitor().is_refused(APP, "/x/pub");
}

#[test]
fn a12_a_prefix_ends_at_a_segment() {
    let rules = "access_control:
  default_policy: deny
  rules:
    - { domain: app.example.com, resources: '^/public(/.*)?$', policy: bypass }
    - { domain: app.example.com, policy: one_factor }
";
    let gate = Site::bed().rules(rules).start();
    let nobody = gate.visitor();
    for target in ["/public", "/public/", "/public/x"] {
        nobody.is_let_in(APP, target);
    }
    for target in [
        "/publicX",
        "/public-admin",
        "/public.bak",
        "/public%20",
        "/publi",
        "/public%20x/y",
    ] {
        nobody.is_refused(APP, target);
    }
}

#[test]
fn a13_paths_are_case_sensitive_unless_the_rule_says_otherwise() {
    let gate = Site::bed().start();
    let alice = gate.signed_in("alice");
    alice.is_let_in(APP, "/ADMIN/x");
    alice.is_let_in(APP, "/Admin/x");
    gate.visitor().is_refused(APP, "/PUBLIC/x");

    let rules = "access_control:
  default_policy: deny
  rules:
    - { domain: app.example.com, resources: '(?i)^/admin/', policy: deny }
    - { domain: app.example.com, policy: one_factor }
";
    let gate = Site::bed().rules(rules).start();
    nobody_passes(&gate, &["/ADMIN/x", "/Admin/x", "/admin/x", "/%41dmin/x"]);
}

#[test]
fn a18_long_paths_and_queries_are_read_to_their_end_in_bounded_time() {
    let rules = "access_control:
  default_policy: deny
  rules:
    - { domain: app.example.com, resources: '/end/admin/x$', policy: deny }
    - { domain: app.example.com, query: [{ key: last, value: admin }], policy: deny }
    - { domain: app.example.com, resources: ['^/public/', '^(/a+)+/$'], policy: bypass }
    - { domain: app.example.com, policy: one_factor }
";
    let gate = Site::bed()
        .rules(rules)
        .http("large_client_header_buffers 8 160k; client_header_buffer_size 4k;")
        .start();
    let alice = gate.signed_in("alice");
    let long = [
        format!("/public/{}/end/admin/x", "a".repeat(8000)),
        format!("/public/x?{}&last=admin", "a=1&".repeat(16_000)),
        format!(
            "/public/{}{}end/admin/x",
            "s/".repeat(1000),
            "../".repeat(1001)
        ),
        format!("/public/{}end/admin/x", "%2e%2e;x\\".repeat(1000)),
        format!("{}!", "/aaaaaaaaaaaaaaaa".repeat(3000)),
    ];
    for target in &long {
        let start = Instant::now();
        let visitor = if target.ends_with('!') {
            gate.visitor()
        } else {
            alice.clone()
        };
        visitor.is_refused(APP, target);
        let took = start.elapsed();
        assert!(
            took < Duration::from_secs(2),
            "{took:?} for {}",
            &target[..40]
        );
    }
}
