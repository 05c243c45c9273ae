//! Everybody, and how a login finds a person.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::authentik;
use super::check::{Checker, MAX_EMAIL};
use super::identity::Identity;
use super::merge::{Merged, merge};
use super::{Entry, HeaderNames, HeaderSet, MAX_NAME, PasswordHash, Profile, User};

/// Longest `Remote-Groups`, in bytes; backends refuse longer headers long before.
const MAX_GROUPS_VALUE: usize = 32 << 10;

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

/// Why a users file cannot be taken, or what is odd about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", path.join("."))]
pub struct DirectoryError {
    /// Keys in the users file from the top, for instance `users`, `john`, `groups`.
    pub path: Vec<String>,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl DirectoryError {
    pub(super) fn new<S: AsRef<str>>(
        path: impl IntoIterator<Item = S>,
        message: impl Into<String>,
    ) -> DirectoryError {
        let path = path
            .into_iter()
            .map(|key| key.as_ref().to_owned())
            .collect();
        DirectoryError {
            path,
            message: message.into(),
        }
    }
}

/// Everybody who may sign in. Disabled users are not in it.
#[derive(Clone, Debug)]
pub struct Directory {
    /// Shared, so that whoever asks about somebody can keep the answer without the whole.
    users: BTreeMap<String, Arc<User>>,
    /// Lower-case address to name; empty unless addresses are searched.
    emails: BTreeMap<String, String>,
    matching: Matching,
    header_names: HeaderNames,
    decoy: PasswordHash,
    remarks: Vec<DirectoryError>,
}

impl Directory {
    /// Checks the file's values, merges the groups' additions and builds the index of logins.
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the file.
    pub fn new(source: Source, matching: &Matching) -> Result<Directory, Vec<DirectoryError>> {
        let mut errors = check(&source);
        let mut directory = Directory {
            matching: *matching,
            header_names: header_names(&source),
            ..Directory::default()
        };
        let Source {
            users,
            groups,
            backend_override,
        } = source;
        for entry in users.into_iter().filter(|entry| !entry.disabled) {
            let merged = merge(&entry, &groups, backend_override.as_deref());
            directory.add(entry, merged, &mut errors);
        }
        directory.index(&mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        let costliest = directory
            .users
            .values()
            .map(|user| &user.password)
            .max_by_key(|hash| hash.micros());
        if let Some(costliest) = costliest {
            directory.decoy = costliest.decoy();
        }
        Ok(directory)
    }

    /// The person that a visitor means who types `login`: an address if addresses are searched,
    /// else a name; without regard to case if so configured.
    pub fn find(&self, login: &str) -> Option<&User> {
        if login.len() > MAX_EMAIL.max(MAX_NAME) {
            return None;
        }
        let Matching {
            search_email,
            case_insensitive,
        } = self.matching;
        if search_email || case_insensitive {
            let lower = login.to_lowercase();
            let by_email = self.emails.get(&lower).map(String::as_str);
            let name = by_email.or(case_insensitive.then_some(lower.as_str()));
            if let Some(user) = name.and_then(|name| self.users.get(name)) {
                return Some(user);
            }
        }
        self.user(login)
    }

    /// The person of this canonical name, byte for byte.
    pub fn user(&self, name: &str) -> Option<&User> {
        self.users.get(name).map(Arc::as_ref)
    }

    /// The user of that canonical name whose password hash has that fingerprint: whoever holds a
    /// session, as long as nobody changed the password.
    pub fn holder(&self, name: &str, fingerprint: u64) -> Option<&Arc<User>> {
        let is_his = |user: &&Arc<User>| user.password.fingerprint() == fingerprint;
        self.users.get(name).filter(is_his)
    }

    /// Everybody, by name.
    pub fn iter(&self) -> impl Iterator<Item = &User> {
        self.users.values().map(Arc::as_ref)
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
        self.decoy.clone()
    }

    /// Oddities that the administrator should hear of.
    pub fn remarks(&self) -> &[DirectoryError] {
        &self.remarks
    }

    fn add(&mut self, entry: Entry, merged: Merged, errors: &mut Vec<DirectoryError>) {
        let path = ["users", &entry.name];
        let emails: Vec<_> = entry
            .emails
            .into_iter()
            .filter(|email| !email.is_empty())
            .collect();
        let email = emails.first().map_or("", String::as_str);
        let identity = Identity::new(&entry.name, &entry.groups, &entry.display_name, email);
        let len = identity.groups().len();
        if len > MAX_GROUPS_VALUE {
            let message =
                format!("have {len} bytes together, at most {MAX_GROUPS_VALUE} are allowed");
            errors.push(DirectoryError::new(path.iter().chain(&["groups"]), message));
        }
        for (key, message) in merged.remarks {
            self.remarks
                .push(DirectoryError::new(path.iter().chain(&[key]), message));
        }
        let user = User {
            name: entry.name,
            display_name: entry.display_name,
            emails,
            groups: entry.groups,
            password: entry.password,
            attributes: merged.attributes,
            additional_headers: merged.additional_headers,
            backend_override: merged.backend_override,
            identity,
        };
        let name = user.name.clone();
        if let Some(twin) = self.users.insert(name, user.into()) {
            errors.push(DirectoryError::new(
                ["users", &twin.name],
                "is given twice; keep one of them",
            ));
        }
    }

    /// A login must mean one person: the addresses and names that are searched may not meet.
    fn index(&mut self, errors: &mut Vec<DirectoryError>) {
        if self.matching.case_insensitive {
            errors.extend(self.users.keys().filter_map(|name| not_lower_case(name)));
        }
        if self.matching == Matching::default() {
            return;
        }
        for user in self.users.values() {
            for email in user.emails.iter().map(|email| email.to_lowercase()) {
                if email != user.name && self.users.contains_key(&email) {
                    errors.push(ambiguous(
                        user,
                        &email,
                        &format!("the name of the user `{email}`"),
                    ));
                }
                if !self.matching.search_email {
                    continue;
                }
                match self.emails.insert(email.clone(), user.name.clone()) {
                    Some(other) if other != user.name => {
                        errors.push(ambiguous(
                            user,
                            &email,
                            &format!("an address of the user `{other}`"),
                        ));
                    }
                    _ => {}
                }
            }
        }
    }
}

fn not_lower_case(name: &str) -> Option<DirectoryError> {
    let lower = name.to_lowercase();
    let message =
        format!("with `search.case_insensitive` names must be lower case; write `{lower}`");
    (lower != name).then(|| DirectoryError::new(["users", name], message))
}

fn ambiguous(user: &User, email: &str, also: &str) -> DirectoryError {
    let message =
        format!("`{email}` is also {also}, and a login could mean either; change one of them");
    DirectoryError::new(["users", &user.name, "email"], message)
}

impl Default for Directory {
    fn default() -> Self {
        Directory {
            users: BTreeMap::new(),
            emails: BTreeMap::new(),
            matching: Matching::default(),
            header_names: HeaderNames::default(),
            decoy: PasswordHash::default_decoy(),
            remarks: Vec::new(),
        }
    }
}

fn check(source: &Source) -> Vec<DirectoryError> {
    let mut errors = Vec::new();
    for entry in &source.users {
        Checker {
            path: vec!["users", &entry.name],
            errors: &mut errors,
        }
        .entry(entry);
    }
    for (group, profile) in &source.groups {
        Checker {
            path: vec!["groups", group],
            errors: &mut errors,
        }
        .profile(profile);
    }
    if let Some(backend) = &source.backend_override {
        let mut checker = Checker {
            path: Vec::new(),
            errors: &mut errors,
        };
        checker.backend(&["backend_override"], backend);
    }
    errors
}

fn header_names(source: &Source) -> HeaderNames {
    let mut names = HeaderNames::default();
    HeaderSet::Remote
        .names()
        .iter()
        .chain(&authentik::NAMES)
        .chain(&authentik::EMPTY)
        .for_each(|name| names.insert(name));
    let profiles = source
        .users
        .iter()
        .map(|entry| &entry.profile)
        .chain(source.groups.values());
    for (name, _) in profiles.flat_map(|profile| &profile.additional_headers) {
        names.insert(name);
    }
    names
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
