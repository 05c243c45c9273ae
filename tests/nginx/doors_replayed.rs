//! Proxies that do not run here, in the form in which their documentation says that they ask: Traefik's ForwardAuth,
//! Envoy's ext_authz over HTTP, ingress-nginx's auth-url, each set up as nginx-conf/other-proxies has it. Each asks for a
//! page without and with a session, for a script, for a WebSocket, and for a form that is posted.

use serde_yaml::Value;

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

const SOCKET: &str = "Connection: Upgrade\r
Upgrade: websocket\r
Sec-Fetch-Mode: websocket\r
Sec-WebSocket-Version: 13\r
";

/// What people copy: the questions below are made of it.
const TRAEFIK: &str = include_str!("../../nginx-conf/other-proxies/traefik.yml");
const ENVOY: &str = include_str!("../../nginx-conf/other-proxies/envoy.yml");
const INGRESS: &str = include_str!("../../nginx-conf/other-proxies/ingress-nginx.yml");

const NAMES: [&str; 4] = [
    "remote-user",
    "remote-groups",
    "remote-name",
    "remote-email",
];

/// A value of a file; in a list a number is a place, anything else the name of an entry.
fn value(file: &str, path: &[&str]) -> Value {
    let mut value: Value = serde_yaml::from_str(file).expect("YAML");
    for key in path {
        let found = match &value {
            Value::Sequence(entries) => match key.parse::<usize>() {
                Ok(place) => entries.get(place),
                Err(_) => entries.iter().find(|entry| entry["name"] == *key),
            },
            value => value.get(key),
        };
        value = found.unwrap_or_else(|| panic!("no {key}")).clone();
    }
    value
}

fn text(file: &str, path: &[&str]) -> String {
    let value = value(file, path);
    value.as_str().expect("a text").to_owned()
}

/// All texts of a list, or those that its entries have under `key`.
fn texts(file: &str, path: &[&str], key: &str) -> Vec<String> {
    let list = value(file, path);
    let entries = list.as_sequence().expect("a list").iter();
    let texts = entries.map(|entry| entry.get(key).unwrap_or(entry).as_str());
    texts
        .map(|text| text.expect("a text").to_lowercase())
        .collect()
}

const FORWARD_AUTH: [&str; 4] = ["http", "middlewares", "auth-gate", "forwardAuth"];
const HTTP_FILTERS: [&str; 10] = [
    "static_resources",
    "listeners",
    "0",
    "filter_chains",
    "0",
    "filters",
    "0",
    "typed_config",
    "http_filters",
    "envoy.filters.http.ext_authz",
];
const ANNOTATIONS: [&str; 2] = ["metadata", "annotations"];

fn of_traefik(key: &str) -> Vec<&str> {
    [&FORWARD_AUTH[..], &[key]].concat()
}

fn of_envoy<'k>(keys: &[&'k str]) -> Vec<&'k str> {
    [&HTTP_FILTERS[..], &["typed_config"], keys].concat()
}

fn of_ingress(name: &str) -> String {
    let name = format!("nginx.ingress.kubernetes.io/{name}");
    text(INGRESS, &[&ANNOTATIONS[..], &[&name]].concat())
}

/// With `trustForwardHeader` off, as it is unless said otherwise. Headers of the visitor's connection stay behind.
fn traefik(method: &str, visitor: &str) -> String {
    let visitor = visitor.replace("Connection: Upgrade\r\nUpgrade: websocket\r\n", "");
    let address = text(TRAEFIK, &of_traefik("address"));
    let path = address.strip_prefix("http://gate:9091").expect("the gate");
    format!(
        "GET {path} HTTP/1.1\r
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

/// Of the visitor's headers only those that the file lets through; Envoy appends its own address to the visitor's.
fn envoy(method: &str, visitor: &str) -> String {
    let prefix = text(ENVOY, &of_envoy(&["http_service", "path_prefix"]));
    let allowed = texts(ENVOY, &of_envoy(&["allowed_headers", "patterns"]), "exact");
    let visitor = visitor
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value))
        .filter(|(name, _)| allowed.contains(name))
        .map(|(name, value)| format!("{name}:{value}\r\n"))
        .collect::<String>();
    let added = of_envoy(&["http_service", "authorization_request", "headers_to_add"]);
    let added = texts(ENVOY, &added, "key")
        .into_iter()
        .zip(texts(ENVOY, &added, "value"));
    let added = added
        .map(|(name, value)| match value.as_str() {
            "%req(:scheme)%" => format!("{name}: https\r\n"),
            "%downstream_remote_address_without_port%" => {
                format!("{name}: 198.51.100.7,10.0.0.9\r\n")
            }
            other => panic!("what does Envoy make of {other}?"),
        })
        .collect::<String>();
    format!(
        "{method} {prefix}/deep?x=1 HTTP/1.1\r
host: app.example.com\r
content-length: 0\r
{visitor}{added}x-envoy-internal: true\r
x-envoy-expected-rq-timeout-ms: 10000\r
\r
"
    )
}

fn ingress(method: &str, visitor: &str) -> String {
    let url = of_ingress("auth-url");
    let path = url.find("/api/").expect("an endpoint");
    format!(
        "GET {} HTTP/1.1\r
Host: gate\r
X-Original-URL: https://app.example.com/deep?x=1\r
X-Original-Method: {method}\r
X-Sent-From: nginx-ingress-controller\r
X-Real-IP: 198.51.100.7\r
X-Forwarded-For: 198.51.100.7\r
X-Auth-Request-Redirect: /deep?x=1\r
Connection: close\r
{visitor}\r
",
        &url[path..]
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
            ("GET", SOCKET, 401),
        ] {
            let answer = send(&gate, &proxy(method, visitor));
            assert_eq!(
                (answer.status, answer.location()),
                (status, back(method).as_str()),
                "{name}"
            );
        }
        for (method, visitor) in [
            ("GET", BROWSER),
            ("POST", BROWSER),
            ("GET", SCRIPT),
            ("GET", SOCKET),
        ] {
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

#[test]
fn documented_files_take_a_visitors_claims_away() {
    let trusted = value(TRAEFIK, &of_traefik("trustForwardHeader"));
    assert_eq!(trusted, Value::Bool(false));
    let told = texts(TRAEFIK, &of_traefik("authResponseHeaders"), "");
    assert_eq!(told, NAMES);

    let open = value(ENVOY, &of_envoy(&["failure_mode_allow"]));
    assert_eq!(open, Value::Bool(false));
    let told = of_envoy(&[
        "http_service",
        "authorization_response",
        "allowed_upstream_headers",
        "patterns",
    ]);
    assert_eq!(texts(ENVOY, &told, "exact"), NAMES);
    let filters = &HTTP_FILTERS[..HTTP_FILTERS.len() - 1];
    let order = texts(ENVOY, filters, "name");
    assert!(order[0].ends_with(".header_mutation") && order[1].ends_with(".ext_authz"));
    let first = ["0", "typed_config", "mutations", "request_mutations"];
    let removed = texts(ENVOY, &[filters, &first].concat(), "remove");
    assert_eq!(removed, NAMES);
    let manager = &filters[..filters.len() - 1];
    let remote = value(ENVOY, &[manager, &["use_remote_address"]].concat());
    assert_eq!(remote, Value::Bool(true));

    let told = of_ingress("auth-response-headers").to_lowercase();
    assert_eq!(told.split(',').collect::<Vec<_>>(), NAMES);
}

#[test]
fn the_page_to_which_ingress_nginx_leads_leads_back() {
    let gate = Site::bed().start();
    let signin = of_ingress("auth-signin");
    let signin = signin
        .strip_prefix("https://auth.example.com")
        .expect("the portal");
    let signin = signin.replace("$request_method", "GET");
    let url = gate.url("auth.example.com", &signin);
    let target = gate.url("app.example.com", "%2Fdeep%3Fx%3D1");
    let mut alice = gate.visitor();
    let back = alice.sign_in_by_form(&format!("{url}&rd={target}"), "alice", "password");
    assert_eq!(back.location(), gate.url("app.example.com", "/deep?x=1"));
}
