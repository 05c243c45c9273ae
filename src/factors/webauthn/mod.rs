//! Security keys and passkeys: what a browser is asked, and whether its answer proves anything.
//!
//! The ceremonies of WebAuthn level 2 (sections 7.1 and 7.2) for every algorithm that Authelia
//! enrols. Registration keeps what an authenticator says of itself; its attestation statement is
//! checked where the new key itself signs it, and otherwise taken as a claim, see [`Statement`].
//! That a challenge is fresh, and that it counts once, is up to the caller.

mod assertion;
mod attestation;
mod authenticator;
mod cbor;
mod challenge;
mod client_data;
mod json;
mod key;
mod options;
mod party;
mod refusal;
mod registration;
mod settings;

pub use assertion::{Asked, Asserted, AssertionResponse, Owner, Stored};
pub use attestation::Statement;
pub use authenticator::{Aaguid, Flags};
pub use challenge::{Challenge, UserHandle};
pub use key::{Algorithm, BadKey, PublicKey};
pub use options::{CreationOptions, Descriptor, Enrolment, PublicKeyOptions, RequestOptions};
pub use party::{BadParty, RelyingParty};
pub use refusal::Refusal;
pub use registration::{Registered, RegistrationResponse};
pub use settings::{
    Attachment, Attestation, Discoverability, Filtering, Settings, UserVerification,
};
