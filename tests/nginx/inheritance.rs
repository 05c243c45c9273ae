//! Where the gate stands: contexts, inheritance, and every way in which nginx moves a request on.

use super::harness::{Ask, Site};

const APP: &str = "app.example.com";

#[test]
fn off_and_on_are_inherited_until_said_otherwise() {
    let app = "location /open/ { auth_gate off; @proxy@
            location /open/closed/ { auth_gate on; @proxy@ location ~ \\.txt$ { @proxy@ } }
            location /open/still/ { @proxy@ } }
        location ~ ^/re(gex)?/ { auth_gate off; @proxy@ }
        location = /exact { @proxy@ }
        location ^~ /before/ { @proxy@ }";
    for site in [
        Site::bed().app(app),
        Site::bed().http("auth_gate on;").app_only(app),
    ] {
        let gate = site.start();
        let nobody = gate.visitor();
        for target in ["/open/", "/open/still/x", "/regex/x", "/re/x"] {
            nobody.is_let_in(APP, target);
        }
        for target in [
            "/open/closed/x",
            "/open/closed/x.txt",
            "/exact",
            "/before/x",
            "/x",
        ] {
            nobody.is_refused(APP, target);
            gate.signed_in("alice").is_let_in(APP, target);
        }
    }
}

#[test]
fn a_server_without_the_directive_is_not_guarded() {
    let gate = Site::bed()
        .app_only("location /in/ { auth_gate on; @proxy@ }")
        .start();
    gate.visitor().is_let_in(APP, "/x");
    gate.visitor().is_refused(APP, "/in/x");
}

#[test]
fn limit_except_guards_the_methods_it_leaves_out() {
    let app = "location /read/ { auth_gate off; @proxy@ limit_except GET { auth_gate on; } }
        location /write/ { auth_gate on; @proxy@ limit_except POST { auth_gate off; } }";
    let gate = Site::bed().app_only(app).start();
    let status = |method: &str, target: &str| {
        gate.send(&Ask::new(method, APP, target).with("Accept", "text/html"))
            .status
    };
    assert_eq!(
        [
            status("GET", "/read/x"),
            status("HEAD", "/read/x"),
            status("POST", "/read/x"),
            status("DELETE", "/read/x")
        ],
        [200, 200, 303, 303]
    );
    assert_eq!(
        [status("POST", "/write/x"), status("PUT", "/write/x")],
        [303, 200]
    );
}

#[test]
fn policies_of_a_location_stand_in_for_the_rules() {
    let app = "location /bypass/ { auth_gate_policy bypass; @proxy@ }
        location /one/ { auth_gate_policy one_factor; @proxy@ }
        location /two/ { auth_gate_policy two_factor; @proxy@ }
        location /deny/ { auth_gate_policy deny; @proxy@ location /deny/rules/ { auth_gate_policy rules; @proxy@ } }
        location /public/closed/ { auth_gate_policy one_factor; @proxy@ }";
    let gate = Site::bed().app(app).start();
    let (nobody, alice, bob) = (
        gate.visitor(),
        gate.signed_in("alice"),
        gate.signed_in("bob"),
    );
    nobody.is_let_in(APP, "/bypass/x");
    for target in ["/one/x", "/public/closed/x", "/deny/rules/x"] {
        assert_eq!(nobody.is_refused(APP, target).status, 302);
        alice.is_let_in(APP, target);
    }
    assert_eq!(nobody.is_refused(APP, "/deny/x").status, 403);
    assert_eq!(bob.is_refused(APP, "/deny/x").status, 403);
    assert_eq!(nobody.is_refused(APP, "/two/x").status, 302);
    assert_eq!(
        bob.is_refused(APP, "/two/x").status,
        302,
        "one factor is not two"
    );
}

#[test]
fn require_narrows_what_the_policy_allows() {
    let app = "location /admins/ { auth_gate_require group:admins; @proxy@ }
        location /both/ { auth_gate_require group:admins user:alice; @proxy@ }
        location /either/ { auth_gate_require group:admins; auth_gate_require user:alice; @proxy@ }
        location /public/admins/ { auth_gate_require group:admins; @proxy@ }
        location /ownstuff/ { auth_gate_require user:alice; @proxy@ location /ownstuff/bob/ { auth_gate_require user:bob; @proxy@ } }";
    let gate = Site::bed().app(app).start();
    let (nobody, alice, bob) = (
        gate.visitor(),
        gate.signed_in("alice"),
        gate.signed_in("bob"),
    );
    for target in ["/admins/x", "/public/admins/x"] {
        assert_eq!(
            nobody.is_refused(APP, target).status,
            302,
            "{target} asks who it is"
        );
        assert_eq!(alice.is_refused(APP, target).status, 403);
        bob.is_let_in(APP, target);
    }
    assert_eq!(alice.is_refused(APP, "/both/x").status, 403);
    assert_eq!(bob.is_refused(APP, "/both/x").status, 403);
    alice.is_let_in(APP, "/either/x");
    bob.is_let_in(APP, "/either/x");
    alice.is_let_in(APP, "/ownstuff/x");
    assert_eq!(alice.is_refused(APP, "/ownstuff/bob/x").status, 403);
    bob.is_let_in(APP, "/ownstuff/bob/x");
}

#[test]
fn unauthenticated_paths_pass_only_if_every_reading_does() {
    let app = "auth_gate_unauthenticated ^/free/ \\.css$;
        auth_gate_unauthenticated_url ^https://api\\.example\\.com/status$;
        location /free/own/ { auth_gate_require user:alice; @proxy@ }";
    let gate = Site::bed().app(app).start();
    let nobody = gate.visitor();
    for (host, target) in [
        (APP, "/free/x"),
        (APP, "/a.css"),
        (APP, "/a.css?v=1"),
        ("api.example.com", "/status"),
        (APP, "/free/own/x"),
    ] {
        nobody.is_let_in(host, target);
    }
    for (host, target) in [
        (APP, "/free/..%2fx"),
        (APP, "/x?.css"),
        (APP, "/free/%2e%2e/admin/x"),
        (APP, "/admin;.css"),
        (APP, "/status"),
        ("api.example.com", "/status/x"),
        (APP, "/free%2f..%2fx"),
    ] {
        nobody.is_refused(host, target);
    }
    assert_eq!(
        gate.signed_in("alice")
            .is_let_in(APP, "/free/x")
            .one("Remote-User"),
        "alice"
    );
}

#[test]
fn a16_internal_redirects_are_judged_by_the_target_asked_for_and_the_location_reached() {
    let app = "error_page 418 = /admin/teapot;
        location /public/rewritten { rewrite ^ /closed/x last; }
        location /public/tried { try_files /nothing /closed/x; }
        location /public/named { try_files /nothing @inner; }
        location /public/free { try_files /nothing @free; }
        location /public/admin { rewrite ^ /admin/x last; }
        location /public/failed { return 418; }
        location /public/index/ { alias @prefix@/html/; index inner.html; }
        location /closed/ { auth_gate_require group:admins; @proxy@ }
        location @inner { auth_gate_policy deny; @proxy@ }
        location @free { @proxy@ }
        location /x/rewritten { rewrite ^ /public/x last; }
        location ~ inner\\.html$ { auth_gate_require group:admins; @proxy@ }";
    let gate = Site::bed()
        .app(app)
        .file("html/inner.html", "inner")
        .start();
    let (nobody, alice, bob) = (
        gate.visitor(),
        gate.signed_in("alice"),
        gate.signed_in("bob"),
    );
    for target in ["/public/rewritten", "/public/tried", "/public/index/"] {
        assert_eq!(nobody.is_refused(APP, target).status, 302, "{target}");
        assert_eq!(alice.is_refused(APP, target).status, 403, "{target}");
        bob.is_let_in(APP, target);
    }
    assert_eq!(bob.is_refused(APP, "/public/named").status, 403);
    nobody.is_let_in(APP, "/public/free");
    nobody.is_let_in(APP, "/public/admin");
    assert_eq!(
        nobody.is_refused(APP, "/x/rewritten").status,
        302,
        "the visitor asked for /x"
    );
    let seen = alice.is_let_in(APP, "/x/rewritten");
    assert_eq!(
        (seen.one("Remote-User"), seen.all("Cookie").len()),
        ("alice", 0),
        "the identity survives the way"
    );
}

#[test]
fn error_pages_can_replace_a_refusal() {
    let app = "error_page 403 /own403; error_page 401 /own401;
        location /own4 { auth_gate off; internal; @proxy@ }
        location /looped/ { error_page 403 /looped403; auth_gate_policy deny; @proxy@ }
        location = /looped403 { @proxy@ }";
    let gate = Site::bed().app(app).start();
    let forbidden = gate.signed_in("alice").page(APP, "/admin/x");
    assert_eq!(
        (forbidden.status, forbidden.header("X-Backend")),
        (403, Some("echo"))
    );
    gate.backend().take_one();
    let unauthorized = gate.send(&Ask::new("GET", APP, "/x"));
    assert_eq!(
        (unauthorized.status, unauthorized.header("X-Backend")),
        (401, Some("echo"))
    );
    gate.backend().take();
    let looped = gate.visitor().page(APP, "/looped/x");
    assert!(
        matches!(looped.status, 302 | 401 | 403),
        "{}",
        looped.status
    );
    assert!(gate.backend().take().is_empty());
}

#[test]
fn challenges_can_be_fixed_to_one_kind() {
    let app = "location /redirect/ { auth_gate_challenge redirect; @proxy@ } location /status/ { auth_gate_challenge status; @proxy@ }";
    let gate = Site::bed().app(app).start();
    let status = |ask: Ask| gate.send(&ask).status;
    assert_eq!(status(Ask::page(APP, "/redirect/x")), 302);
    assert_eq!(status(Ask::new("GET", APP, "/redirect/x")), 302);
    assert_eq!(status(Ask::page(APP, "/status/x")), 401);
    assert_eq!(status(Ask::new("GET", APP, "/status/x")), 401);
}

#[test]
fn portal_locations_are_never_guarded() {
    let gate = Site::bed()
        .portal("auth_gate on; auth_gate_policy deny; location / { auth_gate_portal; }")
        .start();
    assert_eq!(gate.page("auth.example.com", "/").status, 200);
    gate.signed_in("alice");
}

#[test]
fn variables_tell_the_access_log_what_was_decided() {
    let http = "log_format told '$uri|$remote_user|$remote_groups|$remote_name|$remote_email|$auth_gate_policy|$auth_gate_rule|$auth_gate_level|$auth_gate_decision';";
    let app =
        "access_log @prefix@/told.log told; location /fixed/ { auth_gate_policy deny; @proxy@ }";
    let gate = Site::bed().http(http).app(app).start();
    let (mut nobody, mut alice) = (gate.visitor(), gate.signed_in("alice"));
    nobody.page(APP, "/public/x");
    nobody.page(APP, "/x");
    alice.page(APP, "/x");
    alice.page(APP, "/admin/x");
    alice.page(APP, "/fixed/x");
    super::harness::until("five lines", || {
        (gate.read("told.log").lines().count() == 5).then_some(())
    });
    let who = "alice|users|Alice Example|alice@example.com";
    let told = gate.read("told.log");
    let wanted = [
        "/public/x|-|-|-|-|bypass|2|0|allow".to_owned(),
        "/x|-|-|-|-|one_factor|6|0|challenge".to_owned(),
        format!("/x|{who}|one_factor|6|1|allow"),
        format!("/admin/x|{who}|deny|5|1|forbid"),
        format!("/fixed/x|{who}|deny|location|1|forbid"),
    ];
    assert_eq!(told.lines().collect::<Vec<_>>(), wanted);
}
