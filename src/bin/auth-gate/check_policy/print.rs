//! The answer of `check-policy`, for people and for programs.

use std::fmt::Write;

use ngx_http_auth_gate_module::access::{
    Criterion, Decision, Explained, Explanation, Found, Level, Outcome, RuleId, decide,
};
use serde_json::{Map, Value, json};

use super::Answer;

const LEVELS: [(Level, &str, &str); 3] = [
    (Level::None, "none", "nobody signed in"),
    (Level::OneFactor, "one_factor", "after one factor"),
    (Level::TwoFactor, "two_factor", "after two factors"),
];

/// Every rule with its criteria, then what follows.
pub fn text(answer: &Answer<'_>) -> String {
    let mut text = heading(answer);
    for (paths, rules) in by_rules(&answer.readings) {
        text.push('\n');
        if answer.readings.len() > 1 {
            line(
                &mut text,
                format_args!("Where a backend reads the path as {}", paths.join(" or ")),
            );
        }
        text.push_str(&rules);
    }
    let found = &answer.found;
    line(
        &mut text,
        format_args!(
            "\nPolicy: {} ({})",
            found.requirement.word(),
            by(found.rule)
        ),
    );
    if answer.readings.len() > 1 {
        line(
            &mut text,
            format_args!("  the strictest over all readings of the path"),
        );
    }
    for (level, _, words) in levels(answer) {
        line(
            &mut text,
            format_args!("  {words}: {}", follows(decision(found, level), level)),
        );
    }
    if answer.visitor.is_none() && found.asks {
        line(
            &mut text,
            format_args!("  after that the policy depends on who it is; ask again with --username"),
        );
    }
    text
}

/// The levels for which `found` holds: a rule that asks who somebody is tells nothing about
/// people who are not the visitor.
fn levels(answer: &Answer<'_>) -> impl Iterator<Item = (Level, &'static str, &'static str)> {
    let (anonymous, asks) = (answer.visitor.is_none(), answer.found.asks);
    LEVELS.into_iter().filter(move |(level, ..)| match level {
        Level::None => anonymous,
        Level::OneFactor | Level::TwoFactor => !anonymous || !asks,
    })
}

/// The readings' paths, put together where the rules fare the same.
fn by_rules(readings: &[Explanation]) -> Vec<(Vec<String>, String)> {
    let mut groups: Vec<(Vec<String>, String)> = Vec::new();
    for reading in readings {
        let path = String::from_utf8_lossy(&reading.reading).into_owned();
        let rules = rules(reading);
        match groups.iter_mut().find(|(_, others)| *others == rules) {
            Some((paths, _)) => paths.push(path),
            None => groups.push((vec![path], rules)),
        }
    }
    groups
}

fn heading(answer: &Answer<'_>) -> String {
    let mut text = String::new();
    let arguments = answer.arguments;
    let url = &arguments.url;
    line(
        &mut text,
        format_args!(
            "Request: {} {}://{}{}",
            arguments.method, url.scheme, url.host, url.target
        ),
    );
    let given = if arguments.ip.is_some() {
        ""
    } else {
        " (in no network; --ip sets another)"
    };
    line(
        &mut text,
        format_args!("Client:  {}{given}", answer.address),
    );
    match &answer.visitor {
        None => line(&mut text, format_args!("Visitor: nobody is signed in")),
        Some(visitor) => {
            let groups = if visitor.groups.is_empty() {
                "none".into()
            } else {
                visitor.groups.join(", ")
            };
            let known = if visitor.known {
                ""
            } else {
                " (not in the users file)"
            };
            line(
                &mut text,
                format_args!("Visitor: {}{known}, groups: {groups}", visitor.name),
            );
        }
    }
    match answer.domain {
        Some(domain) => line(&mut text, format_args!("Cookie:  {domain}")),
        None => line(
            &mut text,
            format_args!(
                "Cookie:  none. The host lies in no domain of session.cookies: every request is answered with 400."
            ),
        ),
    }
    text
}

fn rules(reading: &Explanation) -> String {
    let mut text = String::new();
    let winner = reading.found.rule.map(std::num::NonZeroU32::get);
    for rule in &reading.rules {
        let mark = if winner == Some(rule.rule) { '*' } else { ' ' };
        let criteria: Vec<_> = rule
            .criteria
            .iter()
            .map(|(criterion, outcome)| format!("{} {}", key(*criterion), word(*outcome)))
            .collect();
        line(
            &mut text,
            format_args!(
                "{mark} rule {:<3} {:<10} {:<4}  {}",
                rule.rule,
                rule.requirement.word(),
                word(rule.outcome),
                criteria.join(", ")
            ),
        );
    }
    if winner.is_none() {
        line(
            &mut text,
            format_args!("* default  {}", reading.found.requirement.word()),
        );
    }
    text
}

/// One object, `policy` and `rule` first of all.
pub fn json(answer: &Answer<'_>) -> String {
    let levels = levels(answer)
        .map(|(level, key, _)| (key.into(), decided(decision(&answer.found, level)).into()));
    let visitor = answer.visitor.as_ref();
    let value = json!({
        "policy": answer.found.requirement.word(),
        "rule": number(answer.found.rule),
        "asks": answer.found.asks,
        "decision": levels.collect::<Map<String, Value>>(),
        "username": visitor.map(|visitor| &visitor.name),
        "groups": visitor.map(|visitor| &visitor.groups),
        "ip": answer.address.to_string(),
        "cookie_domain": answer.domain,
        "readings": answer.readings.iter().map(reading).collect::<Vec<_>>(),
    });
    format!("{value}\n")
}

fn reading(reading: &Explanation) -> Value {
    json!({
        "path": String::from_utf8_lossy(&reading.reading),
        "policy": reading.found.requirement.word(),
        "rule": number(reading.found.rule),
        "rules": reading.rules.iter().map(rule).collect::<Vec<_>>(),
    })
}

fn rule(rule: &Explained) -> Value {
    let criteria = rule
        .criteria
        .iter()
        .map(|(criterion, outcome)| (key(*criterion).into(), word(*outcome).into()));
    json!({
        "rule": rule.rule,
        "policy": rule.requirement.word(),
        "outcome": word(rule.outcome),
        "criteria": criteria.collect::<Map<String, Value>>(),
    })
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{arguments}");
}

fn decision(found: &Found, level: Level) -> Decision {
    decide(found.requirement, found.asks, level)
}

fn number(rule: RuleId) -> Option<u32> {
    rule.map(std::num::NonZeroU32::get)
}

fn by(rule: RuleId) -> String {
    rule.map_or("default policy".into(), |rule| format!("rule {rule}"))
}

fn follows(decision: Decision, level: Level) -> &'static str {
    match (decision, level) {
        (Decision::Allow, _) => "allowed",
        (Decision::Challenge, Level::None) => "sent to the portal to sign in",
        (Decision::Challenge, _) => "sent to the portal for the second factor",
        (Decision::Forbid, _) => "forbidden",
    }
}

fn decided(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "allow",
        Decision::Challenge => "challenge",
        Decision::Forbid => "forbid",
    }
}

fn key(criterion: Criterion) -> &'static str {
    match criterion {
        Criterion::Domain => "domain",
        Criterion::Resources => "resources",
        Criterion::Query => "query",
        Criterion::Methods => "methods",
        Criterion::Networks => "networks",
        Criterion::Subject => "subject",
    }
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Hit => "hit",
        Outcome::Miss => "miss",
        Outcome::May => "may",
    }
}
