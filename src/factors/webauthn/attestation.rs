//! Attestation statements: what an authenticator says of itself at registration.
//!
//! Two things are checked: that `none` says nothing, and that a packed statement without a
//! certificate is signed by the new key. Everything else rests on certificates of makers, which
//! mean something only beside the list of makers that FIDO publishes; nobody here has that list.

use super::{Algorithm, PublicKey, Refusal, cbor::Map};

/// The formats whose statements rest on certificates.
const CERTIFIED: [&str; 6] = [
    "packed",
    "fido-u2f",
    "tpm",
    "apple",
    "android-key",
    "android-safetynet",
];

/// What is known of an attestation statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statement {
    /// There is none.
    None,
    /// It is signed by the credential itself, and that was checked. It proves no model.
    SelfSigned,
    /// It rests on certificates, and nobody checked it: take it as a claim.
    Unverified,
}

impl Statement {
    /// The word for it in stores and answers; the first two are Authelia's.
    pub fn word(self) -> &'static str {
        match self {
            Statement::None => "none",
            Statement::SelfSigned => "basic_surrogate",
            Statement::Unverified => "unverified",
        }
    }
}

/// Checks `statement` of `format`, made for `key`. `signed` is what such statements sign:
/// authenticator data and the hash of the client data.
pub(super) fn check(
    format: &str,
    statement: &Map,
    key: &PublicKey,
    signed: &[u8],
) -> Result<Statement, Refusal> {
    match format {
        "none" if statement.is_empty() => Ok(Statement::None),
        "packed" if statement.find("x5c").is_none() => {
            let algorithm = statement.integer("alg").and_then(Algorithm::from_number);
            let signature = statement.bytes("sig").ok_or(Refusal::Statement)?;
            let right = algorithm == Some(key.algorithm()) && key.verify(signed, signature);
            right
                .then_some(Statement::SelfSigned)
                .ok_or(Refusal::Statement)
        }
        _ if CERTIFIED.contains(&format) && !statement.is_empty() => Ok(Statement::Unverified),
        _ => Err(Refusal::Statement),
    }
}
