//! What is wrong in sections that are not built yet: they have no effect, but a file that
//! Authelia would refuse is refused, so that nobody finds out on the day they take effect.
//!
//! What a section does not have is not asked for where only Authelia would need it.

use super::report::{At, Report};
use super::values::duration;

/// Checks what one value alone cannot tell.
pub(super) fn check(root: &At<'_>, report: &mut Report) {
    privacy(root, report);
    server(root, report);
}

/// Whether the flag `key` is set.
pub(super) fn on(at: &At<'_>, key: &str) -> bool {
    at.get(key).and_then(|at| at.bool()).unwrap_or(false)
}

pub(super) fn filled<'t>(at: &At<'t>, key: &str) -> Option<&'t str> {
    at.get(key).and_then(|at| at.filled())
}

pub(super) fn need(at: &At<'_>, key: &str, example: &str, report: &mut Report) {
    if filled(at, key).is_none() {
        report.error(
            at,
            format!("has no {key}; write for instance `{key}: {example}`"),
        );
    }
}

fn privacy(root: &At<'_>, report: &mut Report) {
    let Some(privacy) = root.get("privacy_policy").filter(|at| on(at, "enabled")) else {
        return;
    };
    match privacy.get("policy_url").filter(|at| at.filled().is_some()) {
        Some(url) if !url.text().is_some_and(|text| text.starts_with("https://")) => {
            report.error(&url, "must begin with https://");
        }
        Some(_) => {}
        None => need(
            &privacy,
            "policy_url",
            "https://www.example.com/privacy",
            report,
        ),
    }
}

fn server(root: &At<'_>, report: &mut Report) {
    if let Some(tls) = root.get("server.tls") {
        match (filled(&tls, "key"), filled(&tls, "certificate")) {
            (Some(_), None) => need(&tls, "certificate", "server.crt", report),
            (None, Some(_)) => need(&tls, "key", "server.pem", report),
            _ => {}
        }
    }
    let Some(endpoints) = root.get("server.endpoints.authz") else {
        return;
    };
    for entry in endpoints.entries() {
        let endpoint = endpoints.entry(entry);
        match (entry.key.as_str(), filled(&endpoint, "implementation")) {
            ("legacy", None | Some("Legacy")) => {}
            ("legacy", Some(_)) => report.error(
                &endpoint,
                "must have `implementation: Legacy`; take another name for another one",
            ),
            _ => need(&endpoint, "implementation", "ForwardAuth", report),
        }
        strategies(&endpoint, report);
    }
}

fn strategies(endpoint: &At<'_>, report: &mut Report) {
    let mut names = Vec::new();
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
        let schemes = at.get("schemes").filter(|at| !at.items().is_empty());
        let basic = |at: &At<'_>| {
            at.text()
                .is_some_and(|text| text.eq_ignore_ascii_case("basic"))
        };
        if let (Some(schemes), "CookieSession" | "HeaderLegacy") = (&schemes, name) {
            report.error(
                schemes,
                format!("has no place beside `{name}`, which reads no scheme; take it out"),
            );
        }
        if let Some(cache) = at.get("scheme_basic_cache_lifespan")
            && duration(&cache)
                .ok()
                .flatten()
                .is_some_and(|seconds| seconds > 0)
            && !schemes.is_some_and(|at| at.items().iter().any(basic))
        {
            report.error(&cache, "needs `basic` among the schemes");
        }
    }
}
