//! What the portal takes from the configuration.

use crate::factors::{totp, webauthn};
use crate::session::Realm;
use crate::store::SecondFactor;
use crate::users::PasswordPolicy;

use super::doors::Endpoint;
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
    /// What can be proven beside the password.
    pub second: SecondFactors,
    /// What users may change themselves.
    pub account: Account,
    /// `server.endpoints.authz`.
    pub endpoints: Vec<Endpoint>,
}

/// What can be proven beside the password. Without a store there is nothing.
#[derive(Clone, Debug, Default)]
pub struct SecondFactors {
    /// One-time codes, where they are on.
    pub totp: Option<totp::Settings>,
    /// Keys and passkeys, where they are on.
    pub webauthn: Option<webauthn::Settings>,
    /// `default_2fa_method`: for users who prefer none.
    pub default: Option<SecondFactor>,
}

/// What users may change themselves.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// `identity_validation.elevated_session`.
    pub elevation: Elevation,
    /// `identity_validation.reset_password`; `None` where passwords cannot be reset.
    pub reset: Option<Reset>,
    /// Whether the password can be changed by who knows the old one.
    pub change_password: bool,
    /// What a new password must be like.
    pub policy: PasswordPolicy,
    /// `app_passwords`; `None` where there are none.
    pub app_passwords: Option<AppPasswords>,
}

/// `app_passwords`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppPasswords {
    /// Seconds after which a new one is over at the latest; `None`: it may be without end.
    pub maximum_lifetime: Option<u64>,
}

/// `identity_validation.elevated_session`.
#[derive(Clone, Debug)]
pub struct Elevation {
    /// Seconds that a mailed code is good for.
    pub code_lifespan: u64,
    /// Seconds that the leave lasts.
    pub lifespan: u64,
    /// Characters of a code.
    pub characters: usize,
    /// Who has a second factor must have proven it.
    pub require_second_factor: bool,
    /// Who has proven it needs no code.
    pub skip_second_factor: bool,
}

/// How a lost password is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reset {
    /// By a link that is good for so many seconds.
    Link {
        /// Seconds.
        lifespan: u64,
    },
    /// Elsewhere: `authentication_backend.password_reset.custom_url`.
    Elsewhere(String),
}

impl Default for Elevation {
    /// Authelia's.
    fn default() -> Self {
        Elevation {
            code_lifespan: 300,
            lifespan: 600,
            characters: 8,
            require_second_factor: false,
            skip_second_factor: false,
        }
    }
}

/// One cookie domain.
#[derive(Clone, Debug)]
pub struct Domain {
    /// The domain, its cookie and its lifetimes.
    pub realm: Realm,
    /// Where a visitor goes who came from nowhere.
    pub default_redirection_url: Option<String>,
    /// The address of the portal without a slash at its end, where the file names it. Letters lead
    /// there.
    pub url: Option<String>,
    /// The same as it is written into a `Location`: with the path that it has.
    pub login: Option<String>,
    /// As whom authenticators know the portal; `None` where the file names no address of it.
    pub party: Option<webauthn::RelyingParty>,
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
