//! What users can change of themselves, for letters and for the log.

use std::fmt;

use crate::portal::messages::Messages;

/// A kind of second factor that users enrol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One-time codes of an app.
    Totp,
    /// A security key or passkey.
    Key,
}

/// A change that a user has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A second factor was added; its name.
    Add(Kind, String),
    /// A second factor was removed; its name.
    Remove(Kind, String),
    /// The password was changed by who knew the old one.
    Password,
    /// The password was replaced by who had the mail.
    Reset,
}

impl Kind {
    /// The word for it in addresses of pages.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Kind::Totp => "totp",
            Kind::Key => "key",
        }
    }

    /// The kind of a word.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        [Kind::Totp, Kind::Key]
            .into_iter()
            .find(|kind| kind.word() == word)
    }

    /// What people call it.
    pub(super) fn label(self, t: &Messages) -> &'static str {
        match self {
            Kind::Totp => t.account.totp,
            Kind::Key => t.account.key,
        }
    }
}

impl fmt::Display for Change {
    /// Control characters in a name are escaped, so that it stays on its line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = |kind: &Kind| match kind {
            Kind::Totp => "TOTP device",
            Kind::Key => "security key",
        };
        match self {
            Change::Add(which, name) => write!(f, "added the {} {name:?}", kind(which)),
            Change::Remove(which, name) => write!(f, "removed the {} {name:?}", kind(which)),
            Change::Password => f.write_str("changed the password"),
            Change::Reset => f.write_str("set a new password by a mailed link"),
        }
    }
}
