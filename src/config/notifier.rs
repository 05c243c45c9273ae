//! `notifier`: how mail leaves.

use std::path::Path;

use secrecy::SecretString;
use url::Url;

use super::backend::beside;
use super::later::{filled, need, on};
use super::report::{At, Report};
use super::values::duration;
use crate::mail::{Credentials, Mailbox, Notifier, Security, Smtp, Tls, Way};

/// Seconds that Authelia waits for a mail server.
const TIMEOUT: u64 = 5;
const IDENTIFIER: &str = "localhost";
const SUBJECT: &str = "[Authelia] {title}";

/// Reads `notifier`; relative paths are relative to `configuration`.
pub(super) fn notifier(
    root: &At<'_>,
    configuration: &Path,
    report: &mut Report,
) -> Option<Notifier> {
    let (smtp, file) = (root.get("notifier.smtp"), root.get("notifier.filesystem"));
    if let (Some(smtp), Some(_)) = (&smtp, &file) {
        report.error(
            smtp,
            "cannot stand beside notifier.filesystem; keep one of the two",
        );
    }
    let certificates = root
        .get("certificates_directory")
        .filter(|at| at.filled().is_some());
    let needed = smtp.is_some() || root.get("session.redis.tls").is_some();
    if let (Some(at), false) = (&certificates, needed) {
        report.warn(
            at,
            "has no effect: its certificates are for mail servers and Redis, and there is neither \
            notifier.smtp nor session.redis.tls",
        );
    }
    let certificates = certificates.and_then(|at| Some(beside(configuration, at.filled()?)));
    let way = match (smtp, file) {
        (Some(smtp), _) => {
            let mut settings = server(&smtp, report)?;
            settings.tls.certificates = certificates;
            Way::Smtp(Box::new(settings))
        }
        (None, Some(file)) => {
            need(&file, "filename", "notifications.txt", report);
            Way::File(beside(configuration, filled(&file, "filename")?))
        }
        (None, None) => {
            let section = root.get("notifier")?;
            report.error(
                &section,
                "names no way for letters; write notifier.smtp or notifier.filesystem",
            );
            return None;
        }
    };
    let startup_check = !root
        .get("notifier")
        .is_some_and(|at| on(&at, "disable_startup_check"));
    Some(Notifier { startup_check, way })
}

fn server(smtp: &At<'_>, report: &mut Report) -> Option<Smtp> {
    let address = address(smtp, report);
    need(smtp, "sender", "'Sign-in <sign-in@example.com>'", report);
    let sender = mailbox(smtp, "sender", report);
    let check_recipient = mailbox(smtp, "startup_check_address", report);
    let (scheme, host, port) = address?;
    let security = if scheme == "submissions" {
        Security::Implicit
    } else if on(smtp, "disable_starttls") {
        Security::None
    } else if on(smtp, "disable_require_tls") {
        Security::Opportunistic
    } else {
        Security::StartTls
    };
    let timeout = smtp
        .get("timeout")
        .and_then(|at| duration(&at).ok().flatten());
    let text = |key: &str| filled(smtp, key);
    let credentials = match (text("username"), text("password")) {
        (None, None) => None,
        (username, password) => Some(Credentials {
            username: username.unwrap_or_default().to_owned(),
            password: SecretString::from(password.unwrap_or_default()),
        }),
    };
    let settings = Smtp {
        security,
        timeout: timeout.filter(|seconds| *seconds > 0).unwrap_or(TIMEOUT),
        credentials,
        clear_credentials: on(smtp, "disable_require_tls"),
        identifier: identifier(smtp, report),
        sender: sender?,
        subject: text("subject").unwrap_or(SUBJECT).to_owned(),
        check_recipient,
        html: !on(smtp, "disable_html_emails"),
        tls: tls(smtp, &host, report),
        host,
        port,
    };
    readable(smtp, &settings, report);
    Some(settings)
}

/// What everybody on the way could read or forge.
fn readable(smtp: &At<'_>, settings: &Smtp, report: &mut Report) {
    let Some(at) = ["disable_starttls", "disable_require_tls"]
        .iter()
        .find_map(|key| smtp.get(key).filter(|at| at.bool() == Some(true)))
    else {
        return;
    };
    match (settings.security, &settings.credentials) {
        (Security::None, Some(_)) if !settings.clear_credentials => report.error(
            &at,
            "would send the password of notifier.smtp where everybody can read it; take this line \
            out, or add `disable_require_tls: true`",
        ),
        (Security::None | Security::Opportunistic, _) => report.warn(
            &at,
            "lets codes and links to new passwords go where everybody can read them; take this \
            line out unless the mail server is on this machine",
        ),
        _ => {}
    }
}

/// Scheme, host and port.
fn address(smtp: &At<'_>, report: &mut Report) -> Option<(String, String, u16)> {
    let Some(at) = smtp.get("address").filter(|at| at.filled().is_some()) else {
        return older(smtp, report);
    };
    let text = at.text()?;
    let whole = match text.contains("://") {
        true => text.to_owned(),
        false => format!("smtp://{text}"),
    };
    let url = Url::parse(&whole).ok();
    let plain = |url: &Url| {
        let path = matches!(url.path(), "" | "/");
        path && url.username().is_empty() && url.query().is_none() && url.fragment().is_none()
    };
    let url = url.filter(plain);
    let host = url
        .as_ref()
        .and_then(|url| url.host_str())
        .filter(|host| !host.is_empty());
    let (Some(url), Some(host)) = (&url, host) else {
        report.error(
            &at,
            format!("`{text}` names no mail server; write for instance submission://mail.example.com:587"),
        );
        return None;
    };
    let default = match url.scheme() {
        "submission" => 587,
        "submissions" => 465,
        _ => 25,
    };
    Some((
        url.scheme().to_owned(),
        bare(host),
        url.port().unwrap_or(default),
    ))
}

/// `host` and `port`, which say by the port what the scheme says today.
fn older(smtp: &At<'_>, report: &mut Report) -> Option<(String, String, u16)> {
    let port = smtp
        .get("port")
        .and_then(|at| u16::try_from(at.int()?).ok())
        .filter(|port| *port > 0);
    let Some(host) = filled(smtp, "host") else {
        need(smtp, "address", "submission://mail.example.com:587", report);
        return None;
    };
    let scheme = match port {
        Some(465) => "submissions",
        Some(587) => "submission",
        _ => "smtp",
    };
    Some((scheme.to_owned(), bare(host), port.unwrap_or(25)))
}

/// An IPv6 address without its brackets.
fn bare(host: &str) -> String {
    let inner = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    inner.unwrap_or(host).to_owned()
}

fn mailbox(smtp: &At<'_>, key: &str, report: &mut Report) -> Option<Mailbox> {
    let at = smtp.get(key).filter(|at| at.filled().is_some())?;
    let mailbox = Mailbox::parse(at.text()?);
    if mailbox.is_none() {
        report.error(
            &at,
            "is no mail address; write for instance 'Sign-in <sign-in@example.com>'",
        );
    }
    mailbox
}

/// It goes into a line of its own, and a space would end it.
fn identifier(smtp: &At<'_>, report: &mut Report) -> String {
    let name = filled(smtp, "identifier").unwrap_or(IDENTIFIER);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    if let (Some(at), false) = (smtp.get("identifier"), name.bytes().all(is_plain)) {
        report.error(
            &at,
            format!("`{name}` is no name of a machine; write for instance auth.example.com"),
        );
    }
    name.to_owned()
}

fn tls(smtp: &At<'_>, host: &str, report: &mut Report) -> Tls {
    let section = smtp.get("tls");
    let section = section.as_ref();
    let warn = |key: &str, message: &str, report: &mut Report| {
        if let Some(at) = section.and_then(|at| at.get(key)) {
            report.warn(&at, message);
        }
    };
    warn(
        "maximum_version",
        "has no effect: the newest version that both sides know is used",
        report,
    );
    for key in ["private_key", "certificate_chain"] {
        let why = "has no effect yet: certificates of our own for mail servers are not built";
        warn(key, why, report);
    }
    let verify = !section.is_some_and(|at| on(at, "skip_verify"));
    if !verify {
        let why = "lets anybody on the way be the mail server; write the folder with its \
            certificate to certificates_directory instead";
        warn("skip_verify", why, report);
    }
    let text = |key: &str| section.and_then(|at| filled(at, key));
    Tls {
        server_name: text("server_name").unwrap_or(host).to_owned(),
        verify,
        only_newest: matches!(text("minimum_version"), Some("TLS1.3" | "TLS 1.3")),
        certificates: None,
    }
}
