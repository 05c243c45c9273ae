//! What the portal answers, and the headers that go with it.

use std::borrow::Cow;

use crate::access::{Ask, Verdict};

use super::event::Event;

/// Content type of a page.
pub const HTML: &str = "text/html; charset=utf-8";
/// Content type of the API.
pub const JSON: &str = "application/json; charset=utf-8";
/// Content type of our script.
pub const SCRIPT: &str = "text/javascript; charset=utf-8";
/// Content type of a bare status line.
pub const TEXT: &str = "text/plain; charset=utf-8";

/// A header as it is sent.
pub type Header = (Cow<'static, str>, Cow<'static, str>);

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `None` when there is no body.
    pub content_type: Option<&'static str>,
    /// All other headers but `Location` and `Set-Cookie`.
    pub headers: Vec<Header>,
    /// Values of `Set-Cookie`.
    pub cookies: Vec<String>,
    /// `Location`, absolute.
    pub location: Option<String>,
    /// The body; not sent for HEAD.
    pub body: Vec<u8>,
    /// Milliseconds after the request arrived before which the answer is not sent.
    pub hold: u64,
    /// Milliseconds after the answer is ready before which it is not sent: for other workers to
    /// take notice of what it rests on.
    pub rest: u64,
    /// What happened, for the log.
    pub event: Option<Event>,
    /// What an authorization endpoint came to, to be counted.
    pub judged: Option<Judged>,
}

/// What an authorization endpoint came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// A verdict of the rules.
    Verdict(Verdict),
    /// The question cannot be answered.
    Error,
    /// It cannot be answered now.
    Unavailable,
}

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A page.
    Html,
    /// An object with `status` and `message`.
    Json,
}

impl Answer {
    /// An answer without content or headers.
    pub(super) fn new(status: u16) -> Self {
        Answer {
            status,
            content_type: None,
            headers: Vec::new(),
            cookies: Vec::new(),
            location: None,
            body: Vec::new(),
            hold: 0,
            rest: 0,
            event: None,
            judged: None,
        }
    }

    /// A page under the Content Security Policy `policy`.
    pub(super) fn page(status: u16, policy: String, body: String) -> Self {
        let mut answer = Self::new(status).with_body(HTML, body.into_bytes());
        answer.protect(policy.into());
        answer
    }

    /// An object.
    pub(super) fn json(status: u16, value: &impl serde::Serialize) -> Self {
        // A value of strings, numbers and lists always has a JSON form.
        let body = serde_json::to_vec(value).unwrap_or_default();
        let mut answer = Self::new(status).with_body(JSON, body);
        answer.protect("default-src 'none'".into());
        answer
    }

    /// A script.
    pub(super) fn script(script: &'static str) -> Self {
        let mut answer = Self::new(200).with_body(SCRIPT, script.into());
        answer.protect("default-src 'none'".into());
        answer
    }

    /// A status with its name as the body.
    pub(super) fn text(status: u16) -> Self {
        let body = format!("{status} {}", reason(status)).into_bytes();
        let mut answer = Self::new(status).with_body(TEXT, body);
        answer.protect("default-src 'none'".into());
        answer
    }

    /// A redirect that is followed by GET.
    pub(super) fn redirect(location: String) -> Self {
        let mut answer = Self::new(303);
        answer.location = Some(location);
        answer.protect("default-src 'none'".into());
        answer
    }

    /// That it is there.
    pub(super) fn no_content() -> Self {
        Self::new(204).with("Cache-Control", "no-store")
    }

    /// Leave to go on, for a proxy that asks.
    pub(super) fn leave() -> Self {
        Self::new(200)
            .with_body(TEXT, b"200 OK".to_vec())
            .with("Cache-Control", "no-store")
    }

    /// A status with an address to go to, as `Location` and as a link.
    pub(super) fn link(status: u16, location: String) -> Self {
        let shown = askama::filters::escape(&location, askama::filters::Html)
            .map_or_else(|_| String::new(), |escaped| escaped.to_string());
        let body = format!("<a href=\"{shown}\">{status} {}</a>", reason(status));
        let mut answer = Self::new(status).with_body(HTML, body.into_bytes());
        answer.location = Some(location);
        answer.protect("default-src 'none'".into());
        answer
    }

    /// Says what an authorization endpoint came to.
    pub(super) fn judged(mut self, judged: Judged) -> Self {
        self.judged = Some(judged);
        self
    }

    /// Adds a header.
    pub(super) fn with(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Without content.
    pub(super) fn bare(mut self) -> Self {
        self.content_type = None;
        self.body.clear();
        self
    }

    fn with_body(mut self, content_type: &'static str, body: Vec<u8>) -> Self {
        self.content_type = Some(content_type);
        self.body = body;
        self
    }

    fn protect(&mut self, policy: Cow<'static, str>) {
        let fixed = PROTECTION
            .iter()
            .map(|(name, value)| (Cow::Borrowed(*name), Cow::Borrowed(*value)));
        self.headers.extend(fixed);
        self.headers
            .push(("Content-Security-Policy".into(), policy));
    }
}

const PROTECTION: [(&str, &str); 9] = [
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    // Not `no-referrer`: under that a browser sends `Origin: null` with our own forms.
    ("Referrer-Policy", "same-origin"),
    (
        "Permissions-Policy",
        "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
         magnetometer=(), microphone=(), midi=(), payment=(), screen-wake-lock=(), usb=(), \
         xr-spatial-tracking=()",
    ),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("X-DNS-Prefetch-Control", "off"),
    ("X-Robots-Tag", "noindex, nofollow"),
];

fn reason(status: u16) -> &'static str {
    match status {
        302 => "Found",
        303 => "See Other",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        413 => "Content Too Large",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}

impl Format {
    /// By the `Accept` header: a page when some item is `text/html` or the first is `*/*`.
    pub fn of_accept(accept: Option<&[u8]>) -> Self {
        let ask = Ask {
            accept,
            ..Ask::default()
        };
        if ask.accepts_html() {
            Format::Html
        } else {
            Format::Json
        }
    }
}
