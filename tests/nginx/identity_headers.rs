//! Who the backend is told the visitor is: what we know, and never what the visitor claims. (A-32 to A-38, A-79, A-83)

use super::harness::{Ask, Gate, Seen, Site};

const APP: &str = "app.example.com";
const NAMES: [&str; 4] = [
    "Remote-User",
    "Remote-Groups",
    "Remote-Name",
    "Remote-Email",
];

/// Every claim of a visitor, in the spelling that `spell` gives to the names.
fn claims(spell: impl Fn(&str) -> String) -> Vec<(String, String)> {
    NAMES
        .iter()
        .map(|name| (spell(name), format!("claimed-{name}")))
        .collect()
}

fn claiming(ask: Ask, claims: &[(String, String)]) -> Ask {
    claims
        .iter()
        .fold(ask, |ask, (name, value)| ask.with(name, value))
}

/// Nothing of the claims arrived; what stands in the headers is `user`'s or empty.
fn assert_identity(seen: &Seen, user: &str) {
    for name in NAMES {
        let values = seen.folded(name);
        assert!(values.len() <= 1, "{name} in several spellings: {seen:?}");
        assert!(
            values.iter().all(|value| !value.contains("claimed")),
            "a claim arrived: {seen:?}"
        );
    }
    assert_eq!(seen.one("Remote-User"), user, "{seen:?}");
}

#[test]
fn signed_in_visitors_are_introduced() {
    let gate = Site::bed().start();
    let seen = gate.signed_in("bob").is_let_in(APP, "/x");
    let told = NAMES.map(|name| seen.one(name));
    assert_eq!(
        told,
        ["bob", "admins,users", "Bob Example", "bob@example.com"]
    );
    let seen = gate
        .signed_in("alice")
        .is_let_in("public.example.com", "/x");
    assert_eq!(
        seen.one("Remote-User"),
        "alice",
        "also where nobody needs to sign in"
    );
}

#[test]
fn a32_claims_of_a_visitor_never_arrive() {
    let users = super::harness::site::USERS.replace("    email: alice@example.com\n", "");
    let rules = "access_control:
  default_policy: deny
  rules:
    - { domain: app.example.com, methods: OPTIONS, policy: bypass }
    - { domain: app.example.com, resources: '^/public/', policy: bypass }
    - { domain: app.example.com, policy: one_factor }
";
    let gate = Site::bed()
        .rules(rules)
        .users(&users)
        .app("auth_gate_unauthenticated ^/free/;")
        .start();
    let sent = claims(str::to_owned);
    for (who, user) in [(gate.visitor(), ""), (gate.signed_in("alice"), "alice")] {
        for (method, target) in [
            ("GET", "/public/x"),
            ("GET", "/free/x"),
            ("POST", "/public/x"),
            ("OPTIONS", "/x"),
        ] {
            let ask =
                claiming(Ask::new(method, APP, target), &sent).with("Origin", "https://evil.org");
            assert_eq!(
                who.clone()
                    .send(&ask.with("Access-Control-Request-Method", "GET"))
                    .status,
                200
            );
            assert_identity(&gate.backend().take_one(), user);
        }
    }
    let mut alice = gate.signed_in("alice");
    alice.send(&claiming(Ask::page(APP, "/x"), &sent));
    let seen = gate.backend().take_one();
    assert_identity(&seen, "alice");
    assert_eq!(
        seen.one("Remote-Email"),
        "",
        "alice has no address: nothing may stand there"
    );
}

#[test]
fn a32_locations_without_identity_pass_no_claims_on() {
    let gate = Site::bed()
        .app("location /off/ { auth_gate off; @proxy@ } location /mine/ { auth_gate_identity_headers off; @proxy@ }")
        .start();
    gate.send(&claiming(Ask::page(APP, "/off/x"), &claims(str::to_owned)));
    assert_identity(&gate.backend().take_one(), "");
    gate.signed_in("alice")
        .send(&claiming(Ask::page(APP, "/mine/x"), &claims(str::to_owned)));
    assert_eq!(
        gate.backend().take_one().one("Remote-User"),
        "claimed-Remote-User",
        "the administrator said off"
    );
}

/// Spellings of a header name that some backend takes for the same name.
fn spellings() -> Vec<fn(&str) -> String> {
    vec![
        |name| name.to_owned(),
        |name| name.to_uppercase(),
        |name| name.to_lowercase(),
        |name| name.replace('-', "_"),
        |name| name.replace('-', "-_"),
        |name| name.replace('-', "__"),
        |name| name.replace('-', "."),
        |name| name.replace('-', "~"),
        |name| name.replace('-', "_").to_uppercase(),
    ]
}

const BACKENDS: &str = "location /p { @proxy@ }
    location /f { fastcgi_pass @fastcgi@; fastcgi_param REMOTE_USER $remote_user; }
    location /u { uwsgi_pass @uwsgi@; uwsgi_param REMOTE_USER $remote_user; }
    location /g { grpc_pass grpc://@grpc@; }";

#[test]
fn a33_no_spelling_of_a_claim_reaches_any_kind_of_backend() {
    for lenience in [
        "",
        "underscores_in_headers on;",
        "ignore_invalid_headers off;",
        "underscores_in_headers on; ignore_invalid_headers off;",
    ] {
        let gate = Site::bed().http(lenience).app(BACKENDS).start();
        let mut alice = gate.signed_in("alice");
        for spell in spellings() {
            let sent = claims(spell);
            for target in ["/p", "/f", "/u"] {
                for visitor in [&mut gate.visitor(), &mut alice] {
                    let answer = visitor.send(&claiming(Ask::page(APP, target), &sent));
                    assert!(
                        !answer.text().contains("claimed"),
                        "{lenience} {target} {}: {}",
                        sent[0].0,
                        answer.text()
                    );
                }
            }
            grpc_hears_no_claim(&gate, &alice.cookie_header(APP), &sent);
        }
    }
}

fn grpc_hears_no_claim(gate: &Gate, cookie: &[(String, String)], sent: &[(String, String)]) {
    let mut call =
        http::Request::post(format!("https://{APP}/g")).header("content-type", "application/grpc");
    for (name, value) in cookie.iter().chain(sent) {
        call = call.header(name.to_lowercase(), value);
    }
    let call = call.body(super::harness::grpc::framed(b"hello")).unwrap();
    let answer = gate.http2(APP, vec![call]).remove(0).unwrap();
    assert!(answer.text().contains("remote-user: alice"), "{answer:?}");
    assert!(
        !answer.text().contains("claimed"),
        "{}: {}",
        sent[0].0,
        answer.text()
    );
}

#[test]
fn a33_cgi_like_backends_learn_who_it_is() {
    let gate = Site::bed().app(BACKENDS).start();
    let mut alice = gate.signed_in("alice");
    for target in ["/f", "/u"] {
        let text = alice.page(APP, target).text();
        for line in [
            "REMOTE_USER=alice",
            "HTTP_REMOTE_USER=alice",
            "HTTP_REMOTE_GROUPS=users",
        ] {
            assert!(
                text.lines().any(|l| l == line),
                "{target} lacks {line}: {text}"
            );
        }
    }
}

#[test]
fn a33_names_with_spaces_are_refused() {
    let gate = Site::bed().start();
    for line in [
        "Remote-User : claimed",
        " Remote-User: claimed",
        "Remote User: claimed",
        "Remote-User\t: claimed",
    ] {
        let bytes = format!("GET /public/x HTTP/1.1\r\nHost: {APP}\r\n{line}\r\nX-Last: 1\r\n\r\n");
        let answer = gate.raw(APP, bytes);
        let seen = gate.backend().take();
        assert!(
            matches!(answer.status, 200 | 400),
            "{line}: {}",
            answer.status
        );
        seen.iter().for_each(|seen| assert_identity(seen, ""));
    }
}

#[test]
fn a34_a_header_sent_twice_folded_or_joined_gives_one_value() {
    let gate = Site::bed().start();
    let alice = gate.signed_in("alice");
    let (_, cookie) = &alice.cookie_header(APP)[0];
    let forms = [
        "Remote-User: claimed\r\nRemote-User: claimed2",
        "Remote-User: claimed,\r\n claimed2",
        "Remote-User: claimed, alice",
        "REMOTE-USER: claimed\r\nX: y\r\nremote-user: claimed",
    ];
    for form in forms {
        let bytes = format!("GET /x HTTP/1.1\r\nHost: {APP}\r\n{form}\r\nCookie: {cookie}\r\n\r\n");
        let answer = gate.raw(APP, bytes);
        assert!(
            matches!(answer.status, 200 | 400),
            "{form:?}: {}",
            answer.status
        );
        gate.backend()
            .take()
            .iter()
            .for_each(|seen| assert_identity(seen, "alice"));
    }
}

#[test]
fn a35_connection_headers_cannot_take_the_identity_away() {
    let gate = Site::bed().start();
    let alice = gate.signed_in("alice");
    for value in [
        "close, Remote-User",
        "Remote-User",
        "Cookie",
        "TE, Remote-User, Remote-Groups",
        "keep-alive, remote_user",
    ] {
        let seen = alice.is_let_in_with(APP, "/x", &[("Connection", value), ("TE", "trailers")]);
        assert_eq!(
            (seen.one("Remote-User"), seen.one("Remote-Groups")),
            ("alice", "users"),
            "{value}"
        );
    }
}

#[test]
fn a36_odd_characters_in_an_attribute_make_no_second_header() {
    let long = "x".repeat(8 << 10);
    let odd = r#""Eve\r\nRemote-Groups: admins\r\n\r\nGET /\0\x7f\x1b \u00e9 \U0001F600""#;
    for name in [odd.to_owned(), format!("'{long}'")] {
        let users = super::harness::site::USERS.replace(
            "displayname: Alice Example",
            &format!("displayname: {name}"),
        );
        let gate = Site::bed().users(&users).start();
        let seen = gate.signed_in("alice").is_let_in(APP, "/x");
        assert_identity(&seen, "alice");
        assert_eq!(seen.all("Remote-Groups"), ["users"]);
        let told = seen.one("Remote-Name");
        assert!(!told.chars().any(char::is_control), "{told:?}");
        assert!(
            told.is_empty() || told == long || told.contains("é 😀"),
            "{told:?}"
        );
    }
}

#[test]
fn a37_a_group_with_a_separator_is_not_two_groups() {
    for group in ["x,admins", "x|admins", "admins,"] {
        let users = super::harness::site::USERS.replacen(
            "groups: [users]",
            &format!("groups: ['{group}', users]"),
            1,
        );
        let gate = Site::bed().users(&users).start();
        let alice = gate.signed_in("alice");
        let seen = alice.is_let_in(APP, "/x");
        let told: Vec<_> = seen.one("Remote-Groups").split(',').collect();
        assert!(
            !told.contains(&"admins") && told.contains(&"users"),
            "{told:?}"
        );
        assert_eq!(alice.is_refused(APP, "/admin/x").status, 403);
    }
}

#[test]
fn a38_the_session_cookie_stays_with_us() {
    let gate = Site::bed().start();
    let mut alice = gate.signed_in("alice");
    let session = alice.session().clone();
    let pair = format!("{}={}", session.name, session.value);
    for (sent, kept) in [
        (pair.clone(), ""),
        (format!("a=1; {pair}; b=2"), "a=1; b=2"),
        (
            format!("a=1; {pair}; {}=garbage; b=2", session.name),
            "a=1; b=2",
        ),
        (format!("{pair};b=2"), "b=2"),
        (
            format!("x{}=1; {pair}", session.name),
            &format!("x{}=1", session.name),
        ),
    ] {
        let answer = gate.send(&Ask::page(APP, "/x").with("Cookie", &sent));
        assert_eq!(answer.status, 200, "{sent}");
        let seen = gate.backend().take_one();
        assert_eq!(
            seen.all("Cookie").join("; ").replace("; ", ";"),
            kept.replace("; ", ";"),
            "{sent}"
        );
    }
    let seen = alice.is_let_in("public.example.com", "/x");
    assert!(
        seen.all("Cookie").is_empty(),
        "also where nobody needs to sign in: {seen:?}"
    );

    let name = session.name.clone();
    gate.backend().on("/evil", move |_, peer| {
        let cookies =
            format!("Set-Cookie: {name}=evil; Domain=example.com; Path=/\r\nSet-Cookie: own=1\r\n");
        peer.answer("200 OK", &cookies, "x")
    });
    let answer = alice.page(APP, "/evil");
    let set: Vec<_> = answer.headers_named("Set-Cookie").collect();
    assert!(
        set.contains(&"own=1") && !set.iter().any(|line| line.contains("evil")),
        "{set:?}"
    );
    assert!(alice.reaches("/x"));
}

#[test]
fn a38_accel_redirects_open_no_other_location() {
    let gate = Site::bed()
        .app("location /closed/ { internal; auth_gate_policy deny; @proxy@ } location /groups/ { internal; auth_gate_require group:admins; @proxy@ }")
        .start();
    gate.backend().on("/accel", |seen, peer| {
        let to = seen.one("X-To").to_owned();
        peer.answer("200 OK", &format!("X-Accel-Redirect: {to}\r\n"), "")
    });
    let mut alice = gate.signed_in("alice");
    for to in ["/closed/x", "/groups/x"] {
        let answer = alice.send(&Ask::page(APP, "/accel").with("X-To", to));
        assert_eq!(answer.status, 403, "{to}");
        let asked: Vec<_> = gate
            .backend()
            .take()
            .into_iter()
            .map(|seen| seen.target().to_owned())
            .collect();
        assert_eq!(asked, ["/accel"]);
    }
}

#[test]
fn an_authorization_that_we_do_not_read_passes_untouched() {
    let gate = Site::bed().start();
    let alice = gate.signed_in("alice");
    for value in ["Bearer abc", "Digest username=\"alice\"", "Nonsense"] {
        let seen = alice.is_let_in_with(APP, "/x", &[("Authorization", value)]);
        assert_eq!(seen.all("Authorization"), [value]);
    }
}

/// alice has a header of her own, the group `users` has another.
fn with_additional_headers() -> String {
    super::harness::site::USERS.replacen(
        "    groups: [users]\n",
        "    groups: [users]\n    additionalHeaders: { X-Own: mine, X-Dept: '7' }\n",
        1,
    ) + "groups:\n  admins:\n    additionalHeaders: { X-Root: 'yes' }\n"
}

#[test]
fn a79_headers_that_only_some_user_has_cannot_be_claimed() {
    let app = "location /off/ { auth_gate off; @proxy@ }
        location /any/ { satisfy any; allow all; @proxy@ }";
    let gate = Site::bed()
        .users(&with_additional_headers())
        .app(app)
        .start();
    let seen = gate.signed_in("alice").is_let_in(APP, "/x");
    assert_eq!(
        (seen.one("X-Own"), seen.one("X-Dept"), seen.one("X-Root")),
        ("mine", "7", "")
    );
    assert_eq!(
        gate.signed_in("bob").is_let_in(APP, "/x").one("X-Root"),
        "yes"
    );

    let claims = [
        ("X-Own", "claimed"),
        ("x_root", "claimed"),
        ("X-ROOT", "claimed"),
        ("X-Dept", "claimed"),
    ];
    for target in ["/public/x", "/off/x", "/any/x"] {
        let seen = gate.visitor().is_let_in_with(APP, target, &claims);
        assert!(
            seen.headers.iter().all(|(_, value)| value != "claimed"),
            "{target}: {seen:?}"
        );
    }
    let seen = gate.signed_in("alice").is_let_in_with(APP, "/x", &claims);
    assert!(
        seen.headers.iter().all(|(_, value)| value != "claimed"),
        "{seen:?}"
    );
    assert_eq!(seen.one("X-Own"), "mine");
}

#[test]
fn a83_claims_are_gone_before_the_rewrite_phase_reads_them() {
    let app = "set $outer $http_remote_user;
        location /set { set $u $http_remote_user; @proxy@ proxy_set_header X-User \"$u$outer\"; }
        location /if { if ($http_remote_user) { set $u claimed; } @proxy@ proxy_set_header X-User $u; }";
    let gate = Site::bed()
        .app(app)
        .app("auth_gate_unauthenticated ^/(set|if);")
        .start();
    for target in ["/set", "/if"] {
        let seen = gate
            .visitor()
            .is_let_in_with(APP, target, &[("Remote-User", "claimed")]);
        assert!(
            !format!("{seen:?}").contains("claimed"),
            "{target}: {seen:?}"
        );
    }
}

#[test]
fn a83_twenty_claims_in_a_row_are_removed_to_the_last() {
    let gate = Site::bed().start();
    for count in [1, 4, 18, 19, 20, 21, 22, 39, 40, 41, 60] {
        let claims = "Remote-User: claimed\r\n".repeat(count);
        for others in ["", "X-One: 1\r\n"] {
            let orders = [
                format!("{claims}Host: {APP}\r\n{others}"),
                format!("Host: {APP}\r\n{claims}{others}"),
                format!("Host: {APP}\r\n{others}{claims}"),
            ];
            for headers in orders {
                let answer = gate.raw(APP, format!("GET /public/x HTTP/1.1\r\n{headers}\r\n"));
                assert_eq!(answer.status, 200);
                let seen = gate.backend().take_one();
                assert_identity(&seen, "");
                assert_eq!(seen.one("X-One"), if others.is_empty() { "" } else { "1" });
            }
        }
    }
}
