//! No header of the client takes part in where it goes, who it is or where it comes from.

use super::harness::{Ask, Gate, Site};

const APP: &str = "app.example.com";

fn header_changes_nothing(gate: &Gate, headers: &[(&str, &str)]) {
    let (nobody, alice) = (gate.visitor(), gate.signed_in("alice"));
    let plain = nobody.is_refused(APP, "/admin/x?a=1");
    for header in headers {
        let challenge = nobody.is_refused_with(APP, "/admin/x?a=1", &[*header]);
        assert_eq!(
            (challenge.status, challenge.location()),
            (plain.status, plain.location()),
            "{header:?}"
        );
        assert_eq!(
            alice.is_refused_with(APP, "/admin/x", &[*header]).status,
            403,
            "{header:?}"
        );
    }
}

#[test]
fn a27_client_routing_headers_are_ignored() {
    let gate = Site::bed().start();
    let names = [
        "X-Original-URL",
        "X-Original-URI",
        "X-Rewrite-URL",
        "X-Override-URL",
        "X-Original-Path",
        "X-Accel-Redirect",
    ];
    let values = [
        "/public/",
        "https://public.example.com/",
        "https://auth.example.com/",
        "/api/health",
    ];
    let headers: Vec<_> = names
        .iter()
        .flat_map(|name| values.map(|value| (*name, value)))
        .collect();
    header_changes_nothing(&gate, &headers);
}

#[test]
fn a28_forwarded_paths_and_methods_are_ignored() {
    let gate = Site::bed().start();
    let headers = [
        ("X-Forwarded-Uri", "/public/"),
        ("X-Forwarded-Prefix", "/public"),
        ("X-Forwarded-Path", "/public/"),
        ("X-Forwarded-Method", "OPTIONS"),
        ("X-Original-Method", "OPTIONS"),
        ("X-Forwarded-Server", "public.example.com"),
    ];
    header_changes_nothing(&gate, &headers);
}

#[test]
fn a29_forwarded_hosts_and_schemes_reach_neither_redirect_nor_cookie() {
    let gate = Site::bed().start();
    let headers = [
        ("X-Forwarded-Host", "public.example.com"),
        ("X-Forwarded-Host", "evil.org"),
        ("X-Host", "evil.org"),
        ("X-Forwarded-Proto", "javascript"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Scheme", "http"),
        ("X-Forwarded-Ssl", "off"),
        ("X-Forwarded-Port", "1"),
        ("Forwarded", "host=evil.org;proto=http;for=10.0.0.1"),
    ];
    header_changes_nothing(&gate, &headers);

    let body = serde_json::json!({"username": "alice", "password": "password"});
    for (name, value) in headers {
        let mut visitor = gate.visitor();
        let answer = visitor.send(
            &Ask::api("POST", "auth.example.com", "/api/firstfactor", &body).with(name, value),
        );
        assert_eq!(answer.status, 200, "{name}: {value}");
        let session = visitor.session();
        assert!(
            session.attribute("secure").is_some() && session.domain == "example.com",
            "{session:?}"
        );
        assert!(!format!("{answer:?}").contains("evil"), "{answer:?}");
    }
}

const NETWORK_RULES: &str = "access_control:
  default_policy: deny
  networks:
    - { name: internal, networks: [10.0.0.0/8, '2001:db8:0:1::/64'] }
  rules:
    - { domain: app.example.com, networks: internal, policy: bypass }
    - { domain: api.example.com, networks: 127.0.0.0/8, policy: deny }
    - { domain: '*.example.com', policy: one_factor }
";

#[test]
fn a30_the_address_is_that_of_the_connection() {
    let gate = Site::bed().rules(NETWORK_RULES).start();
    let alice = gate.signed_in("alice");
    let many = vec!["10.0.0.1"; 200].join(", ");
    let names = [
        "X-Forwarded-For",
        "X-Real-IP",
        "True-Client-IP",
        "CF-Connecting-IP",
        "X-Client-IP",
        "X-Cluster-Client-IP",
    ];
    for name in names {
        for value in [
            "10.0.0.1",
            "a",
            "",
            "2001:db8:0:1::1",
            &many,
            "10.0.0.1:80",
            "::ffff:10.0.0.1",
        ] {
            gate.visitor().is_refused_with(APP, "/x", &[(name, value)]);
            assert_eq!(
                alice
                    .is_refused_with("api.example.com", "/x", &[(name, value)])
                    .status,
                403,
                "{name}: {value}"
            );
        }
    }
}

#[test]
fn a31_nginx_says_which_proxies_to_believe() {
    let trusted =
        "set_real_ip_from 127.0.0.0/8; real_ip_header X-Forwarded-For; real_ip_recursive on;";
    let gate = Site::bed().rules(NETWORK_RULES).http(trusted).start();
    let nobody = gate.visitor();
    for inside in [
        "10.0.0.1",
        "203.0.113.9, 10.0.0.1",
        "10.0.0.1, 127.0.0.9",
        "::ffff:10.0.0.1",
        "2001:db8:0:1::5",
    ] {
        nobody.is_let_in_with(APP, "/x", &[("X-Forwarded-For", inside)]);
    }
    for outside in [
        "10.0.0.1, 203.0.113.9",
        "fe80::1%eth0",
        "2001:db8:0:2::5",
        "10.0.0.1, nonsense",
        "::ffff:11.0.0.1",
        "11.0.0.1",
    ] {
        nobody.is_refused_with(APP, "/x", &[("X-Forwarded-For", outside)]);
    }
}

#[test]
fn a72_neither_user_agent_nor_health_path_nor_loopback_opens_anything() {
    let health = "server { @listen@ server_name health.example.com; auth_gate on; auth_gate_unauthenticated ^/healthz$; location / { @proxy@ } }";
    let gate = Site::bed().server(health).start();
    let nobody = gate.visitor();
    nobody.is_let_in("health.example.com", "/healthz");
    nobody.is_refused("health.example.com", "/healthz/x");
    for agent in ["GoogleHC/1.0", "kube-probe/1.30", "ELB-HealthChecker/2.0"] {
        for target in ["/healthz", "/ping", "/ready", "/metrics"] {
            nobody.is_refused_with(
                APP,
                target,
                &[("User-Agent", agent), ("X-Forwarded-For", "127.0.0.1")],
            );
        }
    }
}
