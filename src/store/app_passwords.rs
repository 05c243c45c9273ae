//! What the gate asks of a store about app passwords.

use super::{AppPassword, Random, StoreError};

/// Hashes of the app passwords of all users, shared by every process of this machine. All calls block.
/// Users are canonical names; `now` is Unix seconds; ids are bytes.
///
/// # Errors
/// As [`super::Factors`].
pub trait AppPasswords: Send + Sync {
    /// The app password of an id, whoever owns it and whether it is over or not.
    fn app_password(&self, id: &[u8]) -> Result<Option<AppPassword>, StoreError>;
    /// A user's app passwords, those that are over included, oldest first.
    fn app_passwords(&self, user: &str) -> Result<Vec<AppPassword>, StoreError>;
    /// Keeps an app password, made at [`AppPassword::created`], and forgets those of everybody that have
    /// long been over. Also fails when the name is bad or taken, or the user has too many.
    fn add_app_password(
        &self,
        new: &AppPassword,
        random: &mut Random<'_>,
    ) -> Result<(), StoreError>;
    /// Revokes an app password of a user, and gives its name; `None` where that user has no such one.
    fn remove_app_password(&self, user: &str, id: &[u8]) -> Result<Option<String>, StoreError>;
    /// Remembers a use. Whoever calls this for each use writes to the disk each time.
    fn note_app_password(&self, id: &[u8], now: u64) -> Result<bool, StoreError>;
}
