//! What users change themselves: factors, app passwords, password, sessions; and the way back in for who has lost
//! the password. The pages, and what API and pages share.
//!
//! Whoever changes factors or the password needs leave for it ([`leave`]). The files beside this one
//! say what is done; those in `pages` how it is shown and asked for.
//!
//! Links in mail lead to the portal that the configuration names for the cookie domain, and only
//! where it names none to the host that was asked.

mod app_passwords;
mod change;
mod devices;
mod keys;
mod leave;
mod letters;
mod new_password;
mod pages;
mod password;
mod reset;
mod totp;

pub(super) use app_passwords::{BadWish, Kept, Made, Wanted};
pub use change::{Change, Kind};
pub(super) use devices::{Refused, answering, tidy_name};
pub(super) use keys::{Ceremony, words};
pub(super) use leave::{Lack, leave_ends};
pub(super) use password::Unchanged;
pub(super) use totp::{Pending, without};
