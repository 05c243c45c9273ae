//! The pages as a person meets them.

use ngx_http_auth_gate_module::portal::{Answer, Denied, Reader, Theme};
use sha2::Digest;

use crate::browser::*;
use crate::site::*;

const WIKI: &str = "/?rd=https%3A%2F%2Fone.example.com%2Fwiki%3Fpage%3D1&rm=GET";

#[test]
fn a_login_leads_to_where_one_came_from() {
    let (mut site, mut browser) = (Site::new(), Browser::default());
    let page = browser.get(&mut site, WIKI);
    assert_eq!(page.status, 200);
    assert!(text(&page).contains("to open <strong>one.example.com</strong>"));
    let answer = browser.sign_in(&mut site, WIKI, "alice", "password");
    assert_eq!(answer.status, 303);
    assert_eq!(
        answer.location.as_deref(),
        Some("https://one.example.com/wiki?page=1")
    );
    assert_eq!(browser.user(&mut site), "alice");
    assert_eq!(site.world.successes, [300]);
}

#[test]
fn without_a_return_address_the_portal_says_who_is_signed_in() {
    let (mut site, mut browser) = (Site::new(), Browser::default());
    let answer = browser.sign_in(&mut site, "/", "carol", "password");
    assert_eq!(
        answer.location.as_deref(),
        Some("https://auth.example.com/")
    );
    let page = browser.get(&mut site, "/");
    assert!(text(&page).contains("<strong>Carol &#39;C&#39; Ünsal</strong> (carol)"));
    assert!(text(&page).contains("href=\"https://home.example.com\""));
}

#[test]
fn a_signed_in_visitor_is_offered_the_address_and_not_sent_round_in_circles() {
    let (mut site, mut browser) = (Site::new(), Browser::default());
    browser.sign_in(&mut site, "/", "alice", "password");
    let page = browser.get(&mut site, WIKI);
    assert_eq!((page.status, &page.location), (200, &None));
    assert!(
        text(&page).contains("href=\"https://one.example.com/wiki?page=1\">Open one.example.com<")
    );
    let page = browser.get(&mut site, "/?rd=https%3A%2F%2Fevil.test%2F");
    assert!(!text(&page).contains("evil"));
}

#[test]
fn a_denied_address_is_left_to_the_gate_to_deny() {
    let (mut site, mut browser) = (Site::new(), Browser::default());
    let deny = "/?rd=https%3A%2F%2Fdeny.example.com%2F&rm=GET";
    let answer = browser.sign_in(&mut site, deny, "alice", "password");
    assert_eq!(
        answer.location.as_deref(),
        Some("https://deny.example.com/")
    );
}

#[test]
fn errors_stand_beside_their_field_and_keep_what_was_typed() {
    let (mut site, mut browser) = (Site::new(), Browser::default());
    let answer = browser.sign_in(&mut site, WIKI, "alice", "wrong");
    assert_eq!((answer.status, answer.hold), (401, 1000));
    let html = text(&answer);
    let order = [
        "id=\"username\"",
        "id=\"password\"",
        "name=\"remember\"",
        "type=\"submit\"",
    ];
    assert!(order.map(|part| html.find(part).unwrap()).is_sorted() && !html.contains("tabindex"));
    assert!(html.contains("<title>Error: Sign in</title>"));
    assert!(html.contains("id=\"password-error\" role=\"alert\""));
    assert!(!html.contains("wrong"));
    assert_eq!(field(&answer, "username"), "alice");
    assert_eq!(field(&answer, "rd"), "https://one.example.com/wiki?page=1");
    let answer = browser.sign_in(&mut site, WIKI, "", "");
    assert_eq!((answer.status, site.checks), (400, 1));
    assert!(text(&answer).contains("id=\"username-error\" role=\"alert\""));
}

#[test]
fn the_box_is_shown_where_the_configuration_has_it() {
    let (mut site, mut browser) = (Site::new(), Browser::default());
    let page = browser.get(&mut site, "/");
    assert!(text(&page).contains("name=\"remember\""));
    let token = field(&page, "token");
    let fields = [
        ("token", &*token),
        ("username", "alice"),
        ("password", "password"),
        ("remember", "on"),
    ];
    let answer = browser.send(&mut site, Ask::form("/", &fields));
    assert!(
        answer.cookies[0].contains("Max-Age=2592000"),
        "{:?}",
        answer.cookies
    );
    let mut settings = settings(Theme::Light);
    settings.domains[0].realm.lifetimes.remember_me = None;
    site.portal = ngx_http_auth_gate_module::portal::Portal::new(settings);
    let mut other = Browser::default();
    let page = other.get(&mut site, "/");
    assert!(!text(&page).contains("remember"));
    let token = field(&page, "token");
    let fields = [
        ("token", &*token),
        ("username", "alice"),
        ("password", "password"),
        ("remember", "on"),
    ];
    let answer = other.send(&mut site, Ask::form("/", &fields));
    assert!(
        answer.cookies[0].contains("Max-Age=3600"),
        "{:?}",
        answer.cookies
    );
}

#[test]
fn signing_out_ends_the_session_and_goes_on_where_it_is_safe() {
    let (mut site, mut browser) = (Site::new(), Browser::default());
    browser.sign_in(&mut site, "/", "alice", "password");
    let old = browser.clone();
    let token = field(&browser.get(&mut site, "/"), "token");
    let answer = browser.send(&mut site, Ask::form("/logout", &[("token", &token)]));
    assert_eq!(
        answer.location.as_deref(),
        Some("https://auth.example.com/logout")
    );
    assert!(
        answer.cookies[0].contains("Domain=example.com"),
        "{:?}",
        answer.cookies
    );
    assert!(text(&browser.get(&mut site, "/logout")).contains("You are signed out"));
    assert_eq!(old.clone().user(&mut site), "");

    browser.sign_in(&mut site, "/", "alice", "password");
    let ask = Ask::get("/logout?rd=https%3A%2F%2Fone.example.com%2F").navigation("same-site");
    let answer = browser.send(&mut site, ask);
    assert_eq!(answer.location.as_deref(), Some("https://one.example.com/"));
    assert!(site.world.sessions.is_empty());
    let ask = Ask::get("/logout?rd=https%3A%2F%2Fevil.test%2F").navigation("none");
    assert_eq!(browser.send(&mut site, ask).location, None);
}

#[test]
fn a_signed_out_form_of_an_older_session_asks_again() {
    let (mut site, mut browser) = (Site::new(), Browser::default());
    browser.sign_in(&mut site, "/", "alice", "password");
    let token = field(&browser.get(&mut site, "/logout"), "token");
    browser.sign_in(&mut site, "/", "alice", "password");
    browser.send(
        &mut site,
        Ask::json(
            "/api/firstfactor",
            r#"{"username":"bob","password":"password"}"#,
        ),
    );
    let answer = browser.send(&mut site, Ask::form("/logout", &[("token", &token)]));
    assert_eq!(answer.status, 403);
    assert_eq!(browser.user(&mut site), "bob");
}

#[test]
fn a_session_ends_with_its_lifetime_its_domain_and_its_user() {
    let (mut site, mut browser) = (Site::new(), Browser::default());
    browser.sign_in(&mut site, "/", "alice", "password");
    site.now += 301;
    assert_eq!(browser.user(&mut site), "");
    site.now -= 301;
    assert_eq!(browser.user(&mut site), "alice");
    for record in site.world.sessions.values_mut() {
        record.domain ^= 1;
    }
    assert_eq!(browser.user(&mut site), "");
    for record in site.world.sessions.values_mut() {
        record.domain ^= 1;
    }
    site.world.directory = Default::default();
    assert_eq!(browser.user(&mut site), "");
}

#[test]
fn below_a_path_every_link_stays_below_it() {
    let (mut site, mut browser) = (Site::new(), Browser::default());
    let below = |mut ask: Ask| {
        ask.base = "/sso";
        ask
    };
    let page = browser.send(&mut site, below(Ask::get("/")));
    assert!(text(&page).contains("action=\"/sso/\""));
    let token = field(&page, "token");
    let fields = [
        ("token", &*token),
        ("username", "alice"),
        ("password", "password"),
    ];
    let answer = browser.send(&mut site, below(Ask::form("/", &fields)));
    assert_eq!(
        answer.location.as_deref(),
        Some("https://auth.example.com/sso/")
    );
    let page = browser.send(&mut site, below(Ask::get("/")));
    assert!(text(&page).contains("action=\"/sso/logout\""));
    let page = browser.send(&mut site, below(Ask::get("/logout")));
    assert!(text(&page).contains("href=\"/sso/\""));
}

#[test]
fn what_cannot_be_kept_is_said() {
    let (mut site, mut browser) = (Site::new(), Browser::default());
    site.world.full = true;
    let answer = browser.sign_in(&mut site, "/", "alice", "password");
    assert_eq!(
        (answer.status, header(&answer, "retry-after")),
        (503, Some("5"))
    );
    assert!(
        !answer
            .cookies
            .iter()
            .any(|cookie| cookie.starts_with("authelia_session"))
    );
    site.world.full = false;
    site.world.busy = true;
    let answer = browser.sign_in(&mut site, WIKI, "alice", "password");
    assert_eq!(
        (answer.status, header(&answer, "retry-after")),
        (503, Some("5"))
    );
    assert_eq!(field(&answer, "username"), "alice");
    let ask = Ask::json(
        "/api/firstfactor",
        r#"{"username":"bob","password":"password"}"#,
    );
    assert_eq!(browser.send(&mut site, ask).status, 503);
}

#[test]
fn other_paths_and_methods_are_pages_too() {
    let (mut site, mut browser) = (Site::new(), Browser::default());
    assert_eq!(browser.get(&mut site, "/nothing").status, 404);
    let answer = browser.send(&mut site, Ask::new("PUT", "/"));
    assert_eq!(
        (answer.status, header(&answer, "allow")),
        (405, Some("GET, HEAD, POST"))
    );
    for host in [
        "auth.example.org",
        "evil.test?.example.com",
        "evil.test#.example.com",
        "evil.test\\.example.com",
        "evil.test@auth.example.com",
        "evil.test:80@auth.example.com",
        "auth.example.com:x",
        "",
        "[::1]:443",
    ] {
        let ask = Ask {
            host: host.into(),
            ..Ask::get("/")
        };
        assert_eq!(browser.send(&mut site, ask).status, 400, "{host}");
    }
    for (host, own) in [
        ("auth.example.com.:8443", "auth.example.com:8443"),
        ("AUTH.example.com", "AUTH.example.com"),
    ] {
        let ask = Ask {
            host: host.into(),
            ..Ask::form("/logout", &[])
        };
        let location = browser.send(&mut site, ask).location;
        assert_eq!(location, Some(format!("https://{own}/logout")));
    }
    let ask = Ask::form("/", &[("a", &"x".repeat(20_000))]);
    assert_eq!(browser.send(&mut site, ask).status, 413);
}

#[test]
fn a_page_is_one_small_request_without_script() {
    for page in every_page() {
        let html = text(&page);
        assert!(page.body.len() < 15 << 10, "{}", page.body.len());
        for part in [
            "<script",
            " src=",
            " style=",
            "@import",
            "@font-face",
            "javascript:",
        ] {
            assert!(!html.contains(part), "{part} in {html}");
        }
        for (at, _) in html.match_indices("url(") {
            assert!(html[at..].starts_with("url(data:"), "{html}");
        }
        let style = html
            .split_once("<style>")
            .unwrap()
            .1
            .split_once("</style>")
            .unwrap()
            .0;
        let hash = sha2::Sha256::digest(style);
        let hash = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, hash);
        let policy = header(&page, "content-security-policy").unwrap();
        assert!(
            policy.contains(&format!("style-src 'sha256-{hash}'")),
            "{policy}"
        );
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("script"));
    }
}

#[test]
fn a_form_leads_nowhere_without_tls() {
    let (mut site, mut browser) = (Site::new(), Browser::default());
    let page = browser.get(&mut site, "/");
    let policy = header(&page, "content-security-policy").unwrap();
    assert!(policy.contains("form-action 'self' https:; "));
    assert!(policy.ends_with("frame-ancestors 'none'; base-uri 'none'"));
}

#[test]
fn the_gate_s_pages_say_what_happened_and_what_to_do() {
    let site = Site::new();
    let html = Reader::new(Some(b"text/html,*/*"), None);
    let json = Reader::new(Some(b"application/json"), None);
    let login = "https://auth.example.com/?rd=https%3A%2F%2Fadmin.example.com%2F&rm=GET";
    let denied = Denied {
        user: Some(("alice", "Alice")),
        asked: "admin.example.com/",
        login: Some(login),
    };
    let page = site.portal.forbidden(html, &denied);
    for part in [
        "Alice (alice)",
        "admin.example.com/",
        "https://auth.example.com/logout?rd=",
    ] {
        assert!(text(&page).contains(part), "{part}");
    }
    assert_eq!((page.status, &page.location), (403, &None));
    let page = site.portal.forbidden(json, &denied);
    assert_eq!(text(&page), r#"{"status":"KO","message":"403 Forbidden"}"#);

    let page = site
        .portal
        .challenge(html, 302, login, "admin.example.com/");
    assert_eq!((page.status, page.location.as_deref()), (302, Some(login)));
    assert!(text(&page).contains(
        "href=\"https://auth.example.com/?rd=https%3A%2F%2Fadmin.example.com%2F&#38;rm=GET\""
    ));
    let page = site
        .portal
        .challenge(json, 401, login, "admin.example.com/");
    assert!(
        text(&page).contains(login) && page.content_type == Some("application/json; charset=utf-8")
    );

    let page = site.portal.refusal(html, 503, Some(120));
    assert_eq!(header(&page, "retry-after"), Some("120"));
    assert!(text(&page).contains("Try again in 2 minutes."));
    for status in [400, 421, 500] {
        assert_eq!(site.portal.refusal(html, status, None).status, status);
    }
}

/// One of each kind.
fn every_page() -> Vec<Answer> {
    let (mut site, mut browser) = (Site::new(), Browser::default());
    let html = Reader::new(Some(b"text/html"), None);
    let mut pages = vec![
        browser.get(&mut site, WIKI),
        browser.sign_in(&mut site, WIKI, "alice", "wrong"),
        browser.get(&mut site, "/nothing"),
        browser.get(&mut site, "/logout"),
        site.portal.refusal(html, 500, None),
        site.portal.needs_https(html),
        site.portal
            .challenge(html, 302, "https://auth.example.com/", "one.example.com/"),
        site.portal.forbidden(
            html,
            &Denied {
                user: None,
                asked: "one.example.com/",
                login: None,
            },
        ),
    ];
    browser.sign_in(&mut site, WIKI, "alice", "password");
    pages.push(browser.get(&mut site, WIKI));
    pages.push(browser.get(&mut site, "/logout"));
    pages
}
