//! App passwords at the authorization endpoints, in the portal room: whose they are, what they open,
//! and what is told and counted of those that open nothing.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ngx_http_auth_gate_module::portal::{
    Aim, Answer, AppPasswords as Settings, CredentialHeader, Doorway, Endpoint, Event, Failure,
    Headers, Implementation, Judged, Method, Portal, Request, Schemes, Strategy, Theme, Why,
};
use ngx_http_auth_gate_module::store::{AppPassword, AppPasswords};
use ngx_http_auth_gate_module::users::app_password::Token;

use super::browser::{Ask, Browser, header};
use super::site::{NOW, Site, settings};

const ONE: &str = "one.example.com";
const TWO: &str = "two.example.com";

/// A portal with app passwords, whose endpoint reads Basic and Bearer.
pub fn site() -> Site {
    let mut settings = settings(Theme::Light);
    settings.account.app_passwords = Some(Settings::default());
    let schemes = Schemes {
        basic: true,
        bearer: true,
    };
    let strategies = vec![
        Strategy::Header(CredentialHeader::Authorization, schemes),
        Strategy::CookieSession,
    ];
    let endpoint = Endpoint::new("auth-request", Implementation::AuthRequest, strategies);
    settings.endpoints = vec![endpoint];
    Site {
        portal: Portal::new(settings),
        ..Site::new()
    }
}

/// Gives a user an app password, and gives what he would copy.
pub fn give(site: &Site, user: &str, number: u8, hosts: &[&str], expires: Option<u64>) -> String {
    let token = Token::new(&[number; 30]);
    let new = AppPassword {
        id: token.id().bytes().into(),
        user: user.into(),
        name: format!("{number}"),
        verifier: token.verifier().bytes().into(),
        hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        created: NOW,
        expires,
        last_used: None,
    };
    let mut random = |bytes: &mut [u8]| getrandom::fill(bytes).unwrap();
    site.office
        .store()
        .add_app_password(&new, &mut random)
        .unwrap();
    token.reveal().to_string()
}

/// What the endpoint says of a page of that host, with that `Authorization`.
fn asked(site: &mut Site, host: &str, authorization: &str) -> Answer {
    let url = format!("https://{host}/x");
    let headers: [(&[u8], &[u8]); 4] = [
        (b"X-Original-Method", b"GET"),
        (b"X-Original-URL", url.as_bytes()),
        (b"X-Forwarded-For", b"192.0.2.9"),
        (b"Authorization", authorization.as_bytes()),
    ];
    let request = Request {
        method: b"GET",
        path: "/api/authz/auth-request",
        query: None,
        host: "auth.internal",
        scheme: "https",
        base: "",
        headers: Headers::default(),
        body: b"",
        address: Ipv4Addr::new(10, 0, 0, 2).into(),
        now: site.now,
        doorway: Some(Doorway {
            target: Cow::Borrowed(b"/api/authz/auth-request"),
            headers: headers.into_iter().collect(),
            trusted: true,
            only: true,
            here: Default::default(),
        }),
    };
    site.serve(&request)
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// Status and user.
fn told(answer: &Answer) -> (u16, Option<&str>) {
    (answer.status, header(answer, "Remote-User"))
}

/// A failure of whom, and why.
fn failed(answer: &Answer) -> (Option<&str>, &Why) {
    match &answer.event {
        Some(Event::Fail(Failure {
            aim: Aim::SignIn,
            method: Method::AppPassword,
            user,
            why,
            address,
        })) => {
            assert_eq!(*address, Some(IpAddr::from([192, 0, 2, 9])));
            assert!(answer.hold >= 250, "{}", answer.hold);
            (user.as_deref(), why)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_right_one_is_its_user_with_one_factor_and_costs_no_hash() {
    let mut site = site();
    let token = give(&site, "alice", 1, &[], None);
    for value in [
        basic("alice", &token),
        basic("ALICE", &token),
        bearer(&token),
    ] {
        let answer = asked(&mut site, ONE, &value);
        if value.starts_with("Basic QUxJQ0U") {
            // Names are those of the users file; without case_insensitive this is nobody.
            assert_eq!(told(&answer), (401, None));
            continue;
        }
        assert_eq!(told(&answer), (200, Some("alice")), "{value}");
        assert_eq!(answer.event, Some(Event::Pass(Method::AppPassword)));
        // One factor: what wants two stays shut.
        assert_eq!(told(&asked(&mut site, TWO, &value)), (401, None), "{value}");
    }
    assert_eq!(site.checks, 0);
    // What feeds the delay of failures are passwords that were hashed.
    assert!(site.world.successes.is_empty());
}

#[test]
fn a_right_one_of_somebody_else_is_wrong() {
    let mut site = site();
    let token = give(&site, "alice", 1, &[], None);
    for name in ["bob", "nobody", "frank"] {
        let answer = asked(&mut site, ONE, &basic(name, &token));
        assert_eq!(told(&answer), (401, None), "{name}");
        assert_eq!(failed(&answer), (Some(name), &Why::Wrong));
    }
}

#[test]
fn an_unknown_one_names_whom_the_header_names() {
    let mut site = site();
    let unknown = Token::new(&[9; 30]).reveal();
    let answer = asked(&mut site, ONE, &basic("alice", &unknown));
    assert_eq!(told(&answer), (401, None));
    assert_eq!(failed(&answer), (Some("alice"), &Why::Wrong));
    let answer = asked(&mut site, ONE, &bearer(&unknown));
    assert_eq!(told(&answer), (401, None));
    assert_eq!(failed(&answer), (None, &Why::Wrong));
    // The id is known, the secret is not: still nobody.
    give(&site, "alice", 1, &[], None);
    let mut forged = [1; 30];
    forged[29] = 2;
    let answer = asked(&mut site, ONE, &bearer(&Token::new(&forged).reveal()));
    assert_eq!(failed(&answer), (None, &Why::Wrong));
    assert_eq!(site.checks, 0, "it is never hashed as an ordinary password");
}

#[test]
fn a67_its_hosts_are_those_of_the_address_that_is_asked_about() {
    let mut site = site();
    let token = give(
        &site,
        "alice",
        1,
        &["two.example.com", "*.one.example.com"],
        None,
    );
    let why = Why::Says("the app password does not open this host".into());
    for value in [basic("alice", &token), bearer(&token)] {
        let answer = asked(&mut site, ONE, &value);
        assert_eq!(told(&answer), (401, None));
        assert_eq!(failed(&answer), (Some("alice"), &why));
    }
    let open = give(&site, "alice", 2, &["one.example.com"], None);
    for host in [ONE, "ONE.example.com:443", "one.example.com."] {
        let answer = asked(&mut site, host, &bearer(&open));
        assert_eq!(told(&answer), (200, Some("alice")), "{host}");
    }
    // Right after it was good there.
    let answer = asked(&mut site, "three.example.com", &bearer(&open));
    assert_eq!(told(&answer).0, 401);
}

#[test]
fn it_ends_when_it_says() {
    let mut site = site();
    let token = give(&site, "alice", 1, &[], Some(NOW + 60));
    site.now = NOW + 59;
    assert_eq!(told(&asked(&mut site, ONE, &bearer(&token))).0, 200);
    site.now = NOW + 60;
    let answer = asked(&mut site, ONE, &bearer(&token));
    assert_eq!(told(&answer), (401, None));
    let why = Why::Says("the app password has expired".into());
    assert_eq!(failed(&answer), (Some("alice"), &why));
}

#[test]
fn it_ends_when_it_is_revoked() {
    let mut site = site();
    let token = give(&site, "alice", 1, &[], None);
    assert_eq!(told(&asked(&mut site, ONE, &bearer(&token))).0, 200);
    let id = Token::read(&token).unwrap().id();
    let store = site.office.store();
    assert!(
        store
            .remove_app_password("alice", id.bytes())
            .unwrap()
            .is_some()
    );
    assert_eq!(told(&asked(&mut site, ONE, &bearer(&token))), (401, None));
}

#[test]
fn that_of_a_user_who_is_disabled_or_gone_opens_nothing() {
    let mut site = site();
    for (number, user) in [(1, "frank"), (2, "zoe")] {
        let token = give(&site, user, number, &[], None);
        let answer = asked(&mut site, ONE, &bearer(&token));
        assert_eq!(told(&answer), (401, None), "{user}");
        let why = Why::Says("the user of the app password is gone or disabled".into());
        assert_eq!(failed(&answer), (Some(user), &why));
    }
}

#[test]
fn a58_wrong_ones_ban_the_name_they_came_with_and_the_right_one_is_then_wrong() {
    let mut site = site();
    site.world.regulate(3);
    let token = give(&site, "alice", 1, &[], None);
    for number in 50..53 {
        let wrong = Token::new(&[number; 30]).reveal();
        asked(&mut site, ONE, &basic("alice", &wrong));
    }
    for value in [basic("alice", &token), bearer(&token)] {
        let answer = asked(&mut site, ONE, &value);
        assert_eq!(told(&answer), (401, None), "{value}");
        assert_eq!(failed(&answer), (Some("alice"), &Why::Banned));
    }
    // Nor does the ordinary password open anything, as after wrong ones of its kind.
    let answer = asked(&mut site, ONE, &basic("alice", "password"));
    assert_eq!(told(&answer), (401, None));
    let other = give(&site, "bob", 2, &[], None);
    assert_eq!(told(&asked(&mut site, ONE, &bearer(&other))).0, 200);
}

#[test]
fn a58_tokens_that_nobody_knows_ban_the_address_and_no_user() {
    let mut site = site();
    site.world.regulate(3);
    site.world.regulation.modes.ip = true;
    give(&site, "alice", 1, &[], None);
    for number in 50..54 {
        asked(&mut site, ONE, &bearer(&Token::new(&[number; 30]).reveal()));
    }
    let answer = asked(&mut site, ONE, &basic("alice", "password"));
    assert_eq!(told(&answer), (401, None), "the address is banned");
    site.world.regulation.modes.ip = false;
    let answer = asked(&mut site, ONE, &basic("alice", "password"));
    assert_eq!(told(&answer), (200, Some("alice")), "the user is not");
}

#[test]
fn a_forgotten_program_shuts_nobody_out() {
    let mut site = site();
    site.world.regulate(3);
    let over = give(&site, "alice", 1, &[], Some(NOW - 1));
    let elsewhere = give(&site, "alice", 2, &["three.example.com"], None);
    for token in [&over, &elsewhere] {
        for _ in 0..5 {
            assert_eq!(told(&asked(&mut site, ONE, &basic("alice", token))).0, 401);
        }
    }
    let answer = asked(&mut site, ONE, &basic("alice", "password"));
    assert_eq!(told(&answer), (200, Some("alice")));
}

#[test]
fn one_that_is_used_all_day_forgives_no_wrong_password() {
    let mut site = site();
    site.world.regulate(3);
    let token = give(&site, "alice", 1, &[], None);
    for _ in 0..3 {
        asked(&mut site, ONE, &basic("alice", "wrong"));
        if site.checks < 3 {
            assert_eq!(told(&asked(&mut site, ONE, &bearer(&token))).0, 200);
        }
    }
    let answer = asked(&mut site, ONE, &basic("alice", "password"));
    assert_eq!(
        told(&answer),
        (401, None),
        "three failures are three failures"
    );
}

#[test]
fn without_the_store_nobody_can_say() {
    let mut site = site();
    site.world.regulate(1);
    let token = give(&site, "alice", 1, &[], None);
    for (lost, closed) in [(true, false), (false, true)] {
        (site.office.lost, site.office.closed) = (lost, closed);
        for value in [basic("alice", &token), bearer(&token)] {
            let answer = asked(&mut site, ONE, &value);
            assert_eq!(told(&answer), (503, None), "{value}");
            assert!(header(&answer, "Retry-After").is_some());
            assert_eq!(answer.judged, Some(Judged::Unavailable));
            assert!(matches!(answer.event, Some(Event::Outage(_))));
        }
    }
    (site.office.lost, site.office.closed) = (false, false);
    // Nobody was banned for that.
    let answer = asked(&mut site, ONE, &basic("alice", &token));
    assert_eq!(told(&answer), (200, Some("alice")));
}

#[test]
fn a_use_is_written_down_once_in_an_hour() {
    let mut site = site();
    let token = give(&site, "alice", 1, &[], None);
    let id = Token::read(&token).unwrap().id();
    for (later, noted) in [
        (0, 0),
        (60, 0),
        (3599, 0),
        (3600, 3600),
        (7199, 3600),
        (7200, 7200),
    ] {
        site.now = NOW + later;
        assert_eq!(told(&asked(&mut site, ONE, &bearer(&token))).0, 200);
        let kept = site
            .office
            .store()
            .app_password(id.bytes())
            .unwrap()
            .unwrap();
        assert_eq!(kept.last_used, Some(NOW + noted), "{later}");
    }
}

#[test]
fn where_there_are_none_they_are_passwords_like_others() {
    let mut site = Site {
        portal: Portal::new(settings(Theme::Light)),
        ..site()
    };
    let token = give(&site, "alice", 1, &[], None);
    let answer = asked(&mut site, ONE, &basic("alice", &token));
    assert_eq!((told(&answer), site.checks), ((401, None), 1));
    let answer = asked(&mut site, ONE, &bearer(&token));
    assert_eq!((told(&answer), site.checks), ((401, None), 1));
}

#[test]
fn nobody_signs_in_with_one_at_the_portal() {
    let mut site = site();
    let token = give(&site, "alice", 1, &[], None);
    let body = format!(r#"{{"username":"alice","password":"{token}"}}"#);
    let mut browser = Browser::default();
    let answer = browser.send(&mut site, Ask::json("/api/firstfactor", &body));
    assert_eq!(answer.status, 401);
    let answer = browser.sign_in(&mut site, "/", "alice", &token);
    assert_eq!(answer.status, 401);
    assert_eq!(browser.user(&mut site), "");
    for value in [basic("alice", &token), bearer(&token)] {
        for path in ["/settings", "/api/user/info", "/api/user/session/elevation"] {
            let ask = Ask::get(path).header("authorization", &value);
            assert_ne!(browser.send(&mut site, ask).status, 200, "{path}");
        }
    }
}
