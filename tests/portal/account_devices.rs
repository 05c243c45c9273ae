//! Second factors in the hands of their users: enrolled on pages, named, chosen, removed.

use ngx_http_auth_gate_module::factors::totp;
use ngx_http_auth_gate_module::factors::webauthn::Algorithm;
use ngx_http_auth_gate_module::portal::{Answer, Change, Event, Kind};
use ngx_http_auth_gate_module::store::{Factors, SecondFactor};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::account::{KEY, LEAVE, TOTP, get_leave, last, mailed_code, place, remove, send};
use crate::authenticator::Ceremony;
use crate::browser::*;
use crate::second::{code, enrol_code, factored, one_factor};
use crate::site::*;

#[test]
fn an_app_is_enrolled_on_pages_named_and_removed() {
    let mut site = factored();
    let mut browser = one_factor(&mut site, "alice");
    let answer = browser.get(&mut site, TOTP);
    let leave = "/settings/leave?to=%2Fsettings%2Ftwo-factor%2Ftotp";
    assert_eq!((answer.status, place(&answer)), (303, leave));
    let page = browser.get(&mut site, leave);
    assert!(text(&page).contains("a***e@example.com") && !text(&page).contains("name=\"code\""));
    let to = [("to", TOTP), ("send", "on")];
    let answer = send(&mut site, &mut browser, leave, LEAVE, &to);
    assert_eq!(place(&answer), format!("{leave}&sent=1"));
    let letter = last(&site).clone();
    assert_eq!(letter.address, "alice@example.com");
    assert_eq!(letter.title, "Confirm your identity");
    assert!(letter.text.contains("192.0.2.7") && letter.html.contains("Alice Arden"));
    let wrong = send(
        &mut site,
        &mut browser,
        leave,
        LEAVE,
        &[("code", "WRONGONE")],
    );
    assert_eq!(wrong.status, 401);
    assert!(text(&wrong).contains("id=\"code-error\" role=\"alert\""));
    assert_eq!(wrong.event, Some(Event::NoLeave("alice".into())));
    let typed = mailed_code(&site).to_lowercase();
    let typed = format!(" {} {}", &typed[..4], &typed[4..]);
    let answer = send(
        &mut site,
        &mut browser,
        leave,
        LEAVE,
        &[("code", &typed), ("to", TOTP)],
    );
    assert_eq!((answer.status, place(&answer)), (303, TOTP));
    assert_eq!(answer.event, Some(Event::Leave("alice".into())));

    let name = [("do", "name"), ("name", " My phone ")];
    let answer = send(&mut site, &mut browser, TOTP, TOTP, &name);
    assert_eq!((answer.status, place(&answer)), (303, TOTP));
    let page = browser.get(&mut site, TOTP);
    let html = text(&page);
    assert!(html.contains("<svg xmlns") && html.contains("otpauth://totp/Authelia:alice"));
    let key = shown_key(html);
    let wrong = send(
        &mut site,
        &mut browser,
        TOTP,
        TOTP,
        &[("do", "code"), ("code", "000000")],
    );
    assert_eq!(wrong.status, 401);
    assert!(text(&wrong).contains("<svg xmlns"));
    let shown = key.code(site.now).expose_secret().to_owned();
    let answer = send(
        &mut site,
        &mut browser,
        TOTP,
        TOTP,
        &[("do", "code"), ("code", &shown)],
    );
    assert_eq!(place(&answer), "/settings/two-factor?done=added");
    let added = Change::Add(Kind::Totp, "My phone".into());
    assert_eq!(
        answer.event,
        Some(Event::Change("alice".into(), added, None))
    );
    assert_eq!(last(&site).title, "Second Factor Method Added");
    assert!(last(&site).text.contains("My phone"));
    assert!(!browser.0.contains_key("__Host-auth_gate_totp"));

    // The code that has shown it signs nobody in.
    let body = json!({"token": shown}).to_string();
    let answer = browser.send(&mut site, Ask::json("/api/secondfactor/totp", &body));
    assert_eq!(answer.status, 403);
    site.now += 60;
    let body = json!({"token": key.code(site.now).expose_secret()}).to_string();
    let mut other = one_factor(&mut site, "alice");
    let answer = other.send(&mut site, Ask::json("/api/secondfactor/totp", &body));
    assert_eq!(answer.status, 200);

    let page = browser.get(&mut site, "/settings/two-factor?done=added");
    assert!(text(&page).contains("role=\"status\"") && text(&page).contains("My phone"));
    let device = format!("{TOTP}/1");
    let rename = [("do", "rename"), ("name", "Old phone")];
    let answer = send(&mut site, &mut browser, &device, &device, &rename);
    assert_eq!(place(&answer), "/settings/two-factor?done=renamed");
    assert!(text(&browser.get(&mut site, &device)).contains("<h1>Old phone</h1>"));
    let answer = remove(&mut site, &mut browser, &device);
    assert_eq!(place(&answer), "/settings/two-factor?done=removed");
    assert_eq!(last(&site).title, "Second Factor Method Removed");
    assert_eq!(browser.get(&mut site, &device).status, 404);
    assert!(!site.office.store().enrolled("alice").unwrap().totp);
}

#[test]
fn a61_a_copied_enrolment_brings_no_removed_app_back() {
    let mut site = factored();
    let mut browser = one_factor(&mut site, "alice");
    get_leave(&mut site, &mut browser);
    let name = [("do", "name"), ("name", "Phone")];
    send(&mut site, &mut browser, TOTP, TOTP, &name);
    let key = shown_key(text(&browser.get(&mut site, TOTP)));
    let ticket = browser.0["__Host-auth_gate_totp"].clone();
    let finish = |site: &mut Site, browser: &mut Browser| {
        let code = key.code(site.now).expose_secret().to_owned();
        let body = json!({ "token": code }).to_string();
        let path = "/api/secondfactor/totp/register";
        browser.send(site, Ask::json(path, &body)).status
    };
    assert_eq!(finish(&mut site, &mut browser), 200);
    let all = Ask::new("DELETE", "/api/secondfactor/totp");
    assert_eq!(browser.send(&mut site, all).status, 200);
    site.now += 60;
    let kept = browser.0.insert("__Host-auth_gate_totp".into(), ticket);
    assert_eq!(kept, None, "the ticket is taken back");
    assert_ne!(finish(&mut site, &mut browser), 200);
    assert!(!site.office.store().enrolled("alice").unwrap().totp);
}

/// The key that a page shows for typing.
fn shown_key(html: &str) -> totp::Key {
    let (_, rest) = html.split_once("class=\"secret\">").unwrap();
    let (_, rest) = rest.split_once('>').unwrap();
    let (groups, _) = rest.split_once('<').unwrap();
    totp::Key {
        secret: totp::Secret::parse(groups).unwrap(),
        parameters: totp::Parameters::default(),
    }
}

/// The challenge of a page that asks for a new key.
fn asked(page: &Answer) -> String {
    let html = text(page).replace("&#34;", "\"");
    let (_, rest) = html.split_once("\"challenge\":\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[test]
fn a_key_is_registered_on_the_page_once() {
    let mut site = factored();
    let mut browser = one_factor(&mut site, "alice");
    get_leave(&mut site, &mut browser);
    let name = [("do", "name"), ("name", "Blue key")];
    let page = send(&mut site, &mut browser, KEY, KEY, &name);
    let html = text(&page);
    assert_eq!(page.status, 200);
    for part in [
        "id=\"webauthn\"",
        "data-action=\"create\"",
        "src=\"/assets/webauthn.js\"",
        "<noscript>",
        "data-failed",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    let policy = header(&page, "content-security-policy").unwrap();
    assert!(policy.contains("script-src 'self'"), "{policy}");
    let mut ceremony = Ceremony::create(Algorithm::Es256);
    ceremony.client_data["challenge"] = json!(asked(&page));
    let answer = String::from_utf8(ceremony.registration()).unwrap();
    let fields = [("do", "key"), ("response", &*answer)];
    let ticket = browser.0["__Host-auth_gate_registration"].clone();

    let mut other = one_factor(&mut site, "alice");
    get_leave(&mut site, &mut other);
    other
        .0
        .insert("__Host-auth_gate_registration".into(), ticket.clone());
    assert_eq!(send(&mut site, &mut other, KEY, KEY, &fields).status, 400);
    let wrong = [("do", "key"), ("response", "{}")];
    assert_eq!(send(&mut site, &mut browser, KEY, KEY, &wrong).status, 400);

    let done = send(&mut site, &mut browser, KEY, KEY, &fields);
    assert_eq!(place(&done), "/settings/two-factor?done=added");
    let added = Change::Add(Kind::Key, "Blue key".into());
    assert_eq!(done.event, Some(Event::Change("alice".into(), added, None)));
    assert_eq!(last(&site).title, "Second Factor Method Added");
    let device = format!("{KEY}/1");
    assert!(text(&browser.get(&mut site, "/settings/two-factor")).contains(&device));
    // Neither the ticket nor the key is good for another one.
    let remove = remove(&mut site, &mut browser, &device);
    assert_eq!(remove.status, 303);
    browser
        .0
        .insert("__Host-auth_gate_registration".into(), ticket);
    assert_eq!(send(&mut site, &mut browser, KEY, KEY, &fields).status, 400);
    assert!(!site.office.store().enrolled("alice").unwrap().webauthn);
}

#[test]
fn names_are_bounded_and_each_is_given_once() {
    let mut site = factored();
    enrol_code(&site, "alice");
    let mut browser = one_factor(&mut site, "alice");
    get_leave(&mut site, &mut browser);
    let long = "x".repeat(65);
    for (name, what) in [
        ("", "Enter a name"),
        (" ", "Enter a name"),
        ("a\u{7}b", "Enter a name"),
        (&*long, "Enter a name"),
        ("alice", "one of that name"),
    ] {
        let fields = [("do", "name"), ("name", name)];
        let answer = send(&mut site, &mut browser, TOTP, TOTP, &fields);
        assert_eq!(answer.status, 400, "{name:?}");
        assert!(text(&answer).contains(what), "{name:?}");
    }
    let device = format!("{TOTP}/1");
    let fields = [("do", "rename"), ("name", &*long)];
    let answer = send(&mut site, &mut browser, &device, &device, &fields);
    assert_eq!(answer.status, 400);
    for other in [
        format!("{TOTP}/2"),
        format!("{TOTP}/01"),
        format!("{KEY}/1"),
        format!("{TOTP}/x"),
    ] {
        assert_eq!(browser.get(&mut site, &other).status, 404, "{other}");
    }
}

#[test]
fn what_is_asked_for_first_can_be_chosen() {
    let mut site = factored();
    enrol_code(&site, "erin");
    crate::keys::enrol_recorded_key(&mut site);
    let mut browser = one_factor(&mut site, "erin");
    let page = browser.get(&mut site, "/settings/two-factor");
    assert!(text(&page).contains("Ask first for: Security key"));
    let fields = [("method", "webauthn")];
    let (from, to) = ("/settings/two-factor", "/settings/two-factor/preferred");
    let answer = send(&mut site, &mut browser, from, to, &fields);
    assert_eq!(place(&answer), "/settings/two-factor?done=preferred");
    let kept = site.office.store().preferred("erin").unwrap();
    assert_eq!(kept, Some(SecondFactor::Webauthn));
}

#[test]
fn the_code_that_showed_an_app_works_stays_used_where_a_clock_is_behind() {
    let mut site = factored();
    let mut browser = one_factor(&mut site, "alice");
    get_leave(&mut site, &mut browser);
    let name = [("do", "name"), ("name", "My phone")];
    send(&mut site, &mut browser, TOTP, TOTP, &name);
    let key = shown_key(text(&browser.get(&mut site, TOTP)));
    let shown = key.code(site.now).expose_secret().to_owned();
    let first = [("do", "code"), ("code", &*shown)];
    let answer = send(&mut site, &mut browser, TOTP, TOTP, &first);
    assert_eq!(place(&answer), "/settings/two-factor?done=added");
    // Somebody else's code makes the store forget what has ended.
    site.now += 61;
    enrol_code(&site, "bob");
    let mut bob = one_factor(&mut site, "bob");
    let body = |code: &str| json!({"token": code}).to_string();
    let now = body(&code("bob", site.now));
    let answer = bob.send(&mut site, Ask::json("/api/secondfactor/totp", &now));
    assert_eq!(answer.status, 200);
    site.now -= 2;
    let again = Ask::json("/api/secondfactor/totp", &body(&shown));
    assert_eq!(browser.send(&mut site, again).status, 403);
}
