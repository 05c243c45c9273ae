//! Who the backend is told the visitor is: what we know, as one value, and nothing of ours beside it. (A-36 to A-38, A-79)

use super::claims::{BACKENDS, NAMES, assert_identity};
use super::harness::{Ask, Site};

const APP: &str = "app.example.com";

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
            format!("__Host-auth_gate_form=x; a=1; {pair}; __Host-auth_gate_reset=y"),
            "a=1",
        ),
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
        let cookies = format!(
            "Set-Cookie: {name}=evil; Domain=example.com; Path=/\r\nSet-Cookie: own=1\r\n\
                Set-Cookie: __Host-auth_gate_form=evil; Path=/; Secure\r\n"
        );
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
fn a32_a_name_in_an_unchecked_basic_header_is_nobodys() {
    let app = "location /public/ { auth_gate_policy bypass; @proxy@ proxy_set_header X-User $remote_user; }
        location /off/ { auth_gate off; @proxy@ proxy_set_header X-User $remote_user; }";
    let gate = Site::bed().app(app).start();
    for target in ["/public/x", "/off/x"] {
        let ask = Ask::new("GET", APP, target).with("Authorization", "Basic bWFsbG9yeTp4");
        assert_eq!(gate.send(&ask).status, 200, "{target}");
        let seen = gate.backend().take_one();
        assert_eq!(seen.all("X-User"), Vec::<&str>::new(), "{target}");
    }
}
