//! What users change themselves, as recorded answers have it and as a person meets it.

use ngx_http_auth_gate_module::factors::totp;
use ngx_http_auth_gate_module::factors::webauthn::Algorithm;
use ngx_http_auth_gate_module::portal::{Answer, Change, Event, Kind, Letter, Settings};
use ngx_http_auth_gate_module::store::{Factors, SecondFactor};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::authenticator::Ceremony;
use crate::browser::*;
use crate::recorded::{ask, differences};
use crate::second::{code, enrol_code, factored, factored_settings, one_factor, site_with};
use crate::site::*;

pub const LEAVE: &str = "/settings/leave";
pub const TOTP: &str = "/settings/two-factor/totp";
pub const KEY: &str = "/settings/two-factor/key";

/// Steps that we answer in another way, and why. The empty reason is: with another status, because
/// Authelia says 200 to failures.
const DIFFERENT: [(&str, u64, &str); 9] = [
    (
        "elevation and totp enrolment",
        11,
        "the code that shows that an app works counts as its first use",
    ),
    (
        "password change",
        7,
        "it is the visitor's own password that is changed, and no other name is taken",
    ),
    (
        "password change",
        8,
        "so that the old password is still right, and is changed now",
    ),
    ("password reset", 3, ""),
    ("password reset", 4, ""),
    ("password reset", 6, "an empty password is refused"),
    (
        "password reset",
        7,
        "the password was not empty, so that it is set now",
    ),
    ("password reset", 8, ""),
    ("after reset", 2, "so that it signs in"),
];

#[test]
fn recorded_flows_of_the_account_are_answered_alike() {
    let mut flow = String::new();
    let (mut site, mut browser) = (factored(), Browser::default());
    let mut enrolling = None;
    for line in include_str!("account.jsonl").lines() {
        let step: Value = serde_json::from_str(line).unwrap();
        let (name, number) = (
            step["flow"].as_str().unwrap(),
            step["step"].as_u64().unwrap(),
        );
        let goes_on = matches!(name, "webauthn enrolment" | "after reset");
        if flow != name && !goes_on {
            (site, browser) = (factored(), Browser::default());
        }
        flow = name.to_owned();
        let mut request = step["request"].clone();
        fill_in(&mut request, &site, enrolling.as_ref());
        if let Some(user) = step["answer"]["json"].pointer("/data/publicKey/user/id") {
            plan(&mut site, user, &step["answer"]["json"]);
        }
        let answer = browser.send(&mut site, ask(&request));
        if let Some(secret) = object(&answer).pointer("/data/base32_secret") {
            let secret = totp::Secret::parse(secret.as_str().unwrap()).unwrap();
            let parameters = totp::Parameters::default();
            enrolling = Some(totp::Key { secret, parameters });
        }
        let (ours, theirs) = alike(answer, step["answer"].clone());
        let found = differences(&ours, &theirs);
        let known = DIFFERENT
            .iter()
            .find(|(f, n, _)| *f == flow && *n == number);
        let place = format!("{flow} {number}: {found:?}");
        assert_eq!(known.is_some(), !found.is_empty(), "{place}");
        if let Some((_, _, "")) = known {
            assert!(
                found.len() == 1 && found[0].starts_with("status: 403"),
                "{place}"
            );
        }
    }
}

/// Codes, tokens and names that stand for what was found on the way.
fn fill_in(request: &mut Value, site: &Site, enrolling: Option<&totp::Key>) {
    let mut put = |field: &str, from: &str, value: &dyn Fn() -> String| {
        if request["body"][field] == json!(from) {
            request["body"][field] = json!(value());
        }
    };
    put("otc", "{otc}", &|| mailed_code(site));
    put("token", "{token}", &|| mailed_link(site));
    put("token", "{code}", &|| {
        enrolling.unwrap().code(site.now).expose_secret().to_owned()
    });
}

/// The challenge and the handle of the recorded registration.
fn plan(site: &mut Site, user: &Value, recorded: &Value) {
    let challenge = recorded["data"]["publicKey"]["challenge"].as_str().unwrap();
    let challenge = crate::keys::decode(challenge).try_into().unwrap();
    site.world.planned = vec![challenge];
    let handle = crate::keys::decode(user.as_str().unwrap())
        .try_into()
        .unwrap();
    let store = site.office.store();
    store
        .user_handle("auth.example.com", "erin", &handle)
        .unwrap();
}

/// Both answers without what is random or a time; and theirs without cookies that only prolong a
/// session, ours without those that give it a new id.
fn alike(mut ours: Answer, mut theirs: Value) -> (Answer, Value) {
    let mut body = object(&ours);
    for place in [
        "/data/delete_id",
        "/data/base32_secret",
        "/data/otpauth_url",
        "/data/created_at",
        "/data/0/created_at",
        "/data/expires",
    ] {
        if let (Some(our), Some(their)) = (body.pointer_mut(place), theirs["json"].pointer(place)) {
            assert_eq!(our.is_string(), their.is_string(), "{place}");
            *our = their.clone();
        }
    }
    if let Some(time) = theirs["json"].pointer("/data/created_at") {
        let time = time.as_str().unwrap().split('.').next().unwrap();
        body["data"]["created_at"] = json!(format!("{time}Z"));
    }
    if !body.is_null() {
        ours.body = serde_json::to_vec(&body).unwrap();
    }
    let signs_in = ours
        .event
        .as_ref()
        .is_some_and(|event| matches!(event, Event::SignIn(..)));
    if !signs_in {
        ours.cookies.clear();
        theirs["set_cookie"] = json!([]);
    }
    (ours, theirs)
}

fn object(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

fn last(site: &Site) -> &Letter {
    site.office.letters.last().unwrap()
}

/// The code of the newest letter.
pub fn mailed_code(site: &Site) -> String {
    let text = &last(site).text;
    let mut parts = text.split("----------------------------------------");
    parts.nth(1).unwrap().trim().to_owned()
}

/// The token of the link that was mailed last.
pub fn mailed_link(site: &Site) -> String {
    let letters = site.office.letters.iter().rev();
    let mut links = letters.filter_map(|letter| {
        let (_, rest) = letter.text.split_once("/reset-password?token=")?;
        Some(rest.split_whitespace().next().unwrap().to_owned())
    });
    links.next().unwrap()
}

/// Where an answer leads, without scheme and host.
pub fn place(answer: &Answer) -> &str {
    let location = answer.location.as_deref().unwrap_or_default();
    location
        .strip_prefix("https://auth.example.com")
        .unwrap_or(location)
}

/// Sends a form with the token that the page at `from` has.
pub fn send(
    site: &mut Site,
    browser: &mut Browser,
    from: &str,
    to: &str,
    fields: &[(&str, &str)],
) -> Answer {
    let token = field(&browser.get(site, from), "token");
    let mut all = vec![("token", token.as_str())];
    all.extend_from_slice(fields);
    browser.send(site, Ask::form(to, &all))
}

/// Gets leave by a mailed code.
pub fn get_leave(site: &mut Site, browser: &mut Browser) {
    send(site, browser, LEAVE, LEAVE, &[("send", "on")]);
    let code = mailed_code(site);
    let answer = send(site, browser, LEAVE, LEAVE, &[("code", &code)]);
    assert_eq!((answer.status, place(&answer)), (303, "/settings"));
}

pub fn with(change: impl FnOnce(&mut Settings)) -> Site {
    let mut settings = factored_settings();
    change(&mut settings);
    site_with(settings)
}

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
    let answer = send(
        &mut site,
        &mut browser,
        &device,
        &device,
        &[("do", "remove")],
    );
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

#[test]
fn a60_asking_for_links_without_end_fills_no_mailbox_and_no_store() {
    let mut site = factored();
    let ask = |site: &mut Site, user: &str| {
        let body = json!({ "username": user }).to_string();
        let path = "/api/reset-password/identity/start";
        let answer = Browser::default().send(site, Ask::json(path, &body));
        (answer.status, answer.body)
    };
    let first = ask(&mut site, "alice");
    assert!((0..20).all(|_| ask(&mut site, "alice") == first));
    assert_eq!(site.office.letters.len(), 3, "three good links are enough");
    assert_eq!(ask(&mut site, "bob"), first);
    assert_eq!(site.office.letters.len(), 4);
    site.now += 3600;
    assert_eq!(ask(&mut site, "alice"), first);
    assert_eq!(site.office.letters.len(), 5, "the first ones have ended");
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
    let remove = send(
        &mut site,
        &mut browser,
        &device,
        &device,
        &[("do", "remove")],
    );
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
fn leave_by_a_code_is_for_one_session_and_some_minutes() {
    let mut site = factored();
    let mut browser = one_factor(&mut site, "alice");
    let mut other = one_factor(&mut site, "alice");
    get_leave(&mut site, &mut browser);
    assert_eq!(browser.get(&mut site, TOTP).status, 200);
    let ticket = browser.0["__Host-auth_gate_elevation"].clone();
    other.0.insert("__Host-auth_gate_elevation".into(), ticket);
    assert_eq!(other.get(&mut site, TOTP).status, 303);
    // The code has been used up.
    let code = mailed_code(&site);
    let body = json!({"otc": code}).to_string();
    let put = |body: &str| Ask {
        method: "PUT",
        ..Ask::json("/api/user/session/elevation", body)
    };
    assert_eq!(other.send(&mut site, put(&body)).status, 403);
    for _ in 0..3 {
        site.now += 200;
        browser.get(&mut site, "/");
        site.world
            .sessions
            .values_mut()
            .for_each(|one| one.last_activity = site.now);
    }
    assert_eq!(browser.get(&mut site, TOTP).status, 303);
}

#[test]
fn who_has_a_second_factor_must_have_proven_it_where_that_is_asked_for() {
    let mut site = with(|settings| settings.account.elevation.require_second_factor = true);
    let mut browser = one_factor(&mut site, "alice");
    get_leave(&mut site, &mut browser);
    assert_eq!(browser.get(&mut site, TOTP).status, 200);
    enrol_code(&site, "alice");
    let answer = browser.get(&mut site, TOTP);
    assert_eq!(answer.status, 303);
    let page = browser.get(&mut site, place(&answer));
    assert!(text(&page).contains("href=\"/2fa?rd=https") && !text(&page).contains("name=\"send\""));
    let answer = browser.send(&mut site, Ask::new("DELETE", "/api/secondfactor/totp"));
    let lacking = json!({"elevation": false, "first_factor": false, "second_factor": true});
    assert_eq!((answer.status, &object(&answer)["data"]), (403, &lacking));
    assert!(site.office.store().enrolled("alice").unwrap().totp);
}

#[test]
fn a_key_of_another_cookie_domain_is_a_second_factor_that_must_be_proven() {
    let mut site = with(|settings| settings.account.elevation.require_second_factor = true);
    let mut browser = one_factor(&mut site, "alice");
    get_leave(&mut site, &mut browser);
    assert_eq!(browser.get(&mut site, TOTP).status, 200);
    crate::keys::enrol_key_of(&site, "alice", "auth.example.org");
    assert_eq!(browser.get(&mut site, TOTP).status, 303);
    let answer = browser.send(&mut site, Ask::new("DELETE", "/api/secondfactor/totp"));
    let lacking = json!({"elevation": false, "first_factor": false, "second_factor": true});
    assert_eq!((answer.status, &object(&answer)["data"]), (403, &lacking));
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

#[test]
fn who_has_proven_one_needs_no_code_where_that_is_enough() {
    let mut site = with(|settings| settings.account.elevation.skip_second_factor = true);
    enrol_code(&site, "alice");
    let mut browser = one_factor(&mut site, "alice");
    let state = |site: &mut Site, browser: &mut Browser| {
        let answer = browser.send(site, Ask::new("GET", "/api/user/session/elevation"));
        let data = &object(&answer)["data"];
        (
            data["skip_second_factor"] == true,
            data["can_skip_second_factor"] == true,
        )
    };
    assert_eq!(state(&mut site, &mut browser), (false, true));
    assert_eq!(browser.get(&mut site, TOTP).status, 303);
    let shown = code("alice", site.now);
    crate::second::try_code(&mut site, &mut browser, &shown);
    assert_eq!(state(&mut site, &mut browser), (true, false));
    assert_eq!(browser.get(&mut site, TOTP).status, 200);
    let answer = browser.send(&mut site, Ask::new("DELETE", "/api/secondfactor/totp"));
    assert_eq!(answer.status, 200);
    assert!(!site.office.store().enrolled("alice").unwrap().totp);
}

#[test]
fn a_code_is_revoked_from_the_mail_without_a_session() {
    let mut site = factored();
    let mut browser = one_factor(&mut site, "alice");
    let answer = browser.send(&mut site, Ask::new("POST", "/api/user/session/elevation"));
    let id = object(&answer)["data"]["delete_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/revoke/one-time-code?id={id}");
    assert!(
        last(&site)
            .text
            .contains(&format!("https://auth.example.com{path}"))
    );
    let mut mail = Browser::default();
    // A program that opens links ends nothing.
    let page = mail.get(&mut site, &path);
    assert_eq!((page.status, field(&page, "value")), (200, id.clone()));
    let to = "/revoke/one-time-code";
    let answer = send(&mut site, &mut mail, &path, to, &[("value", &id)]);
    assert_eq!(answer.status, 200);
    let again = send(&mut site, &mut mail, &path, to, &[("value", &id)]);
    assert_eq!(again.status, 404);
    let body = json!({"otc": mailed_code(&site)}).to_string();
    let put = Ask {
        method: "PUT",
        ..Ask::json("/api/user/session/elevation", &body)
    };
    assert_eq!(browser.send(&mut site, put).status, 403);
    let answer = browser.send(&mut site, Ask::new("POST", "/api/user/session/elevation"));
    let id = object(&answer)["data"]["delete_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api/user/session/elevation/{id}");
    for status in [200, 403] {
        let answer = mail.send(&mut site, Ask::new("DELETE", &path));
        assert_eq!(answer.status, status);
    }
}

#[test]
fn an_outage_is_503_and_a_letter_that_does_not_leave_undoes_no_change() {
    let mut site = factored();
    enrol_code(&site, "alice");
    let mut browser = one_factor(&mut site, "alice");
    get_leave(&mut site, &mut browser);
    site.office.mute = true;
    let answer = browser.send(&mut site, Ask::new("POST", "/api/user/session/elevation"));
    assert_eq!(
        (answer.status, header(&answer, "retry-after")),
        (503, Some("5"))
    );
    let device = format!("{TOTP}/1");
    let answer = send(
        &mut site,
        &mut browser,
        &device,
        &device,
        &[("do", "remove")],
    );
    assert_eq!(answer.status, 303);
    let log = answer.event.unwrap().line(None).unwrap().to_string();
    assert!(
        log.contains("event=remove_factor result=success kind=totp notified=no")
            && log.contains("no letter leaves"),
        "{log}"
    );
    assert!(!site.office.store().enrolled("alice").unwrap().totp);
    site.office.lost = true;
    let answer = browser.get(&mut site, "/settings/two-factor");
    assert_eq!(answer.status, 503);
    assert_eq!(
        answer.event,
        Some(Event::Outage("the store is lost".into()))
    );
    site.office.closed = true;
    assert_eq!(browser.get(&mut site, "/settings/two-factor").status, 503);
}

#[test]
fn an_outage_is_held_against_nobody() {
    let mut site = factored();
    site.world.regulate(2);
    enrol_code(&site, "alice");
    let mut browser = one_factor(&mut site, "alice");
    get_leave(&mut site, &mut browser);
    let start = Ask::new("POST", "/api/user/session/elevation");
    assert_eq!(browser.send(&mut site, start).status, 200);
    let right = json!({"otc": mailed_code(&site)}).to_string();
    let leave = |body: &str| Ask {
        method: "PUT",
        ..Ask::json("/api/user/session/elevation", body)
    };
    let token = json!({"token": code("alice", site.now)}).to_string();
    let token = Ask::json("/api/secondfactor/totp", &token);
    // Judging the password needs a thread, too, so that nothing is counted where there is none.
    let change = r#"{"username":"alice","old_password":"password","new_password":"Another-1"}"#;
    let change = Ask::json("/api/change-password", change);
    for closed in [true, false] {
        (site.office.closed, site.office.lost) = (closed, !closed);
        for _ in 0..3 {
            for ask in [leave(&right), token.clone(), change.clone()] {
                assert_eq!(browser.send(&mut site, ask).status, 503);
            }
        }
    }
    site.office.lost = false;
    // What was tried besides counts as it did.
    let wrong = leave(r#"{"otc":"WRONGONE"}"#);
    assert_eq!(browser.send(&mut site, wrong).status, 403);
    assert_eq!(browser.send(&mut site, leave(&right)).status, 200);
    assert_eq!(browser.send(&mut site, token).status, 200);
    let mut other = one_factor(&mut site, "alice");
    get_leave(&mut site, &mut other);
    assert_eq!(other.send(&mut site, change).status, 200);
}

#[test]
fn what_is_off_is_not_there() {
    let mut site = Site::new();
    let mut browser = one_factor(&mut site, "alice");
    for path in [
        TOTP,
        KEY,
        "/settings/two-factor",
        "/settings/password",
        "/reset-password",
    ] {
        assert_eq!(browser.get(&mut site, path).status, 404, "{path}");
    }
    for (method, path) in [
        ("PUT", "/api/secondfactor/totp/register"),
        ("DELETE", "/api/secondfactor/totp"),
        ("GET", "/api/secondfactor/webauthn/credentials"),
        ("PUT", "/api/secondfactor/webauthn/credential/register"),
        ("DELETE", "/api/secondfactor/webauthn/credential/1"),
        ("POST", "/api/change-password"),
        ("POST", "/api/reset-password"),
        ("POST", "/api/reset-password/identity/start"),
    ] {
        assert_eq!(
            browser.send(&mut site, Ask::new(method, path)).status,
            404,
            "{path}"
        );
    }
    let page = browser.get(&mut site, "/settings");
    assert!(text(&page).contains("/settings/sessions") && !text(&page).contains("two-factor"));
    let page = Browser::default().get(&mut site, "/");
    assert!(!text(&page).contains("/reset-password"));
    let page = Browser::default().get(&mut factored(), "/");
    assert!(text(&page).contains("href=\"/reset-password\""));
}

#[test]
fn strangers_are_sent_to_the_login_and_back() {
    let mut site = factored();
    for path in ["/settings", "/settings/password", TOTP, LEAVE] {
        let answer = Browser::default().get(&mut site, path);
        let rd = format!("https://auth.example.com{path}");
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("rd", &rd)
            .finish();
        assert_eq!(
            (answer.status, place(&answer)),
            (303, &*format!("/?{query}"))
        );
    }
}
