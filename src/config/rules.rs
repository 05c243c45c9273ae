//! `access_control` and the networks it may name.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use super::check::{nearest, one_of};
use super::report::{At, Report};
use super::yaml::{Kind, Value};
use crate::access::{Domain, Method, Pattern, QueryTerm, Requirement, Rule, Rules, SubjectTerm};

const POLICIES: &[&str] = &["bypass", "one_factor", "two_factor", "deny"];

type Networks = BTreeMap<String, Vec<IpNet>>;

/// Reads `access_control` with `definitions.network`.
pub(super) fn rules(root: &At<'_>, report: &mut Report) -> Rules {
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
    let rules: Vec<Rule> = items
        .iter()
        .filter_map(|at| rule(at, &networks, report))
        .collect();
    let asks = |at: &&At<'_>| at.get("policy").and_then(|at| at.text()) == Some("two_factor");
    let second = match &default_at {
        Some(at) if default == Requirement::TwoFactor => Some(at),
        _ => items.iter().find(asks),
    };
    if let Some(at) = second {
        report.warn(
            at,
            "asks for a second factor, which is not built yet: nobody gets in there",
        );
    }
    Rules::new(default, rules)
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

fn rule(at: &At<'_>, networks: &Networks, report: &mut Report) -> Option<Rule> {
    for entry in at.entries() {
        let place = at.entry(entry);
        if place.items().is_empty() {
            report.warn(&place, "has no value and counts as absent, so that the rule holds for more; write a value or take it out");
        }
    }
    let requirement = match at.get("policy").filter(|at| at.filled().is_some()) {
        Some(at) => policy(&at, report),
        None => {
            report.error(
                at,
                format!("has no policy; write `policy: ` with {}", one_of(POLICIES)),
            );
            None
        }
    };
    let requirement = requirement.unwrap_or(Requirement::Deny);
    let rule = Rule {
        domains: domains(at, requirement, report),
        resources: resources(at, requirement, report),
        methods: methods(at, report),
        networks: rule_networks(at, networks, report),
        query: query(at, report),
        subjects: subjects(at, requirement, report),
        requirement,
    };
    Some(rule)
}

/// The items of the list at `key`, none where there is no such key.
fn list<'t>(at: &At<'t>, key: &str) -> Vec<At<'t>> {
    at.get(key).map_or(Vec::new(), |at| at.items())
}

fn domains(at: &At<'_>, requirement: Requirement, report: &mut Report) -> Vec<Domain> {
    let mut domains = Vec::new();
    for item in list(at, "domain") {
        let Some(text) = item.text() else { continue };
        let (domain, warning) = Domain::parse(text);
        if let Some(warning) = warning {
            report.warn(&item, warning);
        }
        domains.push(domain);
    }
    let regexes = list(at, "domain_regex");
    for item in &regexes {
        let Some(domain) = compile(item, Domain::regex, report) else {
            continue;
        };
        if requirement == Requirement::Bypass && domain.asks() {
            report.error(item, "names a `User` or `Group`, but policy `bypass` asks nobody who he is; write one_factor, or take the names out");
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
    for item in list(at, "resources") {
        let Some(pattern) = compile(&item, Pattern::compile, report) else {
            continue;
        };
        if requirement == Requirement::Bypass && !pattern.anchored_at_start() {
            let source = pattern.source();
            report.warn(&item, format!("`{source}` matches anywhere in a path, so the rule opens more than it seems to; write `{}`", anchored(source)));
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

fn methods(at: &At<'_>, report: &mut Report) -> Vec<Method> {
    let mut methods = Vec::new();
    for item in list(at, "methods") {
        let Some(word) = item.text() else { continue };
        match Method::parse(word) {
            Some(method) if methods.contains(&method) => {
                report.error(&item, format!("`{word}` is given twice; keep one of them"));
            }
            Some(method) => methods.push(method),
            None => {
                let upper = word.to_ascii_uppercase();
                let hint = match Method::parse(&upper) {
                    Some(_) => format!("write `{upper}`"),
                    None => "rules know GET, HEAD, POST, PUT, PATCH, DELETE, TRACE, CONNECT, OPTIONS, COPY, LOCK, MKCOL, MOVE, PROPFIND, PROPPATCH and UNLOCK".into(),
                };
                report.error(&item, format!("`{word}` is no method; {hint}"));
            }
        }
    }
    methods
}

fn subjects(at: &At<'_>, requirement: Requirement, report: &mut Report) -> Vec<Vec<SubjectTerm>> {
    let items = list(at, "subject");
    if let (Requirement::Bypass, Some(subject), false) =
        (requirement, at.get("subject"), items.is_empty())
    {
        report.error(&subject, "has no place beside policy `bypass`, which asks nobody who he is; write one_factor, or take it out");
    }
    let term = |item: &At<'_>, report: &mut Report| {
        let text = item.text()?;
        let term = SubjectTerm::parse(text);
        if term.is_none() && text.starts_with("oauth2:client:") {
            report.error(item, format!("`{text}` names an OpenID Connect client, which is not built yet; write user:NAME or group:NAME"));
        } else if term.is_none() {
            report.error(
                item,
                format!("`{text}` names nobody; write user:NAME or group:NAME"),
            );
        }
        term
    };
    let all = |item: &At<'_>, report: &mut Report| -> Vec<SubjectTerm> {
        item.items()
            .iter()
            .filter_map(|item| term(item, report))
            .collect()
    };
    items
        .iter()
        .map(|item| all(item, report))
        .filter(|terms| !terms.is_empty())
        .collect()
}

fn query(at: &At<'_>, report: &mut Report) -> Vec<Vec<QueryTerm>> {
    let all = |item: &At<'_>, report: &mut Report| -> Vec<QueryTerm> {
        item.items()
            .iter()
            .filter_map(|item| query_term(item, report))
            .collect()
    };
    list(at, "query")
        .iter()
        .map(|item| all(item, report))
        .filter(|terms| !terms.is_empty())
        .collect()
}

fn query_term(at: &At<'_>, report: &mut Report) -> Option<QueryTerm> {
    let value = at.get("value");
    if let Some(value) = &value
        && value.kind() != Some(Kind::Text)
    {
        let text = value.text().unwrap_or_default();
        report.error(
            value,
            format!("must be a text; put it in quotes: value: '{text}'"),
        );
        return None;
    }
    let text = |key: &str| at.get(key).and_then(|at| at.filled());
    let value = value.and_then(|at| at.text());
    match QueryTerm::new(text("operator"), text("key").unwrap_or_default(), value) {
        Ok(term) => Some(term),
        Err(error) => {
            report.error(at, error.to_string());
            None
        }
    }
}

fn rule_networks(at: &At<'_>, known: &Networks, report: &mut Report) -> Vec<IpNet> {
    let mut found = Vec::new();
    for item in list(at, "networks") {
        let Some(text) = item.text() else { continue };
        if let Some(named) = known.get(text) {
            found.extend(named);
        } else if let Some(network) = network(text) {
            found.push(network);
        } else {
            let hint = match nearest(text, known.keys().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write for instance 10.0.0.0/8, or define the name in definitions.network"
                    .into(),
            };
            report.error(
                &item,
                format!("`{text}` is neither a network nor the name of one; {hint}"),
            );
        }
    }
    found
}

/// Every named network: `definitions.network` and the old `access_control.networks`.
fn networks(root: &At<'_>, report: &mut Report) -> Networks {
    let mut networks = Networks::new();
    if let Some(defined) = root.get("definitions.network") {
        for entry in defined.entries() {
            define(
                &defined.entry(entry),
                &defined.entry(entry),
                &entry.key,
                &mut networks,
                report,
            );
        }
    }
    for item in root
        .get("access_control.networks")
        .map_or(Vec::new(), |at| at.items())
    {
        match item
            .get("name")
            .and_then(|at| at.filled().map(|name| (at, name)))
        {
            Some((at, name)) => {
                let value = item.get("networks").unwrap_or_else(|| item.clone());
                define(&at, &value, name, &mut networks, report);
            }
            None => report.error(&item, "has no name; write for instance `name: internal`"),
        }
    }
    networks
}

fn define(
    name_at: &At<'_>,
    value: &At<'_>,
    name: &str,
    networks: &mut Networks,
    report: &mut Report,
) {
    let mut found = Vec::new();
    let items = if matches!(value.node.value, Value::Map(_)) {
        Vec::new()
    } else {
        value.items()
    };
    for item in items {
        let Some(text) = item.text() else { continue };
        match network(text) {
            Some(network) => found.push(network),
            None => report.error(
                &item,
                format!("`{text}` is no network; write for instance 10.0.0.0/8 or 10.1.2.3"),
            ),
        }
    }
    if networks.insert(name.into(), found).is_some() {
        report.error(
            name_at,
            format!("the network `{name}` is defined twice; keep one of them"),
        );
    }
}

/// A network or a single address; IPv4 within IPv6 is IPv4.
fn network(text: &str) -> Option<IpNet> {
    let network = match text.parse::<IpNet>() {
        Ok(network) => network,
        Err(_) => IpNet::from(text.parse::<IpAddr>().ok()?),
    };
    if let IpNet::V6(v6) = network
        && let (Some(v4), Some(length)) =
            (v6.addr().to_ipv4_mapped(), v6.prefix_len().checked_sub(96))
    {
        return Ipv4Net::new(v4, length).ok().map(IpNet::V4);
    }
    Some(network)
}
