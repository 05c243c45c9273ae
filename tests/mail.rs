//! The notifier against a real mail server, Debian's `python3-aiosmtpd`, and against bad ones.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "mail/file.rs"]
mod file;
#[path = "mail/fixture.rs"]
mod fixture;
#[path = "mail/refusals.rs"]
mod refusals;
#[path = "mail/sending.rs"]
mod sending;
