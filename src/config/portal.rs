//! What the portal room takes from a configuration.

use super::{Config, CookieDomain};
use crate::portal::{Account, Domain, SecondFactors, Settings};

impl Config {
    /// The settings of the portal.
    pub fn portal_settings(&self) -> Settings {
        Settings {
            theme: self.theme,
            domains: self.session.cookies.iter().map(domain).collect(),
            default_redirection_url: self
                .default_redirection_url
                .as_ref()
                .map(ToString::to_string),
            email_login: self.users_file.matching.search_email,
            second: SecondFactors::default(),
            account: Account::default(),
        }
    }
}

fn domain(cookie: &CookieDomain) -> Domain {
    Domain {
        realm: cookie.realm.clone(),
        default_redirection_url: cookie
            .default_redirection_url
            .as_ref()
            .map(ToString::to_string),
        party: None,
    }
}
