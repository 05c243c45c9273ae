//! Who asks: the portal under one host name.

use sha2::{Digest, Sha256};
use url::Url;

/// The relying party: an id that credentials are bound to, and the origins that may use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelyingParty {
    id: String,
    origins: Vec<String>,
}

/// This address cannot ask for credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadParty {
    /// Not `https://` and a name. Browsers know no credentials of addresses.
    #[error("address is not https with a host name")]
    Address,
    /// Not the host of the relying party, nor one below it.
    #[error("host is neither the relying party nor below it")]
    Foreign,
}

impl RelyingParty {
    /// The portal at `portal`, as Authelia has it: the id is the host, and only the portal's own
    /// origin may use it.
    ///
    /// # Errors
    /// [`BadParty::Address`].
    pub fn new(portal: &Url) -> Result<RelyingParty, BadParty> {
        Ok(RelyingParty {
            id: host(portal)?.to_owned(),
            origins: vec![portal.origin().ascii_serialization()],
        })
    }

    /// Lets another origin use it, too: another port, or a host below.
    ///
    /// # Errors
    /// Why it may not.
    pub fn allow(&mut self, address: &Url) -> Result<(), BadParty> {
        let host = host(address)?;
        let above = host.strip_suffix(self.id.as_str());
        if !above.is_some_and(|above| above.is_empty() || above.ends_with('.')) {
            return Err(BadParty::Foreign);
        }
        self.origins.push(address.origin().ascii_serialization());
        Ok(())
    }

    /// The id: the host name of the portal.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The portal's own origin, under which U2F keys from before WebAuthn know it.
    pub fn app_id(&self) -> &str {
        &self.origins[0]
    }

    /// Whether a page of `origin`, as browsers write it, may use it.
    pub(super) fn has(&self, origin: &str) -> bool {
        self.origins.iter().any(|own| own == origin)
    }

    /// Whether authenticator data begin with the hash of the id.
    pub(super) fn is(&self, hash: &[u8; 32]) -> bool {
        Sha256::digest(&self.id)[..] == hash[..]
    }

    /// The same of the id of U2F.
    pub(super) fn is_app(&self, hash: &[u8; 32]) -> bool {
        Sha256::digest(self.app_id())[..] == hash[..]
    }
}

fn host(address: &Url) -> Result<&str, BadParty> {
    address
        .domain()
        .filter(|_| address.scheme() == "https")
        .ok_or(BadParty::Address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn party(address: &str) -> Result<RelyingParty, BadParty> {
        RelyingParty::new(&Url::parse(address).unwrap())
    }

    #[test]
    fn the_host_is_the_id_and_the_origin_is_exact() {
        let party = party("https://Auth.Example.com/sso/?x").unwrap();
        assert_eq!(party.id(), "auth.example.com");
        assert!(party.has("https://auth.example.com"));
        for other in [
            "http://auth.example.com",
            "https://auth.example.com:8443",
            "https://auth.example.com/",
            "https://a.auth.example.com",
            "https://example.com",
            "https://auth.example.com.evil.test",
            "https://evil.test",
            "null",
            "",
        ] {
            assert!(!party.has(other), "{other}");
        }
    }

    #[test]
    fn a_port_belongs_to_the_origin() {
        let party = party("https://auth.example.com:8443").unwrap();
        assert!(party.has("https://auth.example.com:8443"));
        assert!(!party.has("https://auth.example.com"));
    }

    #[test]
    fn only_https_and_names() {
        for address in [
            "http://auth.example.com",
            "https://127.0.0.1",
            "https://[::1]/",
        ] {
            assert_eq!(party(address), Err(BadParty::Address), "{address}");
        }
    }

    #[test]
    fn others_only_below_it() {
        let mut party = party("https://example.com").unwrap();
        let allow = |party: &mut RelyingParty, address| party.allow(&Url::parse(address).unwrap());
        assert_eq!(allow(&mut party, "https://auth.example.com:444/"), Ok(()));
        assert!(party.has("https://auth.example.com:444"));
        for foreign in [
            "https://evilexample.com",
            "https://com",
            "https://example.org",
        ] {
            assert_eq!(
                allow(&mut party, foreign),
                Err(BadParty::Foreign),
                "{foreign}"
            );
        }
        assert_eq!(
            allow(&mut party, "http://auth.example.com"),
            Err(BadParty::Address)
        );
    }
}
