//! Recorded answers of Authelia's API, replayed flow by flow: the same status, the same object,
//! the same cookie. Every difference is listed here with its reason.

use ngx_http_auth_gate_module::portal::Answer;
use serde_json::{Value, json};

use crate::browser::*;
use crate::second::{enrol_code, factored};

const RECORDED: &str = include_str!("recorded.jsonl");

/// Steps that we answer in another way, and why.
const DIFFERENT: [(&str, u64, &str); 5] = [
    ("anonymous", 19, "there is no page about the API below /api"),
    ("anonymous", 20, "there is no page about the API below /api"),
    (
        "one factor session",
        3,
        "what is enrolled is told before a method is preferred, too",
    ),
    (
        "firstfactor with target not a url",
        1,
        "a malformed target is ignored; who is signed in is told OK",
    ),
    (
        "firstfactor with target https://user@one.example.com/",
        1,
        "an address with a user name in it is not safe",
    ),
];

#[test]
fn the_flows_of_one_factor_are_answered_alike() {
    let mut flow = String::new();
    let (mut site, mut browser) = (factored(), Browser::default());
    let mut replayed = 0;
    for line in RECORDED.lines() {
        let step: Value = serde_json::from_str(line).unwrap();
        if flow != step["flow"].as_str().unwrap() {
            flow = step["flow"].as_str().unwrap().to_owned();
            (site, browser) = (factored(), Browser::default());
            enrol_code(&site, "alice");
            site.world
                .regulate(if flow == "regulation" { 3 } else { 0 });
        }
        let answer = browser.send(&mut site, ask(&step["request"]));
        let number = step["step"].as_u64().unwrap();
        let known = DIFFERENT.iter().any(|(f, n, _)| *f == flow && *n == number);
        let differences = differences(&answer, &step["answer"]);
        let place = format!("{flow} {number}: {differences:?}");
        assert_eq!(known, !differences.is_empty(), "{place}");
        replayed += usize::from(!known);
    }
    assert_eq!(replayed, 112);
}

pub fn ask(recorded: &Value) -> Ask {
    let method = match recorded["method"].as_str().unwrap() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        other => panic!("{other}"),
    };
    let mut ask = Ask::new(method, recorded["path"].as_str().unwrap());
    if let Some(kind) = recorded["content_type"].as_str() {
        ask = ask.header("content-type", kind);
    }
    match (&recorded["body"], &recorded["raw"]) {
        (Value::Null, Value::Null) => ask,
        (Value::Null, raw) => ask.body(raw.as_str().unwrap()),
        (body, _) => ask.body(body.to_string()),
    }
}

pub fn differences(answer: &Answer, recorded: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |what: &str, ours: Value, theirs: Value| {
        if ours != theirs {
            found.push(format!("{what}: {ours} instead of {theirs}"));
        }
    };
    compare("status", json!(answer.status), recorded["status"].clone());
    compare(
        "content type",
        json!(answer.content_type),
        recorded["content_type"].clone(),
    );
    for (name, value) in recorded["headers"].as_object().unwrap() {
        compare(name, json!(header(answer, name)), value.clone());
    }
    match &recorded["json"] {
        Value::Null if recorded["text"] == json!("") => {}
        Value::Null => compare("text", json!(text(answer)), recorded["text"].clone()),
        theirs => compare(
            "object",
            serde_json::from_slice(&answer.body).unwrap_or_default(),
            to_the_second(theirs),
        ),
    }
    compare(
        "cookies",
        cookies(&answer.cookies),
        session_cookies(&recorded["set_cookie"]),
    );
    found
}

/// The object with times cut to whole seconds.
fn to_the_second(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(created) = object.pointer_mut("/data/created_at") {
        let time = created.as_str().unwrap().split('.').next().unwrap();
        *created = json!(format!("{time}Z"));
    }
    object
}

/// Name, emptiness and attributes. Lifetimes are ours: they are written as `Max-Age`, and
/// a cookie is cleared with the attributes it was set with. Tickets are ours alone.
fn cookies(set: &[String]) -> Value {
    let ours = |cookie: &&String| cookie.starts_with("__Host-auth_gate_");
    let cookies = set.iter().filter(|cookie| !ours(cookie)).map(|cookie| {
        let (pair, attributes) = cookie.split_once("; ").unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        let mut attributes: Vec<_> = attributes.split("; ").map(str::to_lowercase).collect();
        assert!(
            attributes.iter().any(|a| a.starts_with("max-age=")),
            "{cookie}"
        );
        attributes.retain(|a| !a.starts_with("max-age=") && !a.starts_with("expires="));
        attributes.sort();
        json!([name, value.is_empty(), attributes])
    });
    cookies.collect()
}

fn session_cookies(recorded: &Value) -> Value {
    let attributes = json!([
        "domain=example.com",
        "httponly",
        "path=/",
        "samesite=lax",
        "secure"
    ]);
    let cookies = recorded.as_array().unwrap().iter().map(|cookie| {
        let mut theirs = cookie["attributes"].clone();
        theirs
            .as_array_mut()
            .unwrap()
            .retain(|a| !a.as_str().unwrap().starts_with("expires="));
        let empty = cookie["empty"] == json!(true);
        assert!(empty || theirs == attributes);
        json!([cookie["name"], cookie["empty"], attributes])
    });
    cookies.collect()
}
