//! The real command line, as an administrator runs it.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "cli/certificate.rs"]
mod certificate;
#[path = "cli/check_config.rs"]
mod check_config;
#[path = "cli/check_policy.rs"]
mod check_policy;
#[path = "cli/fixture.rs"]
mod fixture;
#[path = "cli/generate.rs"]
mod generate;
#[path = "cli/hash_password.rs"]
mod hash_password;
#[path = "cli/init.rs"]
mod init;
#[path = "cli/people.rs"]
mod people;
#[path = "cli/people_app_passwords.rs"]
mod people_app_passwords;
#[path = "cli/people_devices.rs"]
mod people_devices;
#[path = "cli/people_sessions.rs"]
mod people_sessions;
#[path = "cli/usage.rs"]
mod usage;
