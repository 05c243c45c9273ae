//! TLS behind the gate: to an application that speaks it, and between a proxy and the endpoints.

use super::super::sites::{CONFIGURATION, example_behind};
use super::super::{WIKI, signed_in};
use super::{Guest, Kind, gate};
use crate::nginx::harness::tls::authority;
use crate::nginx::harness::{Ask, Gate};

const APPLICATION: &str = "server {
    listen @address@:8444 ssl;
    server_name wiki.example.com;
    ssl_certificate auth-gate/example.com.crt;
    ssl_certificate_key auth-gate/example.com.key;
    location / { proxy_pass http://@backend@; }
}";

fn in_front_of_tls(name: &str) -> Gate {
    let conf = include_str!("../../../../nginx-conf/tls-to-application.conf");
    let named = format!("proxy_ssl_name {name};");
    let conf = conf.replace("proxy_ssl_name wiki.example.com;", &named);
    assert!(conf.contains(&named));
    let authorities = [(
        "auth-gate/application-ca.crt",
        authority().chain_pem.as_str(),
    )];
    example_behind(&conf, CONFIGURATION, APPLICATION, &authorities).start()
}

#[test]
fn tls_to_application_conf_checks_whom_it_tells() {
    let gate = in_front_of_tls(WIKI);
    let mut bob = signed_in(&gate, "bob");
    assert_eq!(bob.is_let_in(WIKI, "/x").one("Remote-User"), "bob");
    assert_eq!(gate.page(WIKI, "/x").status, 302);

    let other = in_front_of_tls("wiki.example.net");
    bob = signed_in(&other, "bob");
    assert_eq!(bob.page(WIKI, "/x").status, 502);
    assert!(other.backend().take().is_empty());
}

const NGINX: (&str, &str) = (
    "proxy_pass http://127.0.0.1:9091/api/authz/auth-request;",
    "proxy_pass https://10.0.0.5:9443/api/authz/auth-request;
        proxy_ssl_verify on;
        proxy_ssl_trusted_certificate auth-gate/example.com.crt;
        proxy_ssl_name gate.example.com;",
);

const CADDY: (&str, &str) = (
    "forward_auth 127.0.0.1:9091 {",
    "forward_auth https://10.0.0.5:9443 {
			transport http {
				tls_trusted_ca_certs /etc/caddy/example.com.crt
				tls_server_name gate.example.com
			}",
);

#[test]
fn proxies_ask_over_tls_whom_they_know() {
    let gate = gate();
    let bob = signed_in(&gate, "bob");
    let there = (gate.address().ip, 8444).into();
    for (kind, (plain, over_tls)) in [(Kind::Nginx, NGINX), (Kind::Caddy, CADDY)] {
        let asked = format!("{}:8444", gate.address().ip);
        let over_tls = over_tls.replace("10.0.0.5:9443", &asked);
        let front = kind.start_with(there, &[(plain, &over_tls)]);
        assert_eq!(Guest::known(&*front, &bob).page("/x").status, 200);
        assert_eq!(front.backend().take_one().one("Remote-User"), "bob");
        let away = Guest::stranger(&*front).is_kept_out(&Ask::page(WIKI, "/x"));
        assert_eq!(away.status, 302);

        let another = over_tls.replace("gate.example.com", "gate.example.net");
        let front = kind.start_with(there, &[(plain, &another)]);
        let answer = Guest::known(&*front, &bob).is_kept_out(&Ask::page(WIKI, "/x"));
        assert!(answer.status >= 500, "{answer:?}");
    }
}
