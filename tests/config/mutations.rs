//! Whatever stands in the files: an answer, never a panic, and never a secret in a message.

use std::path::Path;

use proptest::prelude::*;

use super::fixture::{LEAST, Memory, USERS};
use ngx_http_auth_gate_module::config;

/// Pieces that mean something to YAML or to us.
const PIECES: &[&str] = &[
    "- ",
    ": ",
    "\n",
    "\n  ",
    "\n    - ",
    "[",
    "]",
    "{",
    "}",
    "'",
    "\"",
    "|",
    ">",
    "&a ",
    "*a",
    "!x ",
    "!!int ",
    "? ",
    "---\n",
    "...\n",
    "#",
    "\t",
    "~",
    "null",
    "<<: ",
    "true",
    "-1",
    "0x",
    "1e9",
    "99999999999999999999",
    "\u{feff}",
    "\u{0}",
    "é",
    "subject: ",
    "policy: bypass",
    "domain_regex: (?P<User>x)",
    "networks: ",
    "query: ",
    "{{ secret \"x\" }}",
    "disabled: yes",
    "additionalHeaders: {Host: x}",
    "session:",
    "redis:",
    "cookies:",
    "rules: []",
    "$6$",
    "a**",
];

/// A text with a few places cut, doubled or filled with a piece.
fn mutated(base: &'static str) -> impl Strategy<Value = String> {
    let change = (
        any::<prop::sample::Index>(),
        0..24_usize,
        prop::sample::select(PIECES),
        0..3_u8,
    );
    prop::collection::vec(change, 1..8).prop_map(move |changes| {
        let mut text: Vec<char> = base.chars().collect();
        for (at, length, piece, how) in changes {
            let at = at.index(text.len() + 1);
            let end = (at + length).min(text.len());
            let part: Vec<char> = match how {
                0 => piece.chars().collect(),
                1 => text[at..end].repeat(2),
                _ => Vec::new(),
            };
            text.splice(at..end, part);
        }
        text.into_iter().collect()
    })
}

fn sane(problems: &[config::Problem], text: &str) {
    let lines = text.lines().count() + 1;
    for problem in problems {
        assert!(
            problem.line.is_none_or(|line| (1..=lines).contains(&line)),
            "{problem}"
        );
        assert!(!problem.message.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mutated_configuration_gets_an_answer(text in mutated(LEAST)) {
        match Memory::new(&text).load() {
            Ok(loaded) => sane(&loaded.warnings, &text),
            Err(problems) => {
                prop_assert!(!problems.is_empty());
                sane(&problems, &text);
            }
        }
    }

    #[test]
    fn a_mutated_recorded_configuration_gets_an_answer(text in mutated(include_str!("everything.yml"))) {
        if let Err(problems) = Memory::new(&text).load() {
            sane(&problems, &text);
        }
    }

    #[test]
    fn a_mutated_users_file_gets_an_answer(text in mutated(USERS)) {
        let file = Memory::new(LEAST).load().expect("must load").config.users_file;
        if let Err(problems) = config::load_users(Path::new("users.yml"), text.as_bytes(), &file) {
            prop_assert!(!problems.is_empty());
            sane(&problems, &text);
        }
    }
}

#[test]
fn very_many_mistakes_are_told_in_bounded_time() {
    let mut text = LEAST.to_owned();
    for n in 0..20_000 {
        text += &format!("unknown_{n}: 1\n");
    }
    let problems = Memory::new(&text).load().expect_err("must be refused");
    assert_eq!(problems.len(), 101);
    assert_eq!(problems[100].message, "and 19900 more like these");
}

#[test]
fn ten_thousand_rules_and_users() {
    let rule = |n: usize| format!("    - domain: s{n}.example.com\n      policy: one_factor\n");
    let text = (0..10_000).fold(LEAST.to_owned(), |text, n| text + &rule(n));
    let entry = USERS.strip_prefix("users:\n").expect("users");
    let users = (0..10_000).fold("users:\n".to_owned(), |users, n| {
        users + &entry.replace("john", &format!("john{n}"))
    });
    let loaded = Memory::new(&text)
        .with("/etc/gate/users.yml", users)
        .load()
        .expect("must load");
    assert_eq!(
        (loaded.config.rules.len(), loaded.config.directory.len()),
        (10_001, 10_000)
    );
}
