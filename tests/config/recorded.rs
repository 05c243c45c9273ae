//! What a running Authelia took and refused, 161 configurations. Each difference is listed with
//! the rule by which Auth Gate means to differ.

use super::fixture::Memory;

/// Where Auth Gate decides otherwise: the note, whether we take it, and why.
const DIFFERENCES: &[(&str, bool, &str)] = &[
    (
        "no notifier",
        true,
        "what only serves a feature that is not in use is not demanded",
    ),
    (
        "two documents",
        false,
        "a second document is refused with a sentence",
    ),
];

#[derive(serde::Deserialize)]
struct Recorded {
    note: String,
    yaml: String,
    outcome: String,
}

fn recorded() -> Vec<Recorded> {
    include_str!("recorded.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a recorded line"))
        .collect()
}

#[test]
fn authelia_and_we_take_the_same_configurations() {
    let cases = recorded();
    assert_eq!(cases.len(), 161);
    let mut wrong = String::new();
    let mut met = Vec::new();
    for case in &cases {
        let memory = Memory::new(&case.yaml);
        let taken = memory.load().is_ok();
        let expected = case.outcome != "error";
        if let Some((note, ours, _)) = DIFFERENCES.iter().find(|(note, ..)| *note == case.note) {
            assert_ne!(*ours, expected, "{note} is no difference");
            assert_eq!(*ours, taken, "{note}: {}", memory.errors());
            met.push(*note);
        } else if taken != expected {
            wrong += &format!("{} ({}): {}\n", case.note, case.outcome, memory.errors());
        }
    }
    assert_eq!(wrong, "");
    assert_eq!(met.len(), DIFFERENCES.len());
}

#[test]
fn where_authelia_warns_we_warn() {
    let cases = recorded();
    // The base configuration of all cases has sections that are not built yet.
    let about_sections = |line: &&str| !line.contains("has no effect");
    for case in cases.iter().filter(|case| case.outcome == "warning") {
        let warnings = Memory::new(&case.yaml).warnings();
        assert!(
            warnings.lines().any(|line| about_sections(&line)),
            "{}: {warnings}",
            case.note
        );
    }
}
