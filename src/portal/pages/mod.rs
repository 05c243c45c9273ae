//! The pages: templates that are checked and escaped when the program is compiled, one style that
//! is part of every page and allowed by its hash. No script but the one without which no browser
//! talks to a security key, and that on pages about keys only.

mod account;
mod app_passwords;

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

pub(super) use account::*;
pub(super) use app_passwords::*;

use super::messages::{Messages, Phrase};
use super::settings::Theme;

const STYLE: &str = include_str!("style.css");

/// The script that talks to security keys; what a page gives it stands at its top.
pub(super) const SCRIPT: &str = include_str!("webauthn.js");

/// Where the script lies in the portal.
pub(super) const SCRIPT_PATH: &str = "/assets/webauthn.js";

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
    /// The way in with a passkey, where there is one.
    pub passkey: Option<PasskeyForm>,
    /// The way back in for who has lost the password, where there is one.
    pub forgot: Option<String>,
}

/// The way in with a passkey.
pub(super) struct PasskeyForm {
    pub action: String,
    /// Where the script finds what to ask.
    pub options: String,
    pub script: String,
}

/// What is to be proven on a [`SecondPage`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SecondKind {
    Code,
    Key,
    Password,
}

/// A second factor, or the password after a passkey.
#[derive(Template)]
#[template(path = "second.html")]
pub(super) struct SecondPage<'a> {
    pub frame: Frame,
    pub t: &'static Messages,
    pub kind: SecondKind,
    pub action: String,
    pub token: String,
    /// Who asks.
    pub host: Option<&'a str>,
    pub rd: &'a str,
    pub rm: &'a str,
    /// The name that is signed in.
    pub login: &'a str,
    pub alert: Option<&'static str>,
    pub error: Option<&'static str>,
    /// Another way to prove it.
    pub switch: Option<(String, &'static str)>,
    pub sign_out: String,
    /// Where the script finds what to ask.
    pub options: String,
    pub script: String,
}

/// Who is signed in, where to go, and the way out.
#[derive(Template)]
#[template(path = "signed_in.html")]
pub(super) struct SignedInPage<'a> {
    pub frame: Frame,
    pub t: &'static Messages,
    pub heading: &'static str,
    pub text: String,
    /// Says who is signed in.
    pub who: Phrase,
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
        let title = if is_error {
            t.error_title.with(title)
        } else {
            title.to_owned()
        };
        Frame {
            language: t.language,
            theme: theme.word(),
            title,
            style: STYLE,
        }
    }
}

/// The Content Security Policy of pages with a form. Browsers hold every redirect that follows a
/// form against `form-action`, also those of the application to which the visitor returns and which
/// may send him on to hosts that we do not know; so any host, but never without TLS.
pub(super) fn form_policy() -> String {
    policy_with("'self' https:")
}

/// The Content Security Policy of pages with a form and our script.
pub(super) fn script_policy() -> String {
    format!("{}; script-src 'self'; connect-src 'self'", form_policy())
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

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// Colours that meet, and the contrast that WCAG AA wants of them.
    const PAIRS: [(&str, &str, f64); 16] = [
        ("text", "card", 4.5),
        ("text", "page", 4.5),
        ("text", "field", 4.5),
        ("soft", "card", 4.5),
        ("on", "accent", 4.5),
        ("on", "over", 4.5),
        ("bad", "card", 4.5),
        ("bad", "tint", 4.5),
        ("line", "card", 3.0),
        ("line", "field", 3.0),
        ("line", "page", 3.0),
        ("bad", "field", 3.0),
        ("accent", "card", 3.0),
        ("accent", "field", 3.0),
        ("accent", "page", 3.0),
        ("over", "card", 3.0),
    ];

    #[test]
    fn every_theme_has_the_contrast_of_wcag_aa() {
        let blocks = [
            ":root",
            "[data-theme=dark]",
            "[data-theme=grey]",
            "[data-theme=oled]",
        ];
        for block in blocks {
            let colours = colours(block);
            for (front, back, least) in PAIRS {
                let contrast = contrast(colours[front], colours[back]);
                assert!(
                    contrast >= least,
                    "{block}: {front} on {back} is {contrast:.2}"
                );
            }
        }
    }

    #[test]
    fn auto_is_light_or_dark() {
        let variables = |block: &str| {
            let rest = STYLE.split_once(block).unwrap().1;
            rest.split('}')
                .next()
                .unwrap()
                .split_once("--page")
                .unwrap()
                .1
                .to_owned()
        };
        let dark = variables("\n[data-theme=dark]{");
        assert_eq!(
            variables("(prefers-color-scheme:dark){[data-theme=auto]{"),
            dark
        );
    }

    fn colours(block: &str) -> HashMap<&'static str, [f64; 3]> {
        let rest = STYLE
            .split_once(&format!("{block}{{color-scheme:"))
            .unwrap()
            .1;
        let variables = rest.split('}').next().unwrap().split(';');
        let colours = variables.filter_map(|v| v.strip_prefix("--")?.split_once(":#"));
        colours.map(|(name, hex)| (name, channels(hex))).collect()
    }

    fn channels(hex: &str) -> [f64; 3] {
        let digit = |at: usize| u8::from_str_radix(&hex[at..=at], 16).unwrap();
        let wide = hex.len() == 6;
        [0, 1, 2].map(|channel| {
            let (high, low) = if wide {
                (channel * 2, channel * 2 + 1)
            } else {
                (channel, channel)
            };
            let value = f64::from(digit(high) * 16 + digit(low)) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        })
    }

    fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
        let light = |[r, g, b]: [f64; 3]| 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
        let (a, b) = (light(a), light(b));
        a.max(b) / a.min(b)
    }
}
