//! Identity as authentik's proxy gives it: its header set, Basic for the application, attributes as variables. (A-32,
//!

use super::claims::BACKENDS;
use super::harness::site::SESSION;
use super::harness::{Ask, Seen, Site};

const APP: &str = "app.example.com";
const PUBLIC: &str = "public.example.com";

const SET: [&str; 9] = [
    "X-authentik-username",
    "X-authentik-groups",
    "X-authentik-email",
    "X-authentik-name",
    "X-authentik-uid",
    "X-authentik-meta-app",
    "X-authentik-meta-outpost",
    "X-authentik-meta-provider",
    "X-authentik-meta-version",
];

const USERS: &str = "groups:
  staff:
    attributes: { desk: hall, app-user: shared }
    additionalHeaders: { X-Team: staff }
users:
  alice:
    displayname: Alice Example
    password: '$argon2id$v=19$m=1024,t=1,p=1$YXV0aC1nYXRlLXRlc3RzIQ$JBfjCQ7wzJSaim9E7HmE+1b9mFM8QLimo7LPK4BNnN8'
    email: alice@example.com
    groups: ['a|b', 'c,d', staff]
    attributes: { app-password: 'secret:ü', desk: \"4\\n2\" }
    additionalHeaders: { X-authentik-name: '{user} of {attr:desk}' }
  bob:
    displayname: Bob Example
    password: '$argon2id$v=19$m=1024,t=1,p=1$YXV0aC1nYXRlLXRlc3RzIQ$JBfjCQ7wzJSaim9E7HmE+1b9mFM8QLimo7LPK4BNnN8'
    groups: [admins]
    attributes: { uid: 0123abcd, app-password: pass }
";

fn bed(app: &str) -> Site {
    let public = "auth_gate on; auth_gate_identity_headers authentik; location / { @proxy@ }";
    Site::bed().users(USERS).app(app).public(public)
}

fn told(seen: &Seen) -> [&str; 9] {
    SET.map(|name| seen.one(name))
}

#[test]
fn authentiks_headers_say_who_it_is() {
    let gate = bed("auth_gate_identity_headers authentik;").start();
    let seen = gate.signed_in("alice").is_let_in(APP, "/x");
    let uid = seen.one("X-authentik-uid").to_owned();
    let version = format!("auth-gate/{}", env!("CARGO_PKG_VERSION"));
    assert!(
        uid.len() == 64 && uid.bytes().all(|b| b.is_ascii_hexdigit()),
        "{uid}"
    );
    let alice = [
        "alice",
        "a%7Cb|c%2Cd|staff",
        "alice@example.com",
        "alice of 4%0A2",
        &uid,
        APP,
        "auth-gate",
        APP,
        &version,
    ];
    assert_eq!(told(&seen), alice);
    assert_eq!((seen.one("X-Team"), seen.one("Remote-User")), ("staff", ""));
    assert_eq!(seen.one("X-Forwarded-Host"), APP);

    let seen = gate.signed_in("bob").is_let_in(APP, "/x");
    assert_eq!(seen.one("X-authentik-uid"), "0123abcd", "his attribute");
    assert_eq!(seen.all("X-authentik-email"), [""], "set also when empty");

    // Another process makes the same of the secret.
    let again =
        bed("auth_gate_identity_headers authentik remote; auth_gate_application wiki;").start();
    let seen = again.signed_in("alice").is_let_in(APP, "/x");
    assert_eq!(seen.one("X-authentik-uid"), uid);
    assert_eq!(seen.one("X-authentik-meta-app"), "wiki");
    assert_eq!(seen.one("Remote-Groups"), "a|b,c%2Cd,staff", "both sets");
    assert_eq!(seen.all("X-Team"), ["staff"]);
    let other = SESSION.replace("an insecure secret", "another secret");
    let other = bed("auth_gate_identity_headers authentik;")
        .session(&other)
        .start();
    let seen = other.signed_in("alice").is_let_in(APP, "/x");
    assert_ne!(seen.one("X-authentik-uid"), uid);
}

#[test]
fn a32_a33_no_claim_in_authentiks_names_arrives() {
    for app in ["auth_gate_identity_headers authentik;", ""] {
        let site = bed(&format!("{app} {BACKENDS}"));
        let gate = site.start();
        let spellings: [fn(&str) -> String; 4] = [
            str::to_owned,
            str::to_uppercase,
            |name| name.replace('-', "_"),
            |name| name.replacen("-", "._", 1),
        ];
        let alice = gate.signed_in("alice");
        for spell in spellings {
            let names: Vec<String> = SET.iter().map(|name| spell(name)).collect();
            let mut claims: Vec<_> = names
                .iter()
                .map(|name| (name.as_str(), "claimed"))
                .collect();
            claims.push(("X-Forwarded-Host", "evil.test"));
            let mut seen = vec![alice.is_let_in_with(APP, "/p", &claims)];
            seen.push(gate.visitor().is_let_in_with(PUBLIC, "/x", &claims));
            let anonymous = &seen[1];
            assert_eq!(anonymous.one("X-Forwarded-Host"), PUBLIC);
            assert_eq!(told(anonymous)[..5], ["", "", "", "", ""]);
            for seen in seen {
                let values = SET.iter().flat_map(|name| seen.folded(name));
                assert!(
                    values.into_iter().all(|value| value != "claimed"),
                    "{seen:?}"
                );
                for name in SET {
                    assert!(seen.folded(name).len() <= 1, "{name}: {seen:?}");
                }
            }
        }
    }
}

#[test]
fn an_application_with_basic_gets_the_users_own() {
    let app = "auth_gate_credentials cookie;
        location /app/ { auth_gate_backend_basic app-user app-password; @proxy@ }
        location /open/ { auth_gate_policy bypass; auth_gate_backend_basic app-user app-password; @proxy@ }
        location /bare/ { auth_gate_identity_headers off; auth_gate_backend_basic app-user app-password; @proxy@ }
        location /lacks/ { auth_gate_backend_basic app-user nothing; @proxy@ }";
    let users = USERS.replace(
        "    displayname: Bob Example",
        "    displayname: Bob Example\n    email: bob@example.com",
    );
    let gate = bed(app).users(&users).start();
    let authorization = |user: Option<&str>, target: &str| {
        let visitor = user.map_or_else(|| gate.visitor(), |user| gate.signed_in(user));
        let seen = visitor.is_let_in_with(APP, target, &[("Authorization", "Basic Y2xhaW1lZDp4")]);
        seen.all("Authorization")
            .iter()
            .map(|value| value.to_string())
            .collect::<Vec<_>>()
    };
    let alice = "Basic c2hhcmVkOnNlY3JldDrDvA==";
    assert_eq!(authorization(Some("alice"), "/app/x"), [alice]);
    assert_eq!(authorization(Some("alice"), "/bare/x"), [alice]);
    // His e-mail address, because no group gives him the attribute.
    assert_eq!(
        authorization(Some("bob"), "/app/x"),
        ["Basic Ym9iQGV4YW1wbGUuY29tOnBhc3M="]
    );
    let nothing: [&str; 0] = [];
    assert_eq!(authorization(Some("alice"), "/lacks/x"), nothing);
    assert_eq!(authorization(None, "/open/x"), nothing);
    assert_eq!(
        authorization(Some("alice"), "/x"),
        ["Basic Y2xhaW1lZDp4"],
        "elsewhere it passes"
    );
}

#[test]
fn attributes_are_variables() {
    let app = "location /a { @proxy@ proxy_set_header X-Desk $auth_gate_attr_desk;
        proxy_set_header X-Who $auth_gate_attr_App_User; proxy_set_header X-None $auth_gate_attr_none; }
        location /free { auth_gate_policy bypass; @proxy@ proxy_set_header X-Desk $auth_gate_attr_desk; }";
    let gate = bed(app).start();
    let claims = [("X-Desk", "claimed"), ("X-Who", "claimed")];
    let seen = gate.signed_in("alice").is_let_in_with(APP, "/a", &claims);
    assert_eq!(
        (seen.one("X-Desk"), seen.one("X-Who"), seen.one("X-None")),
        ("4%0A2", "shared", "")
    );
    let seen = gate.visitor().is_let_in_with(APP, "/free", &claims[..1]);
    assert_eq!(seen.one("X-Desk"), "");
}

#[test]
fn a74_mistakes_in_the_identity_directives_are_refused() {
    for (line, said) in [
        (
            "auth_gate_identity_headers remote off;",
            "beside other values",
        ),
        ("auth_gate_identity_headers authentik authentik;", "twice"),
        (
            "auth_gate_identity_headers outpost;",
            "write remote, authentik",
        ),
        ("auth_gate_application \"\";", "wants a name"),
        (
            "auth_gate_application a; auth_gate_application b;",
            "duplicate",
        ),
        (
            "location /x { auth_gate_backend_basic a b; auth_gate_backend_basic a b; }",
            "duplicate",
        ),
        (
            "location /x { auth_gate_backend_basic a \"\"; }",
            "without a name",
        ),
        (
            "location /x { auth_gate_backend_basic a; }",
            "invalid number of arguments",
        ),
        ("auth_gate_backend_basic a b;", "not allowed here"),
    ] {
        Site::bed().app(line).check().refused(&[said]);
    }
}

#[test]
fn a_user_is_led_to_a_backend_of_his_own() {
    let users = USERS
        .replace(
            "    attributes: { app-password",
            "    backend_override: '@backend@/of/{user}'\n    attributes: { app-password",
        )
        .replace(
            "    displayname: Bob Example",
            "    displayname: Bob Example\n    backend_override: '@backend@/{attr:room}'",
        )
        .replace("uid: 0123abcd,", "uid: 0123abcd, room: 'a/../b?c',");
    let app = "location /own { proxy_pass http://$auth_gate_backend; }
        location /free { auth_gate_policy bypass; proxy_pass http://$auth_gate_backend; }
        location /map { auth_gate_policy bypass; proxy_pass http://$some_backend/z; }";
    let http = "map $auth_gate_backend $some_backend { '' @backend@; default $auth_gate_backend; }
        log_format backend $auth_gate_backend; access_log @prefix@/backends.log backend;";
    let site = bed(app).users(&users).http(http);
    site.clone()
        .check()
        .warned(&["$auth_gate_backend", "resolver"]);
    site.clone()
        .http("resolver 127.0.0.1;")
        .check()
        .taken_silently();
    let gate = site.start();
    assert_eq!(
        gate.signed_in("alice").is_let_in(APP, "/own").target(),
        "/of/alice"
    );
    let seen = gate.signed_in("bob").is_let_in(APP, "/own");
    assert_eq!(
        seen.target(),
        "/a%2F..%2Fb%3Fc",
        "one segment, whatever it holds"
    );
    assert_eq!(gate.visitor().is_let_in(APP, "/map").target(), "/z");

    let before = gate.log().matches("has no backend").count();
    let answer = gate.visitor().is_refused(APP, "/free");
    assert_eq!((answer.status, answer.text().as_str()), (403, ""));
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    assert_eq!(gate.log().matches("has no backend").count(), before + 1);
    // An application's own 500 stays what it is.
    gate.backend().on("/z", |_, peer| {
        peer.answer("500 Internal Server Error", "", "broken")
    });
    let broken = gate.send(&Ask::page(APP, "/map"));
    assert_eq!((broken.status, broken.text().as_str()), (500, "broken"));
}
