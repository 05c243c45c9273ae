//! What is wrong in sections that are not built yet: they have no effect, but a file that
//! Authelia would refuse is refused, so that nobody finds out on the day they take effect.
//!
//! What a section does not have is not asked for where only Authelia would need it.

use super::report::{At, Report};

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
}
