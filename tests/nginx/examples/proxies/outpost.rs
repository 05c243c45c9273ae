//! An nginx that was set up for authentik's outpost as its documentation says, for a single application and for a whole
//! domain, and that asks the gate instead.

use super::super::{PASSWORD, WIKI, installed};
use super::{CADDY, Guest, gate, listener};
use crate::nginx::harness::backend::Backend;
use crate::nginx::harness::visitor::split;
use crate::nginx::harness::{Answer, Ask, Front as _, Gate, Proxy, Visitor};

const OUTPOST: &str = include_str!("../../../../nginx-conf/other-nginx-authentik.conf");

/// That configuration as authentik documents it, without what was added or changed.
fn documented() -> String {
    let without = |text: String, from: &str, to: &str| {
        let (before, added) = text.split_once(from).unwrap();
        let (_, after) = added.split_once(to).unwrap();
        format!("{before}{to}{after}")
    };
    let text = OUTPOST.replace("$scheme://$host$", "$scheme://$http_host$");
    let text = without(text, "    # Added: hosts", "    # Increase");
    let text = without(text, "    # Added: visitors", "    # Special location");
    let text = text.replace(
        "        proxy_set_header        X-Forwarded-For $remote_addr;\n",
        "",
    );
    text.replace(
        "rd=$scheme://$http_host$request_uri;\n        # For",
        "rd=$request_uri;\n        # For",
    )
}

/// The same with the way to the login page that is documented for a whole domain.
fn for_a_domain() -> String {
    let single = "        return 302 /outpost.goauthentik.io/";
    assert!(OUTPOST.contains(single));
    let lines = OUTPOST.lines().filter(|line| !line.starts_with(single));
    let lines: Vec<_> = lines
        .map(|line| line.replace("# return", "return"))
        .collect();
    lines.join("\n")
}

/// An nginx with that configuration, which asks there.
fn front(conf: &str, there: &str) -> Gate {
    let conf = conf.replace("127.0.0.1:9091", there);
    let conf = conf.replace("://$host$request_uri", "://$host@port@$request_uri");
    installed(&[("conf.d/example.conf".into(), conf)], "").start()
}

/// The same visitor at another proxy.
fn at<'g>(proxy: &'g Gate, visitor: &Visitor<'_>) -> Visitor<'g> {
    Visitor {
        gate: proxy,
        jar: visitor.jar.clone(),
    }
}

/// Follows the way to the login page, as a browser does.
fn login_page(proxy: &Gate, gate: &Gate, challenge: &Answer) -> String {
    assert_eq!(challenge.status, 302);
    let start = challenge.location();
    let (host, target) = split(start);
    assert!(
        target.starts_with("/outpost.goauthentik.io/start?rd="),
        "{start}"
    );
    let at = if host.starts_with(WIKI) { proxy } else { gate };
    let login = at.visitor().open(start);
    assert_eq!(login.status, 302, "{login:?}");
    login.location().to_owned()
}

#[test]
fn a_stock_nginx_that_was_set_up_for_authentik_asks_the_gate() {
    for conf in [OUTPOST.to_owned(), documented(), for_a_domain()] {
        let gate = gate();
        let domain = gate.url("auth.example.com", "");
        let conf = conf.replace("https://auth.example.com", &domain);
        let proxy = front(&conf, &listener(&gate).to_string());

        // From the page to the login page, through its form and back.
        let challenge = proxy.visitor().page(WIKI, "/deep?x=1&y=%262");
        let login = login_page(&proxy, &gate, &challenge);
        let mut bob = gate.visitor();
        let back = bob.sign_in_by_form(&login, "bob", PASSWORD);
        assert_eq!(back.location(), proxy.url(WIKI, "/deep?x=1&y=%262"));
        let mut there = at(&proxy, &bob);
        assert_eq!(there.open(back.location()).status, 200);
        let seen = proxy.backend().take_one();
        let told = ["username", "groups", "email", "name"];
        let told = told.map(|name| seen.one(&format!("X-authentik-{name}")).to_owned());
        assert_eq!(
            told,
            ["bob", "readers", "bob@example.com", "Bob the Lizard"]
        );

        let post = Ask::new("POST", WIKI, "/form").with_body("a=b");
        assert_eq!(there.send(&post).status, 200);
        assert_eq!(proxy.backend().take_one().body, b"a=b");
        assert_eq!(proxy.visitor().send(&post).status, 302);

        // What a visitor claims: to be somebody, to have asked for something else.
        let claims = [
            ("X-authentik-username", "alice"),
            ("X-authentik-entitlements", "admin"),
            ("X-Original-URL", "https://wiki.example.com/static/x"),
            ("X-Original-Method", "OPTIONS"),
            ("X-Forwarded-Uri", "/static/x"),
        ];
        let seen = there.is_let_in_with(WIKI, "/x", &claims);
        assert_eq!(seen.all("X-authentik-username"), ["bob"]);
        assert!(seen.all("X-authentik-entitlements").is_empty());
        let mut forged = Ask::page(WIKI, "/x");
        for (name, value) in claims {
            forged = forged.with(name, value);
        }
        assert_eq!(proxy.send(&forged).status, 302);
        let asked = there.page(WIKI, "/outpost.goauthentik.io/auth/nginx");
        let meant_for_visitors = !conf.contains("# Added: visitors");
        assert_eq!(asked.status, if meant_for_visitors { 200 } else { 404 });
        assert_eq!(proxy.backend().take().len(), 0);

        // Signing out there ends the session at the gate and everywhere.
        let mut other = at(&proxy, &super::super::signed_in(&gate, "bob"));
        assert_eq!(other.page(WIKI, "/x").status, 200);
        let leave = Ask::page(WIKI, "/outpost.goauthentik.io/sign_out")
            .with("Sec-Fetch-Mode", "navigate")
            .with("Sec-Fetch-Site", "same-origin");
        let stolen = there.clone();
        let left = there.send(&leave);
        let told = (left.status, left.location());
        assert_eq!(
            told,
            (302, gate.url("auth.example.com", "/logout").as_str())
        );
        assert!(
            !there
                .jar
                .iter()
                .any(|cookie| cookie.name.contains("session"))
        );
        for mut gone in [other, stolen] {
            assert_eq!(gone.page(WIKI, "/x").status, 302);
        }
        assert_eq!(gate.visitor().open(left.location()).status, 200);
    }
}

#[test]
fn a22_what_a_visitor_claims_in_host_is_not_asked() {
    let asked = Backend::start(std::net::Ipv4Addr::LOCALHOST);
    asked.on("/outpost.goauthentik.io/auth/nginx", |_, peer| {
        peer.answer("200 OK", "X-authentik-username: bob\r\n", "")
    });
    let proxy = front(OUTPOST, &asked.address.to_string());
    let url = format!("https://{WIKI}{}/x", proxy.address().port_suffix());
    for host in [WIKI, "public.example.com"] {
        let bytes = format!("GET https://{WIKI}/x HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_eq!(proxy.raw(WIKI, bytes).status, 200, "{host}");
        assert_eq!(asked.take_one().one("X-Original-URL"), url, "{host}");
    }
    let elsewhere = "GET /x HTTP/1.1\r\nHost: public.example.com\r\n\r\n";
    assert_eq!(proxy.raw(WIKI, elsewhere).status, 421);
    assert!(asked.take().is_empty());
}

/// authentik's Caddyfile, with a certificate.
const CADDYFILE: &str = "https://wiki.example.com@port@ {
    tls @prefix@/site.pem @prefix@/site.key
    route {
        reverse_proxy /outpost.goauthentik.io/* http://@asked@
        forward_auth http://@asked@ {
            uri /outpost.goauthentik.io/auth/caddy
            copy_headers X-Authentik-Username X-Authentik-Groups X-Authentik-Entitlements X-Authentik-Email X-Authentik-Name X-Authentik-Uid X-Authentik-Jwt X-Authentik-Meta-Jwks X-Authentik-Meta-Outpost X-Authentik-Meta-Provider X-Authentik-Meta-App X-Authentik-Meta-Version
            trusted_proxies private_ranges
        }
        reverse_proxy @backend@
    }
}
";

#[test]
fn a_caddy_that_was_set_up_for_authentik_asks_the_gate() {
    let gate = gate();
    let conf = CADDYFILE.replace("@asked@", &listener(&gate).to_string());
    let run = [
        "run",
        "--config",
        "@prefix@/Caddyfile",
        "--adapter",
        "caddyfile",
    ];
    let caddy = Proxy::start(
        "/usr/bin/caddy",
        &run,
        &[("Caddyfile", CADDY.to_owned() + &conf)],
    );
    let stranger = Guest::stranger(&caddy);

    let challenge = stranger.is_kept_out(&Ask::page(WIKI, "/deep?x=1&y"));
    assert_eq!(challenge.status, 302);
    let mut bob = gate.visitor();
    let back = bob.sign_in_by_form(challenge.location(), "bob", PASSWORD);
    assert_eq!(back.location(), caddy.url(WIKI, "/deep?x=1&y"));
    let known = Guest::known(&caddy, &bob);
    let claims = ["Username", "Entitlements", "Jwt", "Meta-Jwks", "Uid"];
    let claim = |ask: Ask| {
        let names = claims.iter().map(|name| format!("X-Authentik-{name}"));
        names.fold(ask, |ask, name| ask.with(&name, "claimed"))
    };
    let form = Ask::new("POST", WIKI, "/form").with_body("a=b");
    for ask in [Ask::page(WIKI, "/deep?x=1&y"), form.clone()] {
        assert_eq!(known.send(&claim(ask)).status, 200);
        let seen = caddy.backend().take_one();
        let told = ["Username", "Groups", "Email", "Name", "Entitlements", "Jwt"];
        let told = told.map(|name| seen.all(&format!("X-Authentik-{name}")).concat());
        assert_eq!(
            told,
            [
                "bob",
                "readers",
                "bob@example.com",
                "Bob the Lizard",
                "",
                ""
            ]
        );
    }
    // Where nobody is signed in, no claim stays either.
    assert_eq!(
        stranger.send(&claim(Ask::page(WIKI, "/static/x"))).status,
        200
    );
    let seen = caddy.backend().take_one();
    for name in claims {
        assert_eq!(
            seen.all(&format!("X-Authentik-{name}")).concat(),
            "",
            "{seen:?}"
        );
    }
    assert_eq!(stranger.is_kept_out(&claim(form)).status, 302);
    assert_eq!(known.is_kept_out(&Ask::page(WIKI, "/shut/x")).status, 403);

    let leave = Ask::page(WIKI, "/outpost.goauthentik.io/sign_out")
        .with("Sec-Fetch-Mode", "navigate")
        .with("Sec-Fetch-Site", "none");
    let left = known.is_kept_out(&leave);
    let told = (left.status, left.location());
    assert_eq!(
        told,
        (302, gate.url("auth.example.com", "/logout").as_str())
    );
    assert_eq!(known.is_kept_out(&Ask::page(WIKI, "/x")).status, 302);
}
