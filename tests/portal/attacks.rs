//! Attacks on the portal, by their numbers.

use ngx_http_auth_gate_module::portal::{Aim, Answer, Denied, FORM_COOKIE, Method, Reader, Why};

use crate::browser::*;
use crate::site::*;

const GOOD: &str = r#"{"username":"alice","password":"password"}"#;
const EVIL_ORIGIN: &str = "https://evil.test";

#[test]
fn a44_the_id_changes_at_every_login_and_the_old_one_is_dead() {
    let (mut site, mut browser) = (Site::new(), Browser::default());
    browser.sign_in(&mut site, "/", "alice", "password");
    let first = browser.clone();
    browser.send(&mut site, Ask::json("/api/firstfactor", GOOD));
    assert_ne!(first.0["authelia_session"], browser.0["authelia_session"]);
    assert_eq!(first.clone().user(&mut site), "");
    assert_eq!(browser.user(&mut site), "alice");
    assert_eq!(site.world.sessions.len(), 1);
}

#[test]
fn a44_a_planted_id_never_becomes_a_session() {
    let (mut site, mut attacker) = (Site::new(), Browser::default());
    attacker.sign_in(&mut site, "/", "bob", "password");
    let planted = attacker.0["authelia_session"].clone();
    let mut victim = Browser::default();
    victim.0.insert("authelia_session".into(), planted.clone());
    victim.send(&mut site, Ask::json("/api/firstfactor", GOOD));
    assert_ne!(victim.0["authelia_session"], planted);
    assert_eq!(victim.user(&mut site), "alice");
    assert_eq!(attacker.user(&mut site), "");
}

#[test]
fn a44_a_failed_login_leaves_the_session_alone() {
    let (mut site, mut browser) = (Site::new(), Browser::default());
    browser.sign_in(&mut site, "/", "alice", "password");
    let wrong = Ask::json("/api/firstfactor", r#"{"username":"bob","password":"no"}"#);
    let answer = browser.send(&mut site, wrong);
    assert_eq!((answer.status, answer.cookies.len()), (401, 0));
    assert_eq!(browser.user(&mut site), "alice");
}

#[test]
fn a55_a_login_that_another_site_sends_is_refused() {
    let (mut site, mut browser) = (Site::new(), Browser::default());
    let token = field(&browser.get(&mut site, "/"), "token");
    let form = [
        ("token", &*token),
        ("username", "alice"),
        ("password", "password"),
    ];
    let foreign = [
        ("origin", EVIL_ORIGIN),
        ("origin", "null"),
        ("origin", "https://one.example.com"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ];
    for (name, value) in foreign {
        let answer = browser.send(&mut site, Ask::form("/", &form).header(name, value));
        assert_eq!(
            (answer.status, answer.cookies.len()),
            (403, 0),
            "{name}: {value}"
        );
        let ask = Ask::json("/api/firstfactor", GOOD).header(name, value);
        assert_eq!(browser.send(&mut site, ask).status, 403, "{name}: {value}");
        let ask = Ask::new("GET", "/api/state").header(name, value);
        assert_eq!(browser.send(&mut site, ask).status, 403, "{name}: {value}");
    }
    assert_eq!(site.checks, 0);
    let own = Ask::form("/", &form)
        .header("origin", "https://auth.example.com")
        .header("sec-fetch-site", "same-origin");
    assert_eq!(browser.send(&mut site, own).status, 303);
}

#[test]
fn a55_a_login_without_the_token_of_this_browser_is_refused() {
    let (mut site, mut browser, mut other) = (Site::new(), Browser::default(), Browser::default());
    browser.get(&mut site, "/");
    let stolen = field(&other.get(&mut site, "/"), "token");
    for token in ["", "x", &*stolen] {
        let form = [
            ("token", token),
            ("username", "alice"),
            ("password", "password"),
        ];
        let answer = browser.send(&mut site, Ask::form("/", &form));
        assert_eq!(answer.status, 403);
        assert!(text(&answer).contains("role=\"alert\""));
        assert_eq!(field(&answer, "username"), "alice");
    }
    let form = [
        ("token", &*stolen),
        ("username", "alice"),
        ("password", "password"),
    ];
    let answer = Browser::default().send(&mut site, Ask::form("/", &form));
    assert_eq!(answer.status, 403);
    assert!(text(&answer).contains("cookie"));
    for nonce in ["", "x", &"a".repeat(44), &"=".repeat(43)] {
        let mut forger = Browser::default();
        forger.0.insert(FORM_COOKIE.into(), nonce.into());
        assert_eq!(forger.send(&mut site, Ask::form("/", &form)).status, 403);
    }
    assert_eq!(site.checks, 0);
}

#[test]
fn a55_a_sign_out_needs_its_token_and_its_origin() {
    let (mut site, mut browser) = (Site::new(), Browser::default());
    browser.sign_in(&mut site, "/", "alice", "password");
    let token = field(&browser.get(&mut site, "/logout"), "token");
    for token in ["", "x"] {
        let answer = browser.send(&mut site, Ask::form("/logout", &[("token", token)]));
        assert_eq!(answer.status, 403);
    }
    let ask = Ask::form("/logout", &[("token", &token)]).header("origin", EVIL_ORIGIN);
    assert_eq!(browser.send(&mut site, ask).status, 403);
    let ask = Ask::json("/api/logout", "{}").header("sec-fetch-site", "same-site");
    assert_eq!(browser.send(&mut site, ask).status, 403);
    assert_eq!(browser.user(&mut site), "alice");
}

#[test]
fn a80_a_sign_out_by_get_from_elsewhere_ends_nothing() {
    let (mut site, mut browser) = (Site::new(), Browser::default());
    browser.sign_in(&mut site, "/", "alice", "password");
    let image = Ask::get("/logout")
        .header("sec-fetch-site", "same-site")
        .header("sec-fetch-mode", "no-cors")
        .header("sec-fetch-dest", "image");
    let frame = Ask::get("/logout")
        .navigation("same-site")
        .header("sec-fetch-dest", "iframe");
    let link = Ask::get("/logout").navigation("cross-site");
    let prerender = Ask::get("/logout")
        .navigation("same-origin")
        .header("sec-purpose", "prefetch");
    let head = Ask {
        method: "HEAD",
        ..Ask::get("/logout").navigation("none")
    };
    for ask in [Ask::get("/logout"), image, frame, link, prerender, head] {
        let answer = browser.send(&mut site, ask);
        assert_eq!((answer.status, answer.cookies.len()), (200, 0));
        assert!(text(&answer).contains("Sign out?"));
    }
    assert_eq!(browser.user(&mut site), "alice");
    browser.send(&mut site, Ask::get("/logout").navigation("same-site"));
    assert_eq!(browser.user(&mut site), "");
}

#[test]
fn a56_what_came_in_goes_out_escaped() {
    let hostile = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&{{7*7}}";
    let (mut site, mut browser) = (Site::new(), Browser::default());
    let token = field(&browser.get(&mut site, "/"), "token");
    let rd = format!("https://one.example.com/{}", hostile.replace(' ', "+"));
    let form = [
        ("token", &*token),
        ("username", hostile),
        ("password", "x"),
        ("rd", &rd),
        ("rm", hostile),
    ];
    let reader = Reader::new(Some(b"text/html"), None);
    let denied = Denied {
        user: Some((hostile, hostile)),
        asked: hostile,
        login: Some(hostile),
    };
    let answers = [
        browser.send(&mut site, Ask::form("/", &form)),
        browser.send(&mut site, Ask::form("/", &form[1..])),
        browser.send(
            &mut site,
            Ask::get(&format!("/?{}", encoded(&[("rd", &rd), ("rm", hostile)]))),
        ),
        browser.send(&mut site, Ask::get(&format!("/?error={hostile}"))),
        site.portal.forbidden(reader, &denied),
        site.portal.challenge(reader, 302, &rd, hostile),
    ];
    for answer in answers {
        let html = text(&answer);
        assert!(
            !html.contains("<script") && !html.contains("<img"),
            "{html}"
        );
        assert!(
            header(&answer, "content-security-policy")
                .unwrap()
                .starts_with("default-src 'none'")
        );
        assert!(
            answer
                .cookies
                .iter()
                .all(|cookie| !cookie.contains("script"))
        );
    }
    assert_eq!(
        field(&browser.send(&mut site, Ask::form("/", &form)), "username"),
        hostile
    );
}

#[test]
fn a57_unknown_known_disabled_and_banned_look_alike() {
    let mut seen = Vec::new();
    for (name, password) in [
        ("alice", "x"),
        ("nobody", "password"),
        ("frank", "password"),
        ("alice", "password"),
    ] {
        let mut site = Site::new();
        site.world.regulate(1);
        let mut browser = Browser::default();
        if password == "password" && name == "alice" {
            browser.send(
                &mut site,
                Ask::json("/api/firstfactor", r#"{"username":"alice","password":"x"}"#),
            );
        }
        let (before, page) = (site.checks, browser.sign_in(&mut site, "/", name, password));
        assert_eq!(
            site.checks,
            before + 1,
            "{name}: every failure costs one check"
        );
        let html = text(&page).replace(&format!("value=\"{name}\""), "value=\"\"");
        let body = format!(r#"{{"username":"{name}","password":"{password}"}}"#);
        let api = browser.send(&mut site, Ask::json("/api/firstfactor", &body));
        assert!(page.event.is_some() && api.event.is_some());
        seen.push((
            page.status,
            page.hold,
            html,
            page.headers,
            page.cookies,
            api.status,
            api.hold,
            api.body,
            api.headers,
            api.cookies,
        ));
    }
    assert!(seen.iter().all(|answer| *answer == seen[0]), "{seen:#?}");
    assert_eq!((seen[0].0, seen[0].5), (401, 401));
}

#[test]
fn a58_the_right_password_fails_while_banned() {
    let (mut site, mut browser) = (Site::new(), Browser::default());
    site.world.regulate(3);
    let mut last = None;
    for password in ["a", "b", "c", "password"] {
        last = Some(browser.sign_in(&mut site, "/", "alice", password));
    }
    let last = last.unwrap();
    assert_eq!(
        (last.status, last.event),
        (
            401,
            Some(failed("alice", Aim::SignIn, Method::Password, Why::Banned))
        )
    );
    assert_eq!(
        browser.sign_in(&mut site, "/", "bob", "password").status,
        303
    );
}

#[test]
fn a62_nothing_half_said_advances_a_step() {
    let (mut site, mut browser) = (Site::new(), Browser::default());
    let token = field(&browser.get(&mut site, "/"), "token");
    let form = |body: &str| Ask::form("/", &[]).body(body.replace("T", &token));
    for ask in [
        form(""),
        form("token=T"),
        form("token=T&username=alice"),
        form("token=T&password=password"),
        form("token=T&username=alice&username=bob&password=password"),
        form("token=T&username=alice&password=x&password=password"),
        form("token=T&token=T&username=alice&password=password"),
        form("token=T&username=alice&password=pass%word"),
        form("token=T&username=alice&password=password&x=%ff"),
        form(GOOD),
        form("token=T&username=alice&password=password").header("content-type", "text/plain"),
        form("token=T&username=alice&password=password").header("content-type", "application/json"),
        form("token=T&username=alice&password=password")
            .header("content-type", "multipart/form-data"),
    ] {
        let answer = browser.send(&mut site, ask.clone());
        assert!(
            matches!(answer.status, 400 | 403),
            "{} {:?}",
            answer.status,
            ask.body
        );
    }
    for (kind, body) in [
        ("application/x-www-form-urlencoded", GOOD),
        ("text/plain", GOOD),
        ("multipart/form-data", GOOD),
        ("application/json", "username=alice&password=password"),
        ("application/json", r#"["alice","password",null,null,null]"#),
        (
            "application/json",
            r#"{"username":"alice","username":"alice","password":"password"}"#,
        ),
        (
            "application/json",
            r#"{"username":["alice"],"password":"password"}"#,
        ),
        (
            "application/json",
            r#"{"username":"alice","password":"password"} {}"#,
        ),
        (
            "application/json",
            r#"{"username":"alice","password":"password","targetURL":["x"]}"#,
        ),
        ("application/json", ""),
    ] {
        let ask = Ask::json("/api/firstfactor", body).header("content-type", kind);
        let answer = browser.send(&mut site, ask);
        assert_eq!((answer.status, answer.hold), (401, 1000), "{kind}: {body}");
        assert_eq!(
            text(&answer),
            r#"{"status":"KO","message":"Authentication failed. Check your credentials."}"#
        );
    }
    let deep = format!(r#"{{"x":{}1{}}}"#, "[".repeat(5000), "]".repeat(5000));
    assert_eq!(
        browser
            .send(&mut site, Ask::json("/api/firstfactor", &deep))
            .status,
        401
    );
    let long = Ask::json("/api/firstfactor", &" ".repeat(20_000));
    assert_eq!(browser.send(&mut site, long).status, 413);
    assert_eq!((site.checks, site.world.sessions.len()), (0, 0));
}

#[test]
fn a63_answers_to_strangers_hold_nothing_of_anybody() {
    let (mut site, mut browser) = (Site::new(), Browser::default());
    browser.sign_in(&mut site, "/", "alice", "password");
    let mut stranger = Browser::default();
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"] {
        for path in [
            "/api/user/info",
            "/api/configuration",
            "/api/secondfactor/totp",
            "/",
            "/logout",
        ] {
            let answer = stranger.send(&mut site, Ask::new(method, path));
            assert!(!text(&answer).contains("lice"), "{method} {path}");
            assert!(
                !answer
                    .cookies
                    .iter()
                    .any(|cookie| cookie.starts_with("authelia_session"))
            );
        }
    }
}

#[test]
fn a64_no_answer_is_kept_by_a_cache() {
    let (mut site, mut browser) = (Site::new(), Browser::default());
    let reader = Reader::new(Some(b"text/html"), None);
    let mut answers: Vec<Answer> = vec![
        browser.get(&mut site, "/"),
        browser.get(&mut site, "/nothing"),
        browser.sign_in(&mut site, "/", "alice", "wrong"),
        browser.sign_in(&mut site, "/", "alice", "password"),
        browser.get(&mut site, "/"),
        browser.send(&mut site, Ask::get("/logout").navigation("none")),
        site.portal
            .challenge(reader, 302, "https://auth.example.com/", "x"),
        site.portal.challenge(
            Reader::new(None, None),
            401,
            "https://auth.example.com/",
            "x",
        ),
        site.portal.forbidden(
            reader,
            &Denied {
                user: None,
                asked: "x",
                login: None,
            },
        ),
    ];
    for path in [
        "/api/state",
        "/api/health",
        "/api/nothing",
        "/api/user/info",
        "/api/firstfactor",
    ] {
        answers.push(browser.send(&mut site, Ask::new("GET", path)));
    }
    for answer in answers {
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
        ] {
            assert_eq!(header(&answer, name), Some(value), "{answer:?}");
        }
        let names: std::collections::HashSet<_> = answer.headers.iter().map(|(n, _)| n).collect();
        assert_eq!(
            names.len(),
            answer.headers.len(),
            "a header twice: {answer:?}"
        );
    }
}

#[test]
fn a81_over_plain_http_nothing_but_health_is_answered() {
    let (mut site, mut browser) = (Site::new(), Browser::default());
    let token = field(&browser.get(&mut site, "/"), "token");
    let form = [
        ("token", &*token),
        ("username", "alice"),
        ("password", "password"),
    ];
    for ask in [
        Ask::get("/"),
        Ask::get("/logout"),
        Ask::form("/", &form),
        Ask::json("/api/firstfactor", GOOD),
        Ask::new("GET", "/api/state"),
        Ask::new("GET", "/api/nothing"),
    ] {
        for scheme in ["http", "", "HTTPS", "wss"] {
            let answer = browser.send(
                &mut site,
                Ask {
                    scheme,
                    ..ask.clone()
                },
            );
            assert_eq!((answer.status, answer.cookies.len()), (400, 0));
            assert!(text(&answer).contains("auth_gate_scheme"));
        }
    }
    let health = Ask {
        scheme: "http",
        ..Ask::new("GET", "/api/health")
    };
    assert_eq!(text(&browser.send(&mut site, health)), r#"{"status":"OK"}"#);
    assert_eq!((site.checks, site.world.sessions.len()), (0, 0));
}

fn encoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}
