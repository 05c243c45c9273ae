//! `session`: cookie domains, lifetimes, the secret.

use std::path::Path;

use secrecy::SecretString;
use url::Url;

use super::domains::{distinct, domain_name, inside, scope, secure_url};
use super::model::{CookieDomain, Sessions};
use super::redis::redis;
use super::report::{At, Report};
use super::values::duration;
use super::yaml::Kind;
use crate::session::{CookieSpec, CrossSite, Lifetimes, Realm};

const DEFAULT_NAME: &str = "auth_gate_session";
const HOST_PREFIX: &str = "__Host-";

/// Authelia's lifetimes.
const DEFAULT_LIFETIMES: Lifetimes = Lifetimes {
    expiration: 3600,
    inactivity: 300,
    remember_me: Some(30 * 86_400),
};

const NO_DOMAIN: &str =
    "has no cookie domain; write session.cookies with a domain and an authelia_url";

/// Characters below which a secret can be guessed.
const SHORT_SECRET: usize = 16;

/// What every cookie domain has unless it says otherwise.
struct Common {
    name: Option<String>,
    same_site: CrossSite,
    lifetimes: Lifetimes,
}

/// Reads `session`; the second value is the old `default_redirection_url`. Relative paths are
/// relative to `configuration`.
pub(super) fn sessions(
    root: &At<'_>,
    configuration: &Path,
    report: &mut Report,
) -> (Sessions, Option<Url>) {
    let redirection = root.get("default_redirection_url");
    let Some(session) = root.get("session") else {
        report.missing(
            "session",
            "is missing; write session.cookies with a domain and an authelia_url",
        );
        return (
            Sessions {
                secret: None,
                cookies: Vec::new(),
                redis: None,
            },
            None,
        );
    };
    let common = common(&session, None);
    let cookies = cookies(&session, redirection.as_ref(), &common, report);
    distinct(&session.list("cookies"), report);
    let secret = secret(&session, report);
    let url = redirection.and_then(|at| Url::parse(at.text()?).ok());
    let sessions = Sessions {
        secret,
        cookies,
        redis: redis(root, configuration, report),
    };
    (sessions, url)
}

fn cookies(
    session: &At<'_>,
    redirection: Option<&At<'_>>,
    common: &Common,
    report: &mut Report,
) -> Vec<CookieDomain> {
    match (session.get("cookies"), session.get("domain")) {
        (None, Some(domain)) => legacy(&domain, redirection, common, report),
        (Some(cookies), old) => {
            if let Some(old) = old {
                report.error(
                    &old,
                    "cannot stand beside session.cookies, which has taken its place; take it out",
                );
            }
            if let Some(old) = redirection {
                report.error(
                    old,
                    "cannot stand beside session.cookies; write default_redirection_url \
                    there, for each domain",
                );
            }
            if cookies.items().is_empty() {
                report.error(&cookies, NO_DOMAIN);
            }
            cookies
                .items()
                .iter()
                .filter_map(|at| cookie(at, common, report))
                .collect()
        }
        (None, None) => {
            report.error(session, NO_DOMAIN);
            Vec::new()
        }
    }
}

fn secret(session: &At<'_>, report: &mut Report) -> Option<SecretString> {
    let at = session.get("secret")?;
    let text = at.filled()?;
    if text.len() < SHORT_SECRET {
        report.warn(
            &at,
            "is short enough to be guessed; write 64 random characters",
        );
    }
    Some(SecretString::from(text))
}

fn common(at: &At<'_>, above: Option<&Common>) -> Common {
    let base = above.map_or(DEFAULT_LIFETIMES, |common| common.lifetimes);
    let seconds = |key: &str, default: u64| {
        let given = at.get(key).and_then(|at| duration(&at).ok().flatten());
        given.filter(|seconds| *seconds > 0).unwrap_or(default)
    };
    let remember_me = match at.get("remember_me") {
        Some(at) if at.kind() == Some(Kind::Integer) && at.int() == Some(-1) => None,
        Some(at) => duration(&at)
            .ok()
            .flatten()
            .filter(|seconds| *seconds > 0)
            .or(base.remember_me),
        None => base.remember_me,
    };
    let same_site = match at.get("same_site").and_then(|at| at.text()) {
        Some("lax") => CrossSite::Lax,
        Some("strict") => CrossSite::Strict,
        Some("none") => CrossSite::None,
        _ => above.map_or(CrossSite::default(), |common| common.same_site),
    };
    let own = at.get("name").and_then(|at| at.filled().map(str::to_owned));
    Common {
        name: own.or_else(|| above.and_then(|common| common.name.clone())),
        same_site,
        lifetimes: Lifetimes {
            expiration: seconds("expiration", base.expiration),
            inactivity: seconds("inactivity", base.inactivity),
            remember_me,
        },
    }
}

/// `session.domain` of old files: one domain without a portal address.
fn legacy(
    domain: &At<'_>,
    redirection: Option<&At<'_>>,
    common: &Common,
    report: &mut Report,
) -> Vec<CookieDomain> {
    report.warn(
        domain,
        "is an older spelling; write session.cookies with this domain and its authelia_url",
    );
    let Some(name) = domain_name(domain, false, report) else {
        return Vec::new();
    };
    let mut url = redirection.and_then(|at| secure_url(at, report).map(|url| (at, url)));
    if let Some((at, outside)) = url.take_if(|(_, url)| !inside(url, &name)) {
        report.warn(
            at,
            format!("`{outside}` lies outside the domain `{name}` and is ignored"),
        );
    }
    let cookie = cookie_spec(domain, common, &name, false, report);
    Vec::from_iter(cookie.map(|cookie| CookieDomain {
        realm: Realm::new(&name, cookie, common.lifetimes),
        authelia_url: None,
        default_redirection_url: url.map(|(_, url)| url),
    }))
}

fn cookie(at: &At<'_>, above: &Common, report: &mut Report) -> Option<CookieDomain> {
    let host_only = at
        .get("host_only")
        .and_then(|at| at.bool())
        .unwrap_or(false);
    let common = common(at, Some(above));
    let domain = match at.get("domain").filter(|at| at.filled().is_some()) {
        Some(domain) => domain_name(&domain, host_only, report),
        None => {
            report.error(
                at,
                "has no domain; write for instance `domain: example.com`",
            );
            None
        }
    };
    let authelia_url = match at.get("authelia_url").filter(|at| at.filled().is_some()) {
        Some(url) => portal(&url, domain.as_deref(), host_only, report),
        None => {
            report.error(
                at,
                "has no authelia_url; write the address of the portal, for instance \
                https://auth.example.com",
            );
            None
        }
    };
    let default_redirection_url = landing(at, domain.as_deref(), authelia_url.as_ref(), report);
    let domain = domain?;
    let cookie = cookie_spec(at, &common, &domain, host_only, report)?;
    Some(CookieDomain {
        realm: Realm::new(&domain, cookie, common.lifetimes),
        authelia_url,
        default_redirection_url,
    })
}

/// `default_redirection_url` of the cookie domain at `at`.
fn landing(
    at: &At<'_>,
    domain: Option<&str>,
    portal: Option<&Url>,
    report: &mut Report,
) -> Option<Url> {
    let at = at
        .get("default_redirection_url")
        .filter(|at| at.filled().is_some())?;
    let url = secure_url(&at, report)?;
    scope(&at, &url, domain, report);
    if portal == Some(&url) {
        report.error(
            &at,
            "is the address of the portal itself; write where to go after a login",
        );
    }
    Some(url)
}

/// The portal's address, its path ending in `/`.
fn portal(at: &At<'_>, domain: Option<&str>, host_only: bool, report: &mut Report) -> Option<Url> {
    let mut url = secure_url(at, report)?;
    scope(at, &url, domain, report);
    if host_only && domain.is_some_and(|domain| url.host_str() != Some(domain)) {
        report.error(
            at,
            "must be on the very host of `domain` with host_only, under a path of it",
        );
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Some(url)
}

fn cookie_spec(
    at: &At<'_>,
    common: &Common,
    domain: &str,
    host_only: bool,
    report: &mut Report,
) -> Option<CookieSpec> {
    let name = common.name.as_deref().unwrap_or(DEFAULT_NAME);
    let place = at.get("name").unwrap_or_else(|| at.clone());
    if let (Some(rest), false) = (name.strip_prefix(HOST_PREFIX), host_only) {
        report.error(
            &place,
            format!(
                "browsers take a cookie with `{HOST_PREFIX}` for one host only; \
                write `{rest}`, or add `host_only: true`"
            ),
        );
    }
    match CookieSpec::new(name, domain, common.same_site, host_only) {
        Ok(spec) => Some(spec),
        Err(error) => {
            report.error(&place, format!("`{name}` for `{domain}`: {error}"));
            None
        }
    }
}
