//! The notifier: takes letters to a mail server, or into a file.
//!
//! Blocks; whoever serves requests does it on a thread. Knows letters, not what they are about.

mod file;
mod message;
mod post;
mod server;
mod settings;

pub use post::{MailError, Post};
pub use settings::{Credentials, Mailbox, Notifier, Security, Smtp, Tls, Way};
