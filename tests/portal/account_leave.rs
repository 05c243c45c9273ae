//! Leave to change second factors: by a mailed code or by a factor that was proven, for a while.

use ngx_http_auth_gate_module::store::Factors;
use serde_json::json;

use crate::account::{TOTP, get_leave, last, mailed_code, object, place, send, with};
use crate::browser::*;
use crate::second::{code, enrol_code, factored, one_factor};
use crate::site::*;

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
