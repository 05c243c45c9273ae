//! The 5,000 recorded answers of an Authelia's authorization endpoints, asked for again over the wire: the same
//! status, address and identity, but where a rule of ours says otherwise.

#[path = "../authz/doors.rs"]
mod asked;
#[path = "../authz/recorded.rs"]
mod recorded;
#[path = "../authz/rooms.rs"]
mod rooms;

use asked as doors;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use ngx_http_auth_gate_module::store::{Algorithm, Factors as _, NewTotp};
use serde_json::{Value, json};

use super::harness::place::give;
use super::harness::visitor::Cookie;
use super::harness::{self, Ask, Connection, Gate, Site};
use super::second_factor::{code_of, now};
use super::storage::open;
use recorded::{Answer, Line};
use rooms::{Ours, Terms};

const CONFIGURATION: &str = include_str!("../authz/configuration.yml");
const USERS: &str = include_str!("../authz/users.yml");
const KEY: &str = "golden-storage-encryption-key-of-some-length";
const SECRET: &[u8] = b"12345678901234567890";

/// More codes than a person types.
const UNLIMITED: &str = "server:
  endpoints:
    rate_limits:
      second_factor_totp:
        enable: false
";

/// Where the endpoints listen, and the portals.
const SERVERS: &str = "server {
        listen @address@:8081;
        keepalive_requests 10000;
        location / { auth_gate_endpoints; }
    }
    server {
        @clear@
        server_name auth.example.com;
        auth_gate_scheme https;
        location / { auth_gate_portal; }
    }
    server {
        @clear@
        server_name login.example.org;
        auth_gate_scheme https;
        location /sso { auth_gate_portal; }
    }";

fn site() -> Site {
    let configuration = CONFIGURATION.replace("'db.sqlite3'", "'store/db.sqlite3'") + UNLIMITED;
    Site::bed()
        .http_only("auth_gate_config @prefix@/configuration.yml; auth_gate_zone auth_gate:2m;")
        .app_only("")
        .public("location / { @proxy@ }")
        .portal("location / { @proxy@ }")
        .server(SERVERS)
        .file("configuration.yml", &configuration)
        .file("users.yml", USERS)
        .file("store/.keep", "")
        .prepare(enrol)
}

fn enrol(prefix: &Path) {
    let store = open(prefix, KEY);
    let random = &mut |bytes: &mut [u8]| getrandom::fill(bytes).unwrap();
    for user in ["alice", "bob", "carol", "erin"] {
        let device = NewTotp {
            user: user.into(),
            name: "phone".into(),
            issuer: "example.com".into(),
            algorithm: Algorithm::Sha1,
            digits: 6,
            period: 30,
            secret: SECRET.to_vec().into(),
        };
        store.add_totp(&device, now(), random).unwrap();
    }
    drop(store);
    give(&prefix.join("store"));
    for ending in ["", "-wal", "-shm"] {
        let path = prefix.join(format!("store/db.sqlite3{ending}"));
        if path.exists() {
            give(&path);
        }
    }
}

/// Who is signed in: user, level and cookie domain.
type Holder = (String, u8, String);

/// A proxy that asks, on one connection as long as that lasts.
struct Proxy<'g> {
    gate: &'g Gate,
    connection: Option<Connection>,
    sessions: BTreeMap<Holder, Cookie>,
}

impl Proxy<'_> {
    fn ask(&mut self, line: &Line) -> harness::Answer {
        self.ask_at(line, None)
    }

    /// The same at one of authentik's endpoints.
    fn ask_at(&mut self, line: &Line, outpost: Option<&str>) -> harness::Answer {
        let cookie = self.session(line);
        let mut bytes = bytes(line, cookie.as_deref());
        if let Some(outpost) = outpost {
            let text = String::from_utf8(bytes).unwrap();
            let own = match line.door.as_str() {
                // There the visitor's path follows without a slash between.
                "ext-authz" => "/api/authz/ext-authz/".to_owned(),
                door => format!("/api/authz/{door}"),
            };
            let place = format!("/outpost.goauthentik.io/auth/{outpost}");
            bytes = text.replacen(&own, &place, 1).into_bytes();
        }
        let to = SocketAddr::from((self.gate.address().ip, 8081));
        let connection = self.connection.get_or_insert_with(|| Connection::plain(to));
        let head = line.door == "ext-authz" && line.method == "HEAD";
        let answer = connection.send(bytes).try_answer(head);
        let answer = answer.unwrap_or_else(|error| panic!("no answer to {line:?}: {error}"));
        if answer.header("Connection") == Some("close") {
            self.connection = None;
        }
        answer
    }

    /// The cookie that the line is asked with; one that names somebody else beside it is used once.
    fn session(&mut self, line: &Line) -> Option<String> {
        let domain = line.cookie_domain.clone()?;
        let holder = (line.user.clone()?, line.level, domain);
        let shown = |cookie: &Cookie| format!("{}={}", cookie.name, cookie.value);
        if line.session_username.is_some() {
            return Some(shown(&self.sign_in(&holder)));
        }
        if let Some(cookie) = self.sessions.get(&holder) {
            return Some(shown(cookie));
        }
        let cookie = self.sign_in(&holder);
        let shown = shown(&cookie);
        self.sessions.insert(holder, cookie);
        Some(shown)
    }

    fn sign_in(&self, (user, level, domain): &Holder) -> Cookie {
        let (host, base) = match domain.as_str() {
            "example.com" => ("auth.example.com", ""),
            _ => ("login.example.org", "/sso"),
        };
        let mut jar = self.gate.visitor();
        let mut send = |path: &str, body: Value| {
            let ask = Ask::api("POST", host, &format!("{base}{path}"), &body);
            let bytes = ask.bytes(&jar.cookie_header(host));
            let answer = self.gate.connect_plain().send(bytes).answer();
            assert_eq!(answer.status, 200, "{user} at {path}: {}", answer.text());
            jar.keep(host, &answer);
        };
        send(
            "/api/firstfactor",
            json!({"username": user, "password": "password"}),
        );
        if *level == 2 {
            send(
                "/api/secondfactor/totp",
                json!({"token": code_of(SECRET, 0)}),
            );
        }
        jar.session().clone()
    }
}

/// The request of a proxy, as the recorder made it.
fn bytes(line: &Line, cookie: Option<&str>) -> Vec<u8> {
    let mut headers: Vec<(&str, String)> = Vec::new();
    let mut put = |dropped: &str, name: &'static str, value: &str| {
        if line.drop.as_deref() != Some(dropped) {
            headers.push((name, value.to_owned()));
        }
    };
    let forwarded = |put: &mut dyn FnMut(&str, &'static str, &str)| {
        if line.drop.as_deref() != Some("url") {
            put("proto", "X-Forwarded-Proto", &line.scheme);
            put("host", "X-Forwarded-Host", &line.host);
            put("uri", "X-Forwarded-URI", &line.target);
        }
    };
    let url = format!("{}://{}{}", line.scheme, line.host, line.target);
    let (mut method, mut host) = ("GET", "auth.internal");
    let mut target = match line.door.as_str() {
        "auth-request" => {
            put("method", "X-Original-Method", &line.method);
            put("url", "X-Original-URL", &url);
            "/api/authz/auth-request".to_owned()
        }
        "forward-auth" => {
            put("method", "X-Forwarded-Method", &line.method);
            forwarded(&mut put);
            "/api/authz/forward-auth".to_owned()
        }
        "ext-authz" => {
            put("proto", "X-Forwarded-Proto", &line.scheme);
            (method, host) = (&line.method, &line.host);
            format!("/api/authz/ext-authz/{}", line.target)
        }
        _ => {
            put("method", "X-Forwarded-Method", &line.method);
            match line.target.len() % 2 {
                1 => put("url", "X-Original-URL", &url),
                _ => forwarded(&mut put),
            }
            "/api/verify".to_owned()
        }
    };
    put("ip", "X-Forwarded-For", &line.ip);
    let query = query(line);
    match (line.door.as_str(), &line.portal) {
        ("ext-authz", Some(portal)) => headers.push(("X-Authelia-URL", portal.clone())),
        ("ext-authz", None) => {}
        _ if query.is_empty() => {}
        _ => target += &format!("?{query}"),
    }
    for (name, value) in [
        ("Accept", &line.accept),
        ("X-Requested-With", &line.xhr),
        ("Authorization", &line.authorization),
        ("Proxy-Authorization", &line.proxy_authorization),
        ("Session-Username", &line.session_username),
        ("Cookie", &cookie.map(str::to_owned)),
    ] {
        if let Some(value) = value {
            headers.push((name, value.clone()));
        }
    }
    let mut text = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    (text + "\r\n").into_bytes()
}

fn query(line: &Line) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(portal) = &line.portal {
        let name = match line.door.as_str() {
            "verify" => "rd",
            _ => "authelia_url",
        };
        query.append_pair(name, portal);
    }
    if line.auth_basic {
        query.append_pair("auth", "basic");
    }
    query.finish()
}

/// What a recording keeps of an answer.
fn kept(answer: &harness::Answer) -> Answer {
    let header = |name| answer.header(name).map(str::to_owned);
    Answer {
        status: answer.status,
        location: header("Location"),
        authenticate: header("WWW-Authenticate"),
        remote_user: header("Remote-User"),
        remote_groups: header("Remote-Groups"),
        remote_name: header("Remote-Name"),
        remote_email: header("Remote-Email"),
    }
}

/// nginx itself answers it, and no endpoint sees it.
fn is_nginx(line: &Line, answer: &Answer) -> bool {
    line.door == "ext-authz" && line.method == "TRACE" && *answer == Answer::status(405)
}

#[test]
fn every_recorded_answer_is_given_again_over_the_wire() {
    let gate = site().start();
    let config = recorded::config();
    let mut proxy = Proxy {
        gate: &gate,
        connection: None,
        sessions: BTreeMap::new(),
    };
    let mut differences: BTreeMap<Option<Ours>, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (number, line) in (1..).zip(&recorded::lines()) {
        let answer = kept(&proxy.ask(line));
        if answer == line.answer {
            continue;
        }
        let rule = match rooms::explain(&config, line) {
            _ if is_nginx(line, &answer) => Some(None),
            Some(rule) if answer == rooms::answer(&config, line, Terms::OURS) => Some(Some(rule)),
            _ => None,
        };
        match rule {
            Some(rule) => *differences.entry(rule).or_default() += 1,
            None => wrong.push(format!(
                "line {number}: {line:?}\n  over the wire: {answer:?}"
            )),
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    let counted = [
        (None, 30),
        (Some(Ours::ControlCharacter), 61),
        (Some(Ours::AmbiguousPath), 14),
        (Some(Ours::HostForm), 53),
        (Some(Ours::Query), 53),
        (Some(Ours::HttpPortal), 46),
    ];
    assert_eq!(differences, counted.into());
    assert!(gate.backend().take().is_empty());
}

/// What authentik's endpoints make of a challenge: everybody is sent to the portal.
fn as_authentik(answer: &Answer) -> (u16, Option<&str>, Option<&str>) {
    let status = match (answer.status, &answer.location) {
        (303 | 401, Some(_)) => 302,
        (status, _) => status,
    };
    (
        status,
        answer.location.as_deref(),
        answer.remote_user.as_deref(),
    )
}

#[test]
fn authentiks_endpoints_decide_as_the_recorded_ones_do() {
    let gate = site().start();
    let mut proxy = Proxy {
        gate: &gate,
        connection: None,
        sessions: BTreeMap::new(),
    };
    let (mut alike, mut stricter, mut wrong) = (0, 0, Vec::new());
    let comparable = |line: &&Line| {
        // A path without a slash cannot follow the endpoint's own.
        let no_path = line.door == "ext-authz" && line.target.starts_with('%');
        let odd = no_path || line.portal.is_some() || line.session_username.is_some();
        !odd && line.authorization.is_none() && line.method != "TRACE"
    };
    for line in recorded::lines().iter().filter(comparable) {
        let outpost = match line.door.as_str() {
            "auth-request" => "nginx",
            "forward-auth" if line.target.len() % 2 == 0 => "traefik",
            "forward-auth" => "caddy",
            "ext-authz" => "envoy",
            _ => continue,
        };
        let asked = kept(&proxy.ask(line));
        let answer = proxy.ask_at(line, Some(outpost));
        let user = answer.header("X-authentik-username");
        let (status, location) = (answer.status, answer.header("Location"));
        if outpost != "nginx" {
            let told = (status, location, user.filter(|user| !user.is_empty()));
            match told == as_authentik(&asked) {
                true => alike += 1,
                false => wrong.push(format!("{line:?}: {told:?} {asked:?}")),
            }
        } else if status == asked.status {
            alike += 1;
        } else if status == 200 && line.drop.is_none() && line.method != "get" {
            wrong.push(format!("{line:?}: let in, and {asked:?}"));
        } else {
            // Nobody tells it the method.
            stricter += 1;
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(alike > 1500 && stricter < alike / 4, "{alike} {stricter}");
}
