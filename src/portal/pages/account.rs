//! The pages on which users change their factors, password and sessions, and of the way back in.

use askama::Template;

use super::Frame;
use crate::portal::messages::Messages;

/// A link: address and text.
pub(in crate::portal) type Link = (String, &'static str);

/// A way from the overview: address, heading, explanation.
pub(in crate::portal) type Way = (String, &'static str, &'static str);

/// What can be changed.
#[derive(Template)]
#[template(path = "account/overview.html")]
pub(in crate::portal) struct OverviewPage<'a> {
    pub frame: Frame,
    pub t: &'static Messages,
    pub note: Option<&'static str>,
    pub name: &'a str,
    pub login: &'a str,
    pub ways: Vec<Way>,
    pub back: Link,
}

/// One kind of second factor and what is enrolled of it.
pub(in crate::portal) struct Section {
    pub heading: &'static str,
    pub text: &'static str,
    pub devices: Vec<DeviceLine>,
    pub add: Link,
}

/// One device in a list.
pub(in crate::portal) struct DeviceLine {
    pub name: String,
    pub when: String,
    pub address: String,
}

/// Which factor is asked for first, and what could be instead.
pub(in crate::portal) struct Preferred {
    pub text: String,
    pub action: String,
    pub token: String,
    pub others: Vec<(&'static str, String)>,
}

/// All second factors of a user.
#[derive(Template)]
#[template(path = "account/factors.html")]
pub(in crate::portal) struct FactorsPage {
    pub frame: Frame,
    pub t: &'static Messages,
    pub note: Option<&'static str>,
    pub sections: Vec<Section>,
    pub preferred: Option<Preferred>,
    pub back: Link,
}

/// What a new device is to be called, and how its codes are made where there is a choice.
#[derive(Template)]
#[template(path = "account/name.html")]
pub(in crate::portal) struct NamePage<'a> {
    pub frame: Frame,
    pub t: &'static Messages,
    pub heading: &'static str,
    pub text: &'static str,
    pub action: String,
    pub token: String,
    pub name: &'a str,
    pub alert: Option<&'static str>,
    pub error: Option<&'static str>,
    pub choices: Vec<Choice>,
    pub back: Link,
}

/// Something to choose from a list: field, label, and what there is, the default first.
pub(in crate::portal) struct Choice {
    pub field: &'static str,
    pub label: &'static str,
    pub values: Vec<String>,
}

/// A secret for an app, until its first code.
#[derive(Template)]
#[template(path = "account/totp.html")]
pub(in crate::portal) struct TotpPage<'a> {
    pub frame: Frame,
    pub t: &'static Messages,
    /// An `<svg>` of ours.
    pub qr: &'a str,
    pub address: &'a str,
    /// The secret in groups of letters.
    pub secret: &'a str,
    pub action: String,
    pub token: String,
    pub error: Option<&'static str>,
    pub back: Link,
}

/// A key that the browser is to ask.
#[derive(Template)]
#[template(path = "account/key.html")]
pub(in crate::portal) struct KeyPage<'a> {
    pub frame: Frame,
    pub t: &'static Messages,
    pub name: &'a str,
    pub action: String,
    pub token: String,
    pub options: &'a str,
    pub script: String,
    pub back: Link,
}

/// One device: another name, or its end.
#[derive(Template)]
#[template(path = "account/device.html")]
pub(in crate::portal) struct DevicePage<'a> {
    pub frame: Frame,
    pub t: &'static Messages,
    pub kind: &'static str,
    pub heading: &'a str,
    pub when: &'a str,
    pub action: String,
    pub token: String,
    pub name: &'a str,
    pub error: Option<&'static str>,
    pub back: Link,
}

/// A new password, after the old one or by a mailed link.
#[derive(Template)]
#[template(path = "account/password.html")]
pub(in crate::portal) struct PasswordPage<'a> {
    pub frame: Frame,
    pub t: &'static Messages,
    pub heading: &'static str,
    pub text: String,
    pub login: &'a str,
    pub action: String,
    pub token: String,
    /// The token of a mailed link; empty where the old password is asked for.
    pub link: &'a str,
    pub alert: Option<&'static str>,
    pub old_error: Option<&'static str>,
    pub new_error: Option<String>,
    pub again_error: Option<&'static str>,
    pub back: Link,
}

/// One session in a list.
pub(in crate::portal) struct SessionLine {
    pub heading: String,
    pub details: Vec<String>,
    /// By what its button names it; `None` for the one that looks at the page.
    pub id: Option<String>,
}

/// All sessions of a user.
#[derive(Template)]
#[template(path = "account/sessions.html")]
pub(in crate::portal) struct SessionsPage {
    pub frame: Frame,
    pub t: &'static Messages,
    pub note: Option<&'static str>,
    pub action: String,
    pub token: String,
    pub sessions: Vec<SessionLine>,
    pub others: bool,
    pub back: Link,
}

/// What is needed before something is changed.
#[derive(Template)]
#[template(path = "account/leave.html")]
pub(in crate::portal) struct LeavePage<'a> {
    pub frame: Frame,
    pub t: &'static Messages,
    pub text: String,
    /// Whether a code can be asked for, and whether one was.
    pub code: bool,
    pub sent: bool,
    pub action: String,
    pub token: String,
    pub to: &'a str,
    pub error: Option<&'static str>,
    pub next: Option<Link>,
    pub back: Link,
}

/// Who has lost the password.
#[derive(Template)]
#[template(path = "account/forgot.html")]
pub(in crate::portal) struct ForgotPage<'a> {
    pub frame: Frame,
    pub t: &'static Messages,
    pub action: String,
    pub token: String,
    pub username: &'a str,
    pub email_login: bool,
    pub alert: Option<&'static str>,
    pub error: Option<&'static str>,
    pub back: Link,
}

/// A question before something is ended.
#[derive(Template)]
#[template(path = "account/question.html")]
pub(in crate::portal) struct QuestionPage<'a> {
    pub frame: Frame,
    pub heading: &'static str,
    pub text: &'static str,
    pub action: String,
    pub token: String,
    pub value: &'a str,
    pub alert: Option<&'static str>,
    pub button: &'static str,
    pub back: Link,
}
