//! A proxy that asks the authorization endpoints about a visitor's request.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Answer, Connection, Gate, Visitor};

/// A listener for other proxies, beside the gate's own sites.
pub const ENDPOINTS: &str = "server { listen @address@:8081; keepalive_requests 10000; location / { auth_gate_endpoints; } }";

/// The endpoints of a configuration that names none.
pub const DOORS: [&str; 4] = ["auth-request", "forward-auth", "ext-authz", "legacy"];

/// authentik's, which there are always.
pub const OUTPOST: [&str; 4] = [
    "outpost-nginx",
    "outpost-traefik",
    "outpost-caddy",
    "outpost-envoy",
];

/// All of them.
pub fn every() -> impl Iterator<Item = &'static str> {
    DOORS.into_iter().chain(OUTPOST)
}

/// Whom an answer of that endpoint names.
pub fn told<'a>(door: &str, answer: &'a Answer) -> Option<&'a str> {
    let name = match door.starts_with("outpost-") {
        true => "X-authentik-username",
        false => "Remote-User",
    };
    answer.header(name).filter(|name| !name.is_empty())
}

/// The status with which that endpoint sends a script to the portal.
pub fn challenged(door: &str) -> u16 {
    match door {
        "outpost-traefik" | "outpost-caddy" | "outpost-envoy" => 302,
        _ => 401,
    }
}

/// A proxy's request to an endpoint, about a visitor's.
#[derive(Clone)]
pub struct Question {
    pub door: &'static str,
    pub method: String,
    pub host: String,
    pub target: String,
    /// What follows the endpoint's path.
    pub query: String,
    pub headers: Vec<(String, String)>,
}

impl Question {
    pub fn new(door: &'static str, host: &str, target: &str) -> Question {
        Question {
            door,
            method: "GET".into(),
            host: host.into(),
            target: target.into(),
            query: String::new(),
            headers: Vec::new(),
        }
    }

    pub fn method(mut self, method: &str) -> Question {
        self.method = method.into();
        self
    }

    pub fn query(mut self, query: &str) -> Question {
        self.query = format!("?{query}");
        self
    }

    pub fn with(mut self, name: &str, value: &str) -> Question {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn of(mut self, visitor: &Visitor<'_>) -> Question {
        self.headers.extend(visitor.cookie_header(&self.host));
        self
    }

    /// Method and target of the request line, `Host`, and the headers that say what is asked for.
    pub fn form(&self) -> (String, String, String, Vec<(String, String)>) {
        let owned = |pairs: &[(&str, &str)]| {
            let owned = |(name, value): &(&str, &str)| ((*name).into(), (*value).into());
            pairs.iter().map(owned).collect::<Vec<(String, String)>>()
        };
        let (host, target, method) = (&self.host, &self.target, &self.method);
        let url = format!("https://{host}{target}");
        let forwarded = owned(&[
            ("X-Forwarded-Method", method),
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Host", host),
            ("X-Forwarded-URI", target),
        ]);
        let get = |path: &str, headers| {
            let target = format!("{path}{}", self.query);
            ("GET".into(), target, "auth.internal".into(), headers)
        };
        match self.door {
            "auth-request" => get(
                "/api/authz/auth-request",
                owned(&[("X-Original-Method", method), ("X-Original-URL", &url)]),
            ),
            "forward-auth" => get("/api/authz/forward-auth", forwarded),
            "ext-authz" => (
                method.clone(),
                format!("/api/authz/ext-authz/{target}"),
                host.clone(),
                owned(&[("X-Forwarded-Proto", "https")]),
            ),
            "outpost-nginx" => get(
                "/outpost.goauthentik.io/auth/nginx",
                owned(&[("X-Original-URL", &url)]),
            ),
            "outpost-traefik" => get("/outpost.goauthentik.io/auth/traefik", forwarded),
            "outpost-caddy" => get("/outpost.goauthentik.io/auth/caddy", forwarded),
            "outpost-envoy" => (
                method.clone(),
                format!("/outpost.goauthentik.io/auth/envoy{target}"),
                host.clone(),
                owned(&[("X-Forwarded-Proto", "https")]),
            ),
            _ => get("/api/verify", forwarded),
        }
    }

    /// The request as it is sent.
    pub fn bytes(&self) -> Vec<u8> {
        let (method, target, host, headers) = self.form();
        written(&method, &target, &host, headers.iter().chain(&self.headers))
    }
}

/// A request, as it is sent.
pub fn written<'h>(
    method: &str,
    target: &str,
    host: &str,
    headers: impl Iterator<Item = &'h (String, String)>,
) -> Vec<u8> {
    let mut text = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    (text + "\r\n").into_bytes()
}

/// A connection to the endpoints.
pub fn connect(gate: &Gate) -> Connection {
    Connection::plain(SocketAddr::from((gate.address().ip, 8081)))
}

/// The answer over a connection of its own.
pub fn ask(gate: &Gate, question: &Question) -> Answer {
    send(&mut connect(gate), question)
}

/// The answer over a connection that is kept.
pub fn send(connection: &mut Connection, question: &Question) -> Answer {
    let own = matches!(question.door, "ext-authz" | "outpost-envoy");
    let head = own && question.method == "HEAD";
    let answer = connection.send(question.bytes()).try_answer(head);
    answer.unwrap_or_else(|error| panic!("no answer at {}: {error}", question.door))
}

/// The value of a header with name and password.
pub fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}
