//! `satisfy` together with allow, deny and auth_basic means what nginx users expect.

use base64::Engine as _;

use super::harness::{Answer, Ask, Gate, Site};

const APP: &str = "app.example.com";

#[derive(Clone, Copy, Debug)]
struct Case {
    any: bool,
    address: Option<bool>,
    basic: bool,
}

impl Case {
    fn all() -> Vec<Case> {
        let mut cases = Vec::new();
        for any in [false, true] {
            for address in [None, Some(true), Some(false)] {
                cases.extend([false, true].map(|basic| Case {
                    any,
                    address,
                    basic,
                }));
            }
        }
        cases
    }

    fn name(self) -> String {
        let address = self
            .address
            .map_or("none", |allowed| if allowed { "allow" } else { "deny" });
        format!(
            "/{}-{address}-{}",
            if self.any { "any" } else { "all" },
            if self.basic { "basic" } else { "open" }
        )
    }

    fn location(self) -> String {
        let satisfy = if self.any { "any" } else { "all" };
        let address = self.address.map_or(
            "",
            |allowed| if allowed { "allow all;" } else { "deny all;" },
        );
        let basic = if self.basic {
            "auth_basic staff; auth_basic_user_file @prefix@/htpasswd;"
        } else {
            ""
        };
        format!(
            "location {} {{ satisfy {satisfy}; {address} {basic} @proxy@ }}\n",
            self.name()
        )
    }

    /// Whether somebody gets in: with `any` one door that is there suffices, with `all` every door must open.
    fn opens(self, signed_in: bool, password: bool) -> bool {
        let doors = [
            Some(signed_in),
            self.address,
            self.basic.then_some(password),
        ];
        let mut doors = doors.into_iter().flatten();
        if self.any {
            doors.any(|open| open)
        } else {
            doors.all(|open| open)
        }
    }
}

fn ask(gate: &Gate, case: Case, cookie: &[(String, String)], password: bool) -> Answer {
    let mut ask = Ask::page(APP, &case.name());
    if password {
        let word = base64::engine::general_purpose::STANDARD.encode("staff:secret");
        ask = ask.with("Authorization", &format!("Basic {word}"));
    }
    gate.connect(APP).send(ask.bytes(cookie)).answer()
}

#[test]
fn a75_every_combination_opens_exactly_when_nginx_says_so() {
    let locations: String = Case::all().into_iter().map(Case::location).collect();
    let gate = Site::bed()
        .file("htpasswd", "staff:{PLAIN}secret\n")
        // Else the gate reads the header itself where no auth_basic does.
        .app("auth_gate_credentials cookie;")
        .app(&locations)
        .start();
    let session = gate.signed_in("alice").cookie_header(APP);
    for case in Case::all() {
        for signed_in in [false, true] {
            for password in [false, true] {
                gate.backend().take();
                let cookie = if signed_in { &session[..] } else { &[] };
                let answer = ask(&gate, case, cookie, password);
                let seen = gate.backend().take();
                let (got_in, opens) = (!seen.is_empty(), case.opens(signed_in, password));
                assert_eq!(
                    (got_in, answer.status == 200),
                    (opens, opens),
                    "{case:?} signed in {signed_in}, password {password}: {answer:?}"
                );
                if !opens {
                    assert!(
                        matches!(answer.status, 302 | 401 | 403),
                        "{case:?}: {}",
                        answer.status
                    );
                    assert!(
                        !case.any || answer.status != 302,
                        "under any a challenge is a 401"
                    );
                }
                if let Some(seen) = seen.first() {
                    assert_eq!(
                        seen.one("Remote-User"),
                        if signed_in { "alice" } else { "" },
                        "{case:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn a75_satisfy_any_opens_no_host_that_the_rules_close() {
    let rules = "access_control:\n  default_policy: deny\n  rules:\n    - { domain: other.example.com, policy: one_factor }\n";
    let closed: Vec<_> = Case::all()
        .into_iter()
        .filter(|case| case.any && case.address != Some(true))
        .collect();
    let locations: String = closed.iter().map(|case| case.location()).collect();
    let gate = Site::bed()
        .rules(rules)
        .file("htpasswd", "staff:{PLAIN}secret\n")
        .app(&locations)
        .start();
    let session = gate.signed_in("alice").cookie_header(APP);
    for case in closed {
        for cookie in [&[][..], &session] {
            let answer = ask(&gate, case, cookie, false);
            assert!(
                matches!(answer.status, 401 | 403),
                "{case:?}: {}",
                answer.status
            );
            assert!(gate.backend().take().is_empty(), "{case:?}");
        }
    }
}

#[test]
fn auth_request_and_the_gate_stand_side_by_side() {
    let app = "location /both { auth_request /check; @proxy@ }
        location /either { satisfy any; auth_request /check; @proxy@ }
        location = /check { internal; proxy_pass http://@backend@/check; proxy_pass_request_body off; proxy_set_header Content-Length ''; }";
    let gate = Site::bed().app(app).start();
    let alice = gate.signed_in("alice");
    for (check, both, either) in [
        ("200 OK", 200, 200),
        ("401 Unauthorized", 401, 200),
        ("403 Forbidden", 403, 200),
    ] {
        gate.backend()
            .on("/check", move |_, peer| peer.answer(check, "", ""));
        let status = |visitor: &super::harness::Visitor<'_>, target: &str| {
            visitor.clone().page(APP, target).status
        };
        assert_eq!(
            (status(&alice, "/both"), status(&alice, "/either")),
            (both, either),
            "{check}"
        );
        let nobody = gate.visitor();
        assert!(
            matches!(status(&nobody, "/both"), 302 | 401 | 403),
            "{check}"
        );
        assert_eq!(
            status(&nobody, "/either") == 200,
            check == "200 OK",
            "{check}"
        );
    }
}

#[test]
fn a64_a_refusal_under_satisfy_any_is_not_kept() {
    let gate = Site::bed()
        .app("location /any/ { satisfy any; deny all; @proxy@ }")
        .start();
    let answer = gate.page(APP, "/any/x");
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
}

#[test]
fn a49_a_cookie_over_plain_http_makes_nobody_known() {
    let gate = Site::bed()
        .server("server { listen @address@:8088; server_name app.example.com; auth_gate on; location / { satisfy any; allow all; @proxy@ } }")
        .start();
    let alice = gate.signed_in("alice");
    let cookie = format!("{}={}", alice.session().name, alice.session().value);
    let address = std::net::SocketAddr::from((gate.address().ip, 8088));
    let mut connection = super::harness::Connection::plain(address);
    let answer = connection
        .send(format!(
            "GET /x HTTP/1.1\r\nHost: app.example.com\r\nCookie: {cookie}\r\n\r\n"
        ))
        .answer();
    assert_eq!(answer.status, 200, "{answer:?}");
    let seen = gate.backend().take_one();
    assert!(
        seen.all("Remote-User").is_empty() && seen.all("Cookie").is_empty(),
        "{seen:?}"
    );
}
