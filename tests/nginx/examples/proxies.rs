//! Other proxies in front of an application, each with the configuration that people copy, asking the gate.

use std::io;
use std::net::SocketAddr;

use super::readme::blocks;
use super::sites::{CONFIGURATION, USERS, example_behind};
use super::{PASSWORD, WIKI, installed};
use crate::nginx::harness::backend::Backend;
use crate::nginx::harness::tls::authority;
use crate::nginx::harness::{Answer, Ask, Connection, Front, Gate, Proxy, Visitor};

mod claims;
mod journey;
mod moving;
mod outpost;
mod paths;
mod tls;

/// A proxy that runs here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Nginx,
    Caddy,
    Haproxy,
    Apache,
}

/// What Caddy would otherwise listen at and write to.
const CADDY: &str = "{
	admin off
	auto_https disable_redirects
	default_bind @address@
}
";

/// As far as Debian's apache2.conf and its modules matter here.
const APACHE: &str = "ServerRoot /usr/lib/apache2
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule lua_module modules/mod_lua.so
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
LoadModule ssl_module modules/mod_ssl.so
User www-data
Group www-data
DefaultRuntimeDir @prefix@
PidFile @prefix@/apache.pid
ErrorLog @prefix@/proxy.log
ServerName localhost
Listen @tls@
<Directory />
    Require all denied
</Directory>
";

impl Kind {
    /// Starts the proxy with its example; it asks at `asked` instead of port 9091.
    fn start(self, asked: SocketAddr) -> Box<dyn Front> {
        self.start_with(asked, &[])
    }

    /// The same where the example says other things in some places.
    fn start_with(self, asked: SocketAddr, changes: &[(&str, &str)]) -> Box<dyn Front> {
        let fitted = |text: &str| {
            let text = changes.iter().fold(text.to_owned(), |text, (said, here)| {
                text.replace(said, here)
            });
            let here = [
                ("127.0.0.1:9091", asked.to_string()),
                ("127.0.0.1:8080", "@backend@".to_owned()),
                ("/etc/caddy/example.com.crt", "@prefix@/site.pem".to_owned()),
                ("/etc/caddy/example.com.key", "@prefix@/site.key".to_owned()),
                (
                    "\nwiki.example.com",
                    "\nhttps://wiki.example.com@port@".to_owned(),
                ),
                (
                    "\nauth.example.com",
                    "\nhttps://auth.example.com@port@".to_owned(),
                ),
                ("bind :443", "bind @tls@".to_owned()),
                ("/etc/haproxy/", "@prefix@/".to_owned()),
                (
                    "ServerName wiki.example.com",
                    "ServerName wiki.example.com@port@".to_owned(),
                ),
                ("<VirtualHost *:443>", "<VirtualHost *>".to_owned()),
                (
                    "/etc/apache2/example.com.crt",
                    "@prefix@/site.pem".to_owned(),
                ),
                (
                    "/etc/apache2/example.com.key",
                    "@prefix@/site.key".to_owned(),
                ),
                ("/etc/apache2/", "@prefix@/".to_owned()),
                (
                    "://$host$request_uri",
                    "://$host@port@$request_uri".to_owned(),
                ),
            ];
            here.iter()
                .fold(text, |text, (said, here)| text.replace(said, here))
        };
        match self {
            Kind::Nginx => {
                let conf = fitted(include_str!("../../../nginx-conf/other-nginx.conf"));
                Box::new(installed(&[("conf.d/example.conf".into(), conf)], "").start())
            }
            Kind::Caddy => {
                let conf = include_str!("../../../nginx-conf/other-proxies/Caddyfile");
                let conf = CADDY.to_owned() + &fitted(conf);
                let run = [
                    "run",
                    "--config",
                    "@prefix@/Caddyfile",
                    "--adapter",
                    "caddyfile",
                ];
                Box::new(Proxy::start("/usr/bin/caddy", &run, &[("Caddyfile", conf)]))
            }
            Kind::Haproxy => {
                let conf = include_str!("../../../nginx-conf/other-proxies/haproxy.cfg");
                let script = include_str!("../../../nginx-conf/other-proxies/auth-gate.lua");
                let certificate = authority().chain_pem.clone() + &authority().key_pem;
                let files = [
                    ("haproxy.cfg", fitted(conf)),
                    ("auth-gate.lua", fitted(script)),
                    ("example.com.pem", certificate),
                ];
                let run = ["-db", "-f", "@prefix@/haproxy.cfg"];
                Box::new(Proxy::start("/usr/sbin/haproxy", &run, &files))
            }
            Kind::Apache => {
                let conf = include_str!("../../../nginx-conf/other-proxies/apache.conf");
                let script = include_str!("../../../nginx-conf/other-proxies/auth-gate-apache.lua");
                let files = [
                    ("apache.conf", APACHE.to_owned() + &fitted(conf)),
                    ("auth-gate-apache.lua", fitted(script)),
                ];
                let run = ["-X", "-f", "@prefix@/apache.conf"];
                Box::new(Proxy::start("/usr/sbin/apache2", &run, &files))
            }
        }
    }

    /// Where it asks.
    fn endpoint(self) -> &'static str {
        match self {
            Kind::Nginx => "/api/authz/auth-request",
            _ => "/api/authz/forward-auth",
        }
    }
}

/// The hash of the same password that takes no time to check: many sign in here.
const QUICK: &str = "$argon2id$v=19$m=1024,t=1,p=1$Z8CfVllZ4e4HEGRjd/HFag$XmHca6Daa6LJSknIgKqhpYfThS05efb/+Ty6z7TldMQ";

/// The gate as endpoints.conf has it, with a page that is shut to everybody.
fn gate() -> Gate {
    let rules = "  rules:\n";
    let shut =
        "    - domain: wiki.example.com\n      resources: '^/shut(/|$)'\n      policy: deny\n";
    let configuration = CONFIGURATION.replace(rules, &format!("{rules}{shut}"));
    assert_ne!(configuration, CONFIGURATION);
    let conf = include_str!("../../../nginx-conf/endpoints.conf");
    let line = |line: &str| match line.trim_start().starts_with("password:") {
        true => format!("    password: '{QUICK}'\n"),
        false => format!("{line}\n"),
    };
    let users: String = USERS.lines().map(line).collect();
    let users = [("lib/auth-gate/users/users_database.yml", users.as_str())];
    example_behind(conf, &configuration, "", &users).start()
}

/// Where that gate is asked.
fn listener(gate: &Gate) -> SocketAddr {
    (gate.address().ip, 8081).into()
}

/// A gate that says yes to everything, for what a proxy asks and hands on.
fn yes(kind: Kind, front: std::net::Ipv4Addr, headers: &'static str) -> Backend {
    let gate = Backend::start(front);
    gate.on(kind.endpoint(), move |_, peer| {
        peer.answer("200 OK", headers, "")
    });
    gate
}

/// Somebody at a proxy, with the cookies that he got at the gate.
struct Guest<'f> {
    front: &'f dyn Front,
    cookies: Vec<(String, String)>,
}

impl<'f> Guest<'f> {
    fn stranger(front: &'f dyn Front) -> Guest<'f> {
        let cookies = Vec::new();
        Guest { front, cookies }
    }

    fn known(front: &'f dyn Front, visitor: &Visitor<'_>) -> Guest<'f> {
        let cookies = visitor.cookie_header(WIKI);
        Guest { front, cookies }
    }

    fn connect(&self) -> Connection {
        Connection::tls(self.front.address().tls(), WIKI)
    }

    fn try_send(&self, ask: &Ask) -> io::Result<Answer> {
        let mut connection = self.connect();
        connection
            .send(ask.bytes(&self.cookies))
            .try_answer(ask.method == "HEAD")
    }

    fn send(&self, ask: &Ask) -> Answer {
        let answer = self.try_send(ask);
        answer.unwrap_or_else(|error| panic!("no answer to {} {}: {error}", ask.method, ask.target))
    }

    fn page(&self, target: &str) -> Answer {
        self.send(&Ask::page(WIKI, target))
    }

    /// The status of an answer that came without the application.
    fn is_kept_out(&self, ask: &Ask) -> Answer {
        self.front.backend().take();
        let answer = self.send(ask);
        let seen = self.front.backend().take();
        let what = || format!("{} {}: {answer:?}", ask.method, ask.target);
        assert!(seen.is_empty(), "{} and {seen:?}", what());
        assert!(answer.status >= 300, "{}", what());
        answer
    }
}

macro_rules! proxies {
    ($($name:ident: $kind:expr,)*) => {$(
        mod $name {
            use super::{Kind, claims, journey, paths};

            #[test]
            fn visitors_sign_in_and_come_back() {
                journey::leads_to_the_portal_and_back($kind);
            }

            #[test]
            fn a_gate_that_cannot_be_asked_lets_nobody_through() {
                journey::ends_where_the_gate_is_gone($kind);
            }

            #[test]
            fn a22_a27_to_a30_what_a_visitor_claims_is_not_asked() {
                claims::are_not_asked($kind);
            }

            #[test]
            fn a32_to_a35_what_a_visitor_claims_to_be_never_arrives() {
                claims::never_arrive($kind);
            }

            #[test]
            fn a01_to_a10_paths_are_judged_as_the_application_sees_them() {
                paths::are_judged_as_seen($kind);
            }
        }
    )*};
}

proxies! {
    nginx: Kind::Nginx,
    caddy: Kind::Caddy,
    haproxy: Kind::Haproxy,
    apache: Kind::Apache,
}

#[test]
fn every_line_in_the_readme_stands_in_its_file() {
    let caddy = include_str!("../../../nginx-conf/other-proxies/Caddyfile");
    let haproxy = include_str!("../../../nginx-conf/other-proxies/haproxy.cfg");
    let apache = include_str!("../../../nginx-conf/other-proxies/apache.conf");
    for (language, file) in [("caddy", caddy), ("haproxy", haproxy), ("apache", apache)] {
        let lines: Vec<&str> = file.lines().map(str::trim).collect();
        let blocks = blocks(language);
        assert_eq!(blocks.len(), 1, "{language}");
        for line in blocks[0].text.lines() {
            assert!(lines.contains(&line.trim()), "{language}: {line}");
        }
    }
}
