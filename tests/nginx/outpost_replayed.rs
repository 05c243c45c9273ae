//! Proxies that were set up for authentik's outpost as its documentation says, and that ask the gate instead: Traefik,
//! Caddy, Envoy (Istio), ingress-nginx and HAProxy, in the form in which they ask. A page, a script and a form without and
//! with a session, the way to the login page and back, signing out. (nginx itself is run, in examples/proxies.rs.)

use super::harness::question::connect;
use super::harness::visitor::PORTAL;
use super::harness::{Answer, Gate, Site};

const APP: &str = "app.example.com";

/// For proxies only, as the README has it for Envoy, which tells no scheme.
const LISTENER: &str =
    "server { listen @address@:8081; auth_gate_scheme https; location / { auth_gate_endpoints; } }";

const BROWSER: &str =
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r
Sec-Fetch-Dest: document\r
Sec-Fetch-Mode: navigate\r
Sec-Fetch-Site: none\r
";

const SCRIPT: &str =
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r
Accept: application/json\r
Sec-Fetch-Mode: cors\r
X-Requested-With: XMLHttpRequest\r
";

/// `address: http://outpost:9000/outpost.goauthentik.io/auth/traefik`.
fn traefik(method: &str, visitor: &str) -> String {
    format!(
        "GET /outpost.goauthentik.io/auth/traefik HTTP/1.1\r
Host: outpost:9000\r
{visitor}X-Forwarded-For: 198.51.100.7\r
X-Forwarded-Host: app.example.com\r
X-Forwarded-Method: {method}\r
X-Forwarded-Port: 443\r
X-Forwarded-Proto: https\r
X-Forwarded-Server: traefik\r
X-Forwarded-Uri: /deep?x=1\r
X-Real-Ip: 198.51.100.7\r
\r
"
    )
}

/// `forward_auth http://outpost:9000 { uri /outpost.goauthentik.io/auth/caddy }`.
fn caddy(method: &str, visitor: &str) -> String {
    format!(
        "GET /outpost.goauthentik.io/auth/caddy HTTP/1.1\r
Host: app.example.com\r
{visitor}X-Forwarded-For: 198.51.100.7\r
X-Forwarded-Host: app.example.com\r
X-Forwarded-Method: {method}\r
X-Forwarded-Proto: https\r
X-Forwarded-Uri: /deep?x=1\r
\r
"
    )
}

/// `pathPrefix: /outpost.goauthentik.io/auth/envoy`, with `cookie` and `origin` as the only headers of the visitor's.
fn envoy(method: &str, visitor: &str) -> String {
    let cookie = visitor.lines().find(|line| line.starts_with("Cookie: "));
    let cookie = cookie.map_or(String::new(), |line| {
        format!("{line}\r\n").replacen('C', "c", 1)
    });
    format!(
        "{method} /outpost.goauthentik.io/auth/envoy/deep?x=1 HTTP/1.1\r
host: app.example.com\r
content-length: 0\r
{cookie}x-envoy-internal: true\r
x-forwarded-for: 198.51.100.7\r
x-envoy-expected-rq-timeout-ms: 600000\r
\r
"
    )
}

/// `nginx.ingress.kubernetes.io/auth-url: http://outpost:9000/outpost.goauthentik.io/auth/nginx`.
fn ingress(method: &str, visitor: &str) -> String {
    format!(
        "GET /outpost.goauthentik.io/auth/nginx HTTP/1.1\r
Host: outpost\r
X-Original-URL: https://app.example.com/deep?x=1\r
X-Original-Method: {method}\r
X-Sent-From: nginx-ingress-controller\r
X-Real-IP: 198.51.100.7\r
X-Forwarded-For: 198.51.100.7\r
X-Auth-Request-Redirect: /deep?x=1\r
X-Forwarded-Host: app.example.com\r
Connection: close\r
{visitor}\r
"
    )
}

/// `http-request lua.auth-intercept … /outpost.goauthentik.io/auth/nginx HEAD …`.
fn haproxy(method: &str, visitor: &str) -> String {
    let passed = visitor.lines().filter(|line| {
        let passed = ["User-Agent: ", "Cookie: ", "Accept: "];
        passed.iter().any(|name| line.starts_with(name))
    });
    let passed: String = passed.map(|line| format!("{}\r\n", lower(line))).collect();
    format!(
        "HEAD /outpost.goauthentik.io/auth/nginx HTTP/1.1\r
host: outpost.company:9000\r
x-original-url: https://app.example.com/deep?x=1\r
x-real-ip: 198.51.100.7\r
x-forwarded-for: 198.51.100.7\r
x-forwarded-method: {method}\r
x-forwarded-proto: https\r
x-forwarded-host: app.example.com\r
{passed}\r
"
    )
}

fn lower(line: &str) -> String {
    let (name, value) = line.split_once(':').unwrap();
    format!("{}:{value}", name.to_lowercase())
}

fn send(gate: &Gate, bytes: &str) -> Answer {
    let answer = connect(gate)
        .send(bytes)
        .try_answer(bytes.starts_with("HEAD"));
    answer.expect("an answer")
}

/// What the route of `/outpost.goauthentik.io/` passes on.
fn routed(gate: &Gate, target: &str, visitor: &str) -> Answer {
    let bytes = format!(
        "GET /outpost.goauthentik.io{target} HTTP/1.1\r
Host: app.example.com\r
{visitor}X-Forwarded-For: 198.51.100.7\r
X-Forwarded-Host: app.example.com\r
X-Forwarded-Proto: https\r
\r
"
    );
    send(gate, &bytes)
}

type Proxy = fn(&str, &str) -> String;

/// Where the proxy itself sends a visitor, when it is told no more than 401.
const PROXIES: [(&str, Proxy, Option<&str>); 5] = [
    ("Traefik", traefik, None),
    ("Caddy", caddy, None),
    ("Envoy", envoy, None),
    (
        "ingress-nginx",
        ingress,
        Some("/start?rd=https://app.example.com%2Fdeep%3Fx%3D1"),
    ),
    (
        "HAProxy",
        haproxy,
        Some("/start?rd=https%3A%2F%2Fapp.example.com%2Fdeep%3Fx%3D1"),
    ),
];

#[test]
fn documented_questions_are_answered_as_their_proxies_expect() {
    let gate = Site::bed().server(LISTENER).start();
    let back = format!(
        "{}?rd=https%3A%2F%2Fapp.example.com%2Fdeep%3Fx%3D1",
        gate.url(PORTAL, "/")
    );
    for (name, proxy, start) in PROXIES {
        for (method, visitor) in [("GET", BROWSER), ("POST", BROWSER), ("GET", SCRIPT)] {
            let answer = send(&gate, &proxy(method, visitor));
            let (status, said) = match start {
                None => (302, format!("{back}&rm={method}")),
                Some(_) => (401, back.clone()),
            };
            assert_eq!(
                (answer.status, answer.location()),
                (status, said.as_str()),
                "{name}"
            );
        }
        // From there to the login page, through its form and back.
        let login = match start {
            Some(start) => routed(&gate, start, BROWSER),
            None => send(&gate, &proxy("GET", BROWSER)),
        };
        assert_eq!(login.status, 302, "{name}");
        let mut alice = gate.visitor();
        let returned = alice.sign_in_by_form(login.location(), "alice", "password");
        assert_eq!(
            returned.location(),
            "https://app.example.com/deep?x=1",
            "{name}"
        );

        let cookie = alice.cookie_header(APP)[0].1.clone();
        let signed_in = |visitor: &str| format!("{visitor}Cookie: theme=dark; {cookie}\r\n");
        for (method, visitor) in [("GET", BROWSER), ("POST", BROWSER), ("GET", SCRIPT)] {
            let answer = send(&gate, &proxy(method, &signed_in(visitor)));
            let told = ["username", "groups", "email", "name", "entitlements"];
            let told = told.map(|name| answer.header(&format!("X-authentik-{name}")));
            let alice = ["alice", "users", "alice@example.com", "Alice Example", ""];
            assert_eq!((answer.status, told), (200, alice.map(Some)), "{name}");
        }
        let shut = proxy("GET", &signed_in(BROWSER)).replace("/deep", "/admin/x");
        let answer = send(&gate, &shut);
        assert_eq!((answer.status, answer.location()), (403, ""), "{name}");

        let left = routed(&gate, "/sign_out", &signed_in(BROWSER));
        let told = (left.status, left.location());
        assert_eq!(told, (302, gate.url(PORTAL, "/logout").as_str()), "{name}");
        let answer = send(&gate, &proxy("GET", &signed_in(BROWSER)));
        assert_eq!(
            answer.status,
            if start.is_some() { 401 } else { 302 },
            "{name}"
        );
    }
}
