//! Security keys as a second factor, and passkeys that sign in alone.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ngx_http_auth_gate_module::factors::webauthn::Algorithm;
use ngx_http_auth_gate_module::portal::{
    Aim, Answer, Event, Failure, Limited, Method, Settings, Why,
};
use ngx_http_auth_gate_module::session::Methods;
use ngx_http_auth_gate_module::store::{Factors, NewCredential};
use serde_json::{Value, json};

use crate::authenticator::{Ceremony, UP, UV, handle};
use crate::browser::*;
use crate::second::*;
use crate::signer::Signer;
use crate::site::*;

const RP_ID: &str = "auth.example.com";
const REFUSED: &str = r#"{"status":"KO","message":"Authentication failed, please retry later."}"#;

/// Bytes of base64url.
pub fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn credential(user: &str, id: &[u8], public_key: Vec<u8>) -> NewCredential {
    NewCredential {
        user: user.into(),
        name: "key one".into(),
        rp_id: RP_ID.into(),
        credential_id: id.to_vec(),
        public_key,
        aaguid: None,
        attestation_format: "none".into(),
        attestation_type: "none".into(),
        attestation: None,
        attachment: "cross-platform".into(),
        transports: "usb".into(),
        sign_count: 0,
        clone_warning: false,
        legacy: false,
        discoverable: false,
        present: true,
        verified: false,
        backup_eligible: false,
        backup_state: false,
    }
}

fn enrol(site: &Site, new: &NewCredential, handle: &[u8]) {
    let store = site.office.store();
    let random = &mut |bytes: &mut [u8]| getrandom::fill(bytes).unwrap();
    store.add_credential(new, NOW, random).unwrap();
    let kept = store.user_handle(RP_ID, &new.user, handle.try_into().unwrap());
    assert_eq!(kept.unwrap(), handle);
}

/// Gives erin the key whose answer was recorded.
pub fn enrol_recorded_key(site: &mut Site) {
    let id = decode("TK5NorLzDQmSFgk1a7gHRrJeCs-MWaNWYUPABGta-5A");
    let public = "pQECAyYgASFYICCSgImRtx4liyzr4VJ4n6Cf1sG+RW7eicaPfTWoeXH0Ilggc+K587M4RbVDhVziM/VUqrAQ0x9BatdIl2uBSyb0frc=";
    let handle = decode(
        "Ik1fekFuL2Y_N3g8c0NcbSM0KTguNFchPjUrUmJyTld6SnR1P2g2YCNjIT1pWyRQOGw5PHo3Onw1Ik9XO3pTTg",
    );
    let public = STANDARD.decode(public).unwrap();
    enrol(site, &credential("erin", &id, public), &handle);
}

/// Gives `user` the key of the authenticator in software.
fn enrol_key(site: &Site, user: &str) {
    let public = Signer::new(Algorithm::Es256, 7).cose();
    enrol(site, &credential(user, &[5; 32], public), handle().bytes());
}

/// Gives `user` a key of another relying party.
pub fn enrol_key_of(site: &Site, user: &str, party: &str) {
    let public = Signer::new(Algorithm::Es256, 7).cose();
    let mut key = credential(user, &[6; 32], public);
    key.rp_id = party.into();
    let random = &mut |bytes: &mut [u8]| getrandom::fill(bytes).unwrap();
    site.office
        .store()
        .add_credential(&key, NOW, random)
        .unwrap();
}

/// The browser's key at its next touch.
fn touch(challenge: &str, count: u32, flags: u8) -> Ceremony {
    let mut ceremony = Ceremony::get(Algorithm::Es256);
    ceremony.client_data["challenge"] = json!(challenge);
    (ceremony.count, ceremony.flags) = (count, flags);
    ceremony
}

fn challenge(answer: &Answer) -> String {
    let told: Value = serde_json::from_slice(&answer.body).unwrap();
    let challenge = told.pointer("/data/publicKey/challenge");
    challenge.unwrap().as_str().unwrap().to_owned()
}

fn ask_key(site: &mut Site, browser: &mut Browser) -> String {
    challenge(&browser.send(site, Ask::new("GET", "/api/secondfactor/webauthn")))
}

fn ask_passkey(site: &mut Site, browser: &mut Browser) -> String {
    challenge(&browser.send(site, Ask::new("GET", "/api/firstfactor/passkey")))
}

fn body(ceremony: &Ceremony) -> String {
    let response: Value = serde_json::from_slice(&ceremony.assertion()).unwrap();
    json!({"response": response, "targetURL": TARGET, "requestMethod": "GET"}).to_string()
}

fn try_key(site: &mut Site, browser: &mut Browser, ceremony: &Ceremony) -> Answer {
    browser.send(
        site,
        Ask::json("/api/secondfactor/webauthn", &body(ceremony)),
    )
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

fn is_refused(answer: &Answer) -> bool {
    (answer.status, text(answer), answer.cookies.len()) == (403, REFUSED, 0)
}

fn counter(site: &Site, user: &str) -> (u32, bool) {
    let key = site.office.store().credentials(user).unwrap().remove(0);
    (key.credential.sign_count, key.credential.clone_warning)
}

#[test]
fn a_key_is_a_second_factor_on_the_page() {
    let mut site = factored();
    enrol_key(&site, "alice");
    let mut browser = one_factor(&mut site, "alice");
    let page = browser.get(&mut site, &format!("/2fa{TWO}"));
    let html = text(&page);
    for part in [
        "<form method=\"post\" action=\"/2fa/webauthn\" id=\"webauthn\" data-action=\"get\" data-fetch=\"/api/secondfactor/webauthn\">",
        "<script src=\"/assets/webauthn.js\"></script>",
        "<noscript>",
        "name=\"response\" value=\"\"",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    let policy = header(&page, "content-security-policy").unwrap();
    assert!(
        policy.ends_with("; script-src 'self'; connect-src 'self'"),
        "{policy}"
    );
    let script = browser.get(&mut site, "/assets/webauthn.js");
    assert_eq!(script.content_type, Some("text/javascript; charset=utf-8"));
    assert!(text(&script).contains("navigator.credentials"));
    let (token, rd) = (field(&page, "token"), field(&page, "rd"));
    let mut send = |site: &mut Site, ceremony: Option<&Ceremony>| {
        let response = ceremony.map_or(Vec::new(), Ceremony::assertion);
        let response = String::from_utf8(response).unwrap();
        let fields = [
            ("token", &*token),
            ("rd", &rd),
            ("rm", "GET"),
            ("response", &response),
        ];
        browser.send(site, Ask::form("/2fa/webauthn", &fields))
    };
    assert_eq!(send(&mut site, None).status, 400);
    let stale = send(&mut site, Some(&touch("AAAA", 1, UP)));
    assert_eq!(stale.status, 401);
    assert!(text(&stale).contains("That did not work."));
    assert!(matches!(
        stale.event,
        Some(Event::Fail(Failure {
            method: Method::Webauthn,
            ..
        }))
    ));
    let asked = browser.send(&mut site, Ask::new("GET", "/api/secondfactor/webauthn"));
    let fields = [
        ("token", &*token),
        ("rd", &rd),
        ("rm", "GET"),
        (
            "response",
            &String::from_utf8(touch(&challenge(&asked), 1, UP).assertion()).unwrap(),
        ),
    ];
    let answer = browser.send(&mut site, Ask::form("/2fa/webauthn", &fields));
    assert_eq!(
        (answer.status, answer.location.as_deref()),
        (303, Some(TARGET))
    );
    assert_eq!(level(&mut site, &mut browser), 2);
    assert_eq!(counter(&site, "alice"), (1, false));
    assert!(!browser.0.contains_key("__Host-auth_gate_assertion"));
}

#[test]
fn a44_a_key_gives_the_session_a_new_id() {
    let mut site = factored();
    enrol_key(&site, "alice");
    let mut browser = one_factor(&mut site, "alice");
    let mut planted = browser.clone();
    let challenge = ask_key(&mut site, &mut browser);
    let answer = try_key(&mut site, &mut browser, &touch(&challenge, 1, UP | UV));
    assert_eq!(answer.status, 200);
    assert_eq!(planted.user(&mut site), "");
    let record = *site.world.sessions.values().next().unwrap();
    let proven = Methods::PASSWORD
        .with(Methods::WEBAUTHN)
        .with(Methods::USER_VERIFIED);
    assert_eq!(record.methods, proven);
}

#[test]
fn a_challenge_counts_once_for_one_session_and_a_while() {
    let mut site = factored();
    enrol_key(&site, "alice");
    let mut browser = one_factor(&mut site, "alice");
    let challenge = ask_key(&mut site, &mut browser);
    let before = browser.clone();
    let (mut other, answer) = (one_factor(&mut site, "alice"), touch(&challenge, 1, UP));
    let ticket = before.0["__Host-auth_gate_assertion"].clone();
    other
        .0
        .insert("__Host-auth_gate_assertion".into(), ticket.clone());
    assert!(is_refused(&try_key(&mut site, &mut other, &answer)));
    assert_eq!(try_key(&mut site, &mut browser, &answer).status, 200);
    // The same again: the session has moved on, and so has the counter.
    browser
        .0
        .insert("__Host-auth_gate_assertion".into(), ticket);
    assert!(is_refused(&try_key(&mut site, &mut browser, &answer)));
    let challenge = ask_key(&mut site, &mut browser);
    site.now += 91;
    assert!(is_refused(&try_key(
        &mut site,
        &mut browser,
        &touch(&challenge, 2, UP)
    )));
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
fn keys_of_others_copies_and_forgeries_are_refused() {
    let mut site = factored();
    enrol_key(&site, "alice");
    enrol_recorded_key(&mut site);
    let (mut alice, mut erin) = (
        one_factor(&mut site, "alice"),
        one_factor(&mut site, "erin"),
    );
    let challenge = ask_key(&mut site, &mut erin);
    assert!(is_refused(&try_key(
        &mut site,
        &mut erin,
        &touch(&challenge, 1, UP)
    )));
    let challenge = ask_key(&mut site, &mut alice);
    let mut forged = touch(&challenge, 1, UP);
    forged.spoil = |signature| *signature.last_mut().unwrap() ^= 1;
    let mut elsewhere = touch(&challenge, 1, UP);
    elsewhere.client_data["origin"] = json!("https://evil.test");
    let absent = touch(&challenge, 1, 0);
    for bad in [forged, elsewhere, absent] {
        assert!(is_refused(&try_key(&mut site, &mut alice, &bad)));
    }
    assert_eq!(counter(&site, "alice"), (0, false));
    assert_eq!(
        try_key(&mut site, &mut alice, &touch(&challenge, 5, UP)).status,
        200
    );
    let challenge = ask_key(&mut site, &mut alice);
    assert!(is_refused(&try_key(
        &mut site,
        &mut alice,
        &touch(&challenge, 5, UP)
    )));
    assert_eq!(counter(&site, "alice"), (5, true));
}

#[test]
fn a61_guessing_with_keys_is_bounded_like_guessing_codes() {
    let mut site = factored();
    enrol_key(&site, "alice");
    enrol_code(&site, "alice");
    site.world.regulate(3);
    for _ in 0..3 {
        let mut browser = one_factor(&mut site, "alice");
        assert!(is_refused(&try_key(
            &mut site,
            &mut browser,
            &touch("AAAA", 1, UP)
        )));
    }
    let mut browser = one_factor(&mut site, "alice");
    let challenge = ask_key(&mut site, &mut browser);
    assert!(is_refused(&try_key(
        &mut site,
        &mut browser,
        &touch(&challenge, 1, UP)
    )));
    assert_eq!(counter(&site, "alice"), (0, false));
    let now = code("alice", site.now);
    assert_eq!(try_code(&mut site, &mut browser, &now).status, 403);
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
