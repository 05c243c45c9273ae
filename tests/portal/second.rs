//! Second factors as a person and a script meet them.

use ngx_http_auth_gate_module::factors::{totp, webauthn};
use ngx_http_auth_gate_module::portal::{
    Account, Answer, Event, Limited, Method, Portal, Reset, Settings, Theme,
};
use ngx_http_auth_gate_module::store::{Algorithm, Factors, NewTotp, SecondFactor, Sqlite};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::browser::*;
use crate::keys::enrol_recorded_key;
use crate::recorded::{ask, differences};
use crate::site::*;

/// When the recorded devices were made.
const ENROLLED: u64 = 1_795_225_437;

/// A place that wants two factors, as the gate writes it into the address of the login page.
pub const TWO: &str = "?rd=https%3A%2F%2Ftwo.example.com%2Fx&rm=GET";
pub const TARGET: &str = "https://two.example.com/x";

/// The settings of the recorded portal.
pub fn factored_settings() -> Settings {
    let mut settings = settings(Theme::Light);
    settings.second.totp = Some(totp::Settings::default());
    settings.second.webauthn = Some(webauthn::Settings {
        passkey_login: true,
        ..webauthn::Settings::default()
    });
    settings.account = Account {
        change_password: true,
        reset: Some(Reset::Link { lifespan: 300 }),
        ..Account::default()
    };
    settings
}

pub fn site_with(settings: Settings) -> Site {
    let mut site = Site::new();
    site.portal = Portal::new(settings);
    site
}

/// A portal with second factors.
pub fn factored() -> Site {
    site_with(factored_settings())
}

fn secret(name: &str) -> Vec<u8> {
    format!("the secret of the device {name}").into_bytes()
}

/// Gives `user` a TOTP device with a secret of its name.
pub fn enrol_device(store: &Sqlite, user: &str, name: &str, shared: &str) {
    let new = NewTotp {
        user: user.into(),
        name: name.into(),
        issuer: "Authelia".into(),
        algorithm: Algorithm::Sha1,
        digits: 6,
        period: 30,
        secret: secret(shared).into(),
    };
    let random = &mut |bytes: &mut [u8]| getrandom::fill(bytes).unwrap();
    store.add_totp(&new, ENROLLED, random).unwrap();
}

/// Gives `user` one device.
pub fn enrol_code(site: &Site, user: &str) {
    enrol_device(site.office.store(), user, user, user);
}

/// What the device called `name` shows at `now`.
pub fn code(name: &str, now: u64) -> String {
    let key = totp::Key {
        secret: totp::Secret::new(secret(name)).unwrap(),
        parameters: totp::Parameters::default(),
    };
    key.code(now).expose_secret().to_owned()
}

/// Signs in with the password alone.
pub fn one_factor(site: &mut Site, user: &str) -> Browser {
    let mut browser = Browser::default();
    let body = json!({"username": user, "password": "password"});
    let ask = Ask::json("/api/firstfactor", &body.to_string());
    assert_eq!(browser.send(site, ask).status, 200);
    browser
}

/// Hands a code in to the API.
pub fn try_code(site: &mut Site, browser: &mut Browser, code: &str) -> Answer {
    let body = json!({"token": code, "targetURL": TARGET});
    browser.send(site, Ask::json("/api/secondfactor/totp", &body.to_string()))
}

/// Hands a code in to the page.
pub fn send_code(site: &mut Site, browser: &mut Browser, code: &str) -> Answer {
    let page = browser.get(site, &format!("/2fa/totp{TWO}"));
    let (token, rd) = (field(&page, "token"), field(&page, "rd"));
    let fields = [
        ("token", &*token),
        ("rd", &rd),
        ("rm", "GET"),
        ("code", code),
    ];
    browser.send(site, Ask::form("/2fa/totp", &fields))
}

/// What the portal says of the session.
pub fn state(site: &mut Site, browser: &mut Browser) -> Value {
    let answer = browser.send(site, Ask::new("GET", "/api/state"));
    serde_json::from_slice::<Value>(&answer.body).unwrap()["data"].clone()
}

pub fn level(site: &mut Site, browser: &mut Browser) -> u64 {
    state(site, browser)["authentication_level"]
        .as_u64()
        .unwrap()
}

#[test]
fn recorded_flows_with_two_factors_are_answered_alike() {
    let mut flow = String::new();
    let (mut site, mut browser) = (factored(), Browser::default());
    for line in include_str!("second.jsonl").lines() {
        let step: Value = serde_json::from_str(line).unwrap();
        if flow != step["flow"].as_str().unwrap() {
            flow = step["flow"].as_str().unwrap().to_owned();
            (site, browser) = (factored(), Browser::default());
            enrol_code(&site, "alice");
            enrol_recorded_key(&mut site);
        }
        let mut request = step["request"].clone();
        if request["body"]["token"] == json!("{code}") {
            request["body"]["token"] = json!(code("alice", site.now));
        }
        if let Some(challenge) = step["answer"]["json"].pointer("/data/publicKey/challenge") {
            site.world.planned = planned(challenge.as_str().unwrap(), &flow);
        }
        let answer = browser.send(&mut site, ask(&request));
        let mut recorded = step["answer"].clone();
        if request["path"] != json!("/api/secondfactor/totp")
            && !recorded["json"]["data"]["publicKey"].is_null()
        {
            // Authelia keeps the challenge in the session, we in a ticket.
            recorded["set_cookie"] = json!([]);
        }
        let differences = differences(&answer, &recorded);
        assert!(
            differences.is_empty(),
            "{flow} {}: {differences:?}",
            step["step"]
        );
    }
}

/// The random values of a request that asks for a challenge; a stranger gets a nonce first.
fn planned(challenge: &str, flow: &str) -> Vec<[u8; 32]> {
    let challenge = crate::keys::decode(challenge).try_into().unwrap();
    match flow {
        "passkey options" => vec![[1; 32], challenge],
        _ => vec![challenge],
    }
}

#[test]
fn a_right_password_leads_to_the_code_and_the_code_to_the_site() {
    let mut site = factored();
    enrol_code(&site, "alice");
    let mut browser = Browser::default();
    let answer = browser.sign_in(&mut site, &format!("/{TWO}"), "alice", "password");
    let step_up = format!("https://auth.example.com/2fa{TWO}");
    assert_eq!((answer.status, answer.location), (303, Some(step_up)));
    let page = browser.get(&mut site, &format!("/2fa{TWO}"));
    let html = text(&page);
    assert_eq!(page.status, 200);
    for part in [
        "to open <strong>two.example.com</strong>",
        "inputmode=\"numeric\"",
        "autocomplete=\"one-time-code\"",
        "action=\"/2fa/totp\"",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    assert!(!html.contains("<script") && !html.contains("/2fa/webauthn"));
    let wrong = send_code(&mut site, &mut browser, "000000");
    assert_eq!((wrong.status, wrong.location.as_deref()), (401, None));
    assert!(text(&wrong).contains("id=\"code-error\" role=\"alert\""));
    assert!(
        matches!(wrong.event, Some(Event::Fail(failure)) if failure.user.as_deref() == Some("alice"))
    );
    assert_eq!(send_code(&mut site, &mut browser, " ").status, 400);
    let code = code("alice", site.now);
    let answer = send_code(
        &mut site,
        &mut browser,
        &format!("{} {}", &code[..3], &code[3..]),
    );
    assert_eq!(
        (answer.status, answer.location.as_deref()),
        (303, Some(TARGET))
    );
    assert_eq!(
        answer.event,
        Some(Event::Prove("alice".into(), Method::Totp))
    );
    assert_eq!(level(&mut site, &mut browser), 2);
}

#[test]
fn nobody_is_sent_round_in_circles() {
    let mut site = factored();
    enrol_code(&site, "alice");
    let mut browser = Browser::default();
    for path in ["/2fa", "/2fa/totp", "/2fa/webauthn", "/2fa/password"] {
        let answer = browser.get(&mut site, &format!("{path}{TWO}"));
        let login = format!("https://auth.example.com/{TWO}");
        assert_eq!(
            (answer.status, answer.location),
            (303, Some(login)),
            "{path}"
        );
    }
    assert_eq!(browser.get(&mut site, &format!("/{TWO}")).status, 200);
    let mut browser = one_factor(&mut site, "alice");
    let step_up = Some(format!("https://auth.example.com/2fa{TWO}"));
    for path in ["/", "/2fa/password"] {
        let answer = browser.get(&mut site, &format!("{path}{TWO}"));
        assert_eq!((answer.status, &answer.location), (303, &step_up), "{path}");
    }
    for path in ["/2fa", "/2fa/totp", "/2fa/webauthn"] {
        assert_eq!(
            browser.get(&mut site, &format!("{path}{TWO}")).status,
            200,
            "{path}"
        );
    }
    let now = code("alice", site.now);
    assert_eq!(try_code(&mut site, &mut browser, &now).status, 200);
    for path in ["/2fa", "/2fa/totp", "/2fa/webauthn", "/2fa/password"] {
        let answer = browser.get(&mut site, &format!("{path}{TWO}"));
        assert_eq!(
            (answer.status, answer.location.as_deref()),
            (303, Some(TARGET)),
            "{path}"
        );
    }
    let answer = browser.get(&mut site, "/2fa");
    assert_eq!(answer.location.as_deref(), Some("https://home.example.com"));
    let answer = browser.get(&mut site, "/2fa?rd=https%3A%2F%2Fevil.test%2F");
    assert_eq!(
        answer.location.as_deref(),
        Some("https://auth.example.com/")
    );
    let page = browser.get(&mut site, &format!("/{TWO}"));
    assert!(text(&page).contains(&format!("href=\"{TARGET}\"")));
}

#[test]
fn who_has_nothing_is_told_to_set_it_up_and_who_cannot_whom_to_ask() {
    let mut site = factored();
    let mut browser = one_factor(&mut site, "bob");
    for path in ["/2fa", "/2fa/totp", "/2fa/webauthn"] {
        let page = browser.get(&mut site, &format!("{path}{TWO}"));
        let enrol = format!("href=\"/settings/two-factor{}\"", TWO.replace('&', "&#38;"));
        assert!(text(&page).contains(&enrol), "{}", text(&page));
        assert_eq!(page.status, 200);
    }
    site.portal = Portal::new(settings(Theme::Light));
    let page = browser.get(&mut site, &format!("/2fa{TWO}"));
    assert!(text(&page).contains("ask the administrator") && !text(&page).contains("/settings"));
    let token = field(&page, "token");
    let answer = browser.send(&mut site, Ask::form("/logout", &[("token", &token)]));
    assert_eq!(answer.status, 303);
    assert_eq!(browser.user(&mut site), "");
}

#[test]
fn the_preferred_way_comes_first_and_the_other_is_one_link_away() {
    let mut site = factored();
    enrol_code(&site, "erin");
    enrol_recorded_key(&mut site);
    let mut browser = one_factor(&mut site, "erin");
    let action = |page: &Answer| {
        let (_, rest) = text(page).split_once("action=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    assert_eq!(action(&browser.get(&mut site, "/2fa")), "/2fa/totp");
    let mut other = factored_settings();
    other.second.default = Some(SecondFactor::Webauthn);
    site.portal = Portal::new(other);
    let page = browser.get(&mut site, &format!("/2fa{TWO}"));
    assert_eq!(action(&page), "/2fa/webauthn");
    let switch = format!("href=\"/2fa/totp{}\"", TWO.replace('&', "&#38;"));
    assert!(text(&page).contains(&switch));
    let totp = r#"{"method":"totp"}"#;
    browser.send(&mut site, Ask::json("/api/user/info/2fa_method", totp));
    let page = browser.get(&mut site, &format!("/2fa{TWO}"));
    assert_eq!(action(&page), "/2fa/totp");
    assert!(text(&page).contains("href=\"/2fa/webauthn?rd="));
    assert_eq!(
        action(&browser.get(&mut site, "/2fa/webauthn")),
        "/2fa/webauthn"
    );
}

#[test]
fn a_method_is_preferred_once_somebody_asks() {
    let mut site = factored();
    enrol_recorded_key(&mut site);
    let mut browser = one_factor(&mut site, "erin");
    let mut info = |site: &mut Site, method| {
        let answer = browser.send(site, Ask::new(method, "/api/user/info"));
        serde_json::from_slice::<Value>(&answer.body).unwrap()["data"].clone()
    };
    assert_eq!(info(&mut site, "GET")["method"], "");
    let told = info(&mut site, "POST");
    assert_eq!(
        (&told["method"], &told["has_totp"]),
        (&json!("webauthn"), &json!(false))
    );
    assert_eq!(info(&mut site, "GET")["method"], "webauthn");
    let kept = site.office.store().preferred("erin").unwrap();
    assert_eq!(kept, Some(SecondFactor::Webauthn));
    // What is switched off is preferred by nobody.
    let mut without = factored_settings();
    without.second.webauthn = None;
    site.portal = Portal::new(without);
    let told = info(&mut site, "POST");
    assert_eq!(
        (&told["method"], &told["has_webauthn"]),
        (&json!("totp"), &json!(false))
    );
}

#[test]
fn what_is_switched_off_is_not_there() {
    let mut site = site_with(settings(Theme::Light));
    let mut browser = one_factor(&mut site, "alice");
    for ask in [
        Ask::new("GET", "/api/secondfactor/totp"),
        Ask::json("/api/secondfactor/totp", r#"{"token":"123456"}"#),
        Ask::new("GET", "/api/secondfactor/webauthn"),
        Ask::json("/api/secondfactor/webauthn", "{}"),
        Ask::new("GET", "/api/firstfactor/passkey"),
        Ask::json("/api/firstfactor/passkey", "{}"),
        Ask::json("/api/user/info/2fa_method", r#"{"method":"totp"}"#),
        Ask::form("/passkey", &[]),
    ] {
        let path = ask.path.clone();
        assert_eq!(browser.send(&mut site, ask).status, 404, "{path}");
    }
    let answer = browser.send(&mut site, Ask::new("GET", "/api/configuration"));
    let told: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(told["data"]["available_methods"], json!([]));
    assert_eq!(told["data"]["password_reset_disabled"], json!(true));
    let answer = browser.send(&mut site, Ask::new("POST", "/api/user/info"));
    let told: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((&told["data"]["method"], answer.status), (&json!(""), 200));
    let mut factored = factored();
    let mut browser = one_factor(&mut factored, "bob");
    let answer = browser.send(&mut factored, Ask::new("GET", "/api/secondfactor/totp"));
    let none = r#"{"status":"KO","message":"Could not find TOTP Configuration for user."}"#;
    assert_eq!((answer.status, text(&answer)), (404, none));
}

#[test]
fn an_outage_opens_nothing_and_is_logged() {
    for closed in [true, false] {
        let mut site = factored();
        enrol_code(&site, "alice");
        let mut browser = one_factor(&mut site, "alice");
        let token = field(&browser.get(&mut site, "/2fa/totp"), "token");
        let form = [("token", &*token), ("code", &*code("alice", site.now))];
        (site.office.closed, site.office.lost) = (closed, !closed);
        for ask in [
            Ask::get("/2fa"),
            Ask::form("/2fa/totp", &form),
            Ask::json("/api/secondfactor/totp", r#"{"token":"123456"}"#),
            Ask::new("GET", "/api/secondfactor/totp"),
            Ask::new("GET", "/api/secondfactor/webauthn"),
            Ask::new("POST", "/api/user/info"),
            Ask::json("/api/user/info/2fa_method", r#"{"method":"totp"}"#),
        ] {
            let place = format!("{} {}", ask.method, ask.path);
            let answer = browser.send(&mut site, ask);
            assert_eq!((answer.status, answer.cookies.len()), (503, 0), "{place}");
            assert_eq!(header(&answer, "retry-after"), Some("5"), "{place}");
            assert!(matches!(answer.event, Some(Event::Outage(_))), "{place}");
        }
        assert_eq!(level(&mut site, &mut browser), 1);
    }
}

#[test]
fn who_asks_too_often_is_told_when_to_come_back() {
    let mut site = factored();
    enrol_code(&site, "alice");
    let mut browser = one_factor(&mut site, "alice");
    site.world.limited = vec![Limited::SecondFactor];
    let now = code("alice", site.now);
    let answer = try_code(&mut site, &mut browser, &now);
    assert_eq!(
        (answer.status, header(&answer, "retry-after")),
        (429, Some("60"))
    );
    let answer = send_code(&mut site, &mut browser, &now);
    assert_eq!(
        (answer.status, header(&answer, "retry-after")),
        (429, Some("60"))
    );
    assert!(text(&answer).contains("60 seconds"));
    site.world.limited.clear();
    assert_eq!(try_code(&mut site, &mut browser, &now).status, 200);
}

#[test]
fn remember_me_and_the_end_of_the_session_stay_as_they_were() {
    let mut site = factored();
    enrol_code(&site, "alice");
    let mut browser = Browser::default();
    let body = r#"{"username":"alice","password":"password","keepMeLoggedIn":true}"#;
    browser.send(&mut site, Ask::json("/api/firstfactor", body));
    let before = *site.world.sessions.values().next().unwrap();
    site.now += 100;
    let now = code("alice", site.now);
    let answer = try_code(&mut site, &mut browser, &now);
    assert!(
        answer.cookies[0].contains("Max-Age=2592000"),
        "{:?}",
        answer.cookies
    );
    let after = *site.world.sessions.values().next().unwrap();
    assert!(after.remember);
    assert_eq!(
        (after.created, after.last_activity),
        (before.created, site.now)
    );
}
