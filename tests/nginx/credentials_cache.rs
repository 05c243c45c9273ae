//! Passwords in headers that are remembered for a while: for what, for how long, and what makes them forgotten.

use std::collections::BTreeSet;

use super::harness::counted::METRICS;
use super::harness::exposition::Exposition;
use super::harness::question::{ENDPOINTS, Question, ask, basic};
use super::harness::site::USERS;
use super::harness::{Ask, Gate, Site, until};
use super::{account, ledger, storage};

const APP: &str = "app.example.com";

/// How many passwords have been checked.
fn hashes(gate: &Gate) -> f64 {
    Exposition::of_gate(gate).get("hashes_total", &[("result", "done")])
}

/// How many are for this request.
fn cost(gate: &Gate, host: &str, name: &str, password: &str) -> (u16, f64) {
    let before = hashes(gate);
    let ask = Ask::new("GET", host, "/x").with("Authorization", &basic(name, password));
    let status = gate.send(&ask).status;
    (status, hashes(gate) - before)
}

fn site() -> Site {
    Site::bed()
        .http("auth_gate_credentials cookie basic cache=10m;")
        .server(METRICS)
}

#[test]
fn a65_a_success_is_paid_once_and_failures_always() {
    let gate = site().start();
    assert_eq!(cost(&gate, APP, "alice", "password"), (200, 1.0));
    for _ in 0..3 {
        assert_eq!(cost(&gate, APP, "alice", "password"), (200, 0.0));
    }
    for _ in 0..2 {
        assert_eq!(cost(&gate, APP, "alice", "wrong"), (401, 1.0));
    }
    assert_eq!(
        cost(&gate, APP, "bob", "password"),
        (200, 1.0),
        "somebody else's"
    );
    let uncached = Site::bed().server(METRICS).start();
    for _ in 0..2 {
        assert_eq!(cost(&uncached, APP, "alice", "password"), (200, 1.0));
    }
}

#[test]
fn a67_what_is_remembered_for_one_domain_is_none_of_another() {
    let session = "session:
  secret: an insecure secret for tests
  cookies:
    - domain: example.com
      authelia_url: https://auth.example.com@port@
    - domain: example.org
      authelia_url: https://auth.example.org@port@
";
    let rules = "access_control: { default_policy: one_factor }";
    let server = "server { @listen@ server_name app.example.org auth.example.org; auth_gate on; location / { @proxy@ } }";
    let gate = site().session(session).rules(rules).server(server).start();
    assert_eq!(cost(&gate, APP, "alice", "password"), (200, 1.0));
    assert_eq!(
        cost(&gate, "app.example.org", "alice", "password"),
        (200, 1.0)
    );
    assert_eq!(
        cost(&gate, "app.example.org", "alice", "password"),
        (200, 0.0)
    );
    assert_eq!(
        cost(&gate, "api.example.com", "alice", "password"),
        (200, 0.0)
    );
}

#[test]
fn a_time_that_is_over_is_over() {
    let gate = Site::bed()
        .http("auth_gate_credentials basic cache=1s;")
        .server(METRICS)
        .start();
    assert_eq!(cost(&gate, APP, "alice", "password"), (200, 1.0));
    until("the second to pass", || {
        (cost(&gate, APP, "alice", "password") == (200, 1.0)).then_some(())
    });
}

#[test]
fn a58_a_ban_holds_what_is_remembered_too() {
    let regulation = "regulation: { modes: [user], max_retries: 2, find_time: 2m, ban_time: 5m }";
    let gate = site().yaml(regulation).start();
    assert_eq!(cost(&gate, APP, "alice", "password"), (200, 1.0));
    std::thread::scope(|scope| {
        for wrong in ["wrong", "also wrong"] {
            let gate = &gate;
            scope.spawn(move || assert_eq!(cost(gate, APP, "alice", wrong).0, 401));
        }
    });
    assert_eq!(cost(&gate, APP, "alice", "password"), (401, 1.0));
    assert_eq!(cost(&gate, APP, "bob", "password").0, 200);
}

#[test]
fn a47_whoever_is_disabled_or_has_another_password_is_forgotten() {
    let gate = site().start();
    for name in ["alice", "bob"] {
        assert_eq!(cost(&gate, APP, name, "password"), (200, 1.0));
    }
    // The same password under another hash, and nobody by the name of bob.
    let other = "$argon2id$v=19$m=1024,t=1,p=1$pTOH29y4Ev9/Tx+L9UCoeQ$zpG/W7pTROaU1GhfdhzllAvX9BjmItZaOW0Y2pTEmPQ";
    let (alice, rest) = USERS.split_once("  bob:").unwrap();
    let start = alice.find("$argon2id").unwrap();
    let end = start + alice[start..].find('\'').unwrap();
    let alice = format!("{}{other}{}", &alice[..start], &alice[end..]);
    gate.replace("users.yml", &format!("{alice}  robert:{rest}"));
    until("the new users", || {
        gate.log().contains("read again").then_some(())
    });
    assert_eq!(cost(&gate, APP, "alice", "password"), (200, 1.0));
    assert_eq!(cost(&gate, APP, "alice", "password"), (200, 0.0));
    assert_eq!(cost(&gate, APP, "bob", "password").0, 401);
}

/// Asks as alice until each worker has let her in without a check.
fn is_remembered_everywhere(gate: &Gate) {
    let mut known = BTreeSet::new();
    until("every worker to remember", || {
        let before = hashes(gate);
        let ask = Ask::new("GET", APP, "/x").with("Authorization", &basic("alice", "password"));
        let answer = gate.send(&ask);
        assert_eq!(answer.status, 200);
        if hashes(gate) == before {
            known.insert(answer.header("X-Worker").unwrap().parse().unwrap());
        }
        (known == gate.workers()).then_some(())
    });
}

fn forgets_everywhere(gate: &Gate, end: impl FnOnce()) {
    // Each worker hears of an order by itself, and makes all forget.
    let before = until("the last order to be heard", || {
        let before = hashes(gate);
        is_remembered_everywhere(gate);
        (hashes(gate) == before).then_some(before)
    });
    end();
    until("a worker to forget", || {
        (cost(gate, APP, "alice", "password") == (200, 1.0)).then_some(())
    });
    is_remembered_everywhere(gate);
    let again = hashes(gate) - before;
    assert!(again >= 2.0, "each worker has to check again: {again}");
}

#[test]
fn a46_a_user_who_ends_all_sessions_is_remembered_by_no_worker() {
    let gate = account::bed()
        .http("auth_gate_credentials cookie basic cache=10m;")
        .server(METRICS)
        .workers(2)
        .start();
    let (_other, mut alice) = (gate.signed_in("alice"), gate.signed_in("alice"));
    let before = hashes(&gate);
    forgets_everywhere(&gate, || account::end_all_others(&mut alice));
    assert!(hashes(&gate) > before && alice.reaches("/x"));
}

#[test]
fn a46_an_administrator_who_ends_all_sessions_of_a_user_is_obeyed_by_every_worker() {
    let gate = storage::bed()
        .http("auth_gate_credentials cookie basic cache=10m;")
        .server(METRICS)
        .workers(2)
        .start();
    gate.signed_in("alice");
    for whom in [["--user", "alice"].as_slice(), &["--all"]] {
        forgets_everywhere(&gate, || {
            let arguments = [["session", "end"].as_slice(), whom].concat();
            _ = ledger::auth_gate(&gate, &arguments);
        });
    }
}

#[test]
fn a65_an_endpoint_that_caches_pays_once_for_each_domain_and_always_for_failures() {
    let authz = "server:
  endpoints:
    authz:
      auth-request:
        implementation: AuthRequest
        authn_strategies:
          - { name: HeaderAuthorization, schemes: [basic], scheme_basic_cache_lifespan: 5m }
          - { name: HeaderProxyAuthorization, schemes: [basic] }
          - { name: CookieSession }
";
    let session = "session:
  secret: an insecure secret for tests
  cookies:
    - domain: example.com
      authelia_url: https://auth.example.com@port@
    - domain: example.org
      authelia_url: https://auth.example.org@port@
";
    let gate = Site::bed()
        .yaml(authz)
        .session(session)
        .rules("access_control: { default_policy: one_factor }")
        .server(METRICS)
        .server(ENDPOINTS)
        .start();
    let cost = |header: &str, host: &str, password: &str| {
        let before = hashes(&gate);
        let question = Question::new("auth-request", host, "/x");
        let answer = ask(&gate, &question.with(header, &basic("alice", password)));
        if answer.status == 200 {
            assert_eq!(answer.header("Remote-User"), Some("alice"));
        }
        (answer.status, hashes(&gate) - before)
    };
    let header = "Authorization";
    assert_eq!(cost(header, APP, "password"), (200, 1.0));
    assert_eq!(cost(header, "api.example.com", "password"), (200, 0.0));
    assert_eq!(cost(header, "app.example.org", "password"), (200, 1.0));
    assert_eq!(cost(header, APP, "wrong"), (401, 1.0));
    assert_eq!(cost(header, APP, "wrong"), (401, 1.0));
    for _ in 0..2 {
        assert_eq!(cost("Proxy-Authorization", APP, "password"), (200, 1.0));
    }
    let passed = [("method", "basic"), ("result", "success")];
    assert_eq!(Exposition::of_gate(&gate).get("logins_total", &passed), 5.0);
}
