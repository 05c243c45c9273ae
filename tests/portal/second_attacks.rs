//! Attacks on second factors, by their numbers.

use ngx_http_auth_gate_module::portal::{Aim, Answer, Method, Step, Why};
use ngx_http_auth_gate_module::session::Methods;
use ngx_http_auth_gate_module::store::Factors;

use crate::browser::*;
use crate::second::*;
use crate::site::*;

const KO: &str = r#"{"status":"KO","message":"Authentication failed, please retry later."}"#;

fn is_refused(answer: &Answer) -> bool {
    (answer.status, text(answer), answer.cookies.len()) == (403, KO, 0)
}

#[test]
fn a44_a_second_factor_gives_the_session_a_new_id() {
    let mut site = factored();
    enrol_code(&site, "alice");
    let mut browser = one_factor(&mut site, "alice");
    let mut planted = browser.clone();
    let now = code("alice", site.now);
    let answer = try_code(&mut site, &mut browser, &now);
    assert_eq!(answer.status, 200);
    assert_ne!(planted.0["authelia_session"], browser.0["authelia_session"]);
    assert_eq!(planted.user(&mut site), "");
    assert_eq!(level(&mut site, &mut browser), 2);
    assert_eq!(site.world.sessions.len(), 1);
}

#[test]
fn a44_a_session_that_ended_meanwhile_is_not_raised_from_the_dead() {
    let mut site = factored();
    enrol_code(&site, "alice");
    let mut browser = one_factor(&mut site, "alice");
    let now = code("alice", site.now);
    for record in site.world.sessions.values_mut() {
        record.password ^= 1;
    }
    assert_eq!(try_code(&mut site, &mut browser, &now).status, 403);
    site.world.full = true;
    for record in site.world.sessions.values_mut() {
        record.password ^= 1;
    }
    let answer = try_code(&mut site, &mut browser, &now);
    assert_eq!((answer.status, answer.cookies.len()), (503, 0));
    assert_eq!(
        answer.event,
        Some(failed("alice", Aim::StepUp, Method::Totp, Why::Lost))
    );
    assert_eq!(level(&mut site, &mut browser), 1);
}

#[test]
fn a48_a_password_alone_opens_what_one_factor_opens_and_no_more() {
    let mut site = factored();
    enrol_code(&site, "alice");
    let mut browser = Browser::default();
    let answer = browser.sign_in(&mut site, &format!("/{TWO}"), "alice", "password");
    assert!(
        answer
            .location
            .unwrap()
            .starts_with("https://auth.example.com/2fa?")
    );
    let record = *site.world.sessions.values().next().unwrap();
    assert_eq!(
        (record.methods, record.methods.level(true)),
        (Methods::PASSWORD, 1)
    );
    let told = state(&mut site, &mut browser);
    assert_eq!(
        (&told["authentication_level"], &told["username"]),
        (&1.into(), &"alice".into())
    );
    // Neither the page nor anything half said changes that.
    let token = field(&browser.get(&mut site, "/2fa/totp"), "token");
    let form = |body: &str| Ask::form("/2fa/totp", &[]).body(body.replace("T", &token));
    for ask in [
        Ask::get("/2fa"),
        Ask::get(&format!("/{TWO}")),
        form(""),
        form("token=T"),
        form("token=T&code="),
        form("token=T&code=000000"),
        form("token=T&code=000000&code=111111"),
        form("token=T&code=%ff"),
        form("token=T&code=000000").header("content-type", "application/json"),
        Ask::form("/2fa/webauthn", &[("token", &token), ("response", "")]),
        Ask::form("/2fa/webauthn", &[("token", &token), ("response", "{}")]),
        Ask::form(
            "/2fa/password",
            &[("token", &token), ("password", "password")],
        ),
        Ask::json("/api/secondfactor/password", r#"{"password":"password"}"#),
        Ask::json("/api/secondfactor/totp", "{}"),
        Ask::json("/api/secondfactor/totp", "[]"),
        Ask::json("/api/secondfactor/totp", r#"{"token":["000000"]}"#),
        Ask::json("/api/secondfactor/totp", "token=000000"),
        Ask::json("/api/secondfactor/webauthn", "{}"),
        Ask::json("/api/secondfactor/webauthn", r#"{"response":{}}"#),
        Ask::json("/api/firstfactor/passkey", r#"{"response":{}}"#),
    ] {
        let place = format!("{} {} {:?}", ask.method, ask.path, ask.body);
        let answer = browser.send(&mut site, ask);
        assert_ne!(answer.location.as_deref(), Some(TARGET), "{place}");
        assert!(
            !answer.cookies.iter().any(|c| c.starts_with("authelia")),
            "{place}"
        );
        assert_eq!(level(&mut site, &mut browser), 1, "{place}");
    }
}

#[test]
fn a48_nobody_proves_a_factor_of_somebody_else() {
    let mut site = factored();
    enrol_code(&site, "alice");
    enrol_code(&site, "bob");
    let mut browser = one_factor(&mut site, "alice");
    let bobs = code("bob", site.now);
    assert!(is_refused(&try_code(&mut site, &mut browser, &bobs)));
    let mut nobody = Browser::default();
    assert_eq!(try_code(&mut site, &mut nobody, &bobs).status, 403);
    assert!(
        site.office.store().totp_devices("bob").unwrap()[0]
            .last_used
            .is_none()
    );
}

#[test]
fn a55_a_code_that_another_site_sends_is_refused() {
    let mut site = factored();
    enrol_code(&site, "alice");
    let mut browser = one_factor(&mut site, "alice");
    let mut other = one_factor(&mut site, "alice");
    let code = code("alice", site.now);
    let stolen = field(&other.get(&mut site, "/2fa/totp"), "token");
    let own = field(&browser.get(&mut site, "/2fa/totp"), "token");
    for token in ["", "x", &stolen] {
        let form = Ask::form("/2fa/totp", &[("token", token), ("code", &code)]);
        let answer = browser.send(&mut site, form);
        assert_eq!(answer.status, 403);
        assert!(text(&answer).contains("role=\"alert\""));
    }
    let form = Ask::form("/2fa/totp", &[("token", &own), ("code", &code)]);
    let foreign = form.clone().header("origin", "https://evil.test");
    assert_eq!(browser.send(&mut site, foreign).status, 403);
    let api = Ask::json(
        "/api/secondfactor/totp",
        &format!(r#"{{"token":"{code}"}}"#),
    );
    let foreign = api.header("sec-fetch-site", "same-site");
    assert_eq!(browser.send(&mut site, foreign).status, 403);
    assert_eq!(browser.send(&mut site, form).status, 303);
}

#[test]
fn a56_addresses_on_the_new_pages_are_escaped() {
    let hostile = "https://two.example.com/\"'><script>alert(1)</script>";
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("rd", hostile), ("rm", "\"><img>")])
        .finish();
    let mut site = factored();
    enrol_code(&site, "alice");
    for user in ["alice", "bob"] {
        let mut browser = one_factor(&mut site, user);
        for path in ["/2fa", "/2fa/totp", "/2fa/webauthn"] {
            let page = browser.get(&mut site, &format!("{path}?{query}"));
            assert!(!text(&page).contains("<script>") && !text(&page).contains("<img"));
            let policy = header(&page, "content-security-policy").unwrap();
            assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"));
        }
    }
}

#[test]
fn a61_a_code_is_refused_when_it_comes_again() {
    let mut site = factored();
    enrol_code(&site, "alice");
    let now = code("alice", site.now);
    let (mut browser, mut thief) = (
        one_factor(&mut site, "alice"),
        one_factor(&mut site, "alice"),
    );
    assert_eq!(try_code(&mut site, &mut browser, &now).status, 200);
    assert!(is_refused(&try_code(&mut site, &mut thief, &now)));
    assert!(is_refused(&try_code(&mut site, &mut browser, &now)));
    assert_eq!(send_code(&mut site, &mut thief, &now).status, 401);
    // Also while its time still lasts elsewhere in the window.
    site.now += 30;
    assert!(is_refused(&try_code(&mut site, &mut thief, &now)));
    assert_eq!(level(&mut site, &mut thief), 1);
    let next = code("alice", site.now);
    assert_eq!(try_code(&mut site, &mut thief, &next).status, 200);
}

#[test]
fn a61_two_devices_with_one_secret_do_not_make_one_code_two() {
    let mut site = factored();
    for name in ["phone", "tablet"] {
        enrol_device(site.office.store(), "alice", name, "shared");
    }
    let now = code("shared", site.now);
    let (mut browser, mut thief) = (
        one_factor(&mut site, "alice"),
        one_factor(&mut site, "alice"),
    );
    assert_eq!(try_code(&mut site, &mut browser, &now).status, 200);
    assert!(is_refused(&try_code(&mut site, &mut thief, &now)));
}

#[test]
fn a61_codes_may_come_again_where_the_configuration_says_so() {
    let mut settings = factored_settings();
    settings.second.totp.as_mut().unwrap().reuse = true;
    let mut site = site_with(settings);
    enrol_code(&site, "alice");
    let now = code("alice", site.now);
    for _ in 0..2 {
        let mut browser = one_factor(&mut site, "alice");
        assert_eq!(try_code(&mut site, &mut browser, &now).status, 200);
    }
    let device = site.office.store().totp_devices("alice").unwrap().remove(0);
    assert_eq!(device.last_used, Some(site.now));
}

#[test]
fn a61_the_window_is_one_step_to_each_side() {
    for (off, right) in [
        (-60, false),
        (-30, true),
        (0, true),
        (30, true),
        (60, false),
    ] {
        let mut site = factored();
        enrol_code(&site, "alice");
        let mut browser = one_factor(&mut site, "alice");
        let code = code("alice", site.now.checked_add_signed(off).unwrap());
        let answer = try_code(&mut site, &mut browser, &code);
        assert_eq!(answer.status == 200, right, "{off}");
    }
    let mut settings = factored_settings();
    settings.second.totp.as_mut().unwrap().skew = 0;
    let mut site = site_with(settings);
    enrol_code(&site, "alice");
    let mut browser = one_factor(&mut site, "alice");
    let late = code("alice", site.now - 30);
    assert!(is_refused(&try_code(&mut site, &mut browser, &late)));
}

#[test]
fn a61_guessing_is_bounded_over_all_sessions_and_logins() {
    let mut site = factored();
    enrol_code(&site, "alice");
    enrol_code(&site, "bob");
    site.world.regulate(3);
    for _ in 0..3 {
        // A fresh login each time, whose right password forgives nothing.
        let mut browser = one_factor(&mut site, "alice");
        assert!(is_refused(&try_code(&mut site, &mut browser, "000000")));
    }
    let mut browser = one_factor(&mut site, "alice");
    let now = code("alice", site.now);
    let banned = try_code(&mut site, &mut browser, &now);
    assert!(is_refused(&banned));
    assert_eq!(
        banned.event,
        Some(failed("alice", Aim::StepUp, Method::Totp, Why::Banned))
    );
    assert_eq!(send_code(&mut site, &mut browser, &now).status, 401);
    // The code that came during the ban was not used up by it.
    assert!(
        site.office.store().totp_devices("alice").unwrap()[0]
            .last_used
            .is_none()
    );
    let (mut other, bobs) = (one_factor(&mut site, "bob"), code("bob", site.now));
    assert_eq!(try_code(&mut site, &mut other, &bobs).status, 200);
    site.now += 301;
    let (mut browser, later) = (one_factor(&mut site, "alice"), code("alice", site.now));
    assert_eq!(try_code(&mut site, &mut browser, &later).status, 200);
}

#[test]
fn a61_a_burst_gets_no_more_tries_than_one_after_another() {
    let mut site = factored();
    enrol_code(&site, "alice");
    site.world.regulate(3);
    let browser = one_factor(&mut site, "alice");
    let (header, now) = (browser.header(), site.now);
    let ask = Ask::json("/api/secondfactor/totp", r#"{"token":"000000"}"#);
    let right = code("alice", now);
    let last = Ask::json(
        "/api/secondfactor/totp",
        &format!(r#"{{"token":"{right}"}}"#),
    );
    // All are begun before any is answered.
    let begun: Vec<_> = std::iter::repeat_n(&ask, 3)
        .chain([&last])
        .map(|ask| {
            let request = ask.request(vec![header.as_bytes()], now);
            site.portal.answer(&request, &mut site.world)
        })
        .collect();
    for step in begun {
        let Step::Errand(errand) = step else {
            panic!("no errand");
        };
        let done = (errand.work)(&mut site.office);
        let request = ask.request(vec![header.as_bytes()], now);
        let step = site
            .portal
            .resume(&request, errand.then, Some(done), &mut site.world);
        let Step::Answer(answer) = step else {
            panic!("no answer");
        };
        assert!(is_refused(&answer), "{answer:?}");
    }
}

#[test]
fn a64_no_cache_keeps_the_new_answers() {
    let mut site = factored();
    enrol_code(&site, "alice");
    let mut browser = one_factor(&mut site, "alice");
    for path in [
        "/2fa",
        "/2fa/webauthn",
        "/assets/webauthn.js",
        "/api/secondfactor/totp",
        "/passkey",
    ] {
        let answer = browser.get(&mut site, path);
        assert_eq!(header(&answer, "cache-control"), Some("no-store"), "{path}");
        assert_eq!(
            header(&answer, "x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
    }
}
