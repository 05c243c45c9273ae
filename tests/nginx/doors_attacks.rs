//! The attacks on the gate's view of a request, tried once more on each authorization endpoint.

use super::harness::question::{
    ENDPOINTS, Question, ask, basic, challenged, connect, every, told, written,
};
use super::harness::{Answer, Gate, Site};

const APP: &str = "app.example.com";

fn is_refused(answer: &Answer, what: &str) {
    assert!(
        matches!(answer.status, 302 | 303 | 400 | 401 | 403),
        "{what}: {answer:?}"
    );
    for header in [
        "Remote-User",
        "Remote-Groups",
        "Remote-Name",
        "Remote-Email",
        "Set-Cookie",
    ] {
        assert!(answer.header(header).is_none(), "{what}: {answer:?}");
    }
    let mut names = answer.headers.iter().map(|(name, _)| name.to_lowercase());
    assert!(
        !names.any(|name| name.starts_with("x-authentik") || name == "authorization"),
        "{what}: {answer:?}"
    );
}

/// The headers that say what is asked for at some endpoint.
const SOURCES: [&str; 6] = [
    "X-Original-URL",
    "X-Original-Method",
    "X-Forwarded-Method",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "X-Forwarded-URI",
];

#[test]
fn a27_a_visitors_routing_headers_open_no_endpoint() {
    let gate = Site::bed().server(ENDPOINTS).start();
    let alice = gate.signed_in("alice");
    for door in every() {
        let question = Question::new(door, APP, "/admin/x").of(&alice);
        assert_eq!(ask(&gate, &question).status, 403, "{door}");
        let open = Question::new(door, APP, "/public/x");
        assert_eq!(ask(&gate, &open).status, 200, "{door}");
        for header in [
            "X-Original-URI",
            "X-Rewrite-URL",
            "X-Override-URL",
            "X-Original-URL",
            "X-Forwarded-URI",
        ] {
            for target in [
                "/public/",
                "/api/verify",
                "https://app.example.com/public/",
                "/api/authz/",
                "/outpost.goauthentik.io/auth/nginx",
                "https://app.example.com/outpost.goauthentik.io/start",
            ] {
                let answer = ask(&gate, &question.clone().with(header, target));
                is_refused(&answer, &format!("{door} {header}: {target}"));
            }
        }
    }
}

#[test]
fn a28_a_visitors_forwarded_path_and_method_change_nothing() {
    let methods = "access_control:
  default_policy: deny
  rules:
    - { domain: app.example.com, methods: [OPTIONS], policy: bypass }
    - { domain: app.example.com, resources: '^/public/', policy: bypass }
    - { domain: app.example.com, policy: one_factor }
";
    let gate = Site::bed().rules(methods).server(ENDPOINTS).start();
    for door in every() {
        let question = Question::new(door, APP, "/x");
        let preflight = question.clone().method("OPTIONS");
        // Nobody tells the method where a visitor could as well, so the strictest rule holds.
        let status = if door == "outpost-nginx" { 401 } else { 200 };
        assert_eq!(ask(&gate, &preflight).status, status, "{door}");
        for (header, value) in [
            ("X-Forwarded-Uri", "/public/"),
            ("X-Forwarded-Prefix", "/public"),
            ("X-Forwarded-Path", "/public/"),
            ("X-Forwarded-Method", "OPTIONS"),
            ("X-Original-Method", "OPTIONS"),
            ("X-HTTP-Method-Override", "OPTIONS"),
        ] {
            let answer = ask(&gate, &question.clone().with(header, value));
            is_refused(&answer, &format!("{door} {header}"));
        }
    }
}

#[test]
fn a29_forwarded_hosts_and_schemes_never_lead_elsewhere() {
    let gate = Site::bed().server(ENDPOINTS).start();
    for door in every() {
        let question = Question::new(door, APP, "/x").with("Accept", "text/html");
        for (header, value) in [
            ("X-Forwarded-Host", "public.example.com"),
            ("X-Forwarded-Host", "evil.org"),
            ("X-Forwarded-Proto", "javascript"),
            ("X-Forwarded-Proto", "http"),
            ("X-Forwarded-Port", "4443"),
            ("Forwarded", "host=evil.org;proto=http"),
            ("X-Authelia-URL", "https://evil.org/"),
        ] {
            let answer = ask(&gate, &question.clone().with(header, value));
            is_refused(&answer, &format!("{door} {header}: {value}"));
            let location = answer.location();
            let odd = ["evil", "javascript", "public", "4443", "http%3A"];
            assert!(
                !odd.iter().any(|odd| location.contains(odd)),
                "{door} {header}: {location}"
            );
        }
        for host in [
            "evil.org",
            "app.example.com.evil.org",
            "evil.org@app.example.com",
            "app.example.com@evil.org",
            "javascript:alert(1)",
        ] {
            let mut foreign = question.clone();
            foreign.host = host.into();
            let answer = ask(&gate, &foreign);
            is_refused(&answer, &format!("{door} {host}"));
            assert_eq!(answer.location(), "", "{door} {host}");
        }
    }
}

const LAN: &str = "access_control:
  default_policy: deny
  rules:
    - { domain: app.example.com, networks: [10.0.0.0/8, '2001:db8:8::/64'], policy: bypass }
    - { domain: app.example.com, networks: [192.0.2.0/24], policy: deny }
    - { domain: app.example.com, policy: one_factor }
";

fn from(gate: &Gate, door: &'static str, header: &str, value: &str) -> u16 {
    ask(gate, &Question::new(door, APP, "/x").with(header, value)).status
}

#[test]
fn a30_a82_an_address_is_believed_from_trusted_proxies_only() {
    let outside = ENDPOINTS.replace(
        "location /",
        "auth_gate_trusted_proxies 192.0.2.0/24; location /",
    );
    let distrusting = Site::bed().rules(LAN).server(&outside).start();
    let trusting = Site::bed().rules(LAN).server(ENDPOINTS).start();
    let many = vec!["10.0.0.1"; 200].join(", ");
    for door in every() {
        for header in [
            "X-Forwarded-For",
            "X-Real-IP",
            "True-Client-IP",
            "CF-Connecting-IP",
        ] {
            assert_eq!(
                from(&distrusting, door, header, "10.0.0.1"),
                challenged(door),
                "{door} {header}"
            );
        }
        assert_eq!(
            from(&distrusting, door, "X-Forwarded-For", "192.0.2.1"),
            challenged(door),
            "{door}"
        );
        for (value, status) in [
            ("10.0.0.1", 200),
            (&many, 200),
            ("192.0.2.1", 403),
            ("10.0.0.1, 192.0.2.1", 200),
            ("192.0.2.1, 10.0.0.1", 403),
            ("a", challenged(door)),
            ("", challenged(door)),
            ("a, 10.0.0.1", challenged(door)),
            ("10.0.0.1:80", challenged(door)),
            ("10.0.0.01", challenged(door)),
        ] {
            assert_eq!(
                from(&trusting, door, "X-Forwarded-For", value),
                status,
                "{door} {value}"
            );
        }
        for header in ["X-Real-IP", "True-Client-IP", "CF-Connecting-IP"] {
            assert_eq!(
                from(&trusting, door, header, "10.0.0.1"),
                challenged(door),
                "{door} {header}"
            );
        }
    }
}

#[test]
fn a31_every_form_of_an_address_is_one() {
    let gate = Site::bed().rules(LAN).server(ENDPOINTS).start();
    for door in every() {
        for (value, status) in [
            ("::ffff:10.0.0.1", 200),
            ("::ffff:192.0.2.1", 403),
            ("2001:db8:8::ffff:1", 200),
            ("2001:db8:8:1::1", challenged(door)),
            ("fe80::1%eth0", challenged(door)),
        ] {
            assert_eq!(
                from(&gate, door, "X-Forwarded-For", value),
                status,
                "{door} {value}"
            );
        }
    }
}

#[test]
fn a32_claims_of_a_visitor_come_back_from_no_endpoint() {
    let gate = Site::bed().server(ENDPOINTS).start();
    let claims = |question: Question| {
        let claims = [
            "Remote-User",
            "Remote-Groups",
            "Remote-Name",
            "Remote-Email",
            "X-authentik-username",
            "X-authentik-groups",
            "X-authentik-uid",
            "X-authentik-jwt",
            "X-authentik-entitlements",
        ];
        claims
            .iter()
            .fold(question, |question, name| question.with(name, "bob"))
    };
    let alice = gate.signed_in("alice");
    for door in every() {
        let open = ask(
            &gate,
            &claims(Question::new(door, "public.example.com", "/x")),
        );
        assert_eq!(open.status, 200, "{door}");
        let own = ask(&gate, &claims(Question::new(door, APP, "/x").of(&alice)));
        assert_eq!(told(door, &own), Some("alice"), "{door}");
        for answer in [open, own] {
            let said = answer.headers.iter().any(|(_, value)| value == "bob");
            assert!(!said, "{door}: {answer:?}");
        }
        is_refused(&ask(&gate, &claims(Question::new(door, APP, "/x"))), door);
    }
}

#[test]
fn a82_no_address_is_banned_for_another_nor_dodges_its_own_ban() {
    let regulation = "regulation: { modes: [ip], max_retries: 2, find_time: 2m, ban_time: 5m }";
    let outside = ENDPOINTS.replace(
        "location /",
        "auth_gate_trusted_proxies 192.0.2.0/24; location /",
    );
    let site = |endpoints: &str| Site::bed().yaml(regulation).server(endpoints).start();
    let (distrusting, trusting) = (site(&outside), site(ENDPOINTS));
    let tried = |gate: &Gate, from: &str, password: &str| {
        let question = Question::new("forward-auth", APP, "/x").with("X-Forwarded-For", from);
        ask(
            gate,
            &question.with("Authorization", &basic("alice", password)),
        )
        .status
    };
    std::thread::scope(|scope| {
        for gate in [&distrusting, &trusting] {
            for from in ["198.51.100.1", "198.51.100.1"] {
                scope.spawn(move || assert_eq!(tried(gate, from, "wrong"), 401));
            }
        }
    });
    assert_eq!(
        tried(&distrusting, "203.0.113.5", "password"),
        401,
        "dodged its own ban"
    );
    assert_eq!(
        tried(&trusting, "198.51.100.1", "password"),
        401,
        "the visitor's address is banned"
    );
    for door in every().filter(|door| door.starts_with("outpost-")) {
        let question = Question::new(door, APP, "/x").with("X-Forwarded-For", "198.51.100.1");
        let right = question.with("Authorization", &basic("alice", "password"));
        assert_eq!(ask(&trusting, &right).status, 401, "{door}");
    }
    assert_eq!(tried(&trusting, "198.51.100.2", "password"), 200);
    trusting.signed_in("alice");
}

#[test]
fn a27_asking_opens_nothing_in_this_nginx() {
    let gate = Site::bed().server(ENDPOINTS).start();
    let bob = gate.signed_in("bob");
    assert_eq!(
        ask(
            &gate,
            &Question::new("auth-request", APP, "/admin/x").of(&bob)
        )
        .status,
        200
    );
    let nobody = gate.visitor();
    for target in [
        "/api/authz/auth-request",
        "/api/verify",
        "/api/authz/ext-authz//public/",
        "/outpost.goauthentik.io/auth/nginx",
        "/outpost.goauthentik.io/auth/envoy/public/",
        "/outpost.goauthentik.io/start",
        "/admin/x",
    ] {
        let headers = SOURCES.map(|name| (name, "https://app.example.com/public/"));
        nobody.is_refused_with(APP, target, &headers);
    }
}

#[test]
fn a17_a_path_with_dots_does_not_leave_the_endpoints() {
    let leaky = "server {
        listen @address@:8081;
        location / { return 200; }
        location /api/ { auth_gate_endpoints; }
        location /outpost.goauthentik.io/ { auth_gate_endpoints; }
    }";
    let gate = Site::bed().server(leaky).start();
    let headers = [("X-Forwarded-Proto".to_owned(), "https".to_owned())];
    let send = |target: &str| {
        let bytes = written("GET", target, APP, headers.iter());
        connect(&gate).send(bytes).answer()
    };
    assert_eq!(send("/elsewhere").status, 200);
    assert_eq!(send("/api/authz/ext-authz//public/x").status, 200);
    for path in [
        "/../../../x",
        "/..%2f../../x",
        "/%2e%2e/%2e%2e/%2e%2e/x",
        "/a/../../../../x",
    ] {
        is_refused(&send(&format!("/api/authz/ext-authz/{path}")), path);
        is_refused(
            &send(&format!("/outpost.goauthentik.io/auth/envoy{path}")),
            path,
        );
    }
    let judged = send("/api/authz/ext-authz//public/../x");
    assert_eq!(judged.status, 401, "{judged:?}");
}
