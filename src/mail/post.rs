//! The way letters take, ready to be used.

use std::path::PathBuf;

use super::server::Server;
use super::settings::{Notifier, Way};
use super::{file, message};
use crate::portal::Letter;

/// Longest sentence, in characters: a part of it comes from the mail server.
const MAX_CHARS: usize = 500;

/// Why a letter did not leave: a sentence for the administrator, on one line, without secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MailError(String);

impl MailError {
    pub(super) fn new(sentence: &str) -> Self {
        let printable = |c: char| if c.is_control() { ' ' } else { c };
        MailError(sentence.chars().take(MAX_CHARS).map(printable).collect())
    }
}

/// Where letters are posted. Every letter has a connection of its own.
pub struct Post(Ready);

enum Ready {
    File(PathBuf),
    Server(Box<Server>),
}

impl Post {
    /// Makes ready what `notifier` names; reads the certificates to trust.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn new(notifier: &Notifier) -> Result<Post, MailError> {
        Ok(Post(match &notifier.way {
            Way::File(path) => Ready::File(path.clone()),
            Way::Smtp(smtp) => Ready::Server(Box::new(Server::new(smtp)?)),
        }))
    }

    /// Sends a letter.
    ///
    /// # Errors
    /// It did not leave.
    pub fn send(&self, letter: &Letter) -> Result<(), MailError> {
        match &self.0 {
            Ready::File(path) => file::write(path, letter),
            Ready::Server(server) => server.send(&message::message(server.settings(), letter)?),
        }
    }

    /// Whether letters can leave: reaches the server, signs in and asks it to take mail; or opens
    /// the file.
    ///
    /// # Errors
    /// They cannot.
    pub fn check(&self) -> Result<(), MailError> {
        match &self.0 {
            Ready::File(path) => file::check(path),
            Ready::Server(server) => server.check(),
        }
    }
}
