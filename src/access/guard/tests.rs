use super::super::{Domain, Pattern, Rule};
use super::*;

fn object<'a>(host: &'a str, target: &'a str) -> Object<'a> {
    Object::new(
        b"GET",
        b"https",
        host.as_bytes(),
        target.as_bytes(),
        [127, 0, 0, 1].into(),
    )
    .unwrap()
}

fn rule(host: &str, requirement: Requirement, subjects: &[&str]) -> Rule {
    Rule {
        domains: vec![Domain::parse(host).0],
        resources: Vec::new(),
        methods: Vec::new(),
        networks: Vec::new(),
        query: Vec::new(),
        subjects: lines(subjects),
        requirement,
    }
}

fn lines(subjects: &[&str]) -> Vec<Vec<SubjectTerm>> {
    subjects
        .iter()
        .map(|line| {
            line.split(' ')
                .map(|term| SubjectTerm::parse(term).unwrap())
                .collect()
        })
        .collect()
}

fn set(patterns: &[&str]) -> PatternSet {
    PatternSet::new(
        patterns
            .iter()
            .map(|go| Pattern::compile(go).unwrap())
            .collect(),
    )
}

fn rules() -> Rules {
    Rules::new(
        Requirement::Deny,
        vec![
            rule("open.example.com", Requirement::Bypass, &[]),
            rule("one.example.com", Requirement::OneFactor, &[]),
            rule("two.example.com", Requirement::TwoFactor, &[]),
            rule("shut.example.com", Requirement::Deny, &[]),
            rule("some.example.com", Requirement::OneFactor, &["group:dev"]),
        ],
    )
}

/// Decisions for nobody, for alice (dev) of one and two factors, and for bob of two.
fn decisions(guard: &Guard, host: &str, target: &str) -> [Decision; 4] {
    let (dev, rules, object) = (["dev".to_owned()], rules(), object(host, target));
    let alice = Subject {
        user: "alice",
        groups: &dev,
    };
    let bob = Subject {
        user: "bob",
        groups: &[],
    };
    [
        (None, Level::None),
        (Some(&alice), Level::OneFactor),
        (Some(&alice), Level::TwoFactor),
        (Some(&bob), Level::TwoFactor),
    ]
    .map(|(subject, level)| guard.judge(&rules, &object, subject, level).decision)
}

use Decision::{Allow as A, Challenge as C, Forbid as F};

#[test]
fn without_directives_the_rules_decide() {
    let guard = Guard::default();
    for (host, decided) in [
        ("open.example.com", [A, A, A, A]),
        ("one.example.com", [C, A, A, A]),
        ("two.example.com", [C, C, A, A]),
        ("shut.example.com", [F, F, F, F]),
        ("some.example.com", [C, A, A, F]),
        ("other.example.com", [F, F, F, F]),
    ] {
        assert_eq!(decisions(&guard, host, "/"), decided, "{host}");
    }
    let verdict = |host| guard.judge(&rules(), &object(host, "/"), None, Level::None);
    assert_eq!(verdict("two.example.com").source, Source::Rule(3));
    assert_eq!(verdict("other.example.com").source, Source::Default);
}

#[test]
fn a_fixed_policy_asks_no_rule() {
    for (requirement, decided) in [
        (Requirement::Bypass, [A, A, A, A]),
        (Requirement::OneFactor, [C, A, A, A]),
        (Requirement::TwoFactor, [C, C, A, A]),
        (Requirement::Deny, [F, F, F, F]),
    ] {
        let guard = Guard {
            policy: PolicySource::Fixed(requirement),
            ..Guard::default()
        };
        for host in ["open.example.com", "shut.example.com"] {
            assert_eq!(decisions(&guard, host, "/"), decided);
        }
    }
}

#[test]
fn requirements_come_on_top_of_the_policy() {
    for (subjects, host, decided) in [
        (&["group:dev"][..], "open.example.com", [C, A, A, F]),
        (&["group:dev"], "one.example.com", [C, A, A, F]),
        (&["group:dev"], "two.example.com", [C, C, A, F]),
        (&["group:dev"], "shut.example.com", [C, F, F, F]),
        (&["group:dev", "user:bob"], "one.example.com", [C, A, A, A]),
        (&["group:dev user:bob"], "one.example.com", [C, F, F, F]),
        (&["group:dev user:alice"], "one.example.com", [C, A, A, F]),
    ] {
        let guard = Guard {
            require: lines(subjects),
            ..Guard::default()
        };
        assert_eq!(decisions(&guard, host, "/"), decided, "{subjects:?} {host}");
    }
    let guard = Guard {
        require: lines(&["user:alice"]),
        ..Guard::default()
    };
    let verdict = guard.judge(
        &rules(),
        &object("open.example.com", "/"),
        None,
        Level::None,
    );
    assert_eq!(
        (verdict.requirement, verdict.source, verdict.asks),
        (Requirement::OneFactor, Source::Location, true)
    );
}

#[test]
fn unauthenticated_paths_win_over_all() {
    let guard = Guard {
        policy: PolicySource::Fixed(Requirement::Deny),
        require: lines(&["user:nobody"]),
        unauthenticated: set(&["^/assets/", r"\.css$"]),
        ..Guard::default()
    };
    for (target, decided) in [
        ("/assets/x.js", [A, A, A, A]),
        ("/style.css?v=2", [A, A, A, A]),
        ("/admin", [C, F, F, F]),
        ("/admin?x=.css", [C, F, F, F]),
        ("/admin?/assets/", [C, F, F, F]),
        ("/assets/../admin", [C, F, F, F]),
        ("/assets/..%2fadmin", [C, F, F, F]),
        ("/assets/%252e%252e/admin", [C, F, F, F]),
        ("/assets/a%20b", [A, A, A, A]),
        ("/assets//x", [A, A, A, A]),
        ("//assets/x", [C, F, F, F]),
    ] {
        assert_eq!(
            decisions(&guard, "shut.example.com", target),
            decided,
            "{target}"
        );
    }
}

#[test]
fn unauthenticated_urls_see_scheme_host_and_path() {
    let guard = Guard {
        unauthenticated_url: set(&[
            r"^https://shut\.example\.com/a(/|$)",
            "^https://shut[.]example[.]com/b+$",
        ]),
        ..Guard::default()
    };
    let long = format!("/{}", "b".repeat(SHORT_URL));
    for (host, target, passes) in [
        ("shut.example.com", "/a?x", true),
        ("SHUT.example.com:8443", "/a/b", true),
        ("shut.example.com", "/ab", false),
        ("one.example.com", "/a", false),
        ("shut.example.com", "/x/../a", false),
        ("shut.example.com", long.as_str(), true),
    ] {
        let verdict = guard.judge(&rules(), &object(host, target), None, Level::None);
        assert_eq!(verdict.decision == A, passes, "{host}{target}");
    }
}

#[test]
fn a_subject_without_a_level_is_nobody() {
    let alice = Subject {
        user: "alice",
        groups: &[],
    };
    let guard = Guard::default();
    let verdict = |subject, level| {
        guard
            .judge(&rules(), &object("one.example.com", "/"), subject, level)
            .decision
    };
    assert_eq!(verdict(Some(&alice), Level::None), C);
    assert_eq!(verdict(None, Level::TwoFactor), C);
}
