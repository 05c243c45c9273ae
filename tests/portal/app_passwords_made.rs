//! App passwords in the hands of their users: made, shown once, listed, revoked; on pages and by the
//! API.

use ngx_http_auth_gate_module::portal::{
    Answer, AppPasswords as Limits, Change, Event, FORM_COOKIE, Settings,
};
use ngx_http_auth_gate_module::store::AppPasswords;
use ngx_http_auth_gate_module::users::app_password::Token;
use serde_json::{Value, json};

use crate::account::{get_leave, place, send, with};
use crate::app_passwords::give;
use crate::browser::*;
use crate::second::one_factor;
use crate::site::*;

const LIST: &str = "/settings/app-passwords";
const NEW: &str = "/settings/app-passwords/new";
const API: &str = "/api/user/app-passwords";

fn limited(maximum_lifetime: Option<u64>) -> Site {
    with(|settings: &mut Settings| {
        settings.account.app_passwords = Some(Limits { maximum_lifetime });
    })
}

fn site() -> Site {
    limited(None)
}

fn object(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

/// The app password that a page shows.
fn shown(page: &Answer) -> String {
    let (_, rest) = text(page).split_once("readonly").unwrap();
    let (_, rest) = rest.split_once('>').unwrap();
    rest.split_once('<').unwrap().0.to_owned()
}

fn make(site: &mut Site, browser: &mut Browser, name: &str, more: &[(&str, &str)]) -> Answer {
    let mut fields = vec![("name", name), ("lifetime", "7776000")];
    for (field, value) in more {
        fields.retain(|(known, _)| known != field);
        fields.push((field, value));
    }
    send(site, browser, NEW, NEW, &fields)
}

#[test]
fn one_is_made_shown_once_listed_and_revoked() {
    let mut site = site();
    let mut browser = one_factor(&mut site, "alice");
    assert!(
        text(&browser.get(&mut site, "/settings")).contains("href=\"/settings/app-passwords\"")
    );
    assert!(text(&browser.get(&mut site, LIST)).contains("You have none."));
    // As a second factor it needs leave, and comes back here with it.
    let answer = browser.get(&mut site, NEW);
    let leave = "/settings/leave?to=%2Fsettings%2Fapp-passwords%2Fnew";
    assert_eq!((answer.status, place(&answer)), (303, leave));
    let page = browser.get(&mut site, leave);
    assert_eq!(field(&page, "to"), NEW);
    get_leave(&mut site, &mut browser);

    let page = make(
        &mut site,
        &mut browser,
        " My backup ",
        &[("hosts", "Dav.example.com")],
    );
    assert_eq!(page.status, 200);
    let event = Event::Change(
        "alice".into(),
        Change::AddAppPassword("My backup".into()),
        None,
    );
    assert_eq!(page.event, Some(event));
    let value = shown(&page);
    let token = Token::read(&value).unwrap();
    let html = text(&page);
    assert!(html.contains("For dav.example.com.") && html.contains("<strong>alice</strong>"));
    let kept = site
        .office
        .store()
        .app_password(token.id().bytes())
        .unwrap()
        .unwrap();
    assert_eq!((&*kept.user, &*kept.name), ("alice", "My backup"));
    assert_eq!(kept.hosts, ["dav.example.com"]);
    assert_eq!((kept.created, kept.expires), (NOW, Some(NOW + 90 * 86_400)));
    assert_eq!(kept.verifier, token.verifier().bytes());
    let letter = site.office.letters.last().unwrap().clone();
    assert_eq!(letter.title, "App password added");
    assert!(letter.text.contains("My backup") && letter.text.contains("192.0.2.7"));
    assert!(!letter.text.contains(&value) && !letter.html.contains(&value));

    let one = format!("{LIST}/{}", token.id());
    for path in [LIST, &one] {
        let page = browser.get(&mut site, path);
        let html = text(&page);
        assert!(
            html.contains("My backup") && html.contains("Not used yet."),
            "{path}"
        );
        assert!(html.contains("Good until 2027-04-15 08:00 UTC."), "{html}");
        assert!(!html.contains(&value[20..]), "{path}");
    }
    site.office
        .store()
        .note_app_password(token.id().bytes(), NOW + 60)
        .unwrap();
    let page = browser.get(&mut site, LIST);
    assert!(text(&page).contains("Last used about 2027-01-15 08:01 UTC."));
    site.now = NOW + 91 * 86_400;
    let mut later = one_factor(&mut site, "alice");
    assert!(text(&later.get(&mut site, LIST)).contains("Expired 2027-04-15 08:00 UTC."));

    // To take away needs no leave.
    let answer = send(&mut site, &mut later, &one, &one, &[]);
    assert_eq!(place(&answer), "/settings/app-passwords?done=revoked");
    let gone = Change::RevokeAppPassword("My backup".into());
    assert_eq!(
        answer.event,
        Some(Event::Change("alice".into(), gone, None))
    );
    assert_eq!(
        site.office.letters.last().unwrap().title,
        "App password revoked"
    );
    assert_eq!(later.get(&mut site, &one).status, 404);
    assert!(
        site.office
            .store()
            .app_passwords("alice")
            .unwrap()
            .is_empty()
    );
    assert!(
        text(&later.get(&mut site, "/settings/app-passwords?done=revoked"))
            .contains("role=\"status\"")
    );
}

#[test]
fn what_will_not_do_is_said_beside_its_field_and_kept() {
    let mut site = site();
    let mut browser = one_factor(&mut site, "alice");
    get_leave(&mut site, &mut browser);
    for (name, hosts, lifetime, error) in [
        ("", "a.example.com", "none", "name-error"),
        ("\u{202e}", "", "none", "name-error"),
        ("Backup", "https://a.example.com", "none", "hosts-error"),
        ("Backup", "<script>", "none", "hosts-error"),
        ("Backup", "", "0", "lifetime-error"),
        ("Backup", "", "", "lifetime-error"),
        ("Backup", "", "-1", "lifetime-error"),
        ("Backup", "", "99999999999999999999999", "lifetime-error"),
    ] {
        let more = [("hosts", hosts), ("lifetime", lifetime)];
        let page = make(&mut site, &mut browser, name, &more);
        let html = text(&page);
        assert_eq!(page.status, 400, "{name} {hosts} {lifetime}");
        assert!(
            html.contains(&format!("id=\"{error}\" role=\"alert\"")),
            "{html}"
        );
        assert_eq!(html.matches("role=\"alert\"").count(), 1);
        assert!(!html.contains("<script>"));
        assert_eq!(field(&page, "hosts"), hosts);
    }
    let all = make(
        &mut site,
        &mut browser,
        "",
        &[("hosts", "*"), ("lifetime", "x")],
    );
    assert_eq!(
        text(&all).matches("role=\"alert\"").count(),
        3,
        "all at once"
    );
    assert_eq!(make(&mut site, &mut browser, "Backup", &[]).status, 200);
    // A page that is loaded again makes no second one.
    let again = make(&mut site, &mut browser, "Backup", &[]);
    assert_eq!(again.status, 400);
    assert!(text(&again).contains("You have an app password of that name already."));
    assert_eq!(site.office.store().app_passwords("alice").unwrap().len(), 1);
}

#[test]
fn how_long_one_is_good_for_is_chosen_within_the_limit() {
    let choices = |maximum| {
        let mut site = limited(maximum);
        let mut browser = one_factor(&mut site, "alice");
        get_leave(&mut site, &mut browser);
        let page = browser.get(&mut site, NEW);
        let html = text(&page);
        let options = html.split("<option value=\"").skip(1);
        let words = options.map(|option| {
            let (value, rest) = option.split_once('"').unwrap();
            let star = if rest.starts_with(" selected") {
                "*"
            } else {
                ""
            };
            format!("{value}{star}")
        });
        (words.collect::<Vec<_>>().join(" "), site, browser)
    };
    let (all, mut site, mut browser) = choices(None);
    assert_eq!(all, "2592000 7776000* 31536000 none");
    let endless = [("lifetime", "none")];
    let page = make(&mut site, &mut browser, "Endless", &endless);
    assert!(text(&page).contains("Without end.") && text(&page).contains("For every site."));

    let (all, mut site, mut browser) = choices(Some(60 * 86_400));
    assert_eq!(all, "2592000* 5184000");
    for (lifetime, status) in [("none", 400), ("5184001", 400), ("5184000", 200)] {
        let answer = make(&mut site, &mut browser, lifetime, &[("lifetime", lifetime)]);
        assert_eq!(answer.status, status, "{lifetime}");
    }
    assert_eq!(choices(Some(7200)).0, "7200*");
    assert_eq!(choices(Some(31_536_000)).0, "2592000 7776000* 31536000");
}

#[test]
fn a48_without_leave_none_is_made() {
    let mut site = site();
    let mut browser = one_factor(&mut site, "alice");
    let token = field(&browser.get(&mut site, "/settings/leave"), "token");
    let fields = [("token", &*token), ("name", "Backup"), ("lifetime", "none")];
    let answer = browser.send(&mut site, Ask::form(NEW, &fields));
    assert!(
        place(&answer).starts_with("/settings/leave?to="),
        "{answer:?}"
    );
    let answer = browser.send(&mut site, Ask::json(API, r#"{"name":"Backup"}"#));
    assert_eq!(answer.status, 403);
    assert_eq!(object(&answer)["data"]["elevation"], true);
    assert!(
        site.office
            .store()
            .app_passwords("alice")
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a55_pages_of_others_make_and_revoke_none() {
    let mut site = site();
    let token = give(&site, "alice", 1, &[], None);
    let one = format!("{LIST}/{}", Token::read(&token).unwrap().id());
    let mut browser = one_factor(&mut site, "alice");
    get_leave(&mut site, &mut browser);
    for path in [NEW, &one] {
        let fields = [("token", "AAAA"), ("name", "Evil"), ("lifetime", "none")];
        let answer = browser.send(&mut site, Ask::form(path, &fields));
        assert_eq!(answer.status, 403, "{path}");
    }
    let other = format!("{API}/{}", Token::read(&token).unwrap().id());
    for ask in [
        Ask::json(API, r#"{"name":"Evil"}"#),
        Ask::new("DELETE", &other),
    ] {
        let foreign = ask.clone().header("origin", "https://evil.example");
        assert_eq!(browser.send(&mut site, foreign).status, 403);
        let foreign = ask.header("sec-fetch-site", "cross-site");
        assert_eq!(browser.send(&mut site, foreign).status, 403);
    }
    // What another site's form can send without asking is no object.
    let form = Ask::new("POST", API)
        .header("content-type", "text/plain")
        .body(r#"{"name":"Evil"}"#);
    assert_eq!(browser.send(&mut site, form).status, 400);
    let found = site.office.store().app_passwords("alice").unwrap();
    assert_eq!(found.len(), 1);
}

#[test]
fn one_of_somebody_else_is_neither_seen_nor_revoked() {
    let mut site = site();
    let token = give(&site, "bob", 1, &[], None);
    let id = Token::read(&token).unwrap().id();
    let mut browser = one_factor(&mut site, "alice");
    get_leave(&mut site, &mut browser);
    let one = format!("{LIST}/{id}");
    assert_eq!(browser.get(&mut site, &one).status, 404);
    send(&mut site, &mut browser, NEW, &one, &[]);
    let answer = browser.send(&mut site, Ask::new("DELETE", &format!("{API}/{id}")));
    assert_eq!(answer.status, 404);
    assert_eq!(
        object(&browser.send(&mut site, Ask::new("GET", API)))["data"],
        json!([])
    );
    assert!(
        site.office
            .store()
            .app_password(id.bytes())
            .unwrap()
            .is_some()
    );
}

#[test]
fn a_script_makes_lists_and_revokes_one() {
    let mut site = site();
    let mut browser = one_factor(&mut site, "alice");
    get_leave(&mut site, &mut browser);
    let body =
        json!({"name": "Script", "hosts": ["A.example.com", "*.b.example.com"], "expires_in": 60});
    let answer = browser.send(&mut site, Ask::json(API, &body.to_string()));
    assert_eq!(answer.status, 201);
    let made = object(&answer)["data"].clone();
    let token = Token::read(made["token"].as_str().unwrap()).unwrap();
    assert_eq!(made["id"], token.id().to_string());
    assert_eq!(made["expires_at"], "2027-01-15T08:01:00Z");
    let found = object(&browser.send(&mut site, Ask::new("GET", API)));
    assert_eq!(
        found["data"],
        json!([{
            "id": token.id().to_string(), "name": "Script", "hosts": ["a.example.com", "*.b.example.com"],
            "created_at": "2027-01-15T08:00:00Z", "expires_at": "2027-01-15T08:01:00Z",
        }])
    );
    for (body, status) in [
        (json!({"name": "Script"}), 409),
        (json!({"name": ""}), 400),
        (json!({"name": "x", "hosts": ["a/b"]}), 400),
        // Nothing is not everything.
        (json!({"name": "x", "hosts": [""]}), 400),
        (json!({"name": "x", "hosts": ["a.example.com", " "]}), 400),
        (json!({"name": "x", "expires_in": 0}), 400),
        (json!({"name": "x", "expires_in": -1}), 400),
        (json!({"name": "x", "expires_in": u64::MAX}), 400),
        (json!({"name": "x", "expires_in": i64::MAX}), 400),
        (json!({"hosts": []}), 400),
        (json!([]), 400),
    ] {
        let answer = browser.send(&mut site, Ask::json(API, &body.to_string()));
        assert_eq!(answer.status, status, "{body}");
    }
    let one = format!("{API}/{}", token.id());
    for (ask, status) in [
        (Ask::new("PUT", API), 405),
        (Ask::new("GET", &one), 405),
        (Ask::new("DELETE", &format!("{API}/nonsense")), 404),
        (Ask::new("DELETE", &one), 200),
        (Ask::new("DELETE", &one), 404),
    ] {
        assert_eq!(browser.send(&mut site, ask).status, status);
    }
}

#[test]
fn where_there_are_none_nothing_speaks_of_them() {
    let mut site = with(|settings: &mut Settings| settings.account.app_passwords = None);
    let mut browser = one_factor(&mut site, "alice");
    get_leave(&mut site, &mut browser);
    assert!(!text(&browser.get(&mut site, "/settings")).contains("app-passwords"));
    let one = format!("{LIST}/{}", Token::new(&[1; 30]).id());
    for path in [LIST, NEW, &one] {
        assert_eq!(browser.get(&mut site, path).status, 404, "{path}");
    }
    for path in [NEW, &one] {
        assert_eq!(
            send(&mut site, &mut browser, OTHER_FORM, path, &[("name", "x")]).status,
            404
        );
    }
    assert_eq!(browser.send(&mut site, Ask::new("GET", API)).status, 404);
    assert_eq!(
        browser
            .send(&mut site, Ask::json(API, r#"{"name":"x"}"#))
            .status,
        404
    );
}

/// A page with a form of the account, wherever it leads.
const OTHER_FORM: &str = "/settings/password";

#[test]
fn strangers_are_sent_to_sign_in_and_an_outage_is_said() {
    let mut site = site();
    let mut stranger = Browser::default();
    for path in [LIST, NEW] {
        let answer = stranger.get(&mut site, path);
        assert!(place(&answer).starts_with("/?rd="), "{answer:?}");
    }
    assert_eq!(stranger.send(&mut site, Ask::new("GET", API)).status, 403);
    let answer = stranger.send(&mut site, Ask::json(API, r#"{"name":"x"}"#));
    assert_eq!(answer.status, 403);
    assert!(!stranger.0.contains_key(FORM_COOKIE));
    let mut browser = one_factor(&mut site, "alice");
    get_leave(&mut site, &mut browser);
    site.office.lost = true;
    assert_eq!(browser.get(&mut site, LIST).status, 503);
    assert_eq!(make(&mut site, &mut browser, "Backup", &[]).status, 503);
    site.office.lost = false;
    assert!(
        site.office
            .store()
            .app_passwords("alice")
            .unwrap()
            .is_empty()
    );
}
