//! The pages: templates that are checked and escaped when the program is compiled, one style that
//! is part of every page and allowed by its hash, no script.

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::messages::{Messages, Phrase};
use super::settings::{Settings, Theme};

const STYLE: &str = include_str!("style.css");

/// What every page has around its card.
pub(super) struct Frame {
    language: &'static str,
    theme: &'static str,
    title: String,
    style: &'static str,
}

/// Name and password.
#[derive(Template)]
#[template(path = "login.html")]
pub(super) struct LoginPage<'a> {
    pub frame: Frame,
    pub t: &'static Messages,
    pub action: String,
    pub token: String,
    /// Who asks.
    pub host: Option<&'a str>,
    pub rd: &'a str,
    pub rm: &'a str,
    pub username: &'a str,
    pub email_login: bool,
    pub remember: bool,
    pub remembered: bool,
    pub alert: Option<&'static str>,
    pub username_error: Option<&'static str>,
    pub password_error: Option<&'static str>,
    /// Whether the password's error is about the name, too.
    pub wrong: bool,
}

/// Who is signed in, where to go, and the way out.
#[derive(Template)]
#[template(path = "signed_in.html")]
pub(super) struct SignedInPage<'a> {
    pub frame: Frame,
    pub t: &'static Messages,
    pub heading: &'static str,
    pub text: String,
    pub name: &'a str,
    pub login: &'a str,
    pub next: Option<(String, String)>,
    pub back: Option<(String, &'static str)>,
    pub action: String,
    pub token: String,
    pub rd: &'a str,
    pub quiet: bool,
}

/// Something to read, and perhaps one way on.
#[derive(Template)]
#[template(path = "notice.html")]
pub(super) struct NoticePage<'a> {
    pub frame: Frame,
    pub heading: &'static str,
    pub about: Option<(Phrase, &'a str)>,
    pub subject: Option<(Phrase, &'a str)>,
    pub text: String,
    pub link: Option<(String, &'static str)>,
}

impl Frame {
    pub(super) fn new(theme: Theme, t: &'static Messages, title: &str, is_error: bool) -> Self {
        let title = if is_error { t.error_title.with(title) } else { title.to_owned() };
        Frame { language: t.language, theme: theme.word(), title, style: STYLE }
    }
}

/// The Content Security Policy of pages whose forms lead to the portal and from there into the
/// cookie domains: browsers hold the redirect after a form against `form-action`, too.
pub(super) fn policy(settings: &Settings) -> String {
    let mut targets = String::from("'self'");
    for name in settings.names() {
        targets.push_str(&format!(" https://{name}:* https://*.{name}:*"));
    }
    let starts = settings.domains.iter().map(|d| &d.default_redirection_url);
    for url in starts.chain([&settings.default_redirection_url]).flatten() {
        if let Ok(url) = url::Url::parse(url) {
            targets.push_str(&format!(" {}", url.origin().ascii_serialization()));
        }
    }
    policy_with(&targets)
}

/// The Content Security Policy of pages without a form.
pub(super) fn formless_policy() -> String {
    policy_with("'none'")
}

fn policy_with(form_action: &str) -> String {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; img-src data:; \
         form-action {form_action}; frame-ancestors 'none'; base-uri 'none'"
    )
}
