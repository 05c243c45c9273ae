//! A second factor through the real nginx: the step up from one factor to two, one code for one visitor however many
//! try it at once, and what happens while the store is away or a worker dies.

use std::fs;
use std::path::Path;
use std::sync::Barrier;
use std::time::{SystemTime, UNIX_EPOCH};

use ngx_http_auth_gate_module::factors::totp::{Key, Parameters, Secret};
use ngx_http_auth_gate_module::store::{
    Algorithm, Factors as _, NewTotp, State, StorageKey, inspect,
};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::harness::place::give;
use super::harness::visitor::PORTAL;
use super::harness::{Answer, Ask, Gate, Site, Visitor, until};
use super::storage::{KEY, bed as stored, open};

const APP: &str = "app.example.com";
const SECRET: &[u8] = b"12345678901234567890";
const RULES: &str = "access_control:
  default_policy: deny
  rules:
    - domain: app.example.com
      resources: '^/two/'
      policy: two_factor
    - domain: app.example.com
      policy: one_factor
";

/// What bounds attempts otherwise, so that a test can make many.
pub(super) const UNBOUNDED: &str = "regulation:
  max_retries: 1000
server:
  endpoints:
    rate_limits:
      second_factor_totp:
        enable: false
";

/// The test bed with a device of alice's in its store.
pub(super) fn bed() -> Site {
    stored()
        .rules(RULES)
        .prepare(|prefix| enrol(prefix, &["alice"]))
}

/// Gives each of them a device.
pub(super) fn enrol(prefix: &Path, users: &[&str]) {
    let store = open(prefix, KEY);
    let random = &mut |bytes: &mut [u8]| getrandom::fill(bytes).unwrap();
    for user in users {
        store.add_totp(&device(user), now(), random).unwrap();
    }
    drop(store);
    for ending in ["", "-wal", "-shm"] {
        let path = prefix.join(format!("store/db.sqlite3{ending}"));
        if path.exists() {
            give(&path);
        }
    }
}

fn device(user: &str) -> NewTotp {
    NewTotp {
        user: user.into(),
        name: "phone".into(),
        issuer: "example.com".into(),
        algorithm: Algorithm::Sha1,
        digits: 6,
        period: 30,
        secret: SECRET.to_vec().into(),
    }
}

pub(super) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

/// The code that alice's device shows, so many steps from now.
pub(super) fn code(steps: i64) -> String {
    code_of(SECRET, steps)
}

/// The code of a device with that secret.
pub(super) fn code_of(secret: &[u8], steps: i64) -> String {
    let key = Key {
        secret: Secret::new(secret.to_vec()).unwrap(),
        parameters: Parameters::parse("SHA1", 6, 30).unwrap(),
    };
    let code = key.code(now().saturating_add_signed(30 * steps));
    code.expose_secret().to_owned()
}

pub(super) fn prove(visitor: &mut Visitor<'_>, code: &str, target: &str) -> Answer {
    let body = json!({"token": code, "targetURL": target});
    visitor.send(&Ask::api("POST", PORTAL, "/api/secondfactor/totp", &body))
}

#[test]
fn a44_a_step_up_opens_what_two_factors_open_under_a_new_id() {
    let gate = bed().workers(2).start();
    let mut alice = gate.signed_in("alice");
    assert!(alice.reaches("/x"));
    let challenge = alice.page(APP, "/two/x");
    assert_eq!(challenge.status, 302);
    let page = alice.open(challenge.location());
    assert!(matches!(page.status, 200 | 303), "{page:?}");
    let before = alice.clone();

    let wrong = prove(&mut alice, "000000", "");
    assert_eq!(wrong.status, 403, "{}", wrong.text());
    assert_eq!(alice.session(), before.session());
    let target = gate.url(APP, "/two/x");
    let right = prove(&mut alice, &code(0), &target);
    assert_eq!(right.status, 200, "{}", right.text());
    assert_eq!(right.json()["data"]["redirect"], target);
    assert_ne!(alice.session().value, before.session().value);
    assert!(alice.reaches("/two/x"));

    let mut stolen = before;
    assert!(
        !stolen.reaches("/two/x") && !stolen.reaches("/x"),
        "the old id is dead"
    );
    let again = prove(&mut gate.signed_in("alice"), &code(0), "");
    assert_eq!(again.status, 403, "a code counts once: {}", again.text());
}

#[test]
fn a61_of_fifty_posts_of_one_code_exactly_one_counts() {
    let gate = bed().yaml(UNBOUNDED).workers(2).start();
    let visitors: Vec<_> = (0..50).map(|_| gate.signed_in("alice")).collect();
    let (start, code) = (Barrier::new(visitors.len()), code(0));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let tries: Vec<_> = visitors
            .into_iter()
            .map(|mut visitor| {
                let (start, code) = (&start, &code);
                scope.spawn(move || {
                    start.wait();
                    prove(&mut visitor, code, "").status
                })
            })
            .collect();
        tries.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let count = |status: u16| statuses.iter().filter(|s| **s == status).count();
    assert_eq!((count(200), count(403)), (1, 49), "{statuses:?}");
}

#[test]
fn a58_codes_cannot_be_guessed_by_signing_in_anew() {
    let gate = bed()
        .yaml("regulation: { max_retries: 3 }")
        .workers(2)
        .start();
    for _ in 0..3 {
        assert_eq!(
            prove(&mut gate.signed_in("alice"), "000000", "").status,
            403
        );
    }
    // Looks like any wrong code, and leaves passwords alone.
    let mut alice = gate.signed_in("alice");
    assert_eq!(prove(&mut alice, &code(0), "").status, 403);
    assert!(alice.reaches("/x") && !alice.reaches("/two/x"));
}

#[test]
fn too_many_codes_from_one_address_are_told_when_to_come_back() {
    let limit = "server: { endpoints: { rate_limits: { second_factor_totp: { enable: true, \
        buckets: [{ period: 10 minutes, requests: 2 }] } } } }";
    let gate = bed().yaml(limit).workers(2).start();
    let mut alice = gate.signed_in("alice");
    let answers = [0; 3].map(|_| prove(&mut alice, "000000", ""));
    assert_eq!(answers.each_ref().map(|a| a.status), [403, 403, 429]);
    let wait: u64 = answers[2].header("Retry-After").unwrap().parse().unwrap();
    assert!((1..=300).contains(&wait), "{wait}");
}

#[test]
fn while_the_store_is_away_sign_ins_wait_and_who_is_signed_in_goes_on() {
    // An attempt that nobody could look at stays counted.
    let gate = bed().yaml(UNBOUNDED).start();
    let mut alice = gate.signed_in("alice");
    let mut bob = gate.signed_in("bob");
    assert_eq!(prove(&mut alice, "000000", "").status, 403);
    let (here, away) = (gate.prefix().join("store"), gate.prefix().join("away"));
    fs::rename(&here, &away).unwrap();
    for _ in 0..2 {
        let answer = prove(&mut alice, &code(0), "");
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert!(answer.header("Retry-After").is_some(), "{answer:?}");
    }
    assert!(bob.reaches("/x"));
    let answer = gate.visitor().sign_in("bob", "password");
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.header("Retry-After").is_some(), "{answer:?}");
    assert!(!here.exists(), "an empty store took its place");
    let said = |words: &str| gate.log().matches(words).count();
    assert_eq!(
        said("until then whoever needs the store"),
        1,
        "{}",
        gate.log()
    );

    fs::rename(&away, &here).unwrap();
    until("the store to be asked again", || {
        (prove(&mut alice, &code(0), "").status == 200).then_some(())
    });
    assert_eq!(said("event=recovery"), 1, "{}", gate.log());
}

#[test]
fn workers_killed_at_work_leave_a_readable_store_and_the_next_go_on() {
    let gate = bed()
        .yaml(UNBOUNDED)
        .workers(2)
        .tolerate("exited on signal 9")
        .tolerate("was locked by")
        .start();
    let visitors: Vec<_> = (0..8).map(|_| gate.signed_in("alice")).collect();
    for round in 0..4 {
        let (start, code) = (Barrier::new(visitors.len() + 1), code(0));
        std::thread::scope(|scope| {
            for visitor in &visitors {
                let (start, code) = (&start, &code);
                scope.spawn(move || {
                    start.wait();
                    let body = json!({"token": code}).to_string();
                    let ask = Ask::new("POST", PORTAL, "/api/secondfactor/totp")
                        .with("Content-Type", "application/json")
                        .with_body(body);
                    // Whose worker is killed has no answer.
                    let mut connection = gate_of(visitor).connect(PORTAL);
                    let bytes = ask.bytes(&visitor.cookie_header(PORTAL));
                    if connection.try_send(&bytes).is_ok() {
                        let _ = connection.try_answer(false);
                    }
                });
            }
            start.wait();
            let victim = gate.workers().into_iter().nth(round % 2);
            gate.kill_worker(victim.unwrap());
        });
        let path = gate.prefix().join("store/db.sqlite3");
        let key = StorageKey::derive(KEY.as_bytes());
        let (state, contents) = inspect(&path, &key, now()).unwrap();
        assert!(matches!(state, State::Current { .. }), "{state:?}");
        assert_eq!((contents.users, contents.totp), (1, 1));
    }
    until("a worker that takes the next code", || {
        let answer = prove(&mut gate.signed_in("alice"), &code(1), "");
        (answer.status == 200).then_some(())
    });
}

fn gate_of<'g>(visitor: &Visitor<'g>) -> &'g Gate {
    visitor.gate
}

#[test]
fn visitors_who_leave_while_their_errand_runs_harm_nobody() {
    let gate = bed().yaml(UNBOUNDED).start();
    let alice = gate.signed_in("alice");
    for _ in 0..30 {
        let ask = Ask::api(
            "POST",
            PORTAL,
            "/api/secondfactor/totp",
            &json!({"token": "000000"}),
        );
        let mut connection = gate.connect(PORTAL);
        connection.send(ask.bytes(&alice.cookie_header(PORTAL)));
        // A page that has to wait as well.
        let mut page = gate.connect(PORTAL);
        page.send(Ask::page(PORTAL, "/2fa").bytes(&alice.cookie_header(PORTAL)));
    }
    let mut alice = alice;
    assert_eq!(prove(&mut alice, &code(0), "").status, 200);
}
