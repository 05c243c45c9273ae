//! The request headers that tell a backend who the visitor is, as pure values.

use super::User;

/// A set of identity headers that `auth_gate_identity_headers` can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HeaderSet {
    /// `Remote-User`, `Remote-Groups`, `Remote-Name`, `Remote-Email`.
    Remote,
}

/// The values of the headers, fit to be sent, made once when the users file is read.
#[derive(Clone, Debug, Default)]
pub(super) struct Identity {
    pub(super) remote: [String; 4],
}

impl HeaderSet {
    /// The names in this set.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            HeaderSet::Remote => &[
                "Remote-User",
                "Remote-Groups",
                "Remote-Name",
                "Remote-Email",
            ],
        }
    }

    /// Name and value for `user`, every name of the set once, the value empty where there is none
    /// or nobody is signed in. Then the user's additional headers; one of them that bears the name
    /// of an identity header replaces it.
    pub fn values<'u>(self, user: Option<&'u User>) -> impl Iterator<Item = (&'u str, &'u str)> {
        let values = user.map(|user| &user.identity.remote);
        let additional = user.map_or(&[][..], |user| &user.additional_headers[..]);
        let own = self
            .names()
            .iter()
            .enumerate()
            .map(move |(i, name)| (*name, values.map_or("", |values| values[i].as_str())));
        own.filter(move |(name, _)| {
            !additional
                .iter()
                .any(|(other, _)| same_header(name.as_bytes(), other.as_bytes()))
        })
        .chain(
            additional
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        )
    }
}

/// Whether a backend might take the two header names for one: compared without case, every run of
/// characters other than ASCII letters and digits taken for one `-`, none at the ends.
pub fn same_header(a: &[u8], b: &[u8]) -> bool {
    folded(a).eq(folded(b))
}

fn folded(name: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let mut words = name
        .split(|byte| !byte.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default().iter().copied();
    first
        .chain(words.flat_map(|word| std::iter::once(b'-').chain(word.iter().copied())))
        .map(|byte| byte.to_ascii_lowercase())
}

/// Header names under which a client may send nothing to a guarded backend.
#[derive(Clone, Debug, Default)]
pub struct HeaderNames {
    folded: std::collections::HashSet<Vec<u8>>,
}

impl HeaderNames {
    /// Adds a name.
    pub fn insert(&mut self, name: &str) {
        self.folded.insert(folded(name.as_bytes()).collect());
    }

    /// Whether `name` is, or folds to, one of the names.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.folded.contains(&folded(name).collect::<Vec<u8>>())
    }
}
