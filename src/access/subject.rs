//! Who asks, and the terms by which a rule names people.

/// A signed-in visitor as the rules see one. Anonymous is the absence of a `Subject`.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The user's canonical name.
    pub user: &'a str,
    /// The user's groups, in the order of the users file.
    pub groups: &'a [String],
}

/// One term of `subject:` or of `auth_gate_require`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SubjectTerm {
    /// `user:NAME`, compared byte for byte.
    User(String),
    /// `group:NAME`, compared byte for byte.
    Group(String),
}

impl Subject<'_> {
    /// Whether the user is a member of `group`, byte for byte.
    pub fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|g| g == group)
    }
}

impl SubjectTerm {
    /// Reads `user:x` or `group:x`; the part after the prefix is trimmed. `None` for any other prefix.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(name) = text.strip_prefix("user:") {
            return Some(SubjectTerm::User(name.trim().into()));
        }
        text.strip_prefix("group:")
            .map(|name| SubjectTerm::Group(name.trim().into()))
    }

    /// Whether `subject` is whom the term names.
    pub fn holds(&self, subject: &Subject<'_>) -> bool {
        match self {
            SubjectTerm::User(name) => subject.user == name,
            SubjectTerm::Group(name) => subject.is_in(name),
        }
    }
}
