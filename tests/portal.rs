//! The portal with a world in memory: pages, API, attacks.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[allow(dead_code, reason = "tests of other rooms use the rest")]
#[path = "factors/authenticator.rs"]
mod authenticator;
#[allow(dead_code, reason = "tests of other rooms use the rest")]
#[path = "factors/signer.rs"]
mod signer;

#[path = "portal/browser.rs"]
mod browser;
#[path = "portal/moved_in.rs"]
mod moved_in;
#[path = "portal/office.rs"]
mod office;
#[path = "portal/site.rs"]
mod site;
#[path = "portal/world.rs"]
mod world;

#[path = "portal/account.rs"]
mod account;
#[path = "portal/account_attacks.rs"]
mod account_attacks;
#[path = "portal/account_devices.rs"]
mod account_devices;
#[path = "portal/account_leave.rs"]
mod account_leave;
#[path = "portal/account_recorded.rs"]
mod account_recorded;
#[path = "portal/app_passwords.rs"]
mod app_passwords;
#[path = "portal/app_passwords_made.rs"]
mod app_passwords_made;
#[path = "portal/attacks.rs"]
mod attacks;
#[path = "portal/doors.rs"]
mod doors;
#[path = "portal/keys.rs"]
mod keys;
#[path = "portal/pages.rs"]
mod pages;
#[path = "portal/passkeys.rs"]
mod passkeys;
#[path = "portal/passwords.rs"]
mod passwords;
#[path = "portal/recorded.rs"]
mod recorded;
#[path = "portal/return_addresses.rs"]
mod return_addresses;
#[path = "portal/second.rs"]
mod second;
#[path = "portal/second_attacks.rs"]
mod second_attacks;
