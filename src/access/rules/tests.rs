use super::*;
use crate::access::{Domain, Method, Outcome, Pattern, QueryTerm, SubjectTerm};
use std::net::IpAddr;

const LOCAL: &str = "127.0.0.1";

pub(super) fn object<'a>(
    method: &'a str,
    host: &'a str,
    target: &'a str,
    address: &str,
) -> Object<'a> {
    let address: IpAddr = address.parse().unwrap();
    Object::new(
        method.as_bytes(),
        b"https",
        host.as_bytes(),
        target.as_bytes(),
        address,
    )
    .unwrap()
}

/// A rule about `domain` that demands `requirement`; `~` begins a regular expression.
pub(super) fn rule(domain: &str, requirement: Requirement) -> Rule {
    let domain = match domain.strip_prefix('~') {
        Some(regex) => Domain::regex(regex).unwrap(),
        None => Domain::parse(domain).0,
    };
    Rule {
        domains: vec![domain],
        resources: Vec::new(),
        methods: Vec::new(),
        networks: Vec::new(),
        query: Vec::new(),
        subjects: Vec::new(),
        requirement,
    }
}

fn resources(patterns: &[&str], rule: Rule) -> Rule {
    Rule {
        resources: patterns
            .iter()
            .map(|go| Pattern::compile(go).unwrap())
            .collect(),
        ..rule
    }
}

fn subjects(lines: &[&str], rule: Rule) -> Rule {
    let line = |line: &&str| {
        line.split(' ')
            .map(|term| SubjectTerm::parse(term).unwrap())
            .collect()
    };
    Rule {
        subjects: lines.iter().map(line).collect(),
        ..rule
    }
}

pub(super) fn query(operator: &str, key: &str, value: &str, rule: Rule) -> Rule {
    let value = (!value.is_empty()).then_some(value);
    Rule {
        query: vec![vec![QueryTerm::new(Some(operator), key, value).unwrap()]],
        ..rule
    }
}

fn anonymously(rules: &Rules, target: &str) -> (Requirement, u32) {
    let found = rules.find(None, &object("GET", "app.example.com", target, LOCAL));
    (found.requirement, found.rule.map_or(0, NonZeroU32::get))
}

use Requirement::{Bypass, Deny, OneFactor, TwoFactor};

#[test]
fn the_first_rule_whose_criteria_all_hold_wins() {
    let rules = Rules::new(
        Deny,
        vec![
            Rule {
                methods: vec![Method::parse("POST").unwrap()],
                ..rule("app.example.com", TwoFactor)
            },
            Rule {
                networks: vec!["10.0.0.0/8".parse().unwrap()],
                ..rule("*.example.com", Bypass)
            },
            resources(&["^/a", "^/b"], rule("~^app[.]", OneFactor)),
            query("equal", "k", "1", rule("app.example.com", TwoFactor)),
            subjects(
                &["user:alice group:dev", "group:ops"],
                rule("app.example.com", OneFactor),
            ),
        ],
    );
    let groups = ["dev".to_owned()];
    let alice = Subject {
        user: "alice",
        groups: &groups,
    };
    let bob = Subject {
        user: "bob",
        groups: &groups,
    };
    for (method, target, address, subject, rule) in [
        ("POST", "/", "10.1.2.3", None, 1),
        ("FOO", "/", "10.1.2.3", None, 2),
        ("GET", "/", "::ffff:10.1.2.3", None, 2),
        ("GET", "/b", LOCAL, None, 3),
        ("GET", "/c?k=1", LOCAL, None, 4),
        ("GET", "/c?k=2", LOCAL, None, 5),
        ("GET", "/c", LOCAL, Some(&alice), 5),
        ("GET", "/c", LOCAL, Some(&bob), 0),
    ] {
        let found = rules.find(subject, &object(method, "app.example.com", target, address));
        assert_eq!(
            found.rule.map_or(0, NonZeroU32::get),
            rule,
            "{method} {target} {address}"
        );
        assert_eq!(found.asks, rule == 5);
    }
    assert_eq!(
        rules
            .find(None, &object("GET", "example.org", "/a", LOCAL))
            .requirement,
        Deny
    );
}

#[test]
fn networks_hold_mapped_addresses_both_ways() {
    for (network, address, held) in [
        ("10.0.0.0/8", "::ffff:10.1.2.3", true),
        ("::ffff:10.0.0.0/104", "10.1.2.3", true),
        ("::ffff:10.0.0.0/104", "11.1.2.3", false),
        ("::/0", "10.1.2.3", false),
        ("10.0.0.1/8", "10.9.9.9", true),
        ("fd00::/8", "fd12::1", true),
    ] {
        let rules = Rules::new(
            Deny,
            vec![Rule {
                networks: vec![network.parse().unwrap()],
                ..rule("*.example.com", Bypass)
            }],
        );
        let found = rules.find(None, &object("GET", "app.example.com", "/", address));
        assert_eq!(found.rule.is_some(), held, "{network} {address}");
    }
}

#[test]
fn a10_a_query_opens_nothing() {
    let rules = Rules::new(
        OneFactor,
        vec![
            resources(
                &[r"\.css$", "/public/", r"^/share\?key=", "^/either([?].*)?$"],
                rule("app.example.com", Bypass),
            ),
            resources(&[r"x=1$"], rule("app.example.com", TwoFactor)),
        ],
    );
    for (target, found) in [
        ("/style.css", (Bypass, 1)),
        ("/admin?x=.css", (OneFactor, 0)),
        ("/admin/x?/public/", (OneFactor, 0)),
        ("/admin/x?redirect=/public/a", (OneFactor, 0)),
        ("/public/x?y", (Bypass, 1)),
        ("/share?key=7", (Bypass, 1)),
        ("/share", (OneFactor, 0)),
        ("/either?x=1", (Bypass, 1)),
        ("/other?x=1", (TwoFactor, 2)),
        ("/style.css?x=1", (TwoFactor, 2)),
    ] {
        assert_eq!(anonymously(&rules, target), found, "{target}");
    }
}

#[test]
fn the_strictest_reading_counts() {
    let rules = Rules::new(
        OneFactor,
        vec![
            subjects(
                &["group:admins"],
                resources(&["^/admin(/|$)"], rule("app.example.com", TwoFactor)),
            ),
            resources(&["^/admin(/|$)"], rule("app.example.com", Deny)),
            resources(&["^/public/"], rule("app.example.com", Bypass)),
        ],
    );
    for (target, found) in [
        ("/public/a", (Bypass, 3)),
        ("/public/a%20b", (Bypass, 3)),
        ("/public/../admin/x", (TwoFactor, 1)),
        ("/public/%252e%252e/admin", (TwoFactor, 1)),
        ("/x/../public/", (OneFactor, 0)),
    ] {
        assert_eq!(anonymously(&rules, target), found, "{target}");
    }
    let bob = Subject {
        user: "bob",
        groups: &[],
    };
    let found = rules.find(
        Some(&bob),
        &object("GET", "app.example.com", "/public/..;/admin", LOCAL),
    );
    assert_eq!((found.requirement, found.asks), (Deny, false));
}

#[test]
fn a_denial_stands_unless_every_denying_reading_asks() {
    let found = |requirement, asks| Found {
        requirement,
        rule: None,
        asks,
    };
    for (a, b, both) in [
        (found(Deny, true), found(Deny, false), found(Deny, false)),
        (found(Bypass, true), found(Deny, false), found(Deny, false)),
        (found(Deny, true), found(Bypass, false), found(Deny, true)),
        (
            found(OneFactor, false),
            found(TwoFactor, false),
            found(TwoFactor, false),
        ),
        (
            found(OneFactor, true),
            found(TwoFactor, false),
            found(TwoFactor, true),
        ),
        (
            found(Bypass, false),
            found(Bypass, true),
            found(Bypass, true),
        ),
    ] {
        assert_eq!(a.stricter(b), both);
        assert_eq!(b.stricter(a), both);
    }
}

#[test]
fn a_rule_asks_by_subject_domain_or_named_group() {
    let asks = |rule: Rule| {
        Rules::new(Deny, vec![rule])
            .find(None, &object("GET", "a.example.com", "/a/b", LOCAL))
            .asks
    };
    assert!(asks(subjects(
        &["user:x"],
        rule("a.example.com", OneFactor)
    )));
    assert!(asks(rule("{user}.example.com", OneFactor)));
    assert!(asks(rule("{group}.example.com", OneFactor)));
    assert!(asks(rule(r"~^(?P<User>\w+)\.example", OneFactor)));
    assert!(asks(resources(
        &["^/a/(?P<Group>.*)$"],
        rule("a.example.com", OneFactor)
    )));
    assert!(!asks(resources(
        &["^/a/(?P<group>.*)$"],
        rule("a.example.com", OneFactor)
    )));
    assert!(!asks(rule("a.example.com", OneFactor)));
}

#[test]
fn demands_counts_rules_and_default() {
    let rules = Rules::new(Deny, vec![rule("a", TwoFactor)]);
    assert_eq!(
        [Bypass, OneFactor, TwoFactor, Deny].map(|r| rules.demands(r)),
        [false, false, true, true]
    );
    assert_eq!((rules.len(), rules.is_empty()), (1, false));
}

#[test]
fn every_criterion_is_explained() {
    let rules = Rules::new(
        Deny,
        vec![
            subjects(
                &["user:alice"],
                resources(&["^/a"], rule("{user}.example.com", TwoFactor)),
            ),
            Rule {
                methods: vec![Method::parse("POST").unwrap()],
                ..rule("*.example.com", Bypass)
            },
        ],
    );
    let request = object("GET", "alice.example.com", "/a//b?c", LOCAL);
    let explained = rules.explain(None, &request);
    let texts: Vec<&[u8]> = explained.iter().map(|one| one.reading.as_slice()).collect();
    assert_eq!(texts, [&b"/a/b?c"[..], b"/a//b?c"]);
    let words = |at: usize| -> Vec<(&str, &str)> {
        explained[0].rules[at]
            .criteria
            .iter()
            .map(|(criterion, outcome)| (criterion.word(), outcome.word()))
            .collect()
    };
    assert_eq!(
        words(0),
        [("domain", "may"), ("resources", "hit"), ("subject", "may")]
    );
    assert_eq!(words(1), [("domain", "hit"), ("methods", "miss")]);
    assert_eq!(
        explained[0]
            .rules
            .iter()
            .map(|rule| rule.outcome)
            .collect::<Vec<_>>(),
        [Outcome::May, Outcome::Miss]
    );
    let alice = Subject {
        user: "alice",
        groups: &[],
    };
    assert_eq!(
        rules.explain(Some(&alice), &request)[0].rules[0].outcome,
        Outcome::Hit
    );
}

#[test]
fn where_nobody_tells_the_method_the_strictest_holds() {
    let for_method = |method: &str, requirement| Rule {
        methods: vec![Method::parse(method).unwrap()],
        ..rule("a.example.com", requirement)
    };
    let untold = |rules: &Rules| {
        let request = object("GET", "a.example.com", "/", LOCAL).without_method();
        rules.find(None, &request).requirement
    };
    let open = Rules::new(
        Deny,
        vec![
            for_method("OPTIONS", Bypass),
            rule("a.example.com", OneFactor),
        ],
    );
    assert_eq!(untold(&open), OneFactor, "a preflight opens nothing");
    let shut = Rules::new(
        Deny,
        vec![
            for_method("DELETE", TwoFactor),
            rule("a.example.com", Bypass),
        ],
    );
    assert_eq!(untold(&shut), TwoFactor);
    let alone = Rules::new(Deny, vec![for_method("GET", Bypass)]);
    assert_eq!(untold(&alone), Deny, "other methods have no rule");
    let none = Rules::new(Deny, vec![rule("a.example.com", OneFactor)]);
    assert_eq!(untold(&none), OneFactor);
}
