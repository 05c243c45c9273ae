//! What holds for any target and host, whoever sends them.

use std::net::IpAddr;
use std::sync::LazyLock;

use ngx_http_auth_gate_module::access::{Domain, Object, Pattern, Requirement, Rule, Rules};

static RULES: LazyLock<Rules> = LazyLock::new(|| {
    Rules::new(
        Requirement::TwoFactor,
        vec![
            rule("^/admin([/?]|$)", Requirement::Deny),
            rule("^/public(/|$)", Requirement::Bypass),
        ],
    )
});

fn rule(resource: &str, requirement: Requirement) -> Rule {
    Rule {
        domains: vec![Domain::parse("*.example.com").0],
        resources: vec![Pattern::compile(resource).expect("a pattern")],
        methods: Vec::new(),
        networks: Vec::new(),
        query: Vec::new(),
        subjects: Vec::new(),
        requirement,
    }
}

/// Judges `data`, a target, and after a line break a host.
pub fn run(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == b'\n');
    let target = parts.next().unwrap_or_default();
    let host = parts.next().unwrap_or(b"app.example.com");
    let address = IpAddr::from([127, 0, 0, 1]);
    let Ok(object) = Object::new(b"GET", b"https", host, target, address) else {
        return;
    };
    assert!(!object.host().bytes().any(|byte| byte.is_ascii_uppercase()));
    let readings: Vec<&[u8]> = object.path_readings().collect();
    assert!((1..=64).contains(&readings.len()));
    for reading in &readings {
        assert!(reading.starts_with(b"/") || *reading == b".");
        assert!(!reading.iter().any(u8::is_ascii_control));
        assert!(std::str::from_utf8(reading).is_ok());
    }
    let found = RULES.find(None, &object);
    assert!(!found.asks);
    let under = |folder: &[u8]| {
        let within = |path: &&[u8]| {
            path.strip_prefix(folder)
                .is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
        };
        readings.iter().filter(|path| within(path)).count()
    };
    if found.requirement == Requirement::Bypass {
        assert_eq!(under(b"/public"), readings.len());
    }
    if object.host().ends_with(".example.com") && under(b"/admin") > 0 {
        assert_eq!(found.requirement, Requirement::Deny);
    }
}
