//! New passwords and sessions: changed, replaced by a mailed link, ended.

use ngx_http_auth_gate_module::portal::{Change, Event, Reset};
use ngx_http_auth_gate_module::users::{PasswordPolicy, Standard};
use serde_json::json;

use crate::account::{get_leave, mailed_link, place, send, with};
use crate::browser::*;
use crate::second::{factored, one_factor};
use crate::site::*;

const PASSWORD: &str = "/settings/password";
const RESET: &str = "/reset-password";

/// Whether a password signs in.
fn signs_in(site: &mut Site, user: &str, password: &str) -> bool {
    let body = json!({"username": user, "password": password}).to_string();
    let answer = Browser::default().send(site, Ask::json("/api/firstfactor", &body));
    answer.status == 200
}

fn fields<'a>(old: &'a str, new: &'a str) -> [(&'a str, &'a str); 3] {
    [("old", old), ("new", new), ("again", new)]
}

#[test]
fn a_changed_password_ends_all_other_sessions_and_this_one_goes_on() {
    let mut site = factored();
    let mut browser = one_factor(&mut site, "alice");
    let (mut other, mut bob) = (one_factor(&mut site, "alice"), one_factor(&mut site, "bob"));
    assert_eq!(
        place(&browser.get(&mut site, PASSWORD)),
        "/settings/leave?to=%2Fsettings%2Fpassword"
    );
    get_leave(&mut site, &mut browser);
    let before = browser.0["authelia_session"].clone();
    let answer = send(
        &mut site,
        &mut browser,
        PASSWORD,
        PASSWORD,
        &fields("password", "Another-1"),
    );
    assert_eq!(
        (answer.status, place(&answer)),
        (303, "/settings?done=password")
    );
    assert!(
        answer.rest >= 1000,
        "every worker has to read the file first"
    );
    let change = Event::Change("alice".into(), Change::Password, None);
    assert_eq!(answer.event, Some(change));
    assert_ne!(browser.0["authelia_session"], before);
    assert_eq!(browser.user(&mut site), "alice");
    assert_eq!(
        (other.user(&mut site), bob.user(&mut site)),
        (String::new(), "bob".into())
    );
    let mine = site
        .world
        .sessions
        .values()
        .filter(|one| one.user == *"alice");
    assert_eq!(mine.count(), 1);
    // Leave goes on with the session.
    assert_eq!(browser.get(&mut site, PASSWORD).status, 200);
    let letter = site.office.letters.last().unwrap();
    assert_eq!(letter.title, "Password changed successfully");
    assert!(signs_in(&mut site, "alice", "Another-1"));
    assert!(!signs_in(&mut site, "alice", "password"));
}

#[test]
fn a_password_is_changed_by_who_knows_the_old_one_and_to_a_good_one() {
    let mut site = with(|settings| {
        settings.account.policy = PasswordPolicy::Standard(Standard {
            require_number: true,
            ..Standard::default()
        });
    });
    let mut browser = one_factor(&mut site, "alice");
    get_leave(&mut site, &mut browser);
    let letters = site.office.letters.len();
    let long = "1a".repeat(600);
    for (old, new, again, status, what) in [
        ("", "Another-1", "Another-1", 400, "id=\"old-error\""),
        ("password", "", "", 400, "id=\"new-error\""),
        (
            "password",
            "Another-1",
            "Another-2",
            400,
            "id=\"again-error\"",
        ),
        (
            "password",
            "password",
            "password",
            400,
            "the password that you have now",
        ),
        ("password", "short", "short", 400, "at least 8 characters"),
        (
            "password",
            "long enough",
            "long enough",
            400,
            "with a digit",
        ),
        ("password", &*long, &*long, 400, "longer than any password"),
        ("wrong", "Another-1", "Another-1", 401, "id=\"old-error\""),
    ] {
        let fields = [("old", old), ("new", new), ("again", again)];
        let answer = send(&mut site, &mut browser, PASSWORD, PASSWORD, &fields);
        assert_eq!(answer.status, status, "{old} {new}");
        assert!(text(&answer).contains(what), "{what}");
        let typed = [old, new]
            .into_iter()
            .filter(|typed| typed.contains(['-', ' ']));
        assert!(
            typed
                .into_iter()
                .all(|typed| !text(&answer).contains(typed))
        );
    }
    assert_eq!(site.office.letters.len(), letters);
    assert!(signs_in(&mut site, "alice", "password"));
}

#[test]
fn a58_wrong_old_passwords_count_as_logins_do_and_a_banned_user_stays_so() {
    let mut site = factored();
    site.world.regulate(3);
    let mut browser = one_factor(&mut site, "alice");
    get_leave(&mut site, &mut browser);
    for _ in 0..3 {
        let answer = send(
            &mut site,
            &mut browser,
            PASSWORD,
            PASSWORD,
            &fields("wrong", "Another-1"),
        );
        assert_eq!((answer.status, answer.hold), (401, 1000));
        assert_eq!(answer.event, Some(Event::WrongPassword("alice".into())));
    }
    let answer = send(
        &mut site,
        &mut browser,
        PASSWORD,
        PASSWORD,
        &fields("password", "Another-1"),
    );
    assert_eq!((answer.status, answer.hold), (401, 1000));
    assert!(!signs_in(&mut site, "alice", "password"));
    // Nor does a new password by mail lift the ban.
    assert_eq!(reset(&mut site, "alice", "Third-1").status, 200);
    assert!(!signs_in(&mut site, "alice", "Third-1"));
    site.now += 301;
    assert!(signs_in(&mut site, "alice", "Third-1"));
}

/// Asks for a link, opens it and sets a password.
fn reset(site: &mut Site, user: &str, new: &str) -> ngx_http_auth_gate_module::portal::Answer {
    let mut browser = Browser::default();
    send(site, &mut browser, RESET, RESET, &[("username", user)]);
    let link = mailed_link(site);
    let path = format!("{RESET}?token={link}");
    let fields = [("link", &*link), ("new", new), ("again", new)];
    send(site, &mut browser, &path, RESET, &fields)
}

#[test]
fn a_lost_password_is_replaced_by_a_link_that_works_once() {
    let mut site = factored();
    let mut signed_in = one_factor(&mut site, "alice");
    let mut browser = Browser::default();
    let page = browser.get(&mut site, "/");
    assert!(text(&page).contains("Forgot your password?"));
    let answer = send(
        &mut site,
        &mut browser,
        RESET,
        RESET,
        &[("username", "alice")],
    );
    assert_eq!(answer.status, 200);
    assert_eq!(answer.event, Some(Event::AskReset("alice".into())));
    let letter = site.office.letters.last().unwrap().clone();
    assert_eq!(
        (&*letter.title, &*letter.address),
        ("Reset your password", "alice@example.com")
    );
    let link = mailed_link(&site);
    assert_eq!(link.len(), 43);
    let path = format!("{RESET}?token={link}");
    // Opening it changes nothing, however often, and a password that will not do costs no link.
    for _ in 0..2 {
        let page = Browser::default().get(&mut site, &path);
        assert_eq!((page.status, field(&page, "link")), (200, link.clone()));
    }
    let weak = [("link", &*link), ("new", ""), ("again", "")];
    assert_eq!(
        send(&mut site, &mut browser, &path, RESET, &weak).status,
        400
    );
    let good = [("link", &*link), ("new", "Third-1"), ("again", "Third-1")];
    let answer = send(&mut site, &mut browser, &path, RESET, &good);
    assert_eq!(answer.status, 200);
    assert!(answer.rest >= 1000);
    assert_eq!(
        answer.event,
        Some(Event::Change("alice".into(), Change::Reset, None))
    );
    assert_eq!(
        site.office.letters.last().unwrap().title,
        "Password changed successfully"
    );
    assert_eq!(signed_in.user(&mut site), "");
    assert!(site.world.sessions.is_empty());
    assert!(signs_in(&mut site, "alice", "Third-1") && !signs_in(&mut site, "alice", "password"));
    assert_eq!(browser.get(&mut site, &path).status, 403);
    let token = field(&browser.get(&mut site, RESET), "token");
    let again = [
        ("token", &*token),
        ("link", &*link),
        ("new", "Fourth-1"),
        ("again", "Fourth-1"),
    ];
    assert_eq!(
        browser.send(&mut site, Ask::form(RESET, &again)).status,
        403
    );
    assert!(signs_in(&mut site, "alice", "Third-1"));
}

#[test]
fn a_link_ends_by_time_by_revocation_and_by_another_password() {
    let mut site = factored();
    let mut browser = Browser::default();
    let ask = |site: &mut Site, browser: &mut Browser| {
        send(site, browser, RESET, RESET, &[("username", "alice")]);
        mailed_link(site)
    };
    let late = ask(&mut site, &mut browser);
    site.now += 301;
    assert_eq!(
        browser
            .get(&mut site, &format!("{RESET}?token={late}"))
            .status,
        403
    );

    let revoked = ask(&mut site, &mut browser);
    let letter = &site.office.letters.last().unwrap().text;
    let path = format!("/revoke/reset-password?token={revoked}");
    assert!(letter.contains(&path));
    browser.get(&mut site, &path);
    assert_eq!(
        browser
            .get(&mut site, &format!("{RESET}?token={revoked}"))
            .status,
        200
    );
    let to = "/revoke/reset-password";
    let answer = send(&mut site, &mut browser, &path, to, &[("value", &revoked)]);
    assert_eq!(answer.status, 200);
    assert_eq!(
        browser
            .get(&mut site, &format!("{RESET}?token={revoked}"))
            .status,
        403
    );

    // The API trades a link for leave first; another password in between ends that, too.
    let traded = ask(&mut site, &mut browser);
    let finish = json!({"token": traded}).to_string();
    let finish = Ask::json("/api/reset-password/identity/finish", &finish);
    assert_eq!(browser.send(&mut site, finish.clone()).status, 200);
    assert_eq!(browser.send(&mut site, finish).status, 403);
    reset(&mut site, "alice", "Between-1");
    let set = Ask::json("/api/reset-password", r#"{"password":"Third-1"}"#);
    assert_eq!(browser.send(&mut site, set).status, 403);
    assert!(signs_in(&mut site, "alice", "Between-1"));
}

#[test]
fn a_new_password_ends_every_other_link_of_its_user() {
    let mut site = factored();
    let ask = |site: &mut Site, user: &str| {
        let mut browser = Browser::default();
        send(site, &mut browser, RESET, RESET, &[("username", user)]);
        mailed_link(site)
    };
    let opens = |site: &mut Site, link: &str| {
        let path = format!("{RESET}?token={link}");
        Browser::default().get(site, &path).status == 200
    };
    let (old, other) = (ask(&mut site, "alice"), ask(&mut site, "bob"));
    assert_eq!(reset(&mut site, "alice", "Third-1").status, 200);
    assert!(!opens(&mut site, &old) && opens(&mut site, &other));

    let mut bob = one_factor(&mut site, "bob");
    get_leave(&mut site, &mut bob);
    // A change that does not come about ends nothing.
    let wrong = fields("wrong", "Another-1");
    send(&mut site, &mut bob, PASSWORD, PASSWORD, &wrong);
    assert!(opens(&mut site, &other));
    let right = fields("password", "Another-1");
    let answer = send(&mut site, &mut bob, PASSWORD, PASSWORD, &right);
    assert_eq!(answer.status, 303);
    assert!(!opens(&mut site, &other));
}

#[test]
fn letters_lead_to_the_portal_that_the_file_names_whatever_host_was_asked() {
    let mut site = with(|settings| {
        settings.domains[0].url = Some("https://auth.example.com/sso".into());
    });
    let start = r#"{"username":"alice"}"#;
    let mut start = Ask::json("/api/reset-password/identity/start", start);
    start.host = "printer.example.com:8443".into();
    start.base = "/elsewhere";
    let answer = Browser::default().send(&mut site, start.clone());
    assert_eq!(answer.status, 200);
    let mut browser = one_factor(&mut site, "alice");
    let mut ask = Ask::json("/api/user/session/elevation", "{}");
    ask.host = start.host.clone();
    assert_eq!(browser.send(&mut site, ask).status, 200);
    for (letter, places) in site.office.letters.iter().zip([
        &["/reset-password?token=", "/revoke/reset-password?token="][..],
        &["/revoke/one-time-code?id="][..],
    ]) {
        for place in places {
            let link = format!("https://auth.example.com/sso{place}");
            assert!(letter.text.contains(&link) && letter.html.contains(&link));
        }
        assert!(!letter.text.contains("printer") && !letter.html.contains("printer"));
    }
    assert_eq!(site.office.letters.len(), 2);

    let mut site = factored();
    assert_eq!(Browser::default().send(&mut site, start).status, 200);
    let link = "https://printer.example.com:8443/elsewhere/reset-password?token=";
    assert!(site.office.letters[0].text.contains(link));
}

#[test]
fn leave_to_set_a_password_is_the_browsers_that_opened_the_link() {
    let mut site = factored();
    let mut browser = Browser::default();
    let start = Ask::json(
        "/api/reset-password/identity/start",
        r#"{"username":"alice"}"#,
    );
    assert_eq!(browser.send(&mut site, start).status, 200);
    let finish = json!({"token": mailed_link(&site)}).to_string();
    browser.send(
        &mut site,
        Ask::json("/api/reset-password/identity/finish", &finish),
    );
    let mut thief = Browser::default();
    let ticket = browser.0["__Host-auth_gate_reset"].clone();
    thief.0.insert("__Host-auth_gate_reset".into(), ticket);
    let set = Ask::json("/api/reset-password", r#"{"password":"Third-1"}"#);
    assert_eq!(thief.send(&mut site, set.clone()).status, 403);
    assert_eq!(browser.send(&mut site, set.clone()).status, 200);
    assert!(signs_in(&mut site, "alice", "Third-1"));
    assert_eq!(browser.send(&mut site, set).status, 403);
}

#[test]
fn a_password_that_is_reset_elsewhere_is_reset_there() {
    let address = "https://id.example.com/lost";
    let mut site = with(|settings| {
        settings.account.reset = Some(Reset::Elsewhere(address.into()));
    });
    let page = Browser::default().get(&mut site, "/");
    assert!(text(&page).contains(&format!("href=\"{address}\"")));
    let answer = Browser::default().get(&mut site, RESET);
    assert_eq!(answer.location.as_deref(), Some(address));
    let start = Ask::json(
        "/api/reset-password/identity/start",
        r#"{"username":"alice"}"#,
    );
    assert_eq!(Browser::default().send(&mut site, start).status, 404);
}

#[test]
fn sessions_are_listed_and_ended_one_by_one_or_all_others() {
    let mut site = factored();
    let mut browser = one_factor(&mut site, "alice");
    let (mut second, mut third) = (
        one_factor(&mut site, "alice"),
        one_factor(&mut site, "alice"),
    );
    let mut bob = one_factor(&mut site, "bob");
    let path = "/settings/sessions";
    let page = browser.get(&mut site, path);
    let html = text(&page);
    assert_eq!(html.matches("<li>").count(), 3);
    assert_eq!(html.matches("(this one)").count(), 1);
    assert_eq!(html.matches("<p>From 192.0.2.7.</p>").count(), 3);
    assert!(html.contains("Unknown device"));
    let ids: Vec<_> = html.split("name=\"session\" value=\"").skip(1).collect();
    let ids: Vec<_> = ids
        .iter()
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 2);
    let answer = send(&mut site, &mut browser, path, path, &[("session", &ids[0])]);
    assert_eq!(place(&answer), "/settings/sessions?done=ended");
    assert_eq!(answer.event, Some(Event::EndSessions("alice".into(), 1)));
    let left = [second.user(&mut site), third.user(&mut site)];
    assert_eq!(left.iter().filter(|user| *user == "alice").count(), 1);
    // Bob's page cannot end what is Alice's.
    let answer = send(&mut site, &mut bob, path, path, &[("session", &ids[1])]);
    assert_eq!(answer.event, None);
    let answer = send(&mut site, &mut browser, path, path, &[("all", "on")]);
    assert_eq!(answer.event, Some(Event::EndSessions("alice".into(), 1)));
    assert_eq!(second.user(&mut site) + &third.user(&mut site), "");
    assert_eq!(
        (browser.user(&mut site), bob.user(&mut site)),
        ("alice".into(), "bob".into())
    );
    let page = browser.get(&mut site, path);
    assert!(!text(&page).contains("name=\"all\""));
}
