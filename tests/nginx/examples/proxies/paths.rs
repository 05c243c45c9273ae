//! Paths that can be read in more ways than one: what each proxy asks about, what it hands on, and that nothing passes
//! which the rules keep shut in any reading.

use std::net::Ipv4Addr;

use super::{Guest, Kind, PASSWORD, WIKI, gate, listener, yes};
use crate::nginx::harness::Front;
use crate::nginx::harness::attack::get;

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

pub(super) fn are_judged_as_seen(kind: Kind) {
    let asked = yes(kind, Ipv4Addr::LOCALHOST, "");
    let front = kind.start(asked.address);
    for target in ODD {
        let mut connection = Guest::stranger(&*front).connect();
        let answer = connection.send(get(WIKI, target, &[])).answer();
        let question = asked.take().pop();
        let question = question.map(|q| [q.all("X-Original-URL"), q.all("X-Forwarded-URI")].concat().concat());
        let seen: Vec<String> = front.backend().take().iter().map(|s| s.target().to_owned()).collect();
        eprintln!("{kind:?} {target}: {} {question:?} {seen:?}", answer.status);
    }
}
