//! What users change themselves: the steps that all of it takes, and what holds for all of it.

use ngx_http_auth_gate_module::portal::{Answer, Event, Letter, Settings};
use ngx_http_auth_gate_module::store::Factors;
use serde_json::{Value, json};

use crate::browser::*;
use crate::second::{code, enrol_code, factored, factored_settings, one_factor, site_with};
use crate::site::*;

pub const LEAVE: &str = "/settings/leave";
pub const TOTP: &str = "/settings/two-factor/totp";
pub const KEY: &str = "/settings/two-factor/key";

pub fn object(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

pub fn last(site: &Site) -> &Letter {
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

/// Removes a device on its own page.
pub fn remove(site: &mut Site, browser: &mut Browser, device: &str) -> Answer {
    send(site, browser, device, device, &[("do", "remove")])
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
    let answer = remove(&mut site, &mut browser, &device);
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
