//! A decision about an ordinary request allocates nothing once it is warm.
#![allow(clippy::unwrap_used)]

use ngx_http_auth_gate_module::access::{
    Decision, Domain, Guard, Level, Method, Object, Pattern, PatternSet, QueryTerm, Requirement,
    Rule, Rules, Subject, SubjectTerm,
};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: everything is handed on to the system's allocator; the counter is of the thread alone
// and needs no allocation of its own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn rule(domain: Domain, resources: &[String]) -> Rule {
    Rule {
        domains: vec![domain],
        resources: resources
            .iter()
            .map(|go| Pattern::compile(go).unwrap())
            .collect(),
        methods: Vec::new(),
        networks: Vec::new(),
        query: Vec::new(),
        subjects: Vec::new(),
        requirement: Requirement::OneFactor,
    }
}

fn rules() -> Rules {
    let host = |text: &str| Domain::parse(text).0;
    let term = |operator, value| QueryTerm::new(Some(operator), "k", Some(value)).unwrap();
    let mut rules: Vec<Rule> = (0..100)
        .map(|n| {
            rule(
                Domain::regex(&format!("^lab{n}[.]")).unwrap(),
                &[format!("^/area{n}(/|$)")],
            )
        })
        .collect();
    rules
        .extend((0..200).map(|n| rule(host("app.example.com"), &[format!("^/area{n}([/?].*)?$")])));
    rules.push(rule(
        host("app.example.com"),
        &["^/users/(?P<User>[^/?]+)".into()],
    ));
    rules.push(Rule {
        methods: vec![Method::parse("GET").unwrap()],
        networks: vec!["10.0.0.0/8".parse().unwrap()],
        query: vec![vec![
            term("equal", "1"),
            term("pattern", "^1$"),
            term("not equal", "2"),
        ]],
        subjects: vec![vec![SubjectTerm::Group("dev".into())]],
        ..rule(host("*.example.com"), &[])
    });
    rules.push(rule(host("{user}.example.org"), &[]));
    rules.push(Rule {
        requirement: Requirement::Bypass,
        ..rule(host("open.example.com"), &[r"\.css$".into()])
    });
    Rules::new(Requirement::Deny, rules)
}

#[test]
fn an_ordinary_request_is_decided_without_the_heap() {
    let url = Pattern::compile("^https://free[.]example[.]com/a").unwrap();
    let guard = Guard {
        unauthenticated_url: PatternSet::new(vec![url]),
        ..Guard::default()
    };
    let (rules, groups) = (rules(), ["dev".to_owned()]);
    let alice = Subject {
        user: "alice",
        groups: &groups,
    };
    for (host, target, decision) in [
        ("app.example.com", "/area199/x?y=1", Decision::Allow),
        ("app.example.com", "/users/alice/x", Decision::Allow),
        ("app.example.com", "/nothing", Decision::Forbid),
        ("lab77.example.net", "/area77", Decision::Allow),
        ("x.y.example.com", "/a?k=1", Decision::Allow),
        ("alice.example.org:8443", "/", Decision::Allow),
        ("free.example.com", "/a/b", Decision::Allow),
        ("open.example.com", "/style.css?v=1", Decision::Forbid),
        ("open.example.com", "/style.css", Decision::Allow),
    ] {
        let decide = || {
            let object = Object::new(
                b"GET",
                b"https",
                host.as_bytes(),
                target.as_bytes(),
                [10, 0, 0, 1].into(),
            )
            .unwrap();
            guard
                .judge(&rules, &object, Some(&alice), Level::OneFactor)
                .decision
        };
        assert_eq!(decide(), decision, "{host}{target}");
        decide();
        let before = ALLOCATIONS.get();
        decide();
        assert_eq!(ALLOCATIONS.get() - before, 0, "{host}{target}");
    }
}
