//! Proxies that do not run here, in the form in which their documentation says that they ask: Traefik's ForwardAuth,
//! Envoy's ext_authz over HTTP, ingress-nginx's auth-url. Each asks for a page without and with a session, for a script,
//! and for a form that is posted.

use super::harness::question::{ENDPOINTS, connect};
use super::harness::{Answer, Gate, Site};

const BROWSER: &str =
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r
Accept-Encoding: gzip, deflate, br, zstd\r
Accept-Language: en-GB,en;q=0.5\r
Sec-Fetch-Dest: document\r
Sec-Fetch-Mode: navigate\r
Sec-Fetch-Site: none\r
Upgrade-Insecure-Requests: 1\r
";

const SCRIPT: &str =
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r
Accept: application/json\r
Sec-Fetch-Mode: cors\r
X-Requested-With: XMLHttpRequest\r
";

/// With `trustForwardHeader` off, as it is unless said otherwise.
fn traefik(method: &str, visitor: &str) -> String {
    format!(
        "GET /api/authz/forward-auth HTTP/1.1\r
Host: gate:9091\r
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

/// `path_prefix: /api/authz/ext-authz/`, and `x-forwarded-proto` among the headers that are added.
fn envoy(method: &str, visitor: &str) -> String {
    let visitor = visitor
        .lines()
        .map(|line| match line.split_once(':') {
            Some((name, value)) => format!("{}:{value}\r\n", name.to_lowercase()),
            None => String::new(),
        })
        .collect::<String>();
    format!(
        "{method} /api/authz/ext-authz//deep?x=1 HTTP/1.1\r
host: app.example.com\r
content-length: 0\r
{visitor}x-forwarded-proto: https\r
x-envoy-internal: true\r
x-forwarded-for: 198.51.100.7\r
x-envoy-expected-rq-timeout-ms: 250\r
\r
"
    )
}

/// `nginx.ingress.kubernetes.io/auth-url: http://gate:9091/api/authz/auth-request`.
fn ingress(method: &str, visitor: &str) -> String {
    format!(
        "GET /api/authz/auth-request HTTP/1.1\r
Host: gate\r
X-Original-URL: https://app.example.com/deep?x=1\r
X-Original-Method: {method}\r
X-Sent-From: nginx-ingress-controller\r
X-Real-IP: 198.51.100.7\r
X-Forwarded-For: 198.51.100.7\r
X-Auth-Request-Redirect: /deep?x=1\r
Connection: close\r
{visitor}\r
"
    )
}

fn send(gate: &Gate, bytes: &str) -> Answer {
    connect(gate).send(bytes).answer()
}

#[test]
fn documented_questions_are_answered_as_their_proxies_expect() {
    let gate = Site::bed().server(ENDPOINTS).start();
    let cookie = gate.signed_in("alice").cookie_header("app.example.com")[0]
        .1
        .clone();
    let back = |method: &str| {
        let portal = gate.url("auth.example.com", "/");
        format!("{portal}?rd=https%3A%2F%2Fapp.example.com%2Fdeep%3Fx%3D1&rm={method}")
    };
    type Proxy = fn(&str, &str) -> String;
    for (name, proxy, page, form) in [
        ("Traefik", traefik as Proxy, 302, 303),
        ("Envoy", envoy, 302, 303),
        // Sends visitors to its `auth-signin` itself.
        ("ingress-nginx", ingress, 401, 401),
    ] {
        for (method, visitor, status) in [
            ("GET", BROWSER, page),
            ("POST", BROWSER, form),
            ("GET", SCRIPT, 401),
        ] {
            let answer = send(&gate, &proxy(method, visitor));
            assert_eq!(
                (answer.status, answer.location()),
                (status, back(method).as_str()),
                "{name}"
            );
        }
        for (method, visitor) in [("GET", BROWSER), ("POST", BROWSER), ("GET", SCRIPT)] {
            let visitor = format!("{visitor}Cookie: theme=dark; {cookie}\r\n");
            let answer = send(&gate, &proxy(method, &visitor));
            let told = [
                "Remote-User",
                "Remote-Groups",
                "Remote-Name",
                "Remote-Email",
            ];
            let told = told.map(|name| answer.header(name).unwrap_or_default());
            assert_eq!(answer.status, 200, "{name}");
            assert_eq!(
                told,
                ["alice", "users", "Alice Example", "alice@example.com"],
                "{name}"
            );
        }
    }
}
