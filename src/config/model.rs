//! What a configuration says, in the values of the other rooms.

use std::path::PathBuf;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::access::Rules;
use crate::mail::Notifier;
use crate::portal::{Account, Endpoint, RateLimits, SecondFactors, Theme};
use crate::session::Realm;
use crate::store::{RedisSettings, StorageKey};
use crate::users::regulation::Settings;
use crate::users::{Directory, HashParameters, Matching};

/// A whole configuration, checked.
#[derive(Debug)]
pub struct Config {
    /// `theme`.
    pub theme: Theme,
    /// `access_control`.
    pub rules: Rules,
    /// `session`.
    pub session: Sessions,
    /// `authentication_backend.file`.
    pub users_file: UsersFile,
    /// Who is in the users file.
    pub directory: Arc<Directory>,
    /// `regulation`.
    pub regulation: Settings,
    /// `storage`; `None` where the file names no local one.
    pub storage: Option<Storage>,
    /// `totp`, `webauthn`, `default_2fa_method`; nothing without `storage`.
    pub second: SecondFactors,
    /// `identity_validation`, `password_policy` and what users may change.
    pub account: Account,
    /// `notifier`.
    pub notifier: Option<Notifier>,
    /// `server.endpoints.rate_limits`.
    pub rate_limits: RateLimits,
    /// `server.endpoints.authz`.
    pub endpoints: Vec<Endpoint>,
    /// `default_redirection_url` of old files; the cookie domains have it, too.
    pub default_redirection_url: Option<Url>,
}

/// `session`.
#[derive(Debug)]
pub struct Sessions {
    /// `session.secret`; without one the key is random.
    pub secret: Option<SecretString>,
    /// `session.cookies`, at least one, in the order of the file.
    pub cookies: Vec<CookieDomain>,
    /// `session.redis`: where sessions are kept that several machines share.
    pub redis: Option<RedisSettings>,
}

/// One entry of `session.cookies`.
#[derive(Clone, Debug)]
pub struct CookieDomain {
    /// The domain, its cookie and its lifetimes.
    pub realm: Realm,
    /// Where the portal is: https, host inside the domain, its path ending in `/`. Only old files
    /// (`session.domain`) may lack it.
    pub authelia_url: Option<Url>,
    /// Where to go after a login without a return address.
    pub default_redirection_url: Option<Url>,
}

/// `authentication_backend.file`.
#[derive(Clone, Debug)]
pub struct UsersFile {
    /// Absolute whenever the path of the configuration is.
    pub path: PathBuf,
    /// Whether a changed file is read again.
    pub watch: bool,
    /// `search`.
    pub matching: Matching,
    /// `password`: how new hashes are made.
    pub password: HashParameters,
    /// `authentication_backend.refresh_interval`.
    pub refresh_interval: RefreshInterval,
    /// `extra_attributes`, by name.
    pub extra_attributes: Vec<ExtraAttribute>,
}

/// `storage`, with the embedded engine.
#[derive(Clone, Debug)]
pub struct Storage {
    /// `storage.local.path`; absolute whenever the path of the configuration is.
    pub path: PathBuf,
    /// `storage.encryption_key`.
    pub encryption_key: SecretString,
}

/// How often a session looks up its user's groups and addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshInterval {
    /// On every request; the default where the users file is watched.
    Always,
    /// Only at login.
    Never,
    /// After so many seconds; 300 is the default.
    Every(u64),
}

/// One entry of `extra_attributes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraAttribute {
    /// Name below `extra` of a user.
    pub name: String,
    /// What its value must be.
    pub value_type: ValueType,
    /// Whether it is a list of such values.
    pub multi_valued: bool,
}

/// `value_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// Any text.
    String,
    /// A number.
    Integer,
    /// `true` or `false`.
    Boolean,
}

impl Sessions {
    /// How to speak to the store that several machines share, and its key, which is made from
    /// [`Sessions::secret`]; nothing where there is no such store.
    pub fn shared_store(&self) -> Option<(&RedisSettings, StorageKey)> {
        let secret = self.secret.as_ref()?;
        let key = StorageKey::derive(secret.expose_secret().as_bytes());
        Some((self.redis.as_ref()?, key))
    }

    /// The cookie domain that `host` (without port) lies in, and its place in the list: the first
    /// that covers it.
    pub fn domain_of(&self, host: &str) -> Option<(usize, &CookieDomain)> {
        let covers = |cookie: &CookieDomain| cookie.realm.covers(host);
        self.cookies.iter().enumerate().find(|(_, c)| covers(c))
    }
}
