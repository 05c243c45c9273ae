//! The section `notifier` of the configuration, as plain values.

use std::path::PathBuf;

use lettre::message::Mailbox as Parsed;
use secrecy::SecretString;

/// How letters leave.
#[derive(Clone, Debug)]
pub struct Notifier {
    /// Whether to see at the start that they can.
    pub startup_check: bool,
    /// The way they take.
    pub way: Way,
}

/// The way letters take.
#[derive(Clone, Debug)]
pub enum Way {
    /// Into a file, each in place of the last.
    File(PathBuf),
    /// To a mail server.
    Smtp(Box<Smtp>),
}

/// A mail server and how it is spoken to.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How the connection is secured.
    pub security: Security,
    /// Seconds for the connection, and for each answer.
    pub timeout: u64,
    /// Who we are to the server.
    pub credentials: Option<Credentials>,
    /// Whether the name and password may go over a connection that everybody can read.
    pub clear_credentials: bool,
    /// What `EHLO` says.
    pub identifier: String,
    /// Whom letters come from.
    pub sender: Mailbox,
    /// The subject, with `{title}` where the letter's own goes.
    pub subject: String,
    /// Whom the check at the start asks the server to take mail for; nobody if `None`.
    pub check_recipient: Option<Mailbox>,
    /// Whether letters have a page beside the plain text.
    pub html: bool,
    /// What is asked of the server's certificate.
    pub tls: Tls,
}

/// How a connection is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Implicit,
    /// `STARTTLS`, or nothing is sent.
    StartTls,
    /// `STARTTLS` where the server has it.
    Opportunistic,
    /// Not at all.
    None,
}

/// `notifier.smtp.username` and `password`.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Name.
    pub username: String,
    /// Password.
    pub password: SecretString,
}

/// What is asked of the server's certificate.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The name it must have.
    pub server_name: String,
    /// Whether it is looked at.
    pub verify: bool,
    /// Whether TLS 1.2 is too old.
    pub only_newest: bool,
    /// A folder with certificates to trust beside those of the system.
    pub certificates: Option<PathBuf>,
}

/// A name and an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// The name to show; may be empty.
    pub name: String,
    /// The address.
    pub address: String,
}

impl Mailbox {
    /// `address` or `Name <address>`.
    pub fn parse(text: &str) -> Option<Mailbox> {
        let Parsed { name, email } = text.parse().ok()?;
        Some(Mailbox {
            name: name.unwrap_or_default(),
            address: email.to_string(),
        })
    }
}
