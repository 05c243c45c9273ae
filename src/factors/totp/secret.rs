//! The secret that an app and we share.

use secrecy::{ExposeSecret, SecretSlice, SecretString};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const LONGEST: usize = 256;

/// A shared secret. It is wiped when it is dropped, and never printed.
#[derive(Clone, Debug)]
pub struct Secret(SecretSlice<u8>);

/// This is no secret of an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSecret {
    /// Empty, or longer than 256 bytes.
    #[error("secret is empty or longer than 256 bytes")]
    Length,
    /// Not base32.
    #[error("secret is not base32")]
    Base32,
}

impl Secret {
    /// A secret of these bytes, which come from a cryptographic random source.
    ///
    /// # Errors
    /// [`BadSecret::Length`].
    pub fn new(bytes: Vec<u8>) -> Result<Secret, BadSecret> {
        let bytes = Zeroizing::new(bytes);
        if bytes.is_empty() || bytes.len() > LONGEST {
            return Err(BadSecret::Length);
        }
        Ok(Secret(bytes.to_vec().into()))
    }

    /// The secret that is written `base32`, as stores keep it and people copy it: in any case, with
    /// spaces, with padding or without.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(base32: &str) -> Result<Secret, BadSecret> {
        if base32.len() > 4 * LONGEST {
            return Err(BadSecret::Length);
        }
        let letters = base32.chars().filter(|char| !char.is_ascii_whitespace());
        let letters = Zeroizing::new(letters.collect::<String>());
        let letters = Zeroizing::new(letters.trim_end_matches('=').to_ascii_uppercase());
        if letters.is_empty() {
            return Err(BadSecret::Length);
        }
        let secret = totp_rs::Secret::try_from_base32(&*letters).map_err(|_| BadSecret::Base32)?;
        Secret::new(secret.as_bytes().to_vec())
    }

    /// The bytes, as a store keeps them.
    pub fn bytes(&self) -> SecretSlice<u8> {
        self.0.clone()
    }

    /// In base32 without padding.
    pub fn base32(&self) -> SecretString {
        self.inner().to_base32().into()
    }

    pub(super) fn inner(&self) -> totp_rs::Secret {
        totp_rs::Secret::new(self.0.expose_secret().into())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose_secret().ct_eq(other.0.expose_secret()).into()
    }
}

impl Eq for Secret {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_there_and_back() {
        let secret = Secret::new((0..32).collect()).unwrap();
        let written = secret.base32();
        assert_eq!(
            written.expose_secret(),
            "AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQTCQKRMFYYDENBWHA5DYPQ"
        );
        assert_eq!(Secret::parse(written.expose_secret()), Ok(secret.clone()));
        let copied = "aaaq eaye auda ocaj bifq ydio b4ib ceqt cqkr mfyy denb wha5 dypq====";
        assert_eq!(Secret::parse(copied), Ok(secret));
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in ["", " ", "===="] {
            assert_eq!(Secret::parse(text), Err(BadSecret::Length), "{text:?}");
        }
        for text in ["0189", "AAAQ=EAYE", "ÄAAQ", "AAAQ-EAYE"] {
            assert_eq!(Secret::parse(text), Err(BadSecret::Base32), "{text:?}");
        }
        assert_eq!(Secret::parse(&"A".repeat(2000)), Err(BadSecret::Length));
        assert_eq!(Secret::new(Vec::new()), Err(BadSecret::Length));
    }

    #[test]
    fn it_is_not_printed() {
        let secret = Secret::parse("JBSWY3DPEHPK3PXP").unwrap();
        let shown = format!("{secret:?} {:?}", secret.base32());
        assert!(!shown.contains("JBSW") && !shown.contains("72"), "{shown}");
    }
}
