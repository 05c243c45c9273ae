//! Every mistake stops `nginx -t` with the place and what to write instead.

use super::harness::Site;
use super::harness::site::{RULES, SESSION, USERS};

/// A line in the server of app, and what the refusal must name beside file and line.
fn refuses(lines: &str, parts: &[&str]) {
    let checked = Site::bed().app(lines).check();
    let all: Vec<&str> = parts
        .iter()
        .copied()
        .chain(["@prefix@/nginx.conf:"])
        .collect();
    checked.refused(&all);
}

#[test]
fn the_test_bed_itself_is_taken_without_a_word() {
    Site::bed().check().taken_silently();
}

#[test]
fn a74_values_that_are_not_known_are_refused() {
    refuses(
        "location /a { auth_gate maybe; }",
        &["auth_gate", "\"maybe\""],
    );
    refuses(
        "location /a { auth_gate_policy admin; }",
        &["auth_gate_policy", "\"admin\""],
    );
    refuses(
        "location /a { auth_gate_policy; }",
        &["invalid number of arguments", "auth_gate_policy"],
    );
    refuses(
        "location /a { auth_gate_require alice; }",
        &["auth_gate_require", "\"alice\"", "user:"],
    );
    refuses(
        "location /a { auth_gate_require role:x; }",
        &["auth_gate_require", "\"role:x\""],
    );
    refuses(
        "location /a { auth_gate_require user:; }",
        &["auth_gate_require"],
    );
    refuses(
        "location /a { auth_gate_identity_headers remot; }",
        &["auth_gate_identity_headers", "\"remot\""],
    );
    refuses(
        "location /a { auth_gate_challenge never; }",
        &["auth_gate_challenge", "\"never\""],
    );
    refuses(
        "location /a { auth_gate_portal on; }",
        &["invalid number of arguments", "auth_gate_portal"],
    );
    refuses(
        "location /a { auth_gate_nonsense on; }",
        &["unknown directive", "auth_gate_nonsense"],
    );
}

#[test]
fn a74_patterns_that_do_not_compile_are_refused() {
    refuses(
        "auth_gate_unauthenticated '^/(';",
        &["auth_gate_unauthenticated", "^/("],
    );
    refuses(
        "auth_gate_unauthenticated_url '[';",
        &["auth_gate_unauthenticated_url", "["],
    );
    refuses(
        "auth_gate_unauthenticated '(?=x)';",
        &["auth_gate_unauthenticated"],
    );
}

#[test]
fn a74_directives_given_twice_or_out_of_place_are_refused() {
    refuses(
        "location /a { auth_gate on; auth_gate off; }",
        &["auth_gate", "duplicate"],
    );
    refuses(
        "location /a { auth_gate_policy deny; auth_gate_policy bypass; }",
        &["auth_gate_policy", "duplicate"],
    );
    refuses(
        "location /a { auth_gate_policy bypass; auth_gate_require user:x; }",
        &["auth_gate_policy", "auth_gate_require"],
    );
    refuses(
        "location ~ ^/a { auth_gate_portal; }",
        &["auth_gate_portal", "prefix location"],
    );
    refuses(
        "location /a { auth_gate_config x.yml; }",
        &["auth_gate_config", "not allowed here"],
    );
    refuses(
        "if ($args) { auth_gate on; }",
        &["auth_gate", "not allowed here"],
    );
    for both in [
        "location /a { auth_gate_portal; proxy_pass http://127.0.0.1:9; }",
        "location /a { proxy_pass http://127.0.0.1:9; auth_gate_portal; stub_status; }",
    ] {
        refuses(both, &["auth_gate_portal", "location of its own"]);
    }
    refuses(
        "location /a { auth_gate_require user:alice user:bob; }",
        &["auth_gate_require", "two users"],
    );
    for scheme in ["http", "https://", "\"\""] {
        refuses(
            &format!("auth_gate_scheme {scheme};"),
            &["auth_gate_scheme", "https"],
        );
    }
    Site::bare()
        .main("load_module @module@;")
        .http("auth_gate_config \"\";")
        .check()
        .refused(&["auth_gate_config", "name of a file"]);
    let twice = Site::bed().http("auth_gate_config @prefix@/configuration.yml;");
    twice.check().refused(&["auth_gate_config", "duplicate"]);
}

#[test]
fn a74_zones_of_no_use_are_refused() {
    for (zone, parts) in [
        ("auth_gate", &["auth_gate_zone", "auth_gate"][..]),
        ("auth_gate:", &["auth_gate_zone"]),
        ("auth_gate:x", &["auth_gate_zone", "x"]),
        ("auth_gate:1k", &["auth_gate_zone", "too small"]),
        (":1m", &["auth_gate_zone"]),
        ("auth_gate:-1m", &["auth_gate_zone"]),
    ] {
        let site = Site::bare().http("").app("");
        let site = site.main("load_module @module@;").http(&format!(
            "auth_gate_config @prefix@/configuration.yml; auth_gate_zone {zone};"
        ));
        site.check().refused(parts);
    }
}

#[test]
fn a_gate_without_a_configuration_is_refused() {
    Site::bare()
        .main("load_module @module@;")
        .http("auth_gate_zone gate:1m;")
        .check()
        .refused(&["auth_gate_zone", "auth_gate_config"]);
    Site::bare()
        .main("load_module @module@;")
        .app("auth_gate on;")
        .check()
        .refused(&["auth_gate_config"]);
    let missing = Site::bare()
        .main("load_module @module@;")
        .http("auth_gate_config @prefix@/none.yml;")
        .app("auth_gate on;");
    missing.check().refused(&["none.yml"]);
}

#[test]
fn what_cannot_work_is_warned_about() {
    Site::bed()
        .app("location /open/ { auth_gate off; auth_gate_require group:admins; @proxy@ }")
        .check()
        .warned(&["/open/", "auth_gate on"]);
    let outside =
        "server { @listen@ server_name app.example.net; auth_gate on; location / { @proxy@ } }";
    Site::bed()
        .server(outside)
        .check()
        .warned(&["app.example.net", "cookie"]);
    let plain =
        "server { @clear@ server_name app.example.com; auth_gate on; location / { @proxy@ } }";
    Site::bed()
        .server(plain)
        .check()
        .warned(&["auth_gate_scheme"]);
    let elsewhere = "location / { return 404; } location /sso { auth_gate_portal; }";
    Site::bed()
        .portal(elsewhere)
        .check()
        .warned(&["/sso", "authelia_url"]);
}

#[test]
fn declared_schemes_warn_about_nothing() {
    let plain = "server { @clear@ server_name app.example.com; auth_gate_scheme https; auth_gate on; location / { @proxy@ } }";
    Site::bed().server(plain).check().taken_silently();
}

#[test]
fn a74_rules_that_are_mistakes_are_refused_with_their_line() {
    let cases = [
        (
            "policy: bypass\n    - domain: app",
            "policy: bypas\n    - domain: app",
            "bypas",
        ),
        ("resources: '^/api/'", "resources: '^/api('", "^/api("),
        (
            "subject: group:admins\n      policy: one_factor",
            "subject: admins\n      policy: one_factor",
            "admins",
        ),
        (
            "subject: group:admins\n      policy: one_factor",
            "subject: group:admins\n      policy: bypass",
            "bypass",
        ),
        ("default_policy: deny", "default_policy: forbid", "forbid"),
        ("resources: '^/api/'", "resource: '^/api/'", "resources"),
        ("resources: '^/api/'", "methods: [GET, GET]", "GET"),
        ("resources: '^/api/'", "methods: [get]", "get"),
        ("resources: '^/api/'", "networks: nowhere", "nowhere"),
        (
            "resources: '^/api/'",
            "networks: 10.0.0.0/33",
            "10.0.0.0/33",
        ),
        (
            "resources: '^/api/'",
            "query: [{ operator: equal, value: x }]",
            "key",
        ),
    ];
    for (from, to, named) in cases {
        let rules = RULES.replacen(from, to, 1);
        assert_ne!(rules, RULES, "{from}");
        Site::bed()
            .rules(&rules)
            .check()
            .refused(&["configuration.yml:", named]);
    }
    let none = "access_control:\n  default_policy: deny\n";
    Site::bed()
        .rules(none)
        .check()
        .refused(&["configuration.yml", "default_policy"]);
}

#[test]
fn all_mistakes_of_a_run_are_told_at_once_each_on_its_line() {
    let rules = RULES
        .replacen("'^/api/'", "'^/api('", 1)
        .replacen("group:admins", "admins", 1)
        .replacen("default_policy: deny", "default_policy: no", 1);
    let checked = Site::bed().rules(&rules).yaml("thema: dark").check();
    for named in ["^/api(", "admins", "default_policy", "theme"] {
        checked.refused(&["configuration.yml", named]);
    }
}

#[test]
fn keys_that_nobody_knows_are_refused_and_keys_not_built_are_warned_about() {
    Site::bed()
        .yaml("sesion: {}")
        .check()
        .refused(&["configuration.yml", "sesion", "session"]);
    Site::bed()
        .yaml("notifier:\n  filesystem:\n    filename: /tmp/x")
        .check()
        .warned(&["configuration.yml", "notifier"]);
    Site::bed()
        .yaml("authentication_backend2: {}")
        .check()
        .refused(&["authentication_backend2", "authentication_backend"]);
    Site::bed()
        .session(&SESSION.replace("authelia_url", "autelia_url"))
        .check()
        .refused(&["autelia_url", "authelia_url"]);
}

#[test]
fn a_users_file_that_cannot_be_used_is_refused() {
    Site::bed()
        .users("users: {}")
        .check()
        .refused(&["users.yml"]);
    Site::bed()
        .users(&USERS.replacen("$argon2id$", "$argon9$", 1))
        .check()
        .refused(&["users.yml", "alice"]);
    Site::bed()
        .users("users:\n  - alice")
        .check()
        .refused(&["users.yml"]);
    Site::bed()
        .users("users:\n\t\tx")
        .check()
        .refused(&["users.yml"]);
}

#[test]
fn a_broken_configuration_leaves_the_running_one_alone() {
    let gate = Site::bed().tolerate("not valid YAML").start();
    let mut alice = gate.signed_in("alice");
    gate.overwrite("configuration.yml", "access_control: [");
    assert!(gate.reload().unwrap_err().contains("configuration.yml"));
    assert!(alice.reaches("/x"));
    gate.overwrite("users.yml", "users: [");
    assert!(gate.reload().is_err());
    assert!(alice.reaches("/x"));
}
