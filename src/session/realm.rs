//! One cookie domain: the hosts that share a session, its cookie, and how long it lasts.

use super::{CookieSpec, Ended, Lifetimes, Record, check, domain_id};

/// One cookie domain.
#[derive(Clone, Debug)]
pub struct Realm {
    /// Lower case, without a dot in front; a name or an IPv4 address.
    pub domain: String,
    /// The number by which a [`super::Record`] knows the domain.
    pub id: u64,
    /// The cookie, but for its value.
    pub cookie: CookieSpec,
    /// How long sessions last.
    pub lifetimes: Lifetimes,
    /// Whether a passkey that has verified its user is two factors, see [`super::Methods::level`].
    pub passkey_is_two: bool,
}

impl Realm {
    /// The realm of `domain`, where a passkey is one factor.
    pub fn new(domain: &str, cookie: CookieSpec, lifetimes: Lifetimes) -> Self {
        let domain = domain.to_ascii_lowercase();
        Realm {
            id: domain_id(&domain),
            domain,
            cookie,
            lifetimes,
            passkey_is_two: false,
        }
    }

    /// Whether `host` (without port) lies in this realm: it is the domain or below it, or with a
    /// host-only cookie the domain itself. ASCII case folded.
    pub fn covers(&self, host: &str) -> bool {
        if self.cookie.is_host_only() {
            return self.domain.eq_ignore_ascii_case(host);
        }
        is_inside(host, &self.domain)
    }
}

/// Why a session that is known opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fallen {
    /// It was made for another cookie domain and lives there.
    #[error("session of another cookie domain")]
    Foreign,
    /// It is over.
    #[error(transparent)]
    Over(#[from] Ended),
}

/// Whether the session of `record` opens anything in `realm` at `now`.
///
/// # Errors
/// Why it does not.
pub fn standing(record: &Record, realm: &Realm, now: u64) -> Result<(), Fallen> {
    if record.domain != realm.id || record.level() == 0 {
        return Err(Fallen::Foreign);
    }
    Ok(check(record, &realm.lifetimes, now)?)
}

/// Whether `host` is `domain` or below it, ASCII case folded.
pub fn is_inside(host: &str, domain: &str) -> bool {
    let (domain, host) = (domain.as_bytes(), host.as_bytes());
    let Some(cut) = host.len().checked_sub(domain.len()) else {
        return false;
    };
    let (front, back) = host.split_at(cut);
    (back == domain || back.eq_ignore_ascii_case(domain))
        && front.last().is_none_or(|byte| *byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::CrossSite;

    #[test]
    fn a_domain_covers_itself_and_what_is_below() {
        let inside = |host| is_inside(host, "example.com");
        assert!(inside("example.com"));
        assert!(inside("A.Example.COM"));
        assert!(inside("a.b.example.com"));
        assert!(!inside("badexample.com"));
        assert!(!inside("example.com.evil.org"));
        assert!(!inside("com"));
        assert!(!inside(""));
    }

    #[test]
    fn a_host_only_realm_covers_one_host() {
        let lifetimes = Lifetimes {
            expiration: 1,
            inactivity: 1,
            remember_me: None,
        };
        let realm = |host_only| {
            let cookie = CookieSpec::new("s", "example.com", CrossSite::Lax, host_only).unwrap();
            Realm::new("Example.com", cookie, lifetimes)
        };
        assert!(realm(true).covers("example.COM") && !realm(true).covers("a.example.com"));
        assert!(realm(false).covers("a.example.com"));
    }
}
