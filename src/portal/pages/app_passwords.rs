//! The pages of app passwords.

use askama::Template;

use super::{Frame, Link};
use crate::portal::messages::Messages;

/// All app passwords of a user.
#[derive(Template)]
#[template(path = "account/app_passwords.html")]
pub(in crate::portal) struct AppPasswordsPage {
    pub frame: Frame,
    pub t: &'static Messages,
    pub note: Option<&'static str>,
    pub lines: Vec<AppPasswordLine>,
    pub add: String,
    pub back: Link,
}

/// One in the list.
pub(in crate::portal) struct AppPasswordLine {
    pub name: String,
    pub facts: [String; 2],
    pub address: String,
}

/// How long one may be good for.
pub(in crate::portal) struct Lifetime {
    pub value: String,
    pub label: String,
    pub chosen: bool,
}

/// What a new one is to be.
#[derive(Template)]
#[template(path = "account/new_app_password.html")]
pub(in crate::portal) struct NewAppPasswordPage {
    pub frame: Frame,
    pub t: &'static Messages,
    pub action: String,
    pub token: String,
    pub lifetimes: Vec<Lifetime>,
    pub name: String,
    pub hosts: String,
    pub name_error: Option<&'static str>,
    pub hosts_error: Option<String>,
    pub lifetime_error: Option<&'static str>,
    pub back: Link,
}

/// A new one, the only time that it is shown.
#[derive(Template)]
#[template(path = "account/made_app_password.html")]
pub(in crate::portal) struct MadePage<'a> {
    pub frame: Frame,
    pub t: &'static Messages,
    pub name: &'a str,
    pub user: &'a str,
    pub facts: String,
    pub value: &'a str,
    pub done: String,
}

/// One of them, and the way to revoke it.
#[derive(Template)]
#[template(path = "account/app_password.html")]
pub(in crate::portal) struct AppPasswordPage<'a> {
    pub frame: Frame,
    pub t: &'static Messages,
    pub heading: &'a str,
    pub facts: [String; 2],
    pub action: String,
    pub token: String,
    pub back: Link,
}
