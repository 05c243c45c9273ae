//! Attacks on what users change themselves, by their numbers.

use ngx_http_auth_gate_module::portal::{Event, Limited};
use ngx_http_auth_gate_module::store::Factors;
use serde_json::json;

use crate::account::{KEY, LEAVE, TOTP, get_leave, mailed_code, mailed_link, remove, send};
use crate::browser::*;
use crate::second::{code, enrol_code, enrol_device, factored, one_factor};
use crate::site::*;

const PASSWORD: &str = "/settings/password";
const SESSIONS: &str = "/settings/sessions";

#[test]
fn a55_forms_of_other_sites_and_sessions_change_nothing() {
    let mut site = factored();
    enrol_code(&site, "alice");
    let mut browser = one_factor(&mut site, "alice");
    get_leave(&mut site, &mut browser);
    let own = field(&browser.get(&mut site, SESSIONS), "token");
    let mut other = one_factor(&mut site, "alice");
    let stolen = field(&other.get(&mut site, SESSIONS), "token");
    let device = format!("{TOTP}/1");
    let forms: [(&str, &[(&str, &str)]); 6] = [
        (&device, &[("do", "remove")]),
        (TOTP, &[("do", "name"), ("name", "evil")]),
        (KEY, &[("do", "name"), ("name", "evil")]),
        (
            PASSWORD,
            &[("old", "password"), ("new", "Evil-1"), ("again", "Evil-1")],
        ),
        (SESSIONS, &[("all", "on")]),
        (LEAVE, &[("send", "on")]),
    ];
    let letters = site.office.letters.len();
    for (path, fields) in forms {
        let with = |token: &str| {
            let mut all = vec![("token", token)];
            all.extend_from_slice(fields);
            Ask::form(path, &all)
        };
        for token in ["", "x", &*stolen] {
            let answer = browser.send(&mut site, with(token));
            assert_eq!((answer.status, answer.cookies.len()), (403, 0), "{path}");
        }
        for (name, value) in [
            ("origin", "https://evil.test"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let answer = browser.send(&mut site, with(&own).header(name, value));
            assert_eq!(
                (answer.status, answer.cookies.len()),
                (403, 0),
                "{path} {value}"
            );
        }
        let json = with(&own).header("content-type", "text/plain");
        assert_eq!(browser.send(&mut site, json).status, 400, "{path}");
    }
    assert_eq!(site.office.letters.len(), letters);
    assert!(site.office.store().enrolled("alice").unwrap().totp);
    assert_eq!(other.user(&mut site), "alice");
}

#[test]
fn a55_links_alone_change_nothing() {
    let mut site = factored();
    enrol_code(&site, "alice");
    let mut browser = one_factor(&mut site, "alice");
    get_leave(&mut site, &mut browser);
    let (letters, sessions) = (site.office.letters.len(), site.world.sessions.len());
    let device = format!("{TOTP}/1?do=remove");
    for path in [
        &*device,
        "/settings/two-factor/totp?do=name&name=x",
        "/settings/sessions?all=on",
        "/settings/leave?send=on",
        "/settings/password?old=password&new=Evil-1&again=Evil-1",
        "/reset-password?username=alice",
    ] {
        let answer = browser.get(&mut site, path);
        assert!(answer.event.is_none(), "{path}");
    }
    assert_eq!(
        (site.office.letters.len(), site.world.sessions.len()),
        (letters, sessions)
    );
    assert!(site.office.store().enrolled("alice").unwrap().totp);
}

#[test]
fn a56_names_and_addresses_are_shown_as_they_are_and_run_nowhere() {
    let mut site = factored();
    let evil = "\"><script>alert(1)</script><img src=x>'";
    enrol_device(site.office.store(), "alice", evil, "alice");
    let mut browser = one_factor(&mut site, "alice");
    get_leave(&mut site, &mut browser);
    let device = format!("{TOTP}/1");
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("q", evil)
        .finish();
    let evil_query = &query[2..];
    let mut pages = vec![
        browser.get(&mut site, "/settings/two-factor"),
        browser.get(&mut site, &device),
        browser.get(
            &mut site,
            &format!("/settings/two-factor?done={evil_query}"),
        ),
        browser.get(
            &mut site,
            &format!("{LEAVE}?to={evil_query}&sent={evil_query}"),
        ),
        browser.get(&mut site, &format!("/revoke/one-time-code?id={evil_query}")),
        browser.get(
            &mut site,
            &format!("/revoke/reset-password?token={evil_query}"),
        ),
        browser.get(&mut site, &format!("/reset-password?token={evil_query}")),
        send(
            &mut site,
            &mut browser,
            KEY,
            KEY,
            &[("do", "name"), ("name", evil)],
        ),
    ];
    let fields = [("do", "rename"), ("name", &*evil.repeat(3))];
    pages.push(send(&mut site, &mut browser, &device, &device, &fields));
    let fields = [("token", "x"), ("username", evil)];
    pages.push(browser.send(&mut site, Ask::form("/reset-password", &fields)));
    for page in pages {
        let html = text(&page);
        assert!(
            !html.contains("<script>alert") && !html.contains("<img"),
            "{html}"
        );
        let location = page.location.as_deref().unwrap_or_default();
        assert!(location.is_empty() || location.starts_with("https://auth.example.com/"));
        let policy = header(&page, "content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
    }
    let answer = remove(&mut site, &mut browser, &device);
    let line = answer.event.unwrap().line(None).unwrap();
    assert!(line.to_string().contains("<script>"));
    let letter = site.office.letters.last().unwrap();
    assert!(!letter.html.contains("<script>") && letter.text.contains("<script>"));
}

#[test]
fn a56_leave_leads_back_to_pages_of_ours_only() {
    let mut site = factored();
    let mut browser = one_factor(&mut site, "alice");
    send(&mut site, &mut browser, LEAVE, LEAVE, &[("send", "on")]);
    get_leave(&mut site, &mut browser);
    for to in [
        "https://evil.test/",
        "//evil.test/",
        "/\\evil.test",
        "@evil.test",
        ".evil.test",
        "/logout",
        "/settings/../evil",
        "",
    ] {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("to", to)
            .finish();
        let answer = browser.get(&mut site, &format!("{LEAVE}?{query}"));
        let home = Some("https://auth.example.com/settings");
        assert_eq!(answer.location.as_deref(), home, "{to}");
    }
}

#[test]
fn a57_asking_for_a_link_tells_nobody_who_exists() {
    let mut site = factored();
    let mut seen = Vec::new();
    for name in [
        "alice",
        "nobody",
        "frank",
        "ALICE",
        " alice",
        "\u{ff41}lice",
        &"x".repeat(5000),
    ] {
        let mut browser = Browser::default();
        let token = field(&browser.get(&mut site, "/reset-password"), "token");
        let fields = [("token", &*token), ("username", name)];
        let answer = browser.send(&mut site, Ask::form("/reset-password", &fields));
        let body = json!({"username": name}).to_string();
        let api = Ask::json("/api/reset-password/identity/start", &body);
        let api = browser.send(&mut site, api);
        seen.push((
            (
                answer.status,
                answer.hold,
                answer.headers,
                answer.cookies,
                answer.body,
            ),
            (api.status, api.hold, api.headers, api.cookies, api.body),
        ));
    }
    assert!(seen.iter().all(|one| *one == seen[0]));
    assert_eq!(seen[0].0.1, 1000);
    // Only to her, and nobody waits for the letters.
    let to: Vec<_> = site
        .office
        .letters
        .iter()
        .map(|letter| &*letter.address)
        .collect();
    assert_eq!(to, ["alice@example.com"; 2]);
    site.office.mute = true;
    let mut browser = Browser::default();
    let start = Ask::json(
        "/api/reset-password/identity/start",
        r#"{"username":"alice"}"#,
    );
    assert_eq!(browser.send(&mut site, start).status, 200);
    assert_eq!(site.asides, [Event::Outage("no letter leaves".into())]);
}

#[test]
fn a60_three_hundred_names_lock_nobody() {
    let mut site = factored();
    site.world.regulate(3);
    let mut browser = Browser::default();
    for number in 0..300 {
        let body = json!({"username": format!("user{number}")}).to_string();
        let start = Ask::json("/api/reset-password/identity/start", &body);
        assert_eq!(browser.send(&mut site, start).status, 200);
        let body = json!({"token": format!("token{number}")}).to_string();
        let finish = Ask::json("/api/reset-password/identity/finish", &body);
        assert_eq!(browser.send(&mut site, finish).status, 403);
    }
    assert!(browser.0.len() <= 1, "{:?}", browser.0.keys());
    let mut alice = one_factor(&mut site, "alice");
    get_leave(&mut site, &mut alice);
}

#[test]
fn a61_guesses_of_codes_are_counted_over_all_sessions() {
    let mut site = factored();
    site.world.regulate(3);
    enrol_code(&site, "alice");
    let mut victim = one_factor(&mut site, "alice");
    victim.send(&mut site, Ask::new("POST", "/api/user/session/elevation"));
    let right = mailed_code(&site);
    let put = |code: &str| Ask {
        method: "PUT",
        ..Ask::json(
            "/api/user/session/elevation",
            &json!({"otc": code}).to_string(),
        )
    };
    for number in 0..3 {
        let mut browser = one_factor(&mut site, "alice");
        let answer = browser.send(&mut site, put(&format!("GUESS{number:03}")));
        assert_eq!((answer.status, answer.hold), (403, 1000));
    }
    let answer = victim.send(&mut site, put(&right));
    assert_eq!((answer.status, answer.hold), (403, 1000));
    // Codes of the app are counted with them.
    let shown = code("alice", site.now);
    assert_eq!(
        crate::second::try_code(&mut site, &mut victim, &shown).status,
        403
    );
    site.now += 301;
    victim.0.clear();
    let mut victim = one_factor(&mut site, "alice");
    get_leave(&mut site, &mut victim);
}

#[test]
fn a61_the_code_of_another_user_is_wrong() {
    let mut site = factored();
    let mut alice = one_factor(&mut site, "alice");
    let mut bob = one_factor(&mut site, "bob");
    alice.send(&mut site, Ask::new("POST", "/api/user/session/elevation"));
    let body = json!({"otc": mailed_code(&site)}).to_string();
    let put = Ask {
        method: "PUT",
        ..Ask::json("/api/user/session/elevation", &body)
    };
    assert_eq!(bob.send(&mut site, put.clone()).status, 403);
    assert_eq!(alice.send(&mut site, put.clone()).status, 200);
    assert_eq!(alice.send(&mut site, put).status, 403);
}

#[test]
fn too_many_requests_are_told_when_to_come_back() {
    let mut site = factored();
    let mut browser = one_factor(&mut site, "alice");
    let mut stranger = Browser::default();
    let start = Ask::json(
        "/api/reset-password/identity/start",
        r#"{"username":"alice"}"#,
    );
    stranger.send(&mut site, start.clone());
    let link = mailed_link(&site);
    site.world.limited = vec![
        Limited::ElevationStart,
        Limited::ElevationFinish,
        Limited::ResetStart,
        Limited::ResetFinish,
    ];
    let put = Ask {
        method: "PUT",
        ..Ask::json("/api/user/session/elevation", r#"{"otc":"ABCDEFGH"}"#)
    };
    let finish = json!({"token": link}).to_string();
    let delete = Ask {
        method: "DELETE",
        ..Ask::json("/api/reset-password", &finish)
    };
    for ask in [
        Ask::new("POST", "/api/user/session/elevation"),
        put,
        Ask::new(
            "DELETE",
            "/api/user/session/elevation/AAAAAAAAAAAAAAAAAAAAAA",
        ),
        start,
        Ask::json("/api/reset-password/identity/finish", &finish),
        Ask::json("/api/reset-password", r#"{"password":"Third-1"}"#),
        delete,
        Ask::get(&format!("/reset-password?token={link}")),
    ] {
        let path = ask.path.clone();
        let answer = browser.send(&mut site, ask);
        let retry = header(&answer, "retry-after");
        assert_eq!((answer.status, retry), (429, Some("60")), "{path}");
    }
    site.world.limited.clear();
    let page = stranger.get(&mut site, &format!("/reset-password?token={link}"));
    assert_eq!(page.status, 200);
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
