//! The random values of a ceremony: what is asked, and what a user is called.

use std::fmt;

use serde::{Serialize, Serializer};
use subtle::ConstantTimeEq;

use super::json;

/// What an authenticator has to sign. Good for one answer, and for as long as the browser waits.
#[derive(Clone, Copy)]
pub struct Challenge([u8; 32]);

/// What authenticators call a user: random, so that it tells nobody who that is, and the same for
/// all credentials of that user with one relying party.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UserHandle(Vec<u8>);

impl Challenge {
    /// A challenge of 32 bytes from a cryptographic random source.
    pub fn new(random: [u8; 32]) -> Challenge {
        Challenge(random)
    }

    /// The bytes, to keep them until the answer comes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether `text` of the client data is this one in base64url.
    pub(super) fn is(&self, text: &str) -> bool {
        json::decode(text, self.0.len()).is_some_and(|bytes| bytes.ct_eq(&self.0).into())
    }
}

impl UserHandle {
    /// A handle from 48 bytes of a cryptographic random source: 64 letters, which is what stores
    /// have room for and can show.
    pub fn new(random: [u8; 48]) -> UserHandle {
        UserHandle(json::encode(&random).into_bytes())
    }

    /// The handle of these bytes; `None` unless there are 1 to 64.
    pub fn parse(bytes: &[u8]) -> Option<UserHandle> {
        (1..=64)
            .contains(&bytes.len())
            .then(|| UserHandle(bytes.to_vec()))
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Serialize for Challenge {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json::base64url(self.0, serializer)
    }
}

impl Serialize for UserHandle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json::base64url(&self.0, serializer)
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Challenge(…)")
    }
}

impl fmt::Debug for UserHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserHandle(…)")
    }
}
