//! The client chooses the host; the rules, nginx and the backend must all mean the same one.

use bytes::Bytes;

use super::harness::visitor::split;
use super::harness::{Answer, Site};

fn request(authority: &str, target: &str) -> http::request::Builder {
    http::Request::get(format!("https://{authority}{target}")).header("accept", "text/html")
}

fn refused(answer: &Result<Answer, String>) -> bool {
    answer.as_ref().map_or(true, |answer| {
        matches!(answer.status, 302 | 400 | 401 | 403 | 421)
    })
}

/// The address that a challenge says the visitor came from.
fn return_address(answer: &Answer) -> String {
    let (_, query) = answer.location().split_once('?').unwrap_or_default();
    form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "rd")
        .unwrap_or_default()
        .1
        .into_owned()
}

#[test]
fn a19_upper_case_hosts_have_the_same_rules() {
    let deep =
        "server { @listen@ server_name *.app.example.com; auth_gate on; location / { @proxy@ } }";
    let gate = Site::bed().server(deep).start();
    let (nobody, alice) = (gate.visitor(), gate.signed_in("alice"));
    nobody.is_let_in("PUBLIC.Example.COM", "/admin/x");
    assert_eq!(nobody.is_refused("ADMIN.example.com", "/x").status, 302);
    assert_eq!(
        alice.is_refused("ADMIN.example.com", "/admin/x").status,
        403
    );
    assert_eq!(nobody.is_refused("a.APP.example.com", "/x").status, 302);
    alice.is_let_in("a.App.EXAMPLE.com", "/x");

    let asked = vec![
        request("ADMIN.example.com", "/admin/x")
            .body(Bytes::new())
            .unwrap(),
        request("PUBLIC.EXAMPLE.COM", "/admin/x")
            .body(Bytes::new())
            .unwrap(),
    ];
    gate.backend().take();
    let answers = gate.http2("app.example.com", asked);
    assert_eq!(answers[0].as_ref().unwrap().status, 302);
    assert_eq!(answers[1].as_ref().unwrap().status, 200);
    assert_eq!(gate.backend().take_one().one("Host"), "public.example.com");
}

#[test]
fn a20_ports_and_final_dots_change_no_rule() {
    let gate = Site::bed().start();
    let (nobody, alice) = (gate.visitor(), gate.signed_in("alice"));
    for host in [
        "admin.example.com.",
        "admin.example.com:443",
        "admin.example.com:8443",
        "admin.example.com.:443",
    ] {
        let challenge = nobody.is_refused(host, "/a?b=1");
        assert_eq!(challenge.status, 302, "{host}");
        let (authority, target) = split(&return_address(&challenge));
        assert_eq!(
            (authority.split(':').next().unwrap(), target.as_str()),
            ("admin.example.com", "/a?b=1"),
            "{host}"
        );
        assert_eq!(alice.is_refused(host, "/admin/x").status, 403, "{host}");
        alice.is_let_in(host, "/x");
    }
    nobody.is_let_in("public.example.com.:443", "/x");
}

#[test]
fn a21_a_suffix_without_its_dot_is_another_domain() {
    let hosts = [
        "evilexample.com",
        "example.com.evil.org",
        "example.comevil.org",
        "xexample.com",
    ];
    let server = format!(
        "server {{ @listen@ server_name {}; auth_gate on; location / {{ @proxy@ }} }}",
        hosts.join(" ")
    );
    let rules = "access_control:\n  default_policy: bypass\n  rules:\n    - { domain: '*.example.com', policy: one_factor }\n";
    let gate = Site::bed().rules(rules).server(&server).start();
    for host in hosts {
        assert_eq!(gate.visitor().is_refused(host, "/x").status, 400, "{host}");
        let answer = gate
            .visitor()
            .sign_in_for("alice", "password", &format!("https://{host}/"));
        assert!(
            answer.json()["data"]["redirect"].is_null(),
            "{host}: {}",
            answer.text()
        );
    }
}

#[test]
fn a22_an_absolute_target_and_the_host_header_cannot_differ_for_rules_and_backend() {
    let proxies = [
        "@proxy@",
        "proxy_pass http://@backend@; proxy_set_header Host $http_host;",
        "proxy_pass http://@backend@;",
    ];
    for proxy in proxies {
        let location = format!("location / {{ {proxy} }}");
        let gate = Site::bed()
            .root(&location)
            .public(&format!("auth_gate on; {location}"))
            .start();
        for scheme in ["http", "https"] {
            for sni in ["public.example.com", "admin.example.com"] {
                let outer = format!(
                    "GET {scheme}://admin.example.com/admin/ HTTP/1.1\r\nHost: public.example.com\r\n\r\n"
                );
                gate.refuses(sni, outer);

                gate.backend().take();
                let inner = format!(
                    "GET {scheme}://public.example.com/admin/ HTTP/1.1\r\nHost: admin.example.com\r\n\r\n"
                );
                let status = gate.raw(sni, inner).status;
                for seen in gate.backend().take() {
                    assert_ne!(
                        seen.one("Host"),
                        "admin.example.com",
                        "{proxy}: let in as public, served as admin"
                    );
                }
                assert!(matches!(status, 200 | 400 | 421), "{status}");
            }
        }
    }
}

#[test]
fn a23_http2_authority_and_host_cannot_differ_and_a_missing_host_is_refused() {
    for proxy in [
        "@proxy@",
        "proxy_pass http://@backend@; proxy_set_header Host $http_host;",
    ] {
        let location = format!("location / {{ {proxy} }}");
        let gate = Site::bed()
            .root(&location)
            .public(&format!("auth_gate on; {location}"))
            .start();
        let mixed = request("public.example.com", "/admin/")
            .header("host", "admin.example.com")
            .body(Bytes::new())
            .unwrap();
        let reverse = request("admin.example.com", "/admin/")
            .header("host", "public.example.com")
            .body(Bytes::new())
            .unwrap();
        let answers = gate.http2("public.example.com", vec![mixed]);
        for seen in gate.backend().take() {
            assert_ne!(
                seen.one("Host"),
                "admin.example.com",
                "let in as public, served as admin: {answers:?}"
            );
        }
        let answers = gate.http2("admin.example.com", vec![reverse]);
        assert!(
            refused(&answers[0]) && gate.backend().take().is_empty(),
            "{answers:?}"
        );
        let mut nameless = http::Request::get("/admin/").body(Bytes::new()).unwrap();
        *nameless.version_mut() = http::Version::HTTP_11;
        let answers = gate.http2("app.example.com", vec![nameless]);
        assert!(
            refused(&answers[0]) && gate.backend().take().is_empty(),
            "{answers:?}"
        );
        gate.refuses("app.example.com", "GET /admin/x HTTP/1.0\r\n\r\n");
        gate.refuses("app.example.com", "GET /public/x HTTP/1.0\r\n\r\n");
        gate.visitor()
            .is_let_in("app.example.com", "/public/still-alive");
    }
}

#[test]
fn a24_hosts_that_no_server_names_are_refused() {
    let gate = Site::bed().start();
    let two = "GET /public/x HTTP/1.1\r\nHost: app.example.com\r\nHost: public.example.com\r\n\r\n";
    assert_eq!(gate.refuses("app.example.com", two).status, 400);
    assert_eq!(
        gate.visitor()
            .is_refused("app.example.com, public.example.com", "/public/x")
            .status,
        400
    );
    let ip = gate.address().ip.to_string();
    for host in [
        ip.as_str(),
        "[::1]",
        "unknown.example.com",
        "localhost",
        "unknown.test",
    ] {
        let answer = gate.visitor().is_refused(host, "/public/x");
        assert!(
            matches!(answer.status, 400 | 421),
            "{host}: {}",
            answer.status
        );
    }
    assert_eq!(
        gate.visitor()
            .is_refused("unknown.example.com", "/public/x")
            .status,
        421
    );
}

#[test]
fn a24_a_nameless_default_server_falls_to_the_default_policy() {
    let gate = Site::bed()
        .server("server { listen @address@:4443 ssl default_server; auth_gate on; location / { @proxy@ } }")
        .start();
    let address = std::net::SocketAddr::from((gate.address().ip, 4443));
    let mut connection = super::harness::Connection::tls(address, "app.example.com");
    let answer = connection
        .send("GET /x HTTP/1.1\r\nHost: example.com\r\nAccept: text/html\r\n\r\n")
        .answer();
    assert_eq!(
        answer.status, 403,
        "inside the cookie domain, no rule: {answer:?}"
    );
    assert!(gate.backend().take().is_empty());
}

#[test]
fn a25_only_a_number_may_stand_behind_the_colon_of_a_host() {
    let gate = Site::bed().start();
    let nobody = gate.visitor();
    for port in [
        "1@app.example.com",
        "x",
        "80,app.example.com",
        "@app.example.com",
        "99999",
    ] {
        let host = format!("public.example.com:{port}");
        assert_eq!(nobody.is_refused(&host, "/x").status, 400, "{host}");
    }
}

#[test]
fn a25_hosts_with_odd_characters_match_no_wildcard() {
    let odd = [
        "admin%2eexample.com",
        "admin.example.com;x",
        "a.example.com!",
        "a b.example.com",
        "x\"y.example.com",
        "evil.org#.example.com",
        "evil.org/.example.com",
        "evil.org\\.example.com",
        "<x>.example.com",
    ];
    let rules = "access_control:\n  default_policy: deny\n  rules:\n    - { domain: '*.example.com', policy: bypass }\n";
    let all = "server_name ~^.*$; auth_gate on; location / { @proxy@ }";
    for site in [
        Site::bed(),
        Site::bed()
            .rules(rules)
            .server(&format!("server {{ @listen@ {all} }}")),
    ] {
        let gate = site.start();
        for host in odd {
            let answer = gate.visitor().is_refused(host, "/x");
            assert!(
                matches!(answer.status, 400 | 403 | 421),
                "{host}: {} {}",
                answer.status,
                answer.location()
            );
        }
    }
}

#[test]
fn a26_the_host_counts_and_not_the_name_in_sni() {
    let gate = Site::bed().start();
    let mut connection = gate.connect("public.example.com");
    let ask = |host: &str| format!("GET /x HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\n\r\n");
    assert_eq!(
        connection.send(ask("public.example.com")).answer().status,
        200
    );
    assert_eq!(
        connection.send(ask("admin.example.com")).answer().status,
        302
    );
    assert_eq!(
        connection.send(ask("unknown.example.com")).answer().status,
        421
    );
    gate.backend().take();

    let hosts = [
        "public.example.com",
        "admin.example.com",
        "unknown.example.com",
    ];
    let asked = hosts.map(|host| request(host, "/x").body(Bytes::new()).unwrap());
    let statuses: Vec<_> = gate
        .http2("public.example.com", asked.into())
        .into_iter()
        .map(|a| a.unwrap().status)
        .collect();
    assert_eq!(statuses, [200, 302, 421]);
    assert_eq!(gate.backend().take().len(), 1);
}
