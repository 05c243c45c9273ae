//! The index against a plain loop, over generated rules and requests.

use super::tests::{object, query, rule};
use super::*;
use crate::access::readings::Reading;
use crate::access::{Method, Pattern, SubjectTerm};
use Requirement::{Bypass, Deny, OneFactor, TwoFactor};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// The plain loop that the index must agree with.
fn plainly(
    default: Requirement,
    rules: &[Rule],
    subject: Option<&Subject<'_>>,
    object: &Object<'_>,
) -> Requirement {
    let holds = |rule: &Rule, reading: &Reading<'_>| {
        let opens = |pattern: &Pattern| {
            rule.requirement != Bypass
                || pattern.names_question_mark()
                || pattern.admits(reading.path(), subject)
        };
        let query = object.query().unwrap_or_default();
        rule.domains
            .iter()
            .any(|domain| domain.holds(object.host(), subject))
            && (rule.resources.is_empty()
                || rule
                    .resources
                    .iter()
                    .any(|p| p.admits(reading.text(), subject) && opens(p)))
            && (rule.methods.is_empty()
                || rule
                    .methods
                    .iter()
                    .any(|m| Method::parse(object.method()) == Some(*m)))
            && (rule.networks.is_empty()
                || rule.networks.iter().any(|n| n.contains(&object.address())))
            && (rule.query.is_empty()
                || rule
                    .query
                    .iter()
                    .any(|all| all.iter().all(|term| term.holds(query))))
            && (rule.subjects.is_empty()
                || subject.is_none_or(|s| {
                    rule.subjects
                        .iter()
                        .any(|all| all.iter().all(|term| term.holds(s)))
                }))
    };
    let readings = object.readings().iter();
    let each = readings.map(|reading| {
        rules
            .iter()
            .find(|rule| holds(rule, reading))
            .map_or(default, |rule| rule.requirement)
    });
    each.max().unwrap()
}

const DOMAINS: [&str; 30] = [
    "app.example.com",
    "api.example.com",
    "dev.example.com",
    "alice.example.com",
    "example.com",
    "*.example.com",
    "*.dev.example.com",
    "*.com",
    "{user}.example.com",
    "{group}.example.com",
    "{user}-x.example.com",
    "{group}.dev.example.com",
    "*",
    "~^app",
    "~example",
    r"~^(?P<User>\w+)\.example\.com$",
    r"~^(?P<Group>\w+)\.dev",
    r"~\.com$",
    "~^api|^dev",
    "~^[a-z]+$",
    "~^a.*m$",
    r"~\bdev\b",
    "~(?i)ALICE",
    "~x",
    "~^$",
    "~^..[.]",
    "~ops",
    r"~^(?P<User>\w+)[.](?P<Group>\w+)[.]",
    "~^zzz",
    "~dev.dev",
];
const HOSTS: [&str; 10] = [
    "app.example.com",
    "api.example.com",
    "dev.example.com",
    "alice.example.com",
    "example.com",
    "a.dev.example.com",
    "alice-x.example.com",
    "alice.dev.example.com",
    "dev.dev.example.com",
    "other.org",
];
const RESOURCES: [&str; 20] = [
    "^/$",
    "^/a",
    "^/a/",
    r"\.css$",
    "^/public(/.*)?$",
    "^/public([/?].*)?$",
    "^/users/(?P<User>[^/?]+)",
    "b",
    "^/groups/(?P<Group>[^/]+)/",
    r"\?",
    "x=1",
    "^/.*$",
    "^/A",
    "(?i)^/A",
    "^[.]",
    r"^/\d+$",
    "/$",
    "//",
    "admin",
    "^/admin(/|$)",
];
const TARGETS: [&str; 20] = [
    "",
    "/",
    "/a",
    "/a/b",
    "/a.css",
    "/a?x=.css",
    "/public",
    "/public?x=1",
    "/public/x",
    "/users/alice/x",
    "/users/bob",
    "/groups/dev/x",
    "/A",
    "/7",
    "/a//b",
    "/public/../admin",
    "/public/%2e%2e/admin/",
    "/public/..;/a",
    "/b?x=1&y",
    "/%2561dmin",
];

/// The resources that ask.
const ASKING: [&str; 2] = ["^/users/(?P<User>[^/?]+)", "^/groups/(?P<Group>[^/]+)/"];

fn a_rule() -> impl Strategy<Value = Rule> {
    let domain = prop_oneof![Just("app.example.com"), select(&DOMAINS[..])]
        .prop_map(|domain| rule(domain, Deny).domains.remove(0));
    let resource = prop_oneof![2 => select(&RESOURCES[..]), 1 => select(&ASKING[..])]
        .prop_map(|go| Pattern::compile(go).unwrap());
    let method = select(&["GET", "POST"][..]).prop_map(|word| Method::parse(word).unwrap());
    let network = select(&["10.0.0.0/8", "::/0"][..]).prop_map(|text| text.parse().unwrap());
    let term = select(
        &[
            ("equal", "x", "1"),
            ("absent", "x", ""),
            ("present", "y", ""),
        ][..],
    )
    .prop_map(|(operator, key, value)| {
        query(operator, key, value, rule("a", Deny))
            .query
            .remove(0)
            .remove(0)
    });
    let who = select(&["user:alice", "group:dev", "group:ops"][..])
        .prop_map(|text| SubjectTerm::parse(text).unwrap());
    let requirement = select(&[Bypass, OneFactor, TwoFactor, Deny][..]);
    (
        vec(domain, 1..4),
        prop_oneof![1 => Just(Vec::new()), 6 => vec(resource, 1..4)],
        prop_oneof![3 => Just(Vec::new()), 1 => vec(method, 0..2)],
        prop_oneof![3 => Just(Vec::new()), 1 => vec(network, 0..2)],
        prop_oneof![3 => Just(Vec::new()), 1 => vec(vec(term, 1..3), 0..2)],
        prop_oneof![3 => Just(Vec::new()), 1 => vec(vec(who, 1..3), 0..3)],
        requirement,
    )
        .prop_map(
            |(domains, resources, methods, networks, query, subjects, requirement)| Rule {
                domains,
                resources,
                methods,
                networks,
                query,
                subjects,
                requirement,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_index_agrees_with_a_plain_loop(
        rules in vec(a_rule(), 0..60),
        requests in vec((select(&HOSTS[..]), select(&TARGETS[..]), select(&["GET", "PUT"][..]), select(&["10.1.1.1", "fd00::1"][..])), 12),
    ) {
        let compiled = Rules::new(OneFactor, rules.clone());
        let (dev, ops) = (["dev".to_owned()], ["Ops".to_owned(), "ops".to_owned()]);
        let people = [
            None,
            Some(Subject { user: "alice", groups: &dev }),
            Some(Subject { user: "bob", groups: &ops }),
            Some(Subject { user: "carol", groups: &[] }),
        ];
        for (host, target, method, address) in requests {
            let object = object(method, host, target, address);
            let [nobody, somebody @ ..] = people.each_ref().map(|who| compiled.find(who.as_ref(), &object));
            for (who, found) in people.iter().zip([nobody].iter().chain(&somebody)) {
                let wanted = plainly(OneFactor, &rules, who.as_ref(), &object);
                prop_assert_eq!(found.requirement, wanted, "{} {} {:?}", host, target, who);
                let explained = compiled.explain(who.as_ref(), &object);
                let strictest = explained.into_iter().map(|one| one.found).reduce(Found::stricter).unwrap();
                prop_assert_eq!(strictest, *found);
            }
            if !nobody.asks {
                prop_assert!(somebody.iter().all(|found| found.requirement == nobody.requirement));
            }
        }
    }
}
