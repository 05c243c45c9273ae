use serde_json::{Value, json};

use super::fixture::{Ran, configuration, run};

fn check(test: &str, arguments: &[&str]) -> Ran {
    let file = configuration(&format!("policy-{test}"), |text| text);
    run(&[&["check-policy", "--config", &file], arguments].concat())
}

/// `policy` and `rule` for `arguments`, and the whole object.
fn found(test: &str, arguments: &[&str]) -> (String, Value, Value) {
    let ran = check(test, &[&["--format", "json"], arguments].concat());
    assert_eq!(ran.status, 0, "{arguments:?}: {ran:?}");
    let value: Value = serde_json::from_str(&ran.out).unwrap();
    (
        value["policy"].as_str().unwrap().into(),
        value["rule"].clone(),
        value,
    )
}

#[test]
fn json_has_policy_and_rule() {
    for (arguments, policy, rule) in [
        (
            &["--url", "https://public.example.com/x"][..],
            "bypass",
            json!(1),
        ),
        (
            &["--url", "https://PUBLIC.example.com:8443/x"],
            "bypass",
            json!(1),
        ),
        (
            &["--url", "https://wiki.example.com/open/x"],
            "one_factor",
            json!(2),
        ),
        (
            &["--url", "https://wiki.example.com/"],
            "two_factor",
            json!(3),
        ),
        (
            &["--url", "https://wiki.example.com/", "--username", "john"],
            "two_factor",
            json!(3),
        ),
        (
            &[
                "--url",
                "https://wiki.example.com/",
                "--username",
                "john",
                "--groups",
                "dev",
            ],
            "deny",
            Value::Null,
        ),
        (
            &[
                "--url",
                "https://wiki.example.com/",
                "--username",
                "jane",
                "--groups",
                "dev,admins",
            ],
            "two_factor",
            json!(3),
        ),
        (
            &["--url", "https://wiki.example.com/", "--groups", "admins"],
            "two_factor",
            json!(3),
        ),
        (
            &[
                "--url",
                "https://wiki.example.com/",
                "--username",
                "mallory",
            ],
            "deny",
            json!(4),
        ),
        (
            &["--url", "https://wiki.example.com/", "--username", "jane"],
            "deny",
            Value::Null,
        ),
        (
            &["--url", "https://lan.example.com/", "--ip", "10.1.2.3"],
            "one_factor",
            json!(5),
        ),
        (
            &[
                "--url",
                "https://lan.example.com/",
                "--ip",
                "::ffff:10.1.2.3",
            ],
            "one_factor",
            json!(5),
        ),
        (
            &[
                "--url",
                "https://lan.example.com/",
                "--ip",
                "10.1.2.3",
                "--method",
                "POST",
            ],
            "deny",
            Value::Null,
        ),
        (&["--url", "https://lan.example.com/"], "deny", Value::Null),
        (
            &["--url", "https://lan.example.com?mode=admin"],
            "two_factor",
            json!(6),
        ),
        (&["--url", "https://elsewhere.org/"], "deny", Value::Null),
    ] {
        let (found_policy, found_rule, _) = found("json", arguments);
        assert_eq!(
            (found_policy.as_str(), &found_rule),
            (policy, &rule),
            "{arguments:?}"
        );
    }
}

#[test]
fn a_name_is_looked_up_as_at_a_login() {
    let (_, _, value) = found(
        "login",
        &[
            "--url",
            "https://wiki.example.com/",
            "--username",
            "JOHN@example.com",
        ],
    );
    assert_eq!(value["username"], "john");
    assert_eq!(value["groups"], json!(["admins", "dev"]));
    assert_eq!(
        value["decision"],
        json!({"one_factor": "challenge", "two_factor": "allow"})
    );
    assert_eq!(value["cookie_domain"], "example.com");
}

#[test]
fn a_path_that_can_be_read_in_several_ways_shows_each() {
    let (policy, _, value) = found(
        "readings",
        &["--url", "https://wiki.example.com/open/%252e%252e/x"],
    );
    assert_eq!(policy, "two_factor");
    assert!(value["readings"].as_array().unwrap().len() > 1, "{value}");
    let ran = check(
        "readings",
        &["--url", "https://wiki.example.com/open/%252e%252e/x"],
    );
    assert!(ran.out.contains("strictest"), "{}", ran.out);
    let apart = ["as /open/%2e%2e/x", "as /x\n"];
    assert!(
        apart.iter().all(|path| ran.out.contains(path)),
        "{}",
        ran.out
    );
}

#[test]
fn text_explains_every_rule_and_criterion() {
    let ran = check("text", &["--url", "https://wiki.example.com/"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    let line = |rule: &str| {
        ran.out
            .lines()
            .find(|line| line.contains(rule))
            .unwrap_or_else(|| panic!("{}", ran.out))
    };
    assert!(line("rule 1").contains("miss  domain miss"), "{}", ran.out);
    assert!(
        line("rule 2").contains("miss  domain hit, resources miss"),
        "{}",
        ran.out
    );
    let asked = line("rule 3");
    assert!(
        asked.starts_with('*') && asked.contains("two_factor") && asked.contains("subject may"),
        "{}",
        ran.out
    );
    assert!(line("rule 5").contains("domain miss"), "{}", ran.out);
    assert!(
        ran.out.contains("Policy: two_factor (rule 3)"),
        "{}",
        ran.out
    );
    assert!(
        ran.out
            .contains("nobody signed in: sent to the portal to sign in"),
        "{}",
        ran.out
    );
}

#[test]
fn text_says_who_asks_and_what_follows() {
    let ran = check(
        "who",
        &[
            "--url",
            "https://wiki.example.com/",
            "--username",
            "mallory",
        ],
    );
    assert!(
        ran.out.contains("Visitor: mallory, groups: none"),
        "{}",
        ran.out
    );
    assert!(
        ran.out.contains("after two factors: forbidden"),
        "{}",
        ran.out
    );
    let ran = check(
        "who",
        &[
            "--url",
            "https://elsewhere.org/",
            "--username",
            "jane",
            "--groups",
            "dev",
        ],
    );
    assert!(
        ran.out
            .contains("Visitor: jane (not in the users file), groups: dev"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("answered with 400"), "{}", ran.out);
}

#[test]
fn a_request_that_is_never_judged_fails_with_the_reason() {
    for (arguments, says) in [
        (
            &["--url", "http://wiki.example.com/"][..],
            "auth_gate_scheme",
        ),
        (&["--url", "https://wiki.example.com/%00"], "malformed"),
        (
            &["--url", "https://wiki.example.com/", "--method", "get"],
            "method",
        ),
        (&["--url", "https://[::1/"], "host"),
    ] {
        let ran = check("bad", arguments);
        assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{arguments:?}");
        assert!(ran.err.contains(says), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn a_bad_configuration_fails_with_its_mistakes() {
    let file = configuration("policy-config", |text| {
        text.replace("policy: bypass", "policy: bypas")
    });
    let ran = run(&[
        "check-policy",
        "--config",
        &file,
        "--url",
        "https://public.example.com/",
    ]);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""));
    assert!(ran.err.starts_with(&format!("{file}:8: ")), "{}", ran.err);
}
