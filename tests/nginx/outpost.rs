//! What authentik's outpost serves, for proxies that were set up for it: its headers, its ways to the login page. (The
//! attacks on its endpoints stand beside those on the others, in doors_attacks.rs.)

use super::harness::question::{ENDPOINTS, OUTPOST, Question, ask, basic, connect, send, written};
use super::harness::visitor::PORTAL;
use super::harness::{Answer, Ask, Gate, Site};
use super::second_factor::{bed as with_factor, code, prove};

const APP: &str = "app.example.com";

const SET: [&str; 12] = [
    "X-authentik-username",
    "X-authentik-groups",
    "X-authentik-email",
    "X-authentik-name",
    "X-authentik-meta-app",
    "X-authentik-meta-outpost",
    "X-authentik-meta-provider",
    "X-authentik-meta-version",
    "X-authentik-entitlements",
    "X-authentik-jwt",
    "X-authentik-meta-jwks",
    "X-authentik-uid",
];

const VERSION: &str = concat!("auth-gate/", env!("CARGO_PKG_VERSION"));

const USERS: &str = "groups:
  staff:
    attributes: { app-user: shared }
    additionalHeaders: { X-Team: staff, Set-Cookie: 'a=b', Location: 'https://evil.test/', X-Accel-Redirect: /x }
users:
  alice:
    displayname: Alice Example
    password: '$argon2id$v=19$m=1024,t=1,p=1$YXV0aC1nYXRlLXRlc3RzIQ$JBfjCQ7wzJSaim9E7HmE+1b9mFM8QLimo7LPK4BNnN8'
    email: alice@example.com
    groups: ['a|b', staff]
    attributes: { app-password: 'secret:ü' }
    additionalHeaders: { X-authentik-name: '{user} of staff' }
  bob:
    displayname: Bob Example
    password: '$argon2id$v=19$m=1024,t=1,p=1$YXV0aC1nYXRlLXRlc3RzIQ$JBfjCQ7wzJSaim9E7HmE+1b9mFM8QLimo7LPK4BNnN8'
    groups: [admins]
    attributes: { uid: 0123abcd, app-password: pass }
";

fn listener(lines: &str) -> String {
    ENDPOINTS.replace(
        "auth_gate_endpoints;",
        &format!("auth_gate_endpoints; {lines}"),
    )
}

fn values<'a>(answer: &'a Answer, name: &str) -> Vec<&'a str> {
    answer.headers_named(name).collect()
}

#[test]
fn every_leave_carries_who_it_is_in_authentiks_headers() {
    let basic = "auth_gate_backend_basic app-user app-password;";
    let gate = Site::bed().users(USERS).server(&listener(basic)).start();
    let named = Site::bed().users(USERS);
    let named = named
        .server(&listener("auth_gate_application wiki;"))
        .start();
    let (alice, bob) = (gate.signed_in("alice"), gate.signed_in("bob"));
    for door in OUTPOST {
        let answer = ask(&gate, &Question::new(door, APP, "/x").of(&alice));
        assert_eq!((answer.status, answer.text().as_str()), (200, "200 OK"));
        let told = SET.map(|name| values(&answer, name));
        let uid = told[11][0];
        let wanted = [
            "alice",
            "a%7Cb|staff",
            "alice@example.com",
            "alice of staff",
            APP,
            "auth-gate",
            APP,
            VERSION,
            "",
            "",
            "",
            uid,
        ];
        assert_eq!(told, wanted.map(|value| vec![value]), "{door}");
        assert!(uid.len() == 64 && uid.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(values(&answer, "X-Team"), ["staff"], "{door}");
        assert_eq!(
            values(&answer, "Authorization"),
            ["Basic c2hhcmVkOnNlY3JldDrDvA=="]
        );
        for name in ["Remote-User", "Set-Cookie", "Location", "X-Accel-Redirect"] {
            assert!(values(&answer, name).is_empty(), "{door}: {answer:?}");
        }

        let answer = ask(&gate, &Question::new(door, APP, "/x").of(&bob));
        assert_eq!(values(&answer, "X-authentik-uid"), ["0123abcd"], "{door}");
        assert_eq!(
            values(&answer, "X-authentik-email"),
            [""],
            "set also when empty"
        );
        assert!(
            values(&answer, "Authorization").is_empty(),
            "he has no name for it"
        );

        let anonymous = Question::new(door, "PUBLIC.example.com", "/x");
        let answer = ask(&gate, &anonymous);
        assert_eq!(answer.status, 200, "{door}");
        for name in SET {
            let host = "public.example.com";
            let wanted = match name {
                "X-authentik-meta-app" | "X-authentik-meta-provider" => host,
                "X-authentik-meta-outpost" => "auth-gate",
                "X-authentik-meta-version" => VERSION,
                _ => "",
            };
            assert_eq!(values(&answer, name), [wanted], "{door} {name}");
        }
        assert!(
            values(&answer, "X-Team").is_empty() && values(&answer, "Authorization").is_empty()
        );

        let answer = ask(&named, &anonymous);
        assert_eq!(values(&answer, "X-authentik-meta-app"), ["wiki"], "{door}");
    }
    // The uid is the one that a guarded site gives.
    let inside = Site::bed()
        .users(USERS)
        .app("auth_gate_identity_headers authentik;");
    let inside = inside.start();
    let seen = inside.signed_in("alice").is_let_in(APP, "/x");
    let answer = ask(&gate, &Question::new("outpost-nginx", APP, "/x").of(&alice));
    assert_eq!(
        values(&answer, "X-authentik-uid"),
        [seen.one("X-authentik-uid")]
    );
}

#[test]
fn what_is_meant_for_proxies_goes_to_no_other_peer() {
    let lines =
        "auth_gate_backend_basic app-user app-password; auth_gate_trusted_proxies 192.0.2.1;";
    let gate = Site::bed().users(USERS).server(&listener(lines)).start();
    let alice = gate.signed_in("alice");
    for door in OUTPOST {
        let answer = ask(&gate, &Question::new(door, APP, "/x").of(&alice));
        assert_eq!(values(&answer, "X-authentik-username"), ["alice"], "{door}");
        assert_eq!(
            values(&answer, "X-authentik-name"),
            ["alice of staff"],
            "{door}"
        );
        assert!(values(&answer, "X-Team").is_empty(), "{door}: {answer:?}");
        assert!(
            values(&answer, "Authorization").is_empty(),
            "{door}: {answer:?}"
        );
    }
}

#[test]
fn a32_no_claim_in_authentiks_other_names_arrives_at_a_guarded_site() {
    let gate = Site::bed()
        .app("auth_gate_identity_headers authentik;")
        .start();
    let claims = [
        ("X-authentik-jwt", "claimed"),
        ("X-Authentik-Entitlements", "claimed"),
        ("x_authentik_meta_jwks", "claimed"),
    ];
    let seen = gate.signed_in("alice").is_let_in_with(APP, "/x", &claims);
    for (name, _) in claims {
        assert!(seen.folded(name).is_empty(), "{seen:?}");
    }
}

const RULES: &str = "access_control:
  default_policy: deny
  rules:
    - { domain: open.example.com, policy: bypass }
    - { domain: one.example.com, policy: one_factor }
    - { domain: two.example.com, policy: two_factor }
    - { domain: admins.example.com, subject: 'group:admins', policy: one_factor }
";

#[test]
fn every_answer_of_the_table_is_given() {
    let gate = with_factor().rules(RULES).server(ENDPOINTS).start();
    let one = gate.signed_in("alice");
    let mut two = gate.signed_in("alice");
    assert_eq!(prove(&mut two, &code(0), "").status, 200);
    let mut connection = connect(&gate);
    let portal = gate.url(PORTAL, "/");
    for (door, method) in OUTPOST
        .into_iter()
        .flat_map(|door| ["GET", "HEAD", "POST", "PUT"].map(|method| (door, method)))
    {
        let challenge = if door == "outpost-nginx" { 401 } else { 302 };
        for (host, statuses) in [
            ("open", [200, 200, 200, 200]),
            ("one", [challenge, 200, 200, 200]),
            ("two", [challenge, challenge, 200, 401]),
            ("admins", [challenge, 403, 403, 403]),
            ("shut", [403, 403, 403, 403]),
        ] {
            let host = format!("{host}.example.com");
            let question = Question::new(door, &host, "/a?b=1&c").method(method);
            let asked = [
                question.clone(),
                question.clone().of(&one),
                question.clone().of(&two),
                question
                    .clone()
                    .with("Authorization", &basic("alice", "password")),
            ];
            for (question, status) in asked.iter().zip(statuses) {
                for script in [false, true] {
                    let question = match script {
                        false => question.clone().with("Accept", "text/html"),
                        true => question
                            .clone()
                            .with("Accept", "application/json")
                            .with("X-Requested-With", "XMLHttpRequest"),
                    };
                    let answer = send(&mut connection, &question);
                    assert_eq!(answer.status, status, "{door} {method} {host}: {answer:?}");
                    let asks = answer.header("WWW-Authenticate").is_some();
                    let by_header = question
                        .headers
                        .iter()
                        .any(|(name, _)| name == "Authorization");
                    assert_eq!(asks, status == 401 && by_header, "{answer:?}");
                    let method = match door {
                        "outpost-nginx" => String::new(),
                        _ => format!("&rm={method}"),
                    };
                    let back = format!("{portal}?rd=https%3A%2F%2F{host}%2Fa%3Fb%3D1%26c{method}");
                    let location = matches!(status, 302 | 401) && !asks;
                    assert_eq!(answer.location(), if location { &back } else { "" });
                }
            }
        }
    }
}

#[test]
fn a_target_under_the_outposts_own_path_is_judged_like_any_other() {
    let gate = Site::bed().server(ENDPOINTS).start();
    for door in OUTPOST {
        for target in [
            "/outpost.goauthentik.io/start",
            "/outpost.goauthentik.io/sign_out",
            "/outpost.goauthentik.io/../x",
        ] {
            let status = if door == "outpost-nginx" { 401 } else { 302 };
            let question = Question::new(door, APP, target);
            assert_eq!(ask(&gate, &question).status, status, "{door} {target}");
            let shut = Question::new(door, "app.example.com", &format!("/admin{target}"));
            let alice = gate.signed_in("alice");
            assert_eq!(ask(&gate, &shut.of(&alice)).status, 403, "{door} {target}");
        }
    }
}

fn get(gate: &Gate, method: &str, target: &str, host: &str, more: &[(&str, &str)]) -> Answer {
    let headers: Vec<_> = more
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect();
    let bytes = written(method, target, host, headers.iter());
    let answer = connect(gate).send(bytes).try_answer(method == "HEAD");
    answer.expect("an answer")
}

#[test]
fn start_leads_to_the_login_page_with_the_way_back() {
    let gate = Site::bed().server(ENDPOINTS).start();
    let app = gate.url(APP, "");
    let authority = app.strip_prefix("https://").unwrap();
    let url = format!("{app}/outpost.goauthentik.io/start");
    let encode =
        |text: &str| -> String { form_urlencoded::byte_serialize(text.as_bytes()).collect() };
    let deep = "/deep?x=1&y=%262%20#";
    let whole = deep.trim_end_matches('#');
    for (rd, back) in [
        // As authentik's configurations write it, the visitor's target as it came.
        (format!("{app}{whole}"), format!("{app}{whole}")),
        (whole.to_owned(), format!("{app}{whole}")),
        ("/".to_owned(), format!("{app}/")),
        // As HAProxy and ingress-nginx do.
        (encode(&format!("{app}{whole}")), format!("{app}{whole}")),
        (format!("{app}{}", encode(whole)), format!("{app}{whole}")),
        (encode("/a b").replace('+', "%20"), String::new()),
        (encode("/a%20b"), format!("{app}/a%20b")),
    ] {
        for method in ["GET", "HEAD"] {
            let target = format!("/outpost.goauthentik.io/start?rd={rd}");
            // Some proxies tell the port in `X-Original-URL` only, some in `Host`.
            let original = format!("{url}?rd={rd}");
            for (host, more) in [
                (APP, vec![("X-Original-URL", original.as_str())]),
                ("outpost:9000", vec![("X-Forwarded-Host", authority)]),
                (authority, vec![]),
            ] {
                let answer = get(&gate, method, &target, host, &more);
                assert_eq!(answer.status, 302, "{target}: {answer:?}");
                let portal = gate.url(PORTAL, "/");
                let wanted = match back.as_str() {
                    "" => portal.clone(),
                    back => format!("{portal}?rd={}", encode(back)),
                };
                assert_eq!(answer.location(), wanted, "{target} at {host}");
                assert_eq!(answer.header("Cache-Control"), Some("no-store"));
            }
        }
    }
    let posted = get(
        &gate,
        "POST",
        "/outpost.goauthentik.io/start?rd=/",
        APP,
        &[],
    );
    assert_eq!(
        (posted.status, posted.header("Allow")),
        (405, Some("GET, HEAD"))
    );
    let portal = gate.page(
        PORTAL,
        &format!("/outpost.goauthentik.io/start?rd={app}/x?y&z"),
    );
    let wanted = format!(
        "{}?rd={}",
        gate.url(PORTAL, "/"),
        encode(&format!("{app}/x?y&z"))
    );
    assert_eq!((portal.status, portal.location()), (302, wanted.as_str()));
}

#[test]
fn a53_start_leads_nowhere_else() {
    let gate = Site::bed().server(ENDPOINTS).start();
    let portal = gate.url(PORTAL, "/");
    for rd in [
        "",
        "//evil.test/",
        "/\\evil.test",
        "%2F%2Fevil.test%2F",
        "https://evil.test/",
        "https%3A%2F%2Fevil.test%2F",
        "https://app.example.com@evil.test/",
        "https://app.example.com.evil.test/",
        "http://app.example.com/",
        "https:/app.example.com/",
        "https:evil.test",
        "javascript:alert(1)",
        "/%0d%0aSet-Cookie:a=b%00",
        "https://app.example.com/&rd=https://evil.test/",
        "x&rd=https%3A%2F%2Fapp.example.com%2F",
        "app.example.com",
    ] {
        for more in [
            &[][..],
            &[("X-Forwarded-Host", "evil.test")],
            &[("X-Original-URL", "https://evil.test/")],
        ] {
            let target = format!("/outpost.goauthentik.io/start?rd={rd}");
            let answer = get(&gate, "GET", &target, APP, more);
            assert_eq!(answer.status, 302, "{rd}: {answer:?}");
            let location = answer.location();
            assert!(location.starts_with(&portal), "{rd}: {location}");
            let back = location.strip_prefix(&portal).unwrap();
            let inside =
                back.is_empty() || back.starts_with("?rd=https%3A%2F%2Fapp.example.com%2F");
            assert!(inside, "{rd}: {location}");
            assert!(answer.header("Set-Cookie").is_none());
        }
    }
    assert_eq!(
        get(
            &gate,
            "GET",
            "/outpost.goauthentik.io/start",
            "evil.test",
            &[]
        )
        .location(),
        portal
    );
}

#[test]
fn ping_is_answered_wherever_it_is_served() {
    let clear = "server { @clear@ server_name auth.example.com; location / { auth_gate_portal; } }";
    let gate = Site::bed().server(ENDPOINTS).server(clear).start();
    let target = "/outpost.goauthentik.io/ping";
    for method in ["GET", "HEAD"] {
        let answer = get(&gate, method, target, "whoever", &[]);
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (204, ""),
            "{method}"
        );
    }
    assert_eq!(gate.page(PORTAL, target).status, 204);
    let ask = Ask::new("GET", PORTAL, target).bytes(&[]);
    assert_eq!(gate.connect_plain().send(ask).answer().status, 204);
    let start = Ask::new("GET", PORTAL, "/outpost.goauthentik.io/start").bytes(&[]);
    assert_eq!(gate.connect_plain().send(start).answer().status, 400);
    assert_eq!(
        gate.page(PORTAL, "/outpost.goauthentik.io/callback").status,
        404
    );
}

#[test]
fn a_portal_under_a_path_serves_them_below_it() {
    let session = "session:
  secret: an insecure secret for tests
  cookies:
    - domain: example.com
      authelia_url: https://auth.example.com@port@/sso
";
    let gate = Site::bed()
        .session(session)
        .portal("location /sso { auth_gate_portal; }")
        .start();
    let mut alice = gate.visitor();
    let json = serde_json::json!({"username": "alice", "password": "password"});
    let signed = alice.send(&Ask::api("POST", PORTAL, "/sso/api/firstfactor", &json));
    assert_eq!(signed.status, 200, "{signed:?}");
    let ask = Ask::new("GET", PORTAL, "/sso/outpost.goauthentik.io/auth/nginx");
    let ask = ask.with("X-Original-URL", "https://app.example.com/x");
    let answer = alice.send(&ask);
    let told = (answer.status, answer.header("X-authentik-username"));
    assert_eq!(told, (200, Some("alice")));
    let start = alice.page(
        PORTAL,
        "/sso/outpost.goauthentik.io/start?rd=https://app.example.com/x",
    );
    let wanted = "/sso/?rd=https%3A%2F%2Fapp.example.com%2Fx";
    assert_eq!(start.location(), gate.url(PORTAL, wanted), "{start:?}");
    let out = Ask::page(PORTAL, "/sso/outpost.goauthentik.io/sign_out")
        .with("Sec-Fetch-Mode", "navigate")
        .with("Sec-Fetch-Site", "none");
    assert!(alice.send(&out).text().contains("You are signed out"));
    assert!(!alice.reaches("/x"));
}
