//! Security keys as a second factor.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ngx_http_auth_gate_module::factors::webauthn::Algorithm;
use ngx_http_auth_gate_module::portal::{Answer, Event, Failure, Method};
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
pub fn enrol_key(site: &Site, user: &str) {
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
pub fn touch(challenge: &str, count: u32, flags: u8) -> Ceremony {
    let mut ceremony = Ceremony::get(Algorithm::Es256);
    ceremony.client_data["challenge"] = json!(challenge);
    (ceremony.count, ceremony.flags) = (count, flags);
    ceremony
}

pub fn challenge(answer: &Answer) -> String {
    let told: Value = serde_json::from_slice(&answer.body).unwrap();
    let challenge = told.pointer("/data/publicKey/challenge");
    challenge.unwrap().as_str().unwrap().to_owned()
}

fn ask_key(site: &mut Site, browser: &mut Browser) -> String {
    challenge(&browser.send(site, Ask::new("GET", "/api/secondfactor/webauthn")))
}

pub fn body(ceremony: &Ceremony) -> String {
    let response: Value = serde_json::from_slice(&ceremony.assertion()).unwrap();
    json!({"response": response, "targetURL": TARGET, "requestMethod": "GET"}).to_string()
}

fn try_key(site: &mut Site, browser: &mut Browser, ceremony: &Ceremony) -> Answer {
    browser.send(
        site,
        Ask::json("/api/secondfactor/webauthn", &body(ceremony)),
    )
}

pub fn is_refused(answer: &Answer) -> bool {
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
