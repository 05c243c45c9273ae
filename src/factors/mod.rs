//! Second factors and passkeys: what a one-time code or a security key proves.
//!
//! Pure: `now`, random bytes and everything stored are arguments, and what is to be stored is
//! returned. Knows nothing of users, sessions, the database or how a page asks; who may try, how
//! often, and that a code or a challenge counts once, is the caller's work.
#![forbid(unsafe_code)]

pub mod qr;
pub mod totp;
pub mod webauthn;
