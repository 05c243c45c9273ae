//! The sites of nginx-conf/, visited.

use std::path::Path;
use std::process::Command;

use ngx_http_auth_gate_module::factors::totp::Secret;
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::{ADMIN, WIKI, installed, signed_in};
use crate::nginx::harness::place::give;
use crate::nginx::harness::visitor::PORTAL;
use crate::nginx::harness::{Ask, Gate, Site, Visitor, grpc, until};
use crate::nginx::second_factor::code_of;

const APP: &str = "app.example.com";
const LIVE: &str = "live.example.com";

pub(super) const CONFIGURATION: &str = include_str!("../../../nginx-conf/configuration.yml");
pub(super) const USERS: &str = include_str!("../../../nginx-conf/users_database.yml");
const PHP: &str = include_str!("../../../nginx-conf/php-fastcgi.conf");

pub(super) fn example(conf: &str, configuration: &str) -> Site {
    example_behind(conf, configuration, "", &[])
}

/// The same with `front` as a further piece of the http block, and with more files.
pub(super) fn example_behind(
    conf: &str,
    configuration: &str,
    front: &str,
    more: &[(&str, &str)],
) -> Site {
    let load = "load_module modules/ngx_http_auth_gate_module.so;";
    let files = [
        ("modules-enabled/90-auth-gate.conf", load),
        ("conf.d/example.conf", conf),
        ("auth-gate/configuration.yml", configuration),
        ("auth-gate/users_database.yml", USERS),
        ("lib/auth-gate/users/users_database.yml", USERS),
        ("lib/auth-gate/store/.keep", ""),
        ("lib/auth-gate/mail/.keep", ""),
    ];
    let files = files.iter().chain(more);
    let files: Vec<_> = files
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    let site = installed(&files, front).prepare(folders_for_workers);
    site.clone().check().taken_silently();
    site
}

/// As the head of configuration.yml says.
fn folders_for_workers(prefix: &Path) {
    for path in ["store", "users", "users/users_database.yml", "mail"] {
        give(&prefix.join("lib/auth-gate").join(path));
    }
}

/// Gives alice an authenticator app, as an administrator can, and proves it.
pub(super) fn proves_a_second_factor(gate: &Gate, alice: &mut Visitor<'_>) {
    let output = Command::new(env!("CARGO_BIN_EXE_auth-gate"))
        .args(["user", "totp", "add", "--user", "alice", "--config"])
        .arg(gate.prefix().join("auth-gate/configuration.yml"))
        .output()
        .expect("auth-gate runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let key = said.lines().find_map(|line| line.strip_prefix("key:"));
    let secret = Secret::parse(key.unwrap_or_else(|| panic!("{output:?}"))).expect("base32");
    let code = code_of(secret.bytes().expose_secret(), 0);
    let body = json!({"token": code});
    let answer = alice.send(&Ask::api("POST", PORTAL, "/api/secondfactor/totp", &body));
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[test]
fn site_conf_guards_and_opens_what_it_says() {
    let conf = include_str!("../../../nginx-conf/site.conf");
    let gate = example(conf, CONFIGURATION).start();
    let nobody = gate.visitor();
    // The e-mail address works as a name.
    let (mut alice, bob) = (
        signed_in(&gate, "alice@example.com"),
        signed_in(&gate, "bob"),
    );

    assert_eq!(nobody.is_refused(WIKI, "/").status, 302);
    assert_eq!(nobody.is_refused(WIKI, "/api/x").status, 401);
    assert_eq!(nobody.is_refused(ADMIN, "/").status, 302);
    for open in ["/static/logo.png", "/healthz"] {
        nobody.is_let_in(WIKI, open);
    }
    let seen = bob.is_let_in(WIKI, "/x");
    assert_eq!((seen.one("Remote-User"), seen.one("X-Desk")), ("bob", "4"));
    assert_eq!(bob.is_refused(ADMIN, "/").status, 403);
    let challenge = alice.is_refused(ADMIN, "/");
    assert_eq!(challenge.status, 302);
    proves_a_second_factor(&gate, &mut alice);
    alice.is_let_in(ADMIN, "/");
    assert_eq!(
        nobody.is_let_in("www.example.com", "/").one("Remote-User"),
        ""
    );
    assert_eq!(
        bob.is_let_in("www.example.com", "/").one("Remote-User"),
        "bob"
    );

    let mut plain = gate.connect_plain();
    let moved = plain.send(Ask::page(WIKI, "/x?y").bytes(&[])).answer();
    assert_eq!(
        (moved.status, moved.location()),
        (301, "https://wiki.example.com/x?y")
    );
    until("the access log", || {
        let log = gate.read("wiki.access.log");
        let told = log
            .lines()
            .any(|line| line.contains(" bob ") && line.ends_with("allow policy=one_factor rule=4"));
        told.then_some(())
    });
}

#[test]
fn administrators_come_from_the_office_only() {
    let elsewhere = CONFIGURATION.replace("office: [10.0.0.0/8,", "office: [192.0.2.0/24,");
    assert_ne!(elsewhere, CONFIGURATION);
    let gate = example(include_str!("../../../nginx-conf/site.conf"), &elsewhere).start();
    assert_eq!(signed_in(&gate, "alice").is_refused(ADMIN, "/").status, 403);
}

#[test]
fn portal_under_path_conf_needs_one_host_only() {
    let conf = include_str!("../../../nginx-conf/portal-under-path.conf");
    let gate = example(
        conf,
        include_str!("../../../nginx-conf/portal-under-path.yml"),
    )
    .start();
    let mut alice = gate.visitor();
    let challenge = alice.page(APP, "/deep?x=1");
    assert!(
        challenge
            .location()
            .starts_with(&gate.url(APP, "/sso/?rd=")),
        "{challenge:?}"
    );
    let back = alice.sign_in_by_form(challenge.location(), "alice", super::PASSWORD);
    assert_eq!(back.location(), gate.url(APP, "/deep?x=1"));
    let cookie = alice.session();
    assert!(
        cookie.name.starts_with("__Host-") && cookie.host_only,
        "{cookie:?}"
    );
    assert_eq!(
        alice.is_let_in(APP, "/deep?x=1").one("Remote-User"),
        "alice"
    );
}

#[test]
fn behind_tls_terminator_conf_believes_the_load_balancer() {
    let balancer = "server {
        @listen@
        server_name .example.com;
        ssl_certificate auth-gate/example.com.crt;
        ssl_certificate_key auth-gate/example.com.key;
        location / {
            proxy_pass http://@address@:8081;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For 203.0.113.9;
        }
    }";
    let conf = include_str!("../../../nginx-conf/behind-tls-terminator.conf");
    let gate = example_behind(conf, CONFIGURATION, balancer, &[]).start();
    assert_eq!(gate.visitor().is_refused(WIKI, "/x").status, 302);
    let alice = signed_in(&gate, "alice");
    assert!(alice.session().attribute("secure").is_some());
    assert_eq!(alice.is_let_in(WIKI, "/x").one("Remote-User"), "alice");
    until("the visitor's address in the log", || {
        gate.read("access.log")
            .contains("203.0.113.9 - alice")
            .then_some(())
    });
}

/// The last value of REMOTE_USER that the FastCGI application was told: PHP-FPM takes that one.
fn remote_user(visitor: &mut Visitor<'_>, target: &str) -> String {
    // A name that nobody has checked, where the gate does not read the header.
    let answer = visitor.send(&Ask::page(APP, target).with("Authorization", "Basic bWFsbG9yeTp4"));
    let text = answer.text();
    let value = text
        .lines()
        .filter_map(|line| line.strip_prefix("REMOTE_USER="))
        .next_back();
    value
        .unwrap_or_else(|| panic!("{} without REMOTE_USER: {text}", answer.status))
        .to_owned()
}

#[test]
fn php_fastcgi_conf_tells_who_is_signed_in() {
    let open = PHP.replace(
        "auth_gate on;",
        "auth_gate on; auth_gate_credentials cookie; auth_gate_unauthenticated ^/open;",
    );
    let gate = example(&open, CONFIGURATION)
        .file("www/app/index.php", "")
        .file("www/app/style.css", "body {}")
        .start();
    let (mut nobody, mut alice) = (gate.visitor(), signed_in(&gate, "alice"));
    assert_eq!(nobody.page(APP, "/page?x=1").status, 302);
    assert_eq!(nobody.page(APP, "/style.css").status, 302);
    assert_eq!(alice.page(APP, "/style.css").text(), "body {}");
    assert_eq!(alice.page(APP, "/none.php").status, 404);
    for target in ["/", "/index.php", "/page?x=1"] {
        assert_eq!(remote_user(&mut alice, target), "alice", "{target}");
    }
    assert!(
        alice
            .page(APP, "/page")
            .text()
            .contains("REMOTE_GROUPS=admins,readers")
    );
    assert_eq!(
        remote_user(&mut nobody, "/open"),
        "",
        "a name that a client claims"
    );
}

#[test]
fn websocket_and_grpc_conf_lets_everything_flow() {
    let conf = include_str!("../../../nginx-conf/websocket-and-grpc.conf");
    let gate = example(conf, CONFIGURATION).start();
    let upgrade = |ask: Ask| {
        ask.with("Connection", "upgrade")
            .with("Upgrade", "websocket")
    };
    let socket = upgrade(Ask::page(LIVE, "/socket"));
    assert_eq!(gate.send(&socket).status, 401);
    assert_eq!(
        gate.send(&Ask::new("POST", LIVE, "/greeter.Greeter/Hello"))
            .status,
        401
    );

    let mut alice = signed_in(&gate, "alice");
    let cookie = alice.cookie_header(LIVE);
    gate.backend().on("/socket", |_, peer| {
        peer.send(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        )?;
        let bytes = peer.some()?;
        peer.send(bytes)
    });
    let mut connection = gate.connect(LIVE);
    assert_eq!(connection.send(socket.bytes(&cookie)).answer().status, 101);
    assert_eq!(
        connection.send(b"\x81\x05hello").take(7).expect("an echo"),
        b"\x81\x05hello"
    );

    alice.is_let_in(LIVE, "/events");
    let upload = Ask::new("PUT", LIVE, "/upload").with_body(vec![b'x'; 2_000_000]);
    assert_eq!(alice.send(&upload).status, 200);
    assert_eq!(gate.backend().take_one().body.len(), 2_000_000);

    let call = http::Request::post("https://live.example.com/greeter.Greeter/Hello")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("cookie", &cookie[0].1)
        .body(grpc::framed(b"hello"))
        .expect("a call");
    let answer = gate.http2(LIVE, vec![call]).remove(0).expect("an answer");
    assert!(answer.text().contains("remote-user: alice"), "{answer:?}");
}
