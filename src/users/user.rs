//! One person, as the users file says it and as the rest of the program reads it.

use std::collections::BTreeMap;

use super::PasswordHash;
use super::identity::Identity;

/// Longest user name in bytes; what a session record can hold.
pub const MAX_NAME: usize = 140;

/// What both a user and an entry of the top-level `groups:` map may carry, as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// `attributes:`, scalars as text.
    pub attributes: BTreeMap<String, String>,
    /// `additionalHeaders:` in the order of the file; values may hold `{user}` and `{attr:NAME}`.
    pub additional_headers: Vec<(String, String)>,
    /// `backend_override:`; may hold `{user}` and `{attr:NAME}`.
    pub backend_override: Option<String>,
}

/// One entry of `users:` as written.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key in the map.
    pub name: String,
    /// `displayname`.
    pub display_name: String,
    /// `email`, the first address first.
    pub emails: Vec<String>,
    /// `groups`.
    pub groups: Vec<String>,
    /// `password`.
    pub password: PasswordHash,
    /// `disabled`: then the user does not exist.
    pub disabled: bool,
    /// The user's own additions.
    pub profile: Profile,
}

/// A person who may sign in, with everything inherited and filled in.
#[derive(Clone, Debug)]
pub struct User {
    /// The canonical name.
    pub name: String,
    /// The name to show.
    pub display_name: String,
    /// Addresses, the first one first; none is empty.
    pub emails: Vec<String>,
    /// Groups in the order of the file.
    pub groups: Vec<String>,
    /// The password hash.
    pub password: PasswordHash,
    /// The user's attributes and those of the groups, as written; [`super::header_value`] makes
    /// one fit to be sent. The user's own win, then the first group's.
    pub attributes: BTreeMap<String, String>,
    /// Headers for the backend beside the identity headers, placeholders filled in, fit to be sent.
    pub additional_headers: Vec<(String, String)>,
    /// For `$auth_gate_backend`: the user's, else the first group's, else the file's; placeholders
    /// filled in.
    pub backend_override: Option<String>,
    pub(super) identity: Identity,
}
