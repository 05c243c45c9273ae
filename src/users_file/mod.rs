//! Changing a password in the users file: under a lock that everybody who writes it shares, in one
//! step, so that whoever reads it finds it whole, whenever a writer is killed.
//!
//! Blocks. Knows the file and the configuration that names it, neither sessions nor requests.
#![forbid(unsafe_code)]

use std::path::Path;
use std::time::Duration;

mod place;

use crate::config::{UsersFile, load_users, replace_password};
pub use place::MOUNTED;
use place::Place;

/// How long [`check`] waits for another writer.
const HASTE: Duration = Duration::from_secs(1);

/// Why a password was not changed; the file is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotWritten {
    /// The user is gone, disabled, or has another password by now; or somebody edits the file.
    #[error("the users file has changed meanwhile")]
    Stale,
    /// A sentence for the administrator.
    #[error("{0}")]
    Failed(String),
}

/// What has been done; tests end the process here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Locked,
    Read,
    Created,
    HalfWritten,
    Written,
    Renamed,
    Synced,
}

/// Gives `user` (canonical name) the password hash `hash`, if the one he has still has the
/// fingerprint `current`. Gives the fingerprint of the new one. Blocks.
///
/// # Errors
/// Why not; the file is then as it was.
pub fn change_password(
    file: &UsersFile,
    user: &str,
    current: u64,
    hash: &str,
) -> Result<u64, NotWritten> {
    change(file, user, current, hash, &mut |_| {})
}

/// Whether this process could change a password: it may make files beside the users file that
/// belong to whom the users file belongs to. Leaves nothing behind but the lock file. While another
/// program writes, it is taken for granted: to try would be in that one's way.
///
/// # Errors
/// A sentence that says what to do.
pub fn check(path: &Path) -> Result<(), String> {
    let tried = || {
        let place = Place::of(path)?;
        let (_, metadata) = place.open()?;
        place.check_mount()?;
        let Some(_lock) = place.lock_within(&metadata, HASTE)? else {
            return Ok(());
        };
        // What a writer left that was killed.
        place.remove_draft()?;
        let draft = place.draft(&metadata);
        place.remove_draft()?;
        draft.map(drop)
    };
    tried().map_err(|error: NotWritten| error.to_string())
}

fn change(
    file: &UsersFile,
    user: &str,
    current: u64,
    hash: &str,
    done: &mut dyn FnMut(Step),
) -> Result<u64, NotWritten> {
    let place = Place::of(&file.path)?;
    let (_, before) = place.open()?;
    let _lock = place.lock(&before)?;
    done(Step::Locked);
    place.remove_draft()?;
    let (bytes, metadata) = place.read()?;
    if fingerprint(file, &bytes, user)? != Some(current) {
        return Err(NotWritten::Stale);
    }
    done(Step::Read);
    let text = String::from_utf8(bytes).map_err(|_| place.failed("it is not UTF-8"))?;
    let rewritten = replace_password(&text, user, hash).map_err(|error| place.failed(error))?;
    let new = fingerprint(file, rewritten.as_bytes(), user)?
        .ok_or_else(|| place.failed("the user would be lost"))?;
    let written = place.replace(rewritten.as_bytes(), &metadata, done);
    if written.is_err() {
        // It may be what is in the way; the next writer removes it, too.
        let _ = place.remove_draft();
    }
    written.map(|()| new)
}

/// The fingerprint of the password that `user` has in a users file.
fn fingerprint(file: &UsersFile, bytes: &[u8], user: &str) -> Result<Option<u64>, NotWritten> {
    let (directory, _) = load_users(&file.path, bytes, file).map_err(|problems| {
        let first = problems.first().map(ToString::to_string);
        NotWritten::Failed(first.unwrap_or_default())
    })?;
    Ok(directory.user(user).map(|user| user.password.fingerprint()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
