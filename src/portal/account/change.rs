//! What users can change of themselves, for letters and for the log.

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
    /// An app password was made; its name.
    AddAppPassword(String),
    /// An app password was revoked; its name.
    RevokeAppPassword(String),
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
