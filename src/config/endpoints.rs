//! `server.endpoints.authz`: where other proxies may ask for the decision, and in which form.

use super::later::{filled, need};
use super::report::{At, Report};
use super::values::duration;
use crate::portal::{CredentialHeader, Endpoint, Implementation, Schemes, Strategy};

/// Reads it; naming any endpoint replaces all that there are without.
pub(super) fn endpoints(root: &At<'_>, report: &mut Report) -> Vec<Endpoint> {
    let section = root.get("server.endpoints.authz");
    let named = section.as_ref().map_or(Vec::new(), |section| {
        let entries = section.entries().iter();
        entries
            .map(|entry| (entry.key.clone(), section.entry(entry)))
            .collect()
    });
    if named.is_empty() {
        return Endpoint::defaults();
    }
    let mut prefixes: Vec<&str> = Vec::new();
    let mut endpoints = Vec::new();
    for (name, at) in &named {
        check_name(name, at, report);
        let Some(implementation) = implementation(name, at, report) else {
            continue;
        };
        let (strategies, remembers) = strategies(at, report);
        let strategies = match strategies.is_empty() {
            true => implementation.strategies(),
            false => strategies,
        };
        let endpoint = Endpoint::new(name, implementation, strategies);
        endpoints.push(endpoint.remembering(remembers));
        if implementation == Implementation::ExtAuthz {
            prefixes.push(name);
        }
    }
    for (name, at) in &named {
        let inside = |prefix: &&&str| {
            name.strip_prefix(**prefix)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        if let Some(prefix) = prefixes.iter().find(inside) {
            report.error(
                at,
                format!("lies below `{prefix}`, which takes every path behind its own; take another name"),
            );
        }
    }
    endpoints
}

/// A name becomes the end of a path, and must be one that nobody reads in two ways.
fn check_name(name: &str, at: &At<'_>, report: &mut Report) {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'_' | b'-');
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphabetic);
    let bytes = name.as_bytes();
    let segments = || name.split('/');
    let plain =
        bytes.iter().copied().all(fits) && segments().all(|s| !matches!(s, "" | "." | ".."));
    if !plain || !edge(bytes.first()) || !edge(bytes.last()) {
        report.error(
            at,
            format!("`{name}` does not suit a path; write letters, digits, `-`, `_`, `.` and `/`, a letter first and last"),
        );
    }
}

fn implementation(name: &str, at: &At<'_>, report: &mut Report) -> Option<Implementation> {
    let word = filled(at, "implementation");
    match (name, word) {
        ("legacy", None | Some("Legacy")) | (_, Some("Legacy")) => Some(Implementation::Legacy),
        ("legacy", Some(_)) => {
            report.error(
                at,
                "must have `implementation: Legacy`; take another name for another one",
            );
            None
        }
        (_, Some("AuthRequest")) => Some(Implementation::AuthRequest),
        (_, Some("ForwardAuth")) => Some(Implementation::ForwardAuth),
        (_, Some("ExtAuthz")) => Some(Implementation::ExtAuthz),
        // Another word was refused with the keys.
        (_, Some(_)) => None,
        (_, None) => {
            need(at, "implementation", "ForwardAuth", report);
            None
        }
    }
}

/// The strategies of an endpoint, and for which of their headers passwords are remembered how long.
fn strategies(
    endpoint: &At<'_>,
    report: &mut Report,
) -> (Vec<Strategy>, Vec<(CredentialHeader, u64)>) {
    let (mut names, mut strategies, mut remembers) = (Vec::new(), Vec::new(), Vec::new());
    for at in endpoint
        .get("authn_strategies")
        .map_or(Vec::new(), |at| at.items())
    {
        let Some(name) = filled(&at, "name") else {
            need(&at, "name", "CookieSession", report);
            continue;
        };
        if names.contains(&name) {
            report.error(&at, format!("`{name}` is given twice; keep one of them"));
        }
        names.push(name);
        let schemes = schemes(&at, name, report);
        let header = match name {
            "CookieSession" => {
                strategies.push(Strategy::CookieSession);
                continue;
            }
            "HeaderAuthorization" => CredentialHeader::Authorization,
            "HeaderProxyAuthorization" => CredentialHeader::ProxyAuthorization,
            "HeaderAuthRequestProxyAuthorization" => {
                CredentialHeader::AuthRequestProxyAuthorization
            }
            "HeaderLegacy" => CredentialHeader::Legacy,
            // Another word was refused with the keys.
            _ => continue,
        };
        strategies.push(Strategy::Header(header, schemes));
        if let Some(seconds) = cached(&at) {
            remembers.push((header, seconds));
        }
    }
    (strategies, remembers)
}

/// `scheme_basic_cache_lifespan`, if it is more than nothing.
fn cached(strategy: &At<'_>) -> Option<u64> {
    let lifespan = strategy.get("scheme_basic_cache_lifespan")?;
    duration(&lifespan)
        .ok()
        .flatten()
        .filter(|seconds| *seconds > 0)
}

fn schemes(at: &At<'_>, strategy: &str, report: &mut Report) -> Schemes {
    let given = at.get("schemes").filter(|at| !at.items().is_empty());
    if let (Some(given), "CookieSession" | "HeaderLegacy") = (&given, strategy) {
        report.error(
            given,
            format!("has no place beside `{strategy}`, which reads no scheme; take it out"),
        );
    }
    let names = |scheme: &str| {
        let is = |at: &At<'_>| {
            at.text()
                .is_some_and(|text| text.eq_ignore_ascii_case(scheme))
        };
        given
            .as_ref()
            .is_some_and(|given| given.items().iter().any(is))
    };
    if let Some(cache) = at.get("scheme_basic_cache_lifespan")
        && cached(at).is_some()
        && !names("basic")
    {
        report.error(&cache, "needs `basic` among the schemes");
    }
    match given {
        None => Schemes::BASIC,
        Some(_) => Schemes {
            basic: names("basic"),
            bearer: names("bearer"),
        },
    }
}
