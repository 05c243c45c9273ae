//! Attacks on the path and the host, as far as the decision alone answers them.
#![allow(clippy::unwrap_used)]

use ngx_http_auth_gate_module::access::{
    BadObject, Decision, Domain, Guard, Level, Method, Object, Pattern, Requirement, Rule, Rules,
    Subject, SubjectTerm,
};
use std::net::IpAddr;

fn rule(domain: &str, resource: &str, requirement: Requirement) -> Rule {
    let resources = if resource.is_empty() {
        Vec::new()
    } else {
        vec![Pattern::compile(resource).unwrap()]
    };
    Rule {
        domains: vec![Domain::parse(domain).0],
        resources,
        methods: Vec::new(),
        networks: Vec::new(),
        query: Vec::new(),
        subjects: Vec::new(),
        requirement,
    }
}

/// The bed of the attacks. What follows the administrators' rule lets everybody else in.
fn rules() -> Rules {
    use Requirement::{Bypass, Deny, OneFactor};
    let admins = vec![vec![SubjectTerm::Group("admins".into())]];
    Rules::new(
        Deny,
        vec![
            rule("public.example.com", "", Bypass),
            rule("app.example.com", "^/public/", Bypass),
            rule("app.example.com", "^/assets/", Bypass),
            rule("app.example.com", "^/api/", OneFactor),
            Rule {
                subjects: admins,
                ..rule("app.example.com", "^/admin", OneFactor)
            },
            rule("app.example.com", "^/admin", Deny),
            rule("app.example.com", r"\.css$", Bypass),
            rule("*.example.com", "", OneFactor),
        ],
    )
}

fn object<'a>(host: &'a str, target: &'a str) -> Result<Object<'a>, BadObject> {
    Object::new(
        b"GET",
        b"https",
        host.as_bytes(),
        target.as_bytes(),
        IpAddr::from([127, 0, 0, 1]),
    )
}

/// What the gate decides for nobody, and for alice who is no administrator; a target that cannot
/// be judged is forbidden.
fn decide(rules: &Rules, host: &str, target: &str) -> [Decision; 2] {
    let groups = ["users".to_owned()];
    let alice = Subject {
        user: "alice",
        groups: &groups,
    };
    let guard = Guard::default();
    match object(host, target) {
        Ok(object) => [
            guard.judge(rules, &object, None, Level::None).decision,
            guard
                .judge(rules, &object, Some(&alice), Level::TwoFactor)
                .decision,
        ],
        Err(_) => [Decision::Forbid; 2],
    }
}

fn all_refused(targets: &[&str]) {
    let rules = rules();
    for target in targets {
        let [nobody, alice] = decide(&rules, "app.example.com", target);
        assert_ne!(nobody, Decision::Allow, "{target} for nobody");
        assert_eq!(alice, Decision::Forbid, "{target} for alice");
    }
}

fn all_bad(targets: &[&str]) {
    for target in targets {
        assert_eq!(
            object("app.example.com", target).err(),
            Some(BadObject::Target),
            "{target}"
        );
    }
}

fn nobody(target: &str) -> Decision {
    decide(&rules(), "app.example.com", target)[0]
}

#[test]
fn the_bed_lets_through_what_it_should() {
    for target in [
        "/public/",
        "/public/a%20b/%C3%BC?x=%2e%2e",
        "/assets/x.js?v=1;2",
        "/style.css",
        "/assets/a+b(1).js",
    ] {
        assert_eq!(nobody(target), Decision::Allow, "{target}");
    }
    assert_eq!(
        decide(&rules(), "app.example.com", "/other"),
        [Decision::Challenge, Decision::Allow]
    );
    assert_eq!(
        decide(&rules(), "app.example.com", "/admin/x"),
        [Decision::Challenge, Decision::Forbid]
    );
}

#[test]
fn a01_dot_segments_are_resolved() {
    all_refused(&[
        "/public/../admin/x",
        "/public/x/../../admin",
        "/public/./../admin/./x",
    ]);
}

#[test]
fn a02_encoded_dot_segments_are_resolved() {
    all_refused(&[
        "/public/%2e%2e/admin/x",
        "/public/..%2fadmin/x",
        "/public/.%2e/admin",
        "/public/%2E%2E%2Fadmin",
    ]);
}

#[test]
fn a03_what_is_encoded_twice_is_judged_by_its_strictest_reading() {
    all_refused(&[
        "/public/%252e%252e/admin/x",
        "/public/..%252fadmin",
        "/public%252f..%25252fadmin",
    ]);
}

#[test]
fn a04_doubled_slashes_change_nothing() {
    all_refused(&[
        "//admin/x",
        "/.//admin/x",
        "/admin//x",
        "/x/..//admin/",
        "///admin",
        "/x//..//..//admin",
    ]);
}

#[test]
fn a05_encoded_letters_change_nothing() {
    all_refused(&[
        "/%61dmin/x",
        "/adm%69n/x",
        "/%61%64%6d%69%6e",
        "/%61%64%6D%69%6E/",
    ]);
}

#[test]
fn a06_path_parameters_hide_nothing() {
    all_refused(&[
        "/public/..;/admin/x",
        "/public;/../admin",
        "/admin;v=1/x",
        "/public/..;v=1;w/admin;x",
    ]);
}

#[test]
fn a07_backslashes_are_slashes_to_some() {
    all_refused(&[
        "/public/..\\admin\\x",
        "/public/..%5cadmin",
        "/public\\..\\admin",
        "\\admin",
        "/\\admin",
    ]);
}

#[test]
fn a08_control_characters_are_refused() {
    all_bad(&[
        "/admin%00.png",
        "/public/%00/../admin",
        "/public/%2500",
        "/public/%c0%80",
    ]);
    for target in ["/public%c0%afx", "/public%e0%80%afx", "/assets%c0%af"] {
        assert_ne!(nobody(target), Decision::Allow, "{target}");
    }
}

#[test]
fn a08a_tricks_are_seen_through_in_combination() {
    all_refused(&[
        "/public%2f..%3b\\admin",
        "/assets/x;/..;v=1%5c..%5cadmin;/x.js",
        "/public/..%20/admin",
        "/public/%c0%ae%c0%ae/admin",
    ]);
    let starts = [
        "/public",
        "/assets/x;/..;",
        "/public;v=1",
        "//public",
        "/%70ublic",
        "/public/x/.%2e",
    ];
    let separators = [
        "/",
        "%2f",
        "%2F",
        "\\",
        "%5c",
        "%5C",
        "%252f",
        "%255c",
        "//",
        "/./",
        "%c0%af",
        "%e0%80%af",
        ";/",
        "/;/",
        "/.;/",
        "/%20/",
        "/%2e/",
    ];
    let ups = [
        "..",
        "%2e%2e",
        ".%2e",
        "%2E.",
        "%252e%252e",
        "..;",
        "..;v=1",
        "..%3b",
        "..%20",
        "..%2520",
        "%c0%ae%c0%ae",
        "%25c0%25ae.",
        ".%252e;",
        "%e0%80%ae.",
        "...",
    ];
    let names = [
        "admin",
        "%61dmin",
        "adm%69n",
        "%2561dmin",
        "admin;v=1",
        "admin%20",
        "admin.",
        "admin%2e;x",
    ];
    let ends = [
        "",
        "/",
        "/x",
        "/x.css",
        "/x;/y.css",
        "?x=.css",
        "?/public/",
        "/..%2fadmin",
        "//",
    ];
    let (rules, mut tried) = (rules(), 0);
    for (at, start) in starts.iter().enumerate() {
        for (before, separator) in separators.iter().enumerate() {
            for (steps, up) in ups.iter().enumerate() {
                let turn = at + before * 7 + steps * 3;
                let (after, name, end) =
                    (separators[(turn * 5) % 17], names[turn % 8], ends[turn % 9]);
                let target = format!("{start}{separator}{up}{after}{name}{end}");
                assert_eq!(
                    decide(&rules, "app.example.com", &target)[1],
                    Decision::Forbid,
                    "{target}"
                );
                assert_ne!(
                    decide(&rules, "app.example.com", &target)[0],
                    Decision::Allow,
                    "{target}"
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 1000);
}

#[test]
fn a09_a_hash_cuts_nothing() {
    all_bad(&["/public/a#/../admin", "/admin#/public/", "/public/a?b#c"]);
    all_refused(&["/admin/x%23/public/", "/admin%23/public/"]);
    let rules = Rules::new(
        Requirement::Deny,
        vec![rule(
            "app.example.com",
            "^/public/.*/endpoint$",
            Requirement::Bypass,
        )],
    );
    let decided = |target| decide(&rules, "app.example.com", target)[0];
    assert_eq!(
        decided("/public/secret%23/endpoint"),
        Decision::Allow,
        "the full decoded path is judged"
    );
    assert_eq!(decided("/public/secret"), Decision::Forbid);
}

#[test]
fn a10_a_query_opens_nothing() {
    let rules = Rules::new(
        Requirement::OneFactor,
        vec![
            rule("app.example.com", "/public/", Requirement::Bypass),
            rule("app.example.com", r"\.css$", Requirement::Bypass),
        ],
    );
    for target in [
        "/admin/x?/public/",
        "/admin/x?redirect=/public/a",
        "/admin/x?a=.css",
        "/admin/x?.css",
        "/admin?x/public/y.css",
    ] {
        assert_eq!(
            decide(&rules, "app.example.com", target)[0],
            Decision::Challenge,
            "{target}"
        );
    }
    all_refused(&["/admin/x?a=.css", "/admin/x?/public/"]);
}

#[test]
fn a11_a_pattern_without_an_anchor_is_seen() {
    assert!(!Pattern::compile("/public").unwrap().anchored_at_start());
    assert!(Pattern::compile("^/public").unwrap().anchored_at_start());
    let rules = Rules::new(
        Requirement::Deny,
        vec![rule("app.example.com", "/public", Requirement::Bypass)],
    );
    assert_eq!(
        decide(&rules, "app.example.com", "/x/public")[0],
        Decision::Allow
    );
}

#[test]
fn a12_a_prefix_ends_where_its_pattern_says() {
    let rules = Rules::new(
        Requirement::Deny,
        vec![rule(
            "app.example.com",
            "^/public(/.*)?$",
            Requirement::Bypass,
        )],
    );
    for (target, allowed) in [
        ("/public", true),
        ("/public/x", true),
        ("/publicX", false),
        ("/public-admin", false),
        ("/public.bak", false),
        ("/public%20", false),
        ("/public.", false),
    ] {
        assert_eq!(
            decide(&rules, "app.example.com", target)[0] == Decision::Allow,
            allowed,
            "{target}"
        );
    }
}

#[test]
fn a13_paths_are_case_sensitive_unless_the_pattern_is_not() {
    for target in ["/ADMIN/x", "/Admin/x"] {
        assert_eq!(
            decide(&rules(), "app.example.com", target),
            [Decision::Challenge, Decision::Allow]
        );
        let rules = Rules::new(
            Requirement::Bypass,
            vec![rule("app.example.com", "(?i)^/admin", Requirement::Deny)],
        );
        assert_eq!(
            decide(&rules, "app.example.com", target),
            [Decision::Forbid; 2]
        );
    }
}

#[test]
fn a14_no_form_of_a_folder_is_open() {
    all_refused(&[
        "/admin",
        "/admin/",
        "/admin/.",
        "/admin/..",
        "/admin.",
        "/admin%20",
        "/admin/./",
        "/admin/..",
    ]);
}

#[test]
fn a15_line_breaks_are_refused() {
    all_bad(&[
        "/public/%0a/../admin",
        "/admin%0a",
        "/x%0d%0aSet-Cookie:",
        "/public/%0D",
        "/public/a\nb",
        "/public/\u{7f}",
    ]);
}

#[test]
fn a19_to_a26_hosts_are_one_in_every_spelling_and_never_another() {
    let rules = rules();
    for host in [
        "PUBLIC.example.com",
        "public.example.com.",
        "public.example.com:443",
        "Public.Example.Com.:8443",
    ] {
        assert_eq!(decide(&rules, host, "/"), [Decision::Allow; 2], "{host}");
    }
    for host in [
        "evilexample.com",
        "example.com.evil.org",
        "example.comevil.org",
        "public.example.com.evil.org",
        "127.0.0.1",
        "[::1]",
    ] {
        assert_eq!(decide(&rules, host, "/"), [Decision::Forbid; 2], "{host}");
    }
    for host in [
        "",
        "a, b",
        "admin%2eexample.com",
        "admin.example.com;x",
        "a.example.com!",
        "public.example.com/",
        "public.example.com@x",
    ] {
        assert_eq!(object(host, "/").err(), Some(BadObject::Host), "{host}");
    }
}

#[test]
fn a18_long_targets_are_judged_to_their_end() {
    let long = format!("/public/{}../../admin", "a/../".repeat(1600));
    let query = format!("/admin?{}.css", "x=1&".repeat(16 << 10));
    let segments = format!("/{}admin", "../".repeat(1000));
    all_refused(&[&long, &query, &segments]);
}

#[test]
fn a40_only_the_real_method_counts() {
    let get = Rule {
        methods: vec![Method::parse("GET").unwrap()],
        ..rule("app.example.com", "", Requirement::Bypass)
    };
    let rules = Rules::new(Requirement::Deny, vec![get]);
    for (method, allowed) in [
        ("GET", true),
        ("HEAD", false),
        ("TRACE", false),
        ("FOO", false),
        ("GETX", false),
    ] {
        let object = Object::new(
            method.as_bytes(),
            b"https",
            b"app.example.com",
            b"/?_method=GET",
            [127, 0, 0, 1].into(),
        )
        .unwrap();
        let verdict = Guard::default().judge(&rules, &object, None, Level::None);
        assert_eq!(verdict.decision == Decision::Allow, allowed, "{method}");
    }
    let lower = Object::new(
        b"get",
        b"https",
        b"app.example.com",
        b"/",
        [127, 0, 0, 1].into(),
    );
    assert_eq!(lower.err(), Some(BadObject::Method));
}
