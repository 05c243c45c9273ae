//! Paths that can be read in more ways than one: what each proxy asks about, what it hands on, and that nothing passes
//! which the rules keep shut in any reading.

use std::net::Ipv4Addr;

use super::{Guest, Kind, PASSWORD, WIKI, gate, listener, yes};
use crate::nginx::harness::{Ask, Seen};

/// What can be read in more ways than one.
const ODD: [&str; 18] = [
    "/a//b",
    "//a/b",
    "/a/../b",
    "/a/./b",
    "/a/%2e%2e/b",
    "/a/%2E%2e/b",
    "/a%2Fb",
    "/a%2f..%2fb",
    "/%61/b",
    "/a%20b",
    "/a;v=1/b",
    "/a/..;/b",
    "/a\\b",
    "/a%5cb",
    "/a?b=/../c",
    "/a%3Fb",
    "/a?",
    "/a#b",
];

/// What a proxy makes of one of these: what it asks about, and what it hands on. Nothing, if it refuses it itself.
fn made_of(kind: Kind, target: &str) -> Option<(&str, &str)> {
    Some(match (kind, target) {
        (Kind::Apache, "/a%2Fb" | "/a%2f..%2fb") => return None,
        (Kind::Apache | Kind::Haproxy, "/a#b") => return None,
        (Kind::Caddy, "/a#b") => ("/a%23b", "/a%23b"),
        (Kind::Caddy, "/a\\b") => ("/a%5Cb", "/a%5Cb"),
        (Kind::Apache, "/a//b" | "//a/b" | "/a/./b" | "/%61/b") => (target, "/a/b"),
        (Kind::Apache, "/a/../b" | "/a/%2e%2e/b" | "/a/%2E%2e/b") => (target, "/b"),
        (Kind::Apache, "/a\\b" | "/a%5cb") => (target, "/a%5Cb"),
        _ => (target, target),
    })
}

/// What the rules keep shut, for somebody who may everything else.
const SHUT: [&str; 14] = [
    "/shut/x",
    "//shut/x",
    "/shut//x",
    "/./shut/x",
    "/static/../shut/x",
    "/static/%2e%2e/shut/x",
    "/static/..%2fshut/x",
    "/static/..;/shut/x",
    "/static\\..\\shut\\x",
    "/%73hut/x",
    "/shut%2Fx",
    "/shut/x?/static/",
    "/shut/x%3f/static/",
    "/static/x%2f..%2f..%2fshut",
];

/// What begins like an open path, for somebody whom nobody knows.
const DEEP: [&str; 7] = [
    "/static/x#/../../x",
    "/static/../x",
    "/static/%2e%2e/x",
    "/static/..%2fx",
    "/static/..;/x",
    "//x?/static/",
    "/x/%2e%2e/static",
];

pub(super) fn are_judged_as_seen(kind: Kind) {
    let asked = yes(kind, Ipv4Addr::LOCALHOST, "");
    let front = kind.start(asked.address);
    let stranger = Guest::stranger(&*front);
    for target in ODD {
        let answer = stranger.page(target);
        let question = asked.take().pop();
        let question = question.map(|question| {
            let url = question.one("X-Original-URL");
            let own = front.url(WIKI, "");
            let path = url.strip_prefix(&own).unwrap_or_default();
            question.one("X-Forwarded-URI").to_owned() + path
        });
        let seen = front.backend().take().pop();
        let made = question.as_deref().zip(seen.as_ref().map(Seen::target));
        assert_eq!(made, made_of(kind, target), "{target}: {answer:?}");
        assert_eq!(made.is_none(), answer.status >= 400, "{target}: {answer:?}");
        assert_eq!(question.is_none(), seen.is_none(), "{target}");
    }

    let gate = gate();
    let front = kind.start(listener(&gate));
    let mut bob = gate.visitor();
    assert_eq!(bob.sign_in("bob", PASSWORD).status, 200);
    let (bob, stranger) = (Guest::known(&*front, &bob), Guest::stranger(&*front));
    for target in SHUT {
        for guest in [&bob, &stranger] {
            guest.is_kept_out(&Ask::page(WIKI, target));
        }
    }
    for target in DEEP {
        stranger.is_kept_out(&Ask::page(WIKI, target));
    }
    for target in ["/x?/shut/", "/a%20b", "/shutter", "/static/x"] {
        assert_eq!(bob.page(target).status, 200, "{target}");
    }
    assert_eq!(stranger.page("/static/x%20y?z=/../x").status, 200);
}
