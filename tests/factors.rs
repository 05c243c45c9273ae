//! WebAuthn from outside: what Authelia recorded, an authenticator in software for every
//! algorithm, and everything that must be refused.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "factors/algorithms.rs"]
mod algorithms;
#[path = "factors/authenticator.rs"]
mod authenticator;
#[path = "factors/forms.rs"]
mod forms;
#[path = "factors/mutations.rs"]
mod mutations;
#[path = "factors/recorded.rs"]
mod recorded;
#[path = "factors/refusals.rs"]
mod refusals;
#[path = "factors/signer.rs"]
mod signer;
