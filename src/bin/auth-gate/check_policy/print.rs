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
    for reading in &answer.readings {
        if answer.readings.len() > 1 {
            let path = String::from_utf8_lossy(&reading.reading);
            line(
                &mut text,
                format_args!("\nA backend could read the path as {path}"),
            );
        } else {
            text.push('\n');
        }
        rules(&mut text, reading);
    }
    line(
        &mut text,
        format_args!(
            "\nPolicy: {} ({})",
            answer.found.requirement.word(),
            by(answer.found.rule)
        ),
    );
    if answer.readings.len() > 1 {
        line(
            &mut text,
            format_args!("The strictest of the readings holds."),
        );
    }
    for (level, _, words) in LEVELS
        .iter()
        .filter(|(level, ..)| answer.visitor.is_none() || *level != Level::None)
    {
        line(
            &mut text,
            format_args!(
                "  {words}: {}",
                follows(decision(&answer.found, *level), *level)
            ),
        );
    }
    text
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

fn rules(text: &mut String, reading: &Explanation) {
    let winner = reading.found.rule.map(std::num::NonZeroU32::get);
    for rule in &reading.rules {
        let mark = if winner == Some(rule.rule) { '*' } else { ' ' };
        let criteria: Vec<_> = rule
            .criteria
            .iter()
            .map(|(criterion, outcome)| format!("{} {}", key(*criterion), word(*outcome)))
            .collect();
        line(
            text,
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
            text,
            format_args!("* default  {}", reading.found.requirement.word()),
        );
    }
}

/// One object; `policy` and `rule` are those of Authelia's own command.
pub fn json(answer: &Answer<'_>) -> String {
    let levels = LEVELS.iter().map(|(level, key, _)| {
        (
            (*key).into(),
            decided(decision(&answer.found, *level)).into(),
        )
    });
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
