//! What is wrong in sections that are not built yet: they have no effect, but a file that
//! Authelia would refuse is refused, so that nobody finds out on the day they take effect.
//!
//! What a section does not have is not asked for where only Authelia would need it.

use super::report::{At, Report};
use super::values::duration;

/// Checks what one value alone cannot tell.
pub(super) fn check(root: &At<'_>, report: &mut Report) {
    notifier(root, report);
    redis(root, report);
    second_factors(root, report);
    policies(root, report);
    server(root, report);
}

fn on(at: &At<'_>, key: &str) -> bool {
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

fn notifier(root: &At<'_>, report: &mut Report) {
    let (smtp, file) = (root.get("notifier.smtp"), root.get("notifier.filesystem"));
    if let (Some(smtp), Some(_)) = (&smtp, &file) {
        report.error(
            smtp,
            "cannot stand beside notifier.filesystem; keep one of the two",
        );
    }
    if let Some(file) = file {
        need(&file, "filename", "notifications.txt", report);
    }
    let Some(smtp) = smtp else { return };
    if filled(&smtp, "host").is_none() && filled(&smtp, "port").is_none() {
        need(
            &smtp,
            "address",
            "submission://mail.example.com:587",
            report,
        );
    }
    need(&smtp, "sender", "'Sign-in <sign-in@example.com>'", report);
    for key in ["sender", "startup_check_address"] {
        if let Some(at) = smtp.get(key)
            && at.filled().is_some_and(|text| !text.contains('@'))
        {
            report.error(
                &at,
                "is no mail address; write for instance 'Sign-in <sign-in@example.com>'",
            );
        }
    }
}

fn redis(root: &At<'_>, report: &mut Report) {
    let Some(redis) = root.get("session.redis") else {
        return;
    };
    if root
        .get("session.secret")
        .and_then(|at| at.filled())
        .is_none()
    {
        report.error(
            &redis,
            "needs session.secret; write 64 random characters there",
        );
    }
    if let Some(sentinel) = redis.get("high_availability") {
        need(&sentinel, "sentinel_name", "authelia", report);
    }
    let lists = ["high_availability.nodes", "cluster.nodes"];
    let nodes: Vec<At<'_>> = lists
        .iter()
        .filter_map(|key| redis.get(key))
        .flat_map(|at| at.items())
        .collect();
    for node in &nodes {
        need(node, "host", "redis-1", report);
    }
    if nodes.is_empty() {
        need(&redis, "host", "localhost", report);
    }
}

fn second_factors(root: &At<'_>, report: &mut Report) {
    let off = |key: &str| root.get(key).is_some_and(|at| on(&at, "disable"));
    if let Some(at) = root.get("default_2fa_method") {
        let section = match at.text() {
            Some("totp") => "totp",
            Some("webauthn") => "webauthn",
            _ => "duo_api",
        };
        if off(section) {
            report.error(
                &at,
                format!("names a method that {section}.disable turns off; write another one"),
            );
        }
    }
    let Some(webauthn) = root.get("webauthn") else {
        return;
    };
    let passkeys = on(&webauthn, "enable_passkey_login");
    if let (Some(at), true, true) = (
        webauthn.get("enable_passkey_login"),
        passkeys,
        off("webauthn"),
    ) {
        report.error(
            &at,
            "cannot be true while webauthn.disable is; write false for one of them",
        );
    }
    for key in [
        "experimental_enable_passkey_uv_two_factors",
        "experimental_enable_passkey_upgrade",
    ] {
        if let (Some(at), true, false) = (webauthn.get(key), on(&webauthn, key), passkeys) {
            report.error(&at, "needs webauthn.enable_passkey_login: true");
        }
    }
    let filter = |key: &str| webauthn.get(key).filter(|at| !at.items().is_empty());
    if let (Some(at), Some(_)) = (
        filter("filtering.permitted_aaguids"),
        filter("filtering.prohibited_aaguids"),
    ) {
        report.error(
            &at,
            "cannot stand beside prohibited_aaguids; keep one of the two",
        );
    }
}

fn policies(root: &At<'_>, report: &mut Report) {
    if let Some(policy) = root.get("password_policy")
        && policy.get("standard").is_some_and(|at| on(&at, "enabled"))
        && let Some(at) = policy.get("zxcvbn").filter(|at| on(at, "enabled"))
    {
        report.error(
            &at,
            "cannot be enabled beside password_policy.standard; write `enabled: \
            false` for one of them",
        );
    }
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
    if let Some(limits) = root.get("server.endpoints.rate_limits") {
        for entry in limits.entries() {
            let buckets = limits.entry(entry).get("buckets");
            buckets
                .map_or(Vec::new(), |at| at.items())
                .iter()
                .for_each(|at| bucket(at, report));
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

fn bucket(at: &At<'_>, report: &mut Report) {
    match at.get("period").and_then(|at| duration(&at).ok().flatten()) {
        Some(seconds) if seconds >= 10 => {}
        _ => report.error(
            at,
            "has no period of 10 seconds or more; write for instance `period: 2 minutes`",
        ),
    }
    if at
        .get("requests")
        .and_then(|at| at.int())
        .is_none_or(|requests| requests <= 0)
    {
        report.error(
            at,
            "has no requests above 0; write for instance `requests: 20`",
        );
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
