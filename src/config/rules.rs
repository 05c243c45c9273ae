//! `access_control` and the networks it may name.

use std::collections::HashMap;

use super::criteria::{methods, query, subjects};
use super::networks::{Networks, networks, rule_networks};
use super::report::{At, Report};
use super::values::{nearest, one_of};
use crate::access::{Domain, Pattern, Requirement, Rule, Rules};

/// The keys of a rule beside its policy.
const CRITERIA: &[&str] = &[
    "domain",
    "domain_regex",
    "resources",
    "methods",
    "networks",
    "query",
    "subject",
];

const POLICIES: &[&str] = &["bypass", "one_factor", "two_factor", "deny"];

/// Reads `access_control` with `definitions.network`; the second value is the first place that asks
/// for a second factor.
pub(super) fn rules<'t>(root: &At<'t>, report: &mut Report) -> (Rules, Option<At<'t>>) {
    let networks = networks(root, report);
    let control = root.get("access_control");
    let default_at = control.as_ref().and_then(|at| at.get("default_policy"));
    let default = match &default_at {
        Some(at) => policy(at, report).unwrap_or(Requirement::Deny),
        None => Requirement::Deny,
    };
    let items = control
        .as_ref()
        .and_then(|at| at.get("rules"))
        .map_or(Vec::new(), |at| at.items());
    if items.is_empty() {
        no_rules(control.as_ref(), default, report);
    }
    refuse_repeated(&items, report);
    let rules: Vec<Rule> = items.iter().map(|at| rule(at, &networks, report)).collect();
    let asks = |at: &&At<'_>| at.get("policy").and_then(|at| at.text()) == Some("two_factor");
    let second = match &default_at {
        Some(at) if default == Requirement::TwoFactor => Some(at.clone()),
        _ => items.iter().find(asks).cloned(),
    };
    (Rules::new(default, rules), second)
}

fn no_rules(control: Option<&At<'_>>, default: Requirement, report: &mut Report) {
    const KEY: &str = "access_control";
    let word = default.word();
    let wanted = "write access_control.rules, or default_policy: one_factor";
    match (default, control) {
        (Requirement::OneFactor | Requirement::TwoFactor, Some(at)) => {
            report.warn(
                at,
                format!("has no rules; default_policy `{word}` holds for every site"),
            );
        }
        (Requirement::Bypass, Some(at)) => {
            report.error(
                at,
                format!("has no rules, and default_policy `bypass` protects nothing; {wanted}"),
            );
        }
        (_, Some(at)) => {
            report.error(
                at,
                format!("has no rules, and default_policy `{word}` lets nobody in; {wanted}"),
            );
        }
        (_, None) => report.missing(
            KEY,
            format!("is missing, so nobody would be let in; {wanted}"),
        ),
    }
}

/// Refuses a rule with the criteria of an earlier one: it can never be reached.
fn refuse_repeated(rules: &[At<'_>], report: &mut Report) {
    let mut seen = HashMap::new();
    for (n, at) in rules.iter().enumerate() {
        if let Some(first) = seen.insert(criteria(at), n + 1) {
            report.error(
                at,
                format!(
                    "asks for the same as rule {first}, which stands before it and \
                    wins; take one of them out"
                ),
            );
        }
    }
}

/// Everything that a rule asks for, in a form that can be compared.
fn criteria(at: &At<'_>) -> Vec<(&'static str, String)> {
    fn spell(at: &At<'_>, to: &mut String) {
        let scalar = at.text().map(|text| format!("{text:?}"));
        to.push_str(&scalar.unwrap_or_default());
        for entry in at.entries() {
            to.push_str(&format!("{:?}:", entry.key));
            spell(&at.entry(entry), to);
        }
        if at.is_list() {
            to.push('[');
            at.items().iter().for_each(|item| spell(item, to));
            to.push(']');
        }
    }
    let spelled = |key: &&'static str| {
        let mut text = String::new();
        at.list(key).iter().for_each(|item| spell(item, &mut text));
        (*key, text)
    };
    CRITERIA
        .iter()
        .map(spelled)
        .filter(|(_, text)| !text.is_empty())
        .collect()
}

fn policy(at: &At<'_>, report: &mut Report) -> Option<Requirement> {
    let text = at.filled()?;
    let policy = Requirement::from_word(text);
    if policy.is_none() {
        let hint = nearest(text, POLICIES.iter().copied())
            .map_or_else(|| one_of(POLICIES), |near| format!("`{near}`"));
        report.error(at, format!("`{text}` is no policy; write {hint}"));
    }
    policy
}

fn rule(at: &At<'_>, networks: &Networks, report: &mut Report) -> Rule {
    for entry in at.entries() {
        let place = at.entry(entry);
        if place.items().is_empty() {
            report.warn(
                &place,
                "has no value and counts as absent, so that the rule holds for \
                more; write a value or take it out",
            );
        }
    }
    let requirement = match at.get("policy") {
        Some(at) if at.text() != Some("") => policy(&at, report),
        _ => {
            let words = one_of(POLICIES);
            report.error(at, format!("has no policy; write `policy: ` with {words}"));
            None
        }
    };
    let requirement = requirement.unwrap_or(Requirement::Deny);
    Rule {
        domains: domains(at, requirement, report),
        resources: resources(at, requirement, report),
        methods: methods(at, report),
        networks: rule_networks(at, networks, report),
        query: query(at, report),
        subjects: subjects(at, requirement, report),
        requirement,
    }
}

fn domains(at: &At<'_>, requirement: Requirement, report: &mut Report) -> Vec<Domain> {
    let mut domains = Vec::new();
    for item in at.list("domain") {
        let Some(text) = item.text() else { continue };
        let (domain, warning) = Domain::parse(text);
        if let Some(warning) = warning {
            report.warn(&item, warning);
        }
        domains.push(domain);
    }
    let regexes = at.list("domain_regex");
    for item in &regexes {
        let Some(domain) = compile(item, Domain::regex, report) else {
            continue;
        };
        if requirement == Requirement::Bypass && domain.asks() {
            report.error(
                item,
                "names a `User` or `Group`, but policy `bypass` asks nobody who he \
                is; write one_factor, or take the names out",
            );
        }
        domains.push(domain);
    }
    if domains.is_empty() && regexes.is_empty() {
        report.error(
            at,
            "has neither domain nor domain_regex; write for instance `domain: app.example.com`",
        );
    }
    domains
}

/// Compiles the pattern at `item`; an empty one is refused, as in Authelia.
fn compile<T, E: std::fmt::Display>(
    item: &At<'_>,
    how: impl Fn(&str) -> Result<T, E>,
    report: &mut Report,
) -> Option<T> {
    let text = item.text()?;
    if text.is_empty() {
        report.error(item, "is an empty pattern; write one or take it out");
        return None;
    }
    match how(text) {
        Ok(compiled) => Some(compiled),
        Err(error) => {
            report.error(item, format!("`{text}` is no regular expression: {error}"));
            None
        }
    }
}

fn resources(at: &At<'_>, requirement: Requirement, report: &mut Report) -> Vec<Pattern> {
    let mut patterns = Vec::new();
    for item in at.list("resources") {
        let Some(pattern) = compile(&item, Pattern::compile, report) else {
            continue;
        };
        if requirement == Requirement::Bypass && !pattern.anchored_at_start() {
            let source = pattern.source();
            report.warn(
                &item,
                format!(
                    "`{source}` matches anywhere in a path, so the rule opens more than \
                    it seems to; write `{}`",
                    anchored(source)
                ),
            );
        }
        patterns.push(pattern);
    }
    patterns
}

/// The same pattern held to the path, from its beginning.
fn anchored(pattern: &str) -> String {
    match (pattern.contains('|'), pattern.starts_with('/')) {
        (true, true) => format!("^(?:{pattern})"),
        (true, false) => format!("^[^?]*(?:{pattern})"),
        (false, true) => format!("^{pattern}"),
        (false, false) => format!("^[^?]*{pattern}"),
    }
}
