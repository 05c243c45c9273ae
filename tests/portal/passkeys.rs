//! Passkeys, which sign in alone.

use ngx_http_auth_gate_module::portal::{Aim, Answer, Event, Limited, Method, Settings, Why};
use ngx_http_auth_gate_module::store::Factors;
use serde_json::json;

use crate::authenticator::{Ceremony, UP, UV};
use crate::browser::*;
use crate::keys::{body, challenge, enrol_key, is_refused, touch};
use crate::second::*;
use crate::site::*;

fn ask_passkey(site: &mut Site, browser: &mut Browser) -> String {
    challenge(&browser.send(site, Ask::new("GET", "/api/firstfactor/passkey")))
}

fn try_passkey(site: &mut Site, browser: &mut Browser, ceremony: &Ceremony) -> Answer {
    browser.send(site, Ask::json("/api/firstfactor/passkey", &body(ceremony)))
}

/// Signs in with a passkey.
fn passkey(site: &mut Site, count: u32, flags: u8) -> (Browser, Answer) {
    let mut browser = Browser::default();
    let challenge = ask_passkey(site, &mut browser);
    let answer = try_passkey(site, &mut browser, &touch(&challenge, count, flags));
    (browser, answer)
}

#[test]
fn a_challenge_counts_once_also_for_keys_without_a_counter() {
    let mut site = factored();
    enrol_key(&site, "alice");
    let mut browser = Browser::default();
    let challenge = ask_passkey(&mut site, &mut browser);
    let mut thief = browser.clone();
    let answer = touch(&challenge, 0, UP);
    assert_eq!(try_passkey(&mut site, &mut browser, &answer).status, 200);
    assert!(is_refused(&try_passkey(&mut site, &mut thief, &answer)));
}

#[test]
fn a_passkey_signs_in_without_a_name() {
    let mut site = factored();
    enrol_key(&site, "alice");
    let (mut browser, answer) = passkey(&mut site, 1, UP | UV);
    assert_eq!((answer.status, text(&answer)), (200, r#"{"status":"OK"}"#));
    assert_eq!(
        answer.event,
        Some(Event::SignIn("alice".into(), Method::Passkey))
    );
    let told = state(&mut site, &mut browser);
    assert_eq!(told["username"], "alice");
    assert_eq!(
        (&told["authentication_level"], &told["factor_knowledge"]),
        (&json!(1), &json!(false))
    );
    // Who is signed in is asked for no passkey.
    let again = browser.send(&mut site, Ask::new("GET", "/api/firstfactor/passkey"));
    assert_eq!(again.status, 403);
}

#[test]
fn a_passkey_with_its_user_verified_is_two_factors_where_that_is_on() {
    let mut settings: Settings = factored_settings();
    settings.domains[0].realm.passkey_is_two = true;
    let mut site = site_with(settings);
    enrol_key(&site, "alice");
    let (mut browser, answer) = passkey(&mut site, 1, UP | UV);
    assert!(text(&answer).contains(TARGET));
    assert_eq!(level(&mut site, &mut browser), 2);
    let (mut browser, answer) = passkey(&mut site, 2, UP);
    assert!(!text(&answer).contains(TARGET));
    assert_eq!(level(&mut site, &mut browser), 1);
}

#[test]
fn after_a_passkey_two_factors_take_the_password() {
    let mut site = factored();
    enrol_key(&site, "alice");
    enrol_code(&site, "alice");
    let (mut browser, _) = passkey(&mut site, 1, UP | UV);
    let answer = browser.get(&mut site, &format!("/{TWO}"));
    assert_eq!(
        answer.location,
        Some(format!("https://auth.example.com/2fa{TWO}"))
    );
    let answer = browser.get(&mut site, &format!("/2fa{TWO}"));
    assert_eq!(
        answer.location,
        Some(format!("https://auth.example.com/2fa/password{TWO}"))
    );
    // A code adds no knowledge.
    let now = code("alice", site.now);
    assert_eq!(try_code(&mut site, &mut browser, &now).status, 403);
    let page = browser.get(&mut site, &format!("/2fa/password{TWO}"));
    assert!(text(&page).contains("autocomplete=\"current-password\""));
    let (token, rd) = (field(&page, "token"), field(&page, "rd"));
    let old = browser.clone();
    let mut send = |site: &mut Site, token: &str, password: &str| {
        let fields = [
            ("token", token),
            ("rd", &rd),
            ("rm", "GET"),
            ("password", password),
        ];
        browser.send(site, Ask::form("/2fa/password", &fields))
    };
    assert_eq!(send(&mut site, "x", "password").status, 403);
    assert_eq!(send(&mut site, &token, "").status, 400);
    let wrong = send(&mut site, &token, "wrong");
    assert_eq!((wrong.status, wrong.hold), (401, 1000));
    assert!(text(&wrong).contains("id=\"password-error\" role=\"alert\""));
    site.world.busy = true;
    let busy = send(&mut site, &token, "password");
    assert_eq!(
        (busy.status, header(&busy, "retry-after")),
        (503, Some("5"))
    );
    site.world.busy = false;
    let answer = send(&mut site, &token, "password");
    assert_eq!(
        (answer.status, answer.location.as_deref()),
        (303, Some(TARGET))
    );
    assert_eq!(level(&mut site, &mut browser), 2);
    assert_eq!(old.clone().user(&mut site), "");
}

#[test]
fn a58_the_password_after_a_passkey_is_regulated_like_any() {
    let mut site = factored();
    enrol_key(&site, "alice");
    site.world.regulate(2);
    let (mut browser, _) = passkey(&mut site, 1, UP);
    let mut send = |site: &mut Site, password: &str| {
        let body = json!({"password": password, "targetURL": TARGET}).to_string();
        browser.send(site, Ask::json("/api/secondfactor/password", &body))
    };
    let mut last = None;
    for password in ["a", "b", "password"] {
        last = Some(send(&mut site, password));
    }
    let last = last.unwrap();
    assert_eq!(
        (last.status, last.event),
        (
            401,
            Some(failed("alice", Aim::StepUp, Method::Password, Why::Banned))
        )
    );
    site.now += 301;
    site.world
        .sessions
        .values_mut()
        .for_each(|record| record.last_activity += 301);
    let answer = send(&mut site, "password");
    assert_eq!(answer.status, 200);
    assert!(text(&answer).contains(TARGET));
}

#[test]
fn a_passkey_of_nobody_fails_like_any_other() {
    let mut site = factored();
    enrol_key(&site, "frank");
    let (_, disabled) = passkey(&mut site, 1, UP);
    let mut site = factored();
    let (_, unknown) = passkey(&mut site, 1, UP);
    let mut site = factored();
    enrol_key(&site, "alice");
    let mut browser = Browser::default();
    ask_passkey(&mut site, &mut browser);
    let wrong = try_passkey(&mut site, &mut browser, &touch("AAAA", 1, UP));
    let stranger = try_passkey(&mut site, &mut Browser::default(), &touch("AAAA", 1, UP));
    site.world.regulate(1);
    let challenge = ask_passkey(&mut site, &mut browser);
    try_passkey(&mut site, &mut browser, &touch("AAAA", 1, UP));
    let banned = try_passkey(&mut site, &mut browser, &touch(&challenge, 1, UP));
    assert_eq!(
        banned.event,
        Some(failed("alice", Aim::SignIn, Method::Passkey, Why::Banned))
    );
    for answer in [&disabled, &unknown, &wrong, &stranger, &banned] {
        assert!(is_refused(answer), "{answer:?}");
        assert_eq!((answer.hold, &answer.headers), (1000, &disabled.headers));
        assert!(answer.event.is_some());
    }
    assert!(site.world.sessions.is_empty());
}

#[test]
fn the_login_page_offers_passkeys_only_where_they_are_on() {
    let mut site = factored();
    enrol_key(&site, "alice");
    let mut browser = Browser::default();
    let page = browser.get(&mut site, &format!("/{TWO}"));
    assert!(text(&page).contains("data-fetch=\"/api/firstfactor/passkey\" hidden>"));
    let policy = header(&page, "content-security-policy").unwrap();
    assert!(policy.contains("; script-src 'self'; "));
    assert!(page.body.len() < 15 << 10, "{}", page.body.len());
    let challenge = ask_passkey(&mut site, &mut browser);
    let response = String::from_utf8(touch(&challenge, 1, UP).assertion()).unwrap();
    let (token, rd) = (field(&page, "token"), field(&page, "rd"));
    let mut send = |site: &mut Site, token: &str, response: &str| {
        let fields = [
            ("token", token),
            ("rd", &rd),
            ("rm", "GET"),
            ("remember", "on"),
            ("response", response),
        ];
        browser.send(site, Ask::form("/passkey", &fields))
    };
    assert_eq!(send(&mut site, "x", &response).status, 403);
    let empty = send(&mut site, &token, "");
    assert_eq!(empty.status, 400);
    assert!(text(&empty).contains("That passkey did not work."));
    assert!(text(&empty).contains("value=\"on\" checked"));
    let answer = send(&mut site, &token, &response);
    let step_up = format!("https://auth.example.com/2fa{TWO}");
    assert_eq!((answer.status, answer.location), (303, Some(step_up)));
    assert!(answer.cookies[0].contains("Max-Age=2592000"));
    let answer = send(&mut site, &token, &response);
    assert_eq!((answer.status, answer.hold), (401, 1000));

    let mut settings = factored_settings();
    settings.second.webauthn.as_mut().unwrap().passkey_login = false;
    let mut site = site_with(settings);
    let page = Browser::default().get(&mut site, "/");
    assert!(!text(&page).contains("script") && !text(&page).contains("passkey"));
    assert!(
        !header(&page, "content-security-policy")
            .unwrap()
            .contains("script")
    );
}

#[test]
fn a_key_that_signs_in_alone_is_marked_where_that_is_on() {
    for upgrade in [false, true] {
        let mut settings = factored_settings();
        settings.second.webauthn.as_mut().unwrap().passkey_upgrade = upgrade;
        let mut site = site_with(settings);
        enrol_key(&site, "alice");
        assert_eq!(passkey(&mut site, 1, UP).1.status, 200);
        let key = site.office.store().credentials("alice").unwrap().remove(0);
        assert_eq!(key.credential.discoverable, upgrade);
        assert_eq!(key.last_used, Some(NOW));
    }
}

#[test]
fn passkeys_are_limited_and_an_outage_lets_nobody_in() {
    let mut site = factored();
    enrol_key(&site, "alice");
    let mut browser = Browser::default();
    let challenge = ask_passkey(&mut site, &mut browser);
    site.world.limited = vec![Limited::SecondFactor];
    let answer = try_passkey(&mut site, &mut browser, &touch(&challenge, 1, UP));
    assert_eq!(
        (answer.status, header(&answer, "retry-after")),
        (429, Some("60"))
    );
    site.world.limited.clear();
    site.office.lost = true;
    let answer = try_passkey(&mut site, &mut browser, &touch(&challenge, 1, UP));
    assert_eq!(
        (answer.status, header(&answer, "retry-after")),
        (503, Some("5"))
    );
    assert!(matches!(answer.event, Some(Event::Outage(_))));
    site.office.lost = false;
    let answer = try_passkey(&mut site, &mut browser, &touch(&challenge, 1, UP));
    assert_eq!(answer.status, 200);
}
