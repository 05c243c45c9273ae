//! Lines of the log that programs read: words and quoted values under fixed keys.
//!
//! What a visitor chose is quoted, cut, and stands behind everything that was not: neither a name nor a
//! sentence can look like another field, another line, or the address of somebody else.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::net::IpAddr;

use cookie::time::OffsetDateTime;

use super::account::{Change, Kind};
use super::event::{Aim, Event, Failure, Why};
use crate::users::app_password::{PREFIX, Token};

/// Longest value in quotes, in bytes: a line of nginx's has 2048, and there may be three of them.
const LONGEST: usize = 384;

/// A line as it grows, field by field.
#[derive(Clone, Debug)]
pub struct Line(String);

impl Line {
    /// A line about an event of that name.
    pub fn new(event: &'static str) -> Self {
        Line(format!("event={event}"))
    }

    /// Adds a word of ours.
    pub fn word(mut self, key: &'static str, word: &'static str) -> Self {
        self.put(format_args!(" {key}={word}"));
        self
    }

    /// Adds a number.
    pub fn number(mut self, key: &'static str, number: usize) -> Self {
        self.put(format_args!(" {key}={number}"));
        self
    }

    /// Adds an address.
    pub fn address(mut self, key: &'static str, address: IpAddr) -> Self {
        self.put(format_args!(" {key}={address}"));
        self
    }

    /// Adds a time (Unix seconds), in UTC; nothing for one beyond the year 9999.
    pub fn time(mut self, key: &'static str, seconds: u64) -> Self {
        let time = i64::try_from(seconds).ok();
        if let Some(time) = time.and_then(|time| OffsetDateTime::from_unix_timestamp(time).ok()) {
            let (hour, minute, second) = time.to_hms();
            let date = time.date();
            self.put(format_args!(
                " {key}={date}T{hour:02}:{minute:02}:{second:02}Z"
            ));
        }
        self
    }

    /// Adds a text that anybody may have chosen.
    pub fn text(mut self, key: &'static str, text: &str) -> Self {
        self.put(format_args!(" {key}=\""));
        let start = self.0.len();
        for c in text.chars() {
            let before = self.0.len();
            match c {
                // In double quotes it needs no escape.
                '\'' => self.0.push(c),
                c => self.put(format_args!("{}", c.escape_debug())),
            }
            if self.0.len() - start > LONGEST {
                self.0.truncate(before);
                self.0.push('…');
                break;
            }
        }
        self.0.push('"');
        self
    }

    fn maybe(self, key: &'static str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(key, text),
            None => self,
        }
    }

    fn put(&mut self, text: fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.0.write_fmt(text);
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Event {
    /// The line about it, `client` being the address that failures are held against. `None` for what
    /// is not logged.
    pub fn line(&self, client: Option<IpAddr>) -> Option<Line> {
        let begin_at = |event, result, client: Option<IpAddr>| {
            let line = Line::new(event).word("result", result);
            match client {
                Some(client) => line.address("client", client),
                None => line,
            }
        };
        let begin = |event, result| begin_at(event, result, client);
        Some(match self {
            Event::SignIn(user, method) => begin("sign_in", "success")
                .word("method", method.word())
                .text("user", user),
            Event::Prove(user, method) => begin("step_up", "success")
                .word("method", method.word())
                .text("user", user),
            Event::Fail(failure) => failure.fill(begin_at(
                failure.aim.word(),
                failure.why.word(),
                failure.address.or(client),
            )),
            Event::Pass(_) | Event::TurnAway(_) => return None,
            Event::SignOut(user) => begin("sign_out", "success").text("user", user),
            Event::SignOutEverywhere(user, count) => begin("sign_out", "success")
                .number("count", *count)
                .text("user", user),
            Event::Leave(user) => begin("elevate", "success").text("user", user),
            Event::NoLeave(user) => begin("elevate", "failure").text("user", user),
            Event::WrongPassword(user) => begin("change_password", "failure").text("user", user),
            Event::Change(user, change, told) => {
                let line = change.begin(begin(change.event(), "success"));
                let line = match told {
                    Some(_) => line.word("notified", "no"),
                    None => line,
                };
                line.text("user", user)
                    .maybe("name", change.name())
                    .maybe("reason", told.as_deref())
            }
            Event::NoKey(user, why) => begin("add_factor", "failure")
                .word("kind", kind(Kind::Key))
                .text("user", user)
                .text("reason", why),
            Event::AskReset(typed) => begin("ask_reset", "success").text("user", typed),
            Event::EndSessions(user, count) => begin("end_sessions", "success")
                .number("count", *count)
                .text("user", user),
            Event::Outage(sentence) => begin("outage", "error").text("reason", sentence),
            Event::Misask(misask) => begin("misask", "error")
                .text("endpoint", &misask.endpoint)
                .text("reason", &misask.sentence),
        })
    }
}

impl Failure {
    fn fill(&self, line: Line) -> Line {
        let line = line.word("method", self.method.word());
        line.maybe("user", self.user.as_deref().map(shown).as_deref())
            .maybe("reason", self.why.sentence())
    }
}

/// A name as it was typed. Many programs want a token in the place of the name, and the secret of one is
/// nothing for a log.
fn shown(typed: &str) -> Cow<'_, str> {
    match Token::read(typed) {
        Some(token) => format!("{PREFIX}{}…", token.id()).into(),
        None => typed.into(),
    }
}

impl Aim {
    const fn word(self) -> &'static str {
        match self {
            Aim::SignIn => "sign_in",
            Aim::StepUp => "step_up",
        }
    }
}

impl Why {
    const fn word(&self) -> &'static str {
        match self {
            Why::Wrong | Why::Says(_) => "failure",
            Why::Banned => "banned",
            Why::Lost => "error",
        }
    }

    fn sentence(&self) -> Option<&str> {
        match self {
            Why::Wrong | Why::Banned => None,
            Why::Lost => Some("no session could be kept"),
            Why::Says(sentence) => Some(sentence),
        }
    }
}

impl Change {
    const fn event(&self) -> &'static str {
        match self {
            Change::Add(..) => "add_factor",
            Change::Remove(..) => "remove_factor",
            Change::AddAppPassword(_) => "add_app_password",
            Change::RevokeAppPassword(_) => "revoke_app_password",
            Change::Password => "change_password",
            Change::Reset => "reset_password",
        }
    }

    fn begin(&self, line: Line) -> Line {
        match self {
            Change::Add(which, _) | Change::Remove(which, _) => line.word("kind", kind(*which)),
            _ => line,
        }
    }

    fn name(&self) -> Option<&str> {
        match self {
            Change::Add(_, name)
            | Change::Remove(_, name)
            | Change::AddAppPassword(name)
            | Change::RevokeAppPassword(name) => Some(name),
            Change::Password | Change::Reset => None,
        }
    }
}

const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Totp => "totp",
        Kind::Key => "webauthn",
    }
}

#[cfg(test)]
mod tests;
