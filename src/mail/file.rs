//! The newest letter in a file: for a start without a mail server, and for tests.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::SystemTime;

use lettre::message::header::{Date, Headers};
use rustix::fs::{FlockOperation, flock};

use super::MailError;
use super::message::one_line;
use crate::portal::Letter;

/// Puts a letter where the last one was, laid out as Authelia lays it out.
pub(super) fn write(path: &Path, letter: &Letter) -> Result<(), MailError> {
    let Letter {
        name,
        address,
        title,
        text,
        ..
    } = letter;
    let mut headers = Headers::new();
    headers.set(Date::new(SystemTime::now()));
    let content = format!(
        "Date: {}\nRecipient: {{{} {}}}\nSubject: {}\n{text}\n\n",
        headers.get_raw("Date").unwrap_or_default(),
        one_line(name),
        one_line(address),
        one_line(title),
    );
    let replace = || {
        let mut file = open(path)?;
        // Another worker may be writing its own.
        flock(&file, FlockOperation::LockExclusive)?;
        file.set_len(0)?;
        file.write_all(content.as_bytes())?;
        file.sync_all()
    };
    replace().map_err(|error| unwritable(path, &error))
}

/// Makes the file, and the folder it lies in, where there is none.
pub(super) fn check(path: &Path) -> Result<(), MailError> {
    let make = || {
        if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
        }
        open(path).map(drop)
    };
    make().map_err(|error| unwritable(path, &error))
}

/// There are codes in it, which are nobody else's business.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

fn unwritable(path: &Path, error: &io::Error) -> MailError {
    MailError::new(&format!(
        "cannot write {}, the file of notifier.filesystem: {error}; let the user that nginx's \
        workers run as write it",
        path.display()
    ))
}
