//! Everybody, and how a login finds a person.

use std::collections::BTreeMap;

use super::{Entry, HeaderNames, PasswordHash, Profile, User};

/// The users file as written.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// `users:`, in the order of the file.
    pub users: Vec<Entry>,
    /// `groups:`, the top-level map.
    pub groups: BTreeMap<String, Profile>,
    /// `backend_override:` at the top level.
    pub backend_override: Option<String>,
}

/// What a visitor may type to name himself: `authentication_backend.file.search`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Matching {
    /// `search.email`.
    pub search_email: bool,
    /// `search.case_insensitive`.
    pub case_insensitive: bool,
}

/// Why a users file cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {message}")]
pub struct DirectoryError {
    /// Path of keys in the users file, for instance `["users", "john", "groups"]`.
    pub path: Vec<String>,
    /// The path joined by dots.
    pub key: String,
    /// What is wrong and what to write instead.
    pub message: String,
}

/// Something odd in a users file that does not stop it; the same fields as an error.
pub type Remark = DirectoryError;

/// Everybody who may sign in. Disabled users are not in it.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    users: BTreeMap<String, User>,
    header_names: HeaderNames,
    remarks: Vec<Remark>,
}

impl Directory {
    /// Checks the file's values, merges the groups' additions and builds the index of logins.
    pub fn new(source: Source, _matching: &Matching) -> Result<Directory, Vec<DirectoryError>> {
        let _ = source;
        Ok(Directory::default())
    }

    /// The person that a visitor means who types `login`.
    pub fn find(&self, login: &str) -> Option<&User> {
        self.user(login)
    }

    /// The person of this canonical name, byte for byte.
    pub fn user(&self, name: &str) -> Option<&User> {
        self.users.get(name)
    }

    /// Everybody, by name.
    pub fn iter(&self) -> impl Iterator<Item = &User> {
        self.users.values()
    }

    /// How many may sign in.
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether nobody may sign in.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// Every header name that any user or group defines, also those nobody inherits.
    pub fn header_names(&self) -> &HeaderNames {
        &self.header_names
    }

    /// What to check a password against when nobody was found: costs what the costliest hash in
    /// the directory costs and matches nothing.
    pub fn decoy(&self) -> PasswordHash {
        PasswordHash::default_decoy()
    }

    /// Oddities that the administrator should hear of.
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }
}
