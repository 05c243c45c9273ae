//! Attacks with app passwords and other tokens at the authorization endpoints, by their numbers. (A-58, A-65, A-66,
//!

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use ngx_http_auth_gate_module::users::app_password::Token;

use super::app_passwords::{APP, DOORS, add, asked, bearer, bed, told};
use super::harness::question::{Question, ask, basic};

#[test]
fn a58_wrong_ones_ban_whom_they_name() {
    let regulation = "regulation: { modes: [user], max_retries: 3, find_time: 2m, ban_time: 5m }";
    let gate = bed().yaml(regulation).start();
    let right = add(&gate, "alice", "Backup", &[]);
    std::thread::scope(|scope| {
        for number in 0..3 {
            let gate = &gate;
            scope.spawn(move || {
                let wrong = basic("alice", &Token::new(&[number; 30]).reveal());
                assert_eq!(asked(gate, "auth-request", APP, &wrong).status, 401);
            });
        }
    });
    assert_eq!(
        told(&asked(&gate, "auth-request", APP, &bearer(&right))),
        (401, None)
    );
    let log = gate.log();
    let banned = "result=banned client=127.0.0.1 method=app_password user=\"alice\"";
    assert_eq!(log.matches(banned).count(), 1, "{log}");
    assert_eq!(gate.visitor().sign_in("alice", "password").status, 401);
    gate.signed_in("bob");
}

#[test]
fn a65_a66_tokens_of_any_other_kind_open_nothing() {
    let gate = bed().start();
    let token = add(&gate, "alice", "Backup", &[]);
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({"sub": "alice", "iss": "https://auth.example.com", "aud": "app", "exp": 4_000_000_000_u64});
    let jwt = |head: serde_json::Value, tail: &str| {
        format!("{}.{}.{tail}", part(head), part(claims.clone()))
    };
    let unsigned = jwt(json!({"alg": "none"}), "");
    let signed = jwt(
        json!({"alg": "HS256", "kid": "../../etc/passwd"}),
        "c2lnbmF0dXJl",
    );
    let nested = jwt(
        json!({"alg": "none", "cty": "JWT"}),
        &URL_SAFE_NO_PAD.encode(&unsigned),
    );
    let alice = gate.signed_in("alice");
    for odd in [
        bearer(&unsigned),
        bearer(&signed),
        bearer(&nested),
        bearer(&format!("{token}.{token}")),
        bearer(&token.to_uppercase()),
        bearer(&token[..token.len() - 1]),
        bearer(&format!("{token}%00")),
        bearer(&format!("{token}, Bearer {token}")),
        format!("Bearer\t{token}"),
        format!("Bearer  {token}"),
        format!("Bearer=\"{token}\""),
        format!("Token {token}"),
        "Bearer".into(),
        token.clone(),
        format!("Basic {token}"),
        format!("Basic {}", STANDARD.encode(&token)),
        format!("Basic {}", STANDARD.encode(format!(":{token}"))),
        format!(
            "Basic {}",
            STANDARD.encode([token.as_bytes(), b":x"].concat())
        ),
        format!(
            "Basic {}",
            STANDARD.encode([b"alice:".as_slice(), token.as_bytes(), b"\xff"].concat())
        ),
    ] {
        let question = Question::new("auth-request", APP, "/x").of(&alice);
        let answer = ask(&gate, &question.with("Authorization", &odd));
        assert_eq!(
            (told(&answer), answer.location()),
            ((401, None), ""),
            "{odd}"
        );
        assert!(answer.header("WWW-Authenticate").is_some(), "{odd}");
    }
    let twice = Question::new("auth-request", APP, "/x");
    let twice = twice.with("Authorization", &bearer(&token));
    assert_eq!(told(&ask(&gate, &twice)), (200, Some("alice")));
    let twice = twice.with("Authorization", &bearer(&token));
    // nginx itself takes this header once.
    assert_eq!(ask(&gate, &twice).status, 400);
    let huge = bearer(&unsigned.repeat(1 + (1 << 20) / unsigned.len()));
    let question = Question::new("auth-request", APP, "/x");
    // nginx ends it where it is larger than any header may be.
    assert_eq!(
        ask(&gate, &question.with("Authorization", &huge)).status,
        400
    );
    let odd = format!("bEARER {token}");
    assert_eq!(
        told(&asked(&gate, "auth-request", APP, &odd)),
        (200, Some("alice"))
    );
    // In the address it is no credential.
    let query = Question::new("auth-request", APP, &format!("/x?access_token={token}"));
    assert_eq!(ask(&gate, &query).status, 401);
}

#[test]
fn a67_one_for_another_host_opens_nothing_however_the_host_is_told() {
    let gate = bed().start();
    let token = add(&gate, "alice", "App", &["--host", APP]);
    let below = add(
        &gate,
        "alice",
        "Below",
        &["--host", "*.app.example.com", "--host", "api.example.com"],
    );
    for door in DOORS {
        for value in [basic("alice", &token), bearer(&token)] {
            assert_eq!(
                told(&asked(&gate, door, APP, &value)),
                (200, Some("alice")),
                "{door}"
            );
            assert_eq!(
                told(&asked(&gate, door, "APP.example.com:443", &value)).0,
                200,
                "{door}"
            );
            for other in ["api.example.com", "x.app.example.com"] {
                assert_eq!(
                    told(&asked(&gate, door, other, &value)),
                    (401, None),
                    "{door} {other}"
                );
            }
        }
        assert_eq!(
            told(&asked(&gate, door, "api.example.com", &bearer(&below))).0,
            200
        );
        assert_eq!(told(&asked(&gate, door, APP, &bearer(&below))).0, 401);
    }
    // A host that is not the one asked about has no say.
    let question = Question::new("auth-request", "api.example.com", "/x")
        .with("X-Forwarded-Host", APP)
        .with("X-Original-Host", APP)
        .with("Authorization", &bearer(&token));
    assert_eq!(ask(&gate, &question).status, 401);
}
