//! The letters: a one-time code, a link that lets somebody set a new password, and word of every
//! change. Each says who caused it and what to do if that was not the reader.

use std::net::IpAddr;

use askama::Template;

use crate::portal::Portal;
use crate::portal::errand::{Office, Outage};
use crate::portal::letter::Letter;
use crate::portal::messages::{LetterMessages, Messages};
use crate::portal::request::Request;
use crate::portal::visitor::display_name;
use crate::users::User;

use super::change::Change;

/// Where links in letters lead, but for their value.
const REVOKE_CODE: &str = "/revoke/one-time-code?id=";
const RESET: &str = "/reset-password?token=";
const REVOKE_RESET: &str = "/revoke/reset-password?token=";

/// Everything that a letter says beside its own matter. Nothing of it is borrowed: letters are
/// written where an errand is run.
#[derive(Clone, Debug)]
pub(super) struct Letters {
    t: &'static Messages,
    /// The portal's address, without a slash at its end, and its host.
    base: String,
    host: String,
    /// Who caused the letter.
    asked: IpAddr,
    name: String,
    address: String,
}

#[derive(Template)]
#[template(path = "letters/letter.txt")]
struct Text<'a> {
    greeting: &'a str,
    matter: &'a Matter<'a>,
    asked: &'a str,
}

#[derive(Template)]
#[template(path = "letters/letter.html")]
struct Html<'a> {
    language: &'a str,
    greeting: &'a str,
    matter: &'a Matter<'a>,
    asked: &'a str,
}

/// The matter of one letter.
#[derive(Default)]
struct Matter<'a> {
    title: &'a str,
    text: &'a str,
    code: Option<&'a str>,
    link: Option<(&'a str, &'a str)>,
    details: &'a [(&'a str, &'a str)],
    doubt: &'a str,
    revoke: Option<(&'a str, &'a str)>,
}

impl Portal {
    /// Letters to `user`; `None` where no address is known.
    ///
    /// They lead to the portal that the configuration names. The host that was asked is good enough
    /// only where it names none: it may be any in the cookie domain.
    pub(super) fn letters(&self, user: &User, request: &Request<'_>) -> Option<Letters> {
        let domain = self.settings.domain_of(request.host_name());
        let named = domain.and_then(|(_, domain)| domain.url.clone());
        let base = named.unwrap_or_else(|| request.location(""));
        let host = base
            .split("//")
            .nth(1)
            .and_then(|rest| rest.split('/').next());
        Some(Letters {
            t: request.messages(),
            host: host.unwrap_or_default().to_owned(),
            base,
            asked: request.address,
            name: display_name(user).to_owned(),
            address: user.emails.first()?.clone(),
        })
    }
}

impl Letters {
    /// A one-time code, and the random name by which it is revoked.
    pub(super) fn code(&self, code: &str, id: &str) -> Letter {
        let t = self.words();
        let revoke = &self.link(REVOKE_CODE, id);
        self.write(&Matter {
            title: t.code_title,
            text: &t.code_text.with(&self.host),
            code: Some(code),
            doubt: t.code_doubt,
            revoke: Some((t.code_revoke, revoke)),
            ..Matter::default()
        })
    }

    /// The link with `token` that lets the reader set a new password, and the one that ends it.
    pub(super) fn reset(&self, token: &str) -> Letter {
        let t = self.words();
        let (link, revoke) = (&self.link(RESET, token), &self.link(REVOKE_RESET, token));
        self.write(&Matter {
            title: t.reset_title,
            text: &t.reset_text.with(&self.host),
            link: Some((t.reset_link, link)),
            doubt: t.reset_doubt,
            revoke: Some((t.reset_revoke, revoke)),
            ..Matter::default()
        })
    }

    /// Word of a change.
    pub(super) fn changed(&self, change: &Change) -> Letter {
        let (t, own) = (self.words(), &self.t.app_passwords);
        let (title, text) = match change {
            Change::Add(..) => (t.added_title, t.added_text),
            Change::Remove(..) => (t.removed_title, t.removed_text),
            Change::AddAppPassword(_) => (own.letter_added_title, own.letter_added),
            Change::RevokeAppPassword(_) => (own.letter_revoked_title, own.letter_revoked),
            Change::Password => (t.password_title, t.password_text),
            Change::Reset => (t.password_title, t.password_reset_text),
        };
        let details = match change {
            Change::Add(kind, name) | Change::Remove(kind, name) => {
                vec![(t.kind, kind.label(self.t)), (t.name, name.as_str())]
            }
            Change::AddAppPassword(name) | Change::RevokeAppPassword(name) => {
                vec![(t.name, name.as_str())]
            }
            Change::Password | Change::Reset => Vec::new(),
        };
        self.write(&Matter {
            title,
            text: &text.with(&self.host),
            details: &details,
            doubt: match change {
                Change::AddAppPassword(_) | Change::RevokeAppPassword(_) => own.letter_doubt,
                _ => t.changed_doubt,
            },
            ..Matter::default()
        })
    }

    /// Sends word of a change that has been made. That it cannot be sent undoes nothing; the
    /// sentence about it is for the log.
    pub(super) fn tell(this: Option<&Self>, change: &Change, office: &mut dyn Office) -> Told {
        match this {
            None => Some("no address is known".to_owned()),
            Some(letters) => {
                let sent = office.send(&letters.changed(change));
                sent.err().map(|Outage(sentence)| sentence)
            }
        }
    }

    fn link(&self, place: &str, value: &str) -> String {
        format!("{}{place}{value}", self.base)
    }

    fn words(&self) -> &'static LetterMessages {
        &self.t.account.letters
    }

    fn write(&self, matter: &Matter<'_>) -> Letter {
        let t = self.words();
        let greeting = t.greeting.with(&self.name);
        let asked = t.asked.with(&self.asked.to_string());
        let text = Text {
            greeting: &greeting,
            matter,
            asked: &asked,
        };
        let html = Html {
            language: self.t.language,
            greeting: &greeting,
            matter,
            asked: &asked,
        };
        Letter {
            name: self.name.clone(),
            address: self.address.clone(),
            title: matter.title.to_owned(),
            // Our templates only write strings, and writing to a string does not fail.
            text: text.render().unwrap_or_default(),
            html: html.render().unwrap_or_default(),
        }
    }
}

/// Why nobody was told of a change; `None` when the letter is on its way.
pub(super) type Told = Option<String>;
