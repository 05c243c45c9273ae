//! Cookie domains and the addresses inside them.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::Url;

use super::report::{At, Report};
use crate::session::is_inside;

/// A cookie domain that browsers accept.
pub(super) fn domain_name(at: &At<'_>, host_only: bool, report: &mut Report) -> Option<String> {
    let domain = at.text()?;
    let message = if domain.parse::<Ipv4Addr>().is_ok() {
        return Some(domain.into());
    } else if domain.parse::<Ipv6Addr>().is_ok() {
        "is an IPv6 address, for which cookies have no domain; give the machine a name".into()
    } else if let Some(rest) = domain
        .strip_prefix("*.")
        .or_else(|| domain.strip_prefix('.'))
    {
        format!("`{domain}` covers what is below it anyway; write `{rest}`")
    } else if domain.bytes().any(|b| b.is_ascii_uppercase()) {
        format!(
            "must be in lower case; write `{}`",
            domain.to_ascii_lowercase()
        )
    } else if let Some((host, _)) = domain.split_once(':') {
        format!("`{domain}` has a port, which cookies do not know; write `{host}`")
    } else if domain.len() > 253 || !domain.split('.').all(is_label) {
        format!("`{domain}` is no domain; write for instance example.com")
    } else if host_only {
        return Some(domain.into());
    } else if !domain.contains('.') {
        format!(
            "`{domain}` has no dot, and browsers take no cookie for it; write \
            for instance home.{domain}"
        )
    } else if psl::suffix(domain.as_bytes())
        .is_some_and(|s| s.is_known() && s.as_bytes() == domain.as_bytes())
    {
        format!(
            "`{domain}` is a public suffix, and browsers take no cookie for it; \
            write your own domain below it"
        )
    } else {
        return Some(domain.into());
    };
    report.error(at, message);
    None
}

fn is_label(label: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let ends = !label.starts_with('-') && !label.ends_with('-');
    !label.is_empty() && label.len() <= 63 && ends && label.bytes().all(inner)
}

/// An https address without name and fragment. The kind of value was checked before.
pub(super) fn secure_url(at: &At<'_>, report: &mut Report) -> Option<Url> {
    let url = Url::parse(at.text()?).ok()?;
    let message =
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            "must have no user name and no `#`; write for instance https://auth.example.com".into()
        } else if url.scheme() != "https" {
            let rest = &url[url::Position::BeforeHost..];
            format!("`{url}` is not secure; write https://{rest}")
        } else {
            return Some(url);
        };
    report.error(at, message);
    None
}

pub(super) fn scope(at: &At<'_>, url: &Url, domain: Option<&str>, report: &mut Report) {
    if let Some(domain) = domain
        && !inside(url, domain)
    {
        report.error(
            at,
            format!(
                "`{url}` lies outside the domain `{domain}`; write a host that is \
                `{domain}` or ends with `.{domain}`"
            ),
        );
    }
}

pub(super) fn inside(url: &Url, domain: &str) -> bool {
    url.host_str().is_some_and(|host| is_inside(host, domain))
}

/// No domain twice, and none below an earlier one.
pub(super) fn distinct(cookies: &[At<'_>], report: &mut Report) {
    let mut earlier: Vec<(&str, bool)> = Vec::new();
    for cookie in cookies {
        let Some(at) = cookie.get("domain") else {
            continue;
        };
        let domain = at.text().unwrap_or_default();
        let host_only = cookie.get("host_only").and_then(|at| at.bool()) == Some(true);
        let above = earlier.iter().find(|(other, exact)| match exact {
            true => *other == domain,
            false => is_inside(domain, other),
        });
        match above {
            Some((other, _)) if *other == domain => {
                report.error(&at, format!("`{domain}` is given twice; keep one of them"));
            }
            Some((other, _)) => report.error(
                &at,
                format!(
                    "`{domain}` lies below {other}, which stands before it and covers \
                    it; take it out"
                ),
            ),
            None => earlier.push((domain, host_only)),
        }
    }
}
