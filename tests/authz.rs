//! The recorded answers of an Authelia to 5,000 requests at its four authorization endpoints, each
//! decided again by the rooms: configuration, users, rules, decision, challenge. Where Auth Gate
//! answers otherwise, the rule that makes it do so is named and its effect is computed.

#[path = "authz/doors.rs"]
mod doors;
#[path = "authz/recorded.rs"]
mod recorded;
#[path = "authz/rooms.rs"]
mod rooms;

use rooms::{Ours, Terms};
use std::collections::BTreeMap;

#[test]
fn every_recorded_request_is_decided_alike() {
    let config = recorded::config();
    let mut differences: BTreeMap<Ours, usize> = BTreeMap::new();
    let mut unexplained = Vec::new();
    let lines = recorded::lines();
    assert_eq!(lines.len(), 5000);
    for (number, line) in (1..).zip(&lines) {
        let ours = rooms::answer(&config, line, Terms::OURS);
        if ours == line.answer {
            continue;
        }
        match rooms::explain(&config, line) {
            Some(rule) => *differences.entry(rule).or_default() += 1,
            None => unexplained.push(format!("line {number}: {line:?}\n  ours: {ours:?}")),
        }
    }
    assert!(
        unexplained.is_empty(),
        "{} unexplained:\n{}",
        unexplained.len(),
        unexplained.join("\n")
    );
    let counted = [
        (Ours::ControlCharacter, 61),
        (Ours::AmbiguousPath, 14),
        (Ours::HostForm, 54),
        (Ours::Query, 57),
        (Ours::HttpPortal, 46),
    ];
    assert_eq!(differences, counted.into());
}
