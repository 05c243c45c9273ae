//! What a visitor claims in headers: to have asked for something else, to come from elsewhere, to be somebody.

use std::net::Ipv4Addr;

use super::{Guest, Kind, WIKI, gate, listener, yes};
use crate::nginx::harness::attack::get;
use crate::nginx::harness::backend::Backend;
use crate::nginx::harness::{Ask, Connection};

/// What the gate is told of methods and bodies.
fn only_the_method_is_told(kind: Kind, stranger: &Guest<'_>, asked: &Backend) {
    for method in [
        "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND",
    ] {
        let mut ask = Ask::new(method, WIKI, "/x");
        if !matches!(method, "GET" | "HEAD") {
            ask = ask.with_body("a=b");
        }
        assert_eq!(stranger.send(&ask).status, 200, "{method}");
        let question = asked.take_one();
        let told = [
            question.all("X-Original-Method"),
            question.all("X-Forwarded-Method"),
        ];
        assert_eq!(told.concat(), [method], "{kind:?}");
        assert_eq!(question.line.split(' ').next(), Some("GET"), "{method}");
        assert!(question.body.is_empty(), "{method}");
        let seen = stranger.front.backend().take_one();
        assert_eq!(
            (seen.line.split(' ').next(), seen.body),
            (Some(method), ask.body)
        );
    }
}

const ROUTES: [(&str, &str); 19] = [
    ("X-Original-URL", "https://wiki.example.com/static/x"),
    ("X-Original-URI", "/static/x"),
    ("X-Original-Method", "OPTIONS"),
    ("X-Rewrite-URL", "/static/x"),
    ("X-Forwarded-Method", "OPTIONS"),
    ("X-Forwarded-Proto", "http"),
    ("X-Forwarded-Host", "www.example.com"),
    ("X-Forwarded-URI", "/static/x"),
    ("X-Forwarded-Prefix", "/static"),
    ("X-Forwarded-Port", "4443"),
    ("X-Forwarded-Server", "www.example.com"),
    ("X-Forwarded-For", "10.0.0.1"),
    ("X-Forwarded-For", "10.0.0.2, 10.0.0.3"),
    ("X-Real-IP", "10.0.0.1"),
    ("True-Client-IP", "10.0.0.1"),
    ("Forwarded", "for=10.0.0.1;host=www.example.com;proto=http"),
    ("X-Authelia-URL", "https://evil.example.com/"),
    ("X-HTTP-Method-Override", "OPTIONS"),
    ("X_Forwarded_Host", "www.example.com"),
];

pub(super) fn are_not_asked(kind: Kind) {
    let asked = yes(kind, Ipv4Addr::LOCALHOST, "");
    let front = kind.start(asked.address);
    let stranger = Guest::stranger(&*front);
    let mut forged = Ask::page(WIKI, "/x?y=1");
    for (name, value) in ROUTES {
        forged = forged.with(name, value);
    }
    let visitor = Ipv4Addr::new(127, 77, 0, 9);
    let mut connection = Connection::tls_from(visitor, front.address().tls(), WIKI);
    assert_eq!(connection.send(forged.bytes(&[])).answer().status, 200);
    let question = asked.take_one();
    let host = front.url(WIKI, "").replace("https://", "");
    let wanted = match kind {
        Kind::Nginx => vec![
            ("X-Original-Method", "GET".to_owned()),
            ("X-Original-URL", front.url(WIKI, "/x?y=1")),
        ],
        _ => vec![
            ("X-Forwarded-Method", "GET".to_owned()),
            ("X-Forwarded-Proto", "https".to_owned()),
            ("X-Forwarded-Host", host),
            ("X-Forwarded-URI", "/x?y=1".to_owned()),
        ],
    };
    for (name, value) in wanted {
        assert_eq!(question.all(name), [value], "{name}");
    }
    assert_eq!(question.all("X-Forwarded-For"), [visitor.to_string()]);
    front.backend().take();

    only_the_method_is_told(kind, &stranger, &asked);

    // A request line that names one host, and a header that names another.
    let other = format!(
        "https://{WIKI}{}/x",
        front
            .url(WIKI, "")
            .rsplit_once(WIKI)
            .map_or("", |two| two.1)
    );
    let answer = stranger
        .connect()
        .send(get("www.example.com", other, &[]))
        .answer();
    match asked.take().pop() {
        Some(question) => {
            let said = [
                question.all("X-Original-URL"),
                question.all("X-Forwarded-Host"),
            ]
            .concat();
            assert!(said[0].contains(WIKI), "{question:?}");
            assert_eq!(
                front.backend().take_one().one("Host").split(':').next(),
                Some(WIKI)
            );
        }
        None => assert!(
            answer.status >= 400 && front.backend().take().is_empty(),
            "{answer:?}"
        ),
    }

    let gate = gate();
    let front = kind.start(listener(&gate));
    let stranger = Guest::stranger(&*front);
    for (name, value) in ROUTES {
        let answer = stranger.is_kept_out(&Ask::page(WIKI, "/x").with(name, value));
        let location = answer.location();
        let odd = ["evil", "www.", "4443", "static", "OPTIONS", "http%3A"];
        assert!(
            answer.status == 302 && !odd.iter().any(|odd| location.contains(odd)),
            "{name}: {answer:?}"
        );
    }
    // What the rules leave open at another host is not open here.
    let www = front.url("www.example.com", "/x");
    let no_cookie: [(String, String); 0] = [];
    for bytes in [
        get("www.example.com", "/x", &no_cookie),
        get("WWW.example.com.", "/x", &no_cookie),
        get("wiki.example.com,www.example.com", "/x", &no_cookie),
        get("auth.example.com,wiki.example.com", "/x", &no_cookie),
        get("www.example.com", &www, &no_cookie),
        get(WIKI, &www, &no_cookie),
    ] {
        let answer = stranger.connect().send(&bytes).answer();
        let seen = front.backend().take();
        let shown = String::from_utf8_lossy(&bytes);
        assert!(seen.is_empty(), "{shown}: {answer:?}");
    }
    let kept = stranger.is_kept_out(&forged.with("X-Forwarded-For", "10.0.0.4"));
    assert_eq!(kept.status, 302);
    assert_eq!(stranger.page("/static/x").status, 200);
}

const NAMES: [&str; 12] = [
    "Remote-User",
    "REMOTE-USER",
    "Remote_User",
    "remote_user",
    "Remote.User",
    "Remote-_User",
    "Remote-Groups",
    "Remote_Groups",
    "Remote-Name",
    "Remote-Email",
    "Remote~Email",
    "Remote-User",
];

pub(super) fn never_arrive(kind: Kind) {
    let asked = yes(kind, Ipv4Addr::LOCALHOST, "");
    let front = kind.start(asked.address);
    let stranger = Guest::stranger(&*front);
    let mut forged = Ask::page(WIKI, "/x");
    for name in NAMES {
        forged = forged.with(name, "alice");
    }
    let what_arrives = |ask: &Ask| {
        let answer = stranger.send(ask);
        let seen = front.backend().take();
        let told = |name: &str| {
            let all = seen.iter().flat_map(|seen| seen.folded(name));
            all.filter(|value| !value.is_empty())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let told = [
            "Remote-User",
            "Remote-Groups",
            "Remote-Name",
            "Remote-Email",
        ]
        .map(told);
        (answer.status, told)
    };
    let nothing = <[Vec<String>; 4]>::default();
    assert_eq!(what_arrives(&forged), (200, nothing));

    // The gate knows somebody of whom it has a name only.
    asked.on(kind.endpoint(), |_, peer| {
        let headers = "Remote-User: bob\r\nRemote-Groups: \r\nRemote-Name: \r\nRemote-Email: \r\n";
        peer.answer("200 OK", headers, "")
    });
    let bob = || [vec!["bob".to_owned()], vec![], vec![], vec![]];
    assert_eq!(what_arrives(&forged), (200, bob()));
    assert_eq!(what_arrives(&Ask::page(WIKI, "/x")), (200, bob()));

    // Headers that belong to this connection, as a visitor says. Some proxies would take the gate's own out.
    for names in [
        "close, Remote-User",
        "Remote-User, Cookie",
        "remote-groups, X-Forwarded-For",
    ] {
        asked.take();
        let ask = Ask::page(WIKI, "/x")
            .with("Connection", names)
            .with("Cookie", "a=b");
        match what_arrives(&ask) {
            (400, told) => assert_eq!(told.concat(), [""; 0], "{names}"),
            (200, told) => {
                assert_eq!(told, bob(), "{names}");
                let question = asked.take_one();
                assert_eq!(question.all("Cookie"), ["a=b"], "{names}");
                assert_eq!(question.all("X-Forwarded-For"), ["127.0.0.1"], "{names}");
            }
            (status, _) => panic!("{names}: {status}"),
        }
    }
}
