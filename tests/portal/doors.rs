//! The authorization endpoints in the portal room: whose session says who asks, what is answered when nobody can say, and
//! what is told of it.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ngx_http_auth_gate_module::access::{Decision, Requirement};
use ngx_http_auth_gate_module::portal::{
    Aim, Answer, Doorway, Event, Failure, Headers, Here, Judged, Method, Portal, Request, Theme,
    Why,
};

use super::app_passwords;
use super::browser::header;
use super::site::{NOW, Site, settings};

/// The proxy that asks.
const PROXY: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

/// The domain of the cookie that counts for a request to `host` with that raw target.
fn realm(host: &str, target: &str, headers: &[(&str, &str)], only: bool) -> Option<String> {
    let portal = Portal::new(settings(Theme::Light));
    with(host, target, headers, only, |request| {
        portal.realm_of(request).map(|realm| realm.domain.clone())
    })
}

fn with<R>(
    host: &str,
    target: &str,
    headers: &[(&str, &str)],
    only: bool,
    f: impl FnOnce(&Request<'_>) -> R,
) -> R {
    let headers = headers
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let path = target.split('?').next().unwrap_or_default();
    let request = Request {
        method: b"GET",
        path,
        query: None,
        host,
        scheme: "https",
        base: "",
        headers: Headers::default(),
        body: b"",
        address: PROXY.into(),
        now: NOW,
        doorway: Some(Doorway {
            target: Cow::Borrowed(target.as_bytes()),
            headers: headers.collect(),
            trusted: true,
            only,
            here: Here::default(),
        }),
    };
    f(&request)
}

/// What the endpoint for nginx says of a page of that host.
fn asked(site: &mut Site, host: &str, more: &[(&str, &str)]) -> Answer {
    let url = format!("https://{host}/x");
    let mut headers = vec![("X-Original-Method", "GET"), ("X-Original-URL", &*url)];
    headers.extend(more);
    let endpoint = "/api/authz/auth-request";
    with("auth.internal", endpoint, &headers, true, |request| {
        site.serve(request)
    })
}

fn basic(pair: &str) -> String {
    format!("Basic {}", STANDARD.encode(pair))
}

/// Decision and requirement, as they are counted.
fn judged(answer: &Answer) -> Option<(Decision, Requirement)> {
    match answer.judged {
        Some(Judged::Verdict(verdict)) => Some((verdict.decision, verdict.requirement)),
        _ => None,
    }
}

#[test]
fn the_cookie_of_the_address_that_is_asked_about_counts() {
    let asked = |url| [("X-Original-Method", "GET"), ("X-Original-URL", url)];
    let ours = Some("example.com".to_owned());
    let endpoint = "/api/authz/auth-request";
    let about_app = asked("https://app.example.com/x");
    for only in [false, true] {
        assert_eq!(realm("auth.internal", endpoint, &about_app, only), ours);
        for elsewhere in ["https://app.example.net/x", "http://app.example.com/x", ""] {
            assert_eq!(
                realm("auth.example.com", endpoint, &asked(elsewhere), only),
                None
            );
        }
    }
    // What is no endpoint is the portal's, where there is one.
    assert_eq!(
        realm("auth.example.com", "/api/state", &about_app, false),
        ours
    );
    assert_eq!(
        realm("auth.internal", "/api/state", &about_app, false),
        None
    );
    assert_eq!(
        realm("auth.example.com", "/api/state", &about_app, true),
        None
    );
}

#[test]
fn a_credential_that_comes_before_the_cookie_leaves_it_out() {
    let endpoint = "/api/authz/auth-request";
    let about = |value| {
        let headers = [
            ("X-Original-Method", "GET"),
            ("X-Original-URL", "https://app.example.com/x"),
            ("Authorization", value),
        ];
        realm("auth.internal", endpoint, &headers, true)
    };
    assert_eq!(about(""), Some("example.com".into()), "none was sent");
    for value in [&*basic("alice:password"), "Basic !", "Bearer x"] {
        assert_eq!(about(value), None, "{value}");
    }
}

#[test]
fn while_nobody_can_say_who_asks_what_is_open_stays_open_and_the_rest_is_put_off() {
    let site = Site::new();
    let ask = |url: &str, target: &str, only| {
        let headers = [("X-Original-Method", "GET"), ("X-Original-URL", url)];
        with("auth.example.com", target, &headers, only, |request| {
            site.portal.unknown(request, &site.world.rules, 7)
        })
    };
    let endpoint = "/api/authz/auth-request";
    let open = ask("https://public.example.com/", endpoint, true);
    assert_eq!(
        (open.status, header(&open, "Remote-User")),
        (200, None),
        "{open:?}"
    );
    assert_eq!(
        judged(&open),
        Some((Decision::Allow, Requirement::Bypass)),
        "{open:?}"
    );
    for host in ["one", "two", "shut"] {
        let answer = ask(&format!("https://{host}.example.com/"), endpoint, true);
        let told = (answer.status, header(&answer, "Retry-After"));
        assert_eq!(told, (503, Some("7")), "{host}: {answer:?}");
        assert_eq!(answer.judged, Some(Judged::Unavailable));
    }
    let bad = ask("http://public.example.com/", endpoint, true);
    assert_eq!((bad.status, bad.judged), (400, Some(Judged::Error)));
    let page = ask("https://public.example.com/", "/api/state", false);
    assert_eq!((page.status, page.judged), (503, None));
}

#[test]
fn whoever_leaves_through_a_proxy_leaves_the_domain_of_the_host_that_it_tells() {
    let sign_out = "/outpost.goauthentik.io/sign_out";
    let ours = Some("example.com".to_owned());
    for (host, told, wanted) in [
        ("app.example.com", None, &ours),
        ("outpost:9000", Some("app.example.com:8443"), &ours),
        ("app.example.com", Some("evil.test"), &ours),
        ("outpost:9000", Some("evil.test"), &None),
        ("outpost:9000", None, &None),
    ] {
        let headers: Vec<_> = told
            .map(|told| ("X-Forwarded-Host", told))
            .into_iter()
            .collect();
        assert_eq!(
            realm(host, sign_out, &headers, true),
            *wanted,
            "{host} {told:?}"
        );
    }
    let portal = Portal::new(settings(Theme::Light));
    let wants_out = |target: &str| {
        with("app.example.com", target, &[], true, |request| {
            let mut request = request.clone();
            request.headers.sec_fetch_mode = Some(b"navigate");
            request.headers.sec_fetch_site = Some(b"none");
            portal.wants_out(&request)
        })
    };
    assert!(wants_out(sign_out));
    assert!(!wants_out("/outpost.goauthentik.io/auth/nginx") && !wants_out("/logout"));
}

#[test]
fn while_nobody_can_say_who_asks_authentiks_headers_are_empty() {
    let site = Site::new();
    let headers = [("X-Original-URL", "https://public.example.com/")];
    let endpoint = "/outpost.goauthentik.io/auth/nginx";
    let open = with("auth.internal", endpoint, &headers, true, |request| {
        site.portal.unknown(request, &site.world.rules, 7)
    });
    assert_eq!(open.status, 200);
    for name in ["username", "groups", "uid", "jwt"] {
        let name = format!("X-authentik-{name}");
        assert_eq!(header(&open, &name), Some(""), "{name}");
    }
}

#[test]
fn what_needs_nobody_is_answered_without_a_world() {
    let portal = Portal::new(settings(Theme::Light));
    let still = |target: &str, only| {
        let answer = with("auth.example.com", target, &[], only, |request| {
            portal.still(request)
        });
        answer.map(|answer| answer.status)
    };
    for (target, at_portal, at_endpoints) in [
        ("/api/health", Some(200), Some(404)),
        ("/assets/webauthn.js", Some(200), Some(404)),
        ("/assets/x", Some(404), Some(404)),
        ("/", None, Some(404)),
        ("/api/state", None, Some(404)),
        ("/api/verify", None, None),
        ("/outpost.goauthentik.io/ping", Some(204), Some(204)),
        ("/outpost.goauthentik.io/start", Some(302), Some(302)),
        ("/outpost.goauthentik.io/sign_out", None, None),
        ("/outpost.goauthentik.io/auth/nginx", None, None),
        ("/outpost.goauthentik.io/callback", None, Some(404)),
    ] {
        assert_eq!(
            (still(target, false), still(target, true)),
            (at_portal, at_endpoints),
            "{target}"
        );
    }
}

#[test]
fn passwords_in_a_header_are_told_of_as_the_visitors_and_counted() {
    let mut site = Site::new();
    let (host, visitor) = ("one.example.com", "192.0.2.9");
    let from = ("X-Forwarded-For", visitor);
    let right = basic("alice:password");
    let answer = asked(&mut site, host, &[from, ("Authorization", &right)]);
    assert_eq!(answer.event, Some(Event::Pass(Method::Basic)));
    assert_eq!(
        judged(&answer),
        Some((Decision::Allow, Requirement::OneFactor))
    );
    let wrong = basic("alice:wrong");
    let answer = asked(&mut site, host, &[from, ("Authorization", &wrong)]);
    let failure = Failure {
        aim: Aim::SignIn,
        method: Method::Basic,
        user: Some("alice".into()),
        why: Why::Wrong,
        address: visitor.parse::<IpAddr>().ok(),
    };
    assert_eq!(answer.event, Some(Event::Fail(failure)));
    assert_eq!(
        judged(&answer),
        Some((Decision::Challenge, Requirement::OneFactor))
    );
    site.world.busy = true;
    let answer = asked(&mut site, host, &[from, ("Authorization", &right)]);
    let told = (answer.status, header(&answer, "Retry-After"));
    assert_eq!(told, (503, Some("5")));
    assert_eq!(answer.event, Some(Event::TurnAway(Method::Basic)));
    assert_eq!(answer.judged, Some(Judged::Unavailable));
}

#[test]
fn a66_authentiks_endpoints_take_app_passwords_in_both_forms_and_no_other_token() {
    let mut site = app_passwords::site();
    let token = app_passwords::give(&site, "alice", 1, &[], None);
    let mut ask = |target: &str, authorization: &str| {
        let headers = [
            ("X-Original-URL", "https://one.example.com/x"),
            ("X-Forwarded-Method", "GET"),
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Host", "one.example.com"),
            ("Host", "one.example.com"),
            ("Authorization", authorization),
        ];
        with("auth.internal", target, &headers, true, |request| {
            site.serve(request)
        })
    };
    for door in ["nginx", "traefik", "caddy", "envoy/x"] {
        let target = format!("/outpost.goauthentik.io/auth/{door}");
        for right in [basic(&format!("alice:{token}")), format!("Bearer {token}")] {
            let answer = ask(&target, &right);
            let told = (answer.status, header(&answer, "X-authentik-username"));
            assert_eq!(told, (200, Some("alice")), "{door}");
        }
        for wrong in [
            "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.",
            "Bearer",
            "Bearer ",
        ] {
            let answer = ask(&target, wrong);
            let told = (answer.status, header(&answer, "X-authentik-username"));
            assert_eq!(told, (401, None), "{door} {wrong}");
        }
    }
}
