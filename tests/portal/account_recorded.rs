//! What users change themselves, as recorded answers have it.

use ngx_http_auth_gate_module::factors::totp;
use ngx_http_auth_gate_module::portal::{Answer, Event};
use ngx_http_auth_gate_module::store::Factors;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::account::{mailed_code, mailed_link, object};
use crate::browser::*;
use crate::recorded::{ask, differences};
use crate::second::factored;
use crate::site::*;

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
