//! What the portal room takes from a configuration.

use super::{Config, CookieDomain};
use crate::factors::webauthn::RelyingParty;
use crate::portal::{Domain, Settings};

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
            second: self.second.clone(),
            account: self.account.clone(),
            endpoints: self.endpoints.clone(),
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
        url: cookie
            .authelia_url
            .as_ref()
            .map(|url| url.as_str().trim_end_matches('/').to_owned()),
        login: cookie.authelia_url.as_ref().map(ToString::to_string),
        // An address instead of a name has no party: browsers know no credentials of it.
        party: cookie
            .authelia_url
            .as_ref()
            .and_then(|url| RelyingParty::new(url).ok()),
    }
}
