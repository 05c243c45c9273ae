//! What the portal takes from the configuration.

use crate::session::Realm;

use super::return_address::is_plain;

/// The portal's settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Colours of the pages.
    pub theme: Theme,
    /// The cookie domains in the order of the configuration; the first that holds a host counts.
    pub domains: Vec<Domain>,
    /// Where a visitor goes who came from nowhere, when the domain names no such address.
    pub default_redirection_url: Option<String>,
    /// Whether an e-mail address may be typed as the name.
    pub email_login: bool,
}

/// One cookie domain.
#[derive(Clone, Debug)]
pub struct Domain {
    /// The domain, its cookie and its lifetimes.
    pub realm: Realm,
    /// Where a visitor goes who came from nowhere.
    pub default_redirection_url: Option<String>,
}

/// Colours of the pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Dark on white.
    #[default]
    Light,
    /// Light on dark blue.
    Dark,
    /// Light on neutral grey.
    Grey,
    /// Light on black.
    Oled,
    /// What the visitor's system prefers.
    Auto,
}

impl Settings {
    /// The first cookie domain that `host` (without port and final dot) lies in, and its place.
    /// A host with characters that no host name has lies in none.
    pub fn domain_of(&self, host: &str) -> Option<(usize, &Domain)> {
        let host = Some(host.to_ascii_lowercase()).filter(|host| is_plain(host))?;
        self.domains
            .iter()
            .enumerate()
            .find(|(_, d)| d.realm.covers(&host))
    }

    /// Whether `host` (without port) lies in any cookie domain.
    pub fn covers(&self, host: &str) -> bool {
        self.domains.iter().any(|d| d.realm.covers(host))
    }

    /// Where a visitor of `domain` goes who came from nowhere.
    pub fn start_page<'a>(&'a self, domain: &'a Domain) -> Option<&'a str> {
        domain
            .default_redirection_url
            .as_deref()
            .or(self.default_redirection_url.as_deref())
    }
}

impl Theme {
    /// The word that the configuration uses.
    pub fn word(self) -> &'static str {
        match self {
            Theme::Light => "light",
            Theme::Dark => "dark",
            Theme::Grey => "grey",
            Theme::Oled => "oled",
            Theme::Auto => "auto",
        }
    }

    /// The theme that `word` names.
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Theme::Light,
            Theme::Dark,
            Theme::Grey,
            Theme::Oled,
            Theme::Auto,
        ]
        .into_iter()
        .find(|theme| theme.word() == word)
    }
}
