//! The decision of the rules, as often as asked for.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};

use ngx_http_auth_gate_module::access::{
    Decision, Domain, Guard, Level, Object, Pattern, Requirement, Rule, Rules, Subject, SubjectTerm,
};

/// How many different requests take turns.
const VARIETY: usize = 64;

/// A host and a target.
pub type Asked = (String, String);

/// `count` rules, each for a host of its own.
pub fn hosts(count: usize, times: usize) {
    let rules = Rules::new(
        Requirement::Deny,
        (0..count)
            .map(|n| rule(&format!("app{n}.example.com"), "^/(app|static)/"))
            .collect(),
    );
    let asked = |turn: usize| {
        let host = format!("app{}.example.com", turn * count / VARIETY);
        (host, format!("/app/page{turn}?q={turn}"))
    };
    repeat(&rules, (0..VARIETY).map(asked).collect(), times);
}

/// `count` rules for one host, each with a pattern of its own.
pub fn resources(count: usize, times: usize) {
    let asked = |turn: usize| {
        let part = turn * count / VARIETY;
        (
            "app.example.com".to_owned(),
            format!("/part{part}/page{turn}?q={turn}"),
        )
    };
    repeat(&by_part(count), (0..VARIETY).map(asked).collect(), times);
}

/// `count` rules for app.example.com, each with a pattern of its own.
pub fn by_part(count: usize) -> Rules {
    let rules = (0..count).map(|n| rule("app.example.com", &format!("^/part{n}([/?].*)?$")));
    Rules::new(Requirement::Deny, rules.collect())
}

fn rule(host: &str, pattern: &str) -> Rule {
    Rule {
        domains: vec![Domain::parse(host).0],
        resources: vec![Pattern::compile(pattern).expect("a pattern")],
        methods: Vec::new(),
        networks: Vec::new(),
        query: Vec::new(),
        subjects: vec![vec![SubjectTerm::Group("readers".into())]],
        requirement: Requirement::OneFactor,
    }
}

fn repeat(rules: &Rules, asked: Vec<Asked>, times: usize) {
    let groups = ["admins".to_owned(), "readers".to_owned()];
    let subject = Subject {
        user: "alice",
        groups: &groups,
    };
    // The first rounds build what is kept from then on.
    for _ in 0..2 {
        assert!(
            asked
                .iter()
                .all(|asked| decide(rules, &subject, asked) == Decision::Allow)
        );
    }
    measured_decisions(rules, &subject, &asked, times);
}

#[inline(never)]
fn measured_decisions(rules: &Rules, subject: &Subject<'_>, asked: &[Asked], times: usize) {
    for turn in 0..times {
        black_box(decide(
            rules,
            subject,
            black_box(&asked[turn % asked.len()]),
        ));
    }
}

fn decide(rules: &Rules, subject: &Subject<'_>, (host, target): &Asked) -> Decision {
    let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
    let object = Object::new(
        b"GET",
        b"https",
        host.as_bytes(),
        target.as_bytes(),
        address,
    );
    let object = object.expect("a request that can be judged");
    let guard = Guard::default();
    guard
        .judge(rules, &object, Some(subject), Level::OneFactor)
        .decision
}
