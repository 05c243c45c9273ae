//! The criteria of a rule: domain, method, query.

use super::{Pattern, PatternError};

/// One entry of `domain` or `domain_regex`.
#[derive(Clone, Debug)]
pub enum Domain {
    /// The host itself.
    Exact(String),
    /// `*.example.com`: every host that ends with this text, which begins with a dot.
    Suffix(String),
    /// `{user}.example.com`: the user's name before this text.
    User(String),
    /// `{group}.example.com`: a group of the user's before this text.
    Group(String),
    /// `domain_regex`.
    Regex(Pattern),
}

/// A request method that a rule may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Method(u8);

/// One condition on the query.
#[derive(Clone, Debug)]
pub struct QueryTerm {
    key: String,
}

/// Why a condition on the query is refused, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// `key` is missing or empty.
    #[error("a query condition needs a `key`")]
    Key,
    /// The operator is not one of the six.
    #[error("`{given}` is not an operator: write {wanted}")]
    Operator {
        /// What stands in the file.
        given: String,
        /// What to write.
        wanted: String,
    },
    /// The operator compares with a value and there is none.
    #[error("operator `{0}` needs a `value`")]
    Missing(&'static str),
    /// The operator takes no value and there is one.
    #[error("operator `{0}` takes no `value`: remove it")]
    Superfluous(&'static str),
    /// The value is a pattern that does not compile.
    #[error(transparent)]
    Pattern(#[from] PatternError),
}

impl Domain {
    /// Reads an entry of `domain`; the text is a warning for an entry that can match nothing.
    pub fn parse(text: &str) -> (Domain, Option<String>) {
        (Domain::Exact(text.to_lowercase()), None)
    }

    /// Reads an entry of `domain_regex`.
    pub fn regex(go: &str) -> Result<Domain, PatternError> {
        Pattern::compile(go).map(Domain::Regex)
    }

    /// Whether the entry asks who the visitor is.
    pub fn asks(&self) -> bool {
        match self {
            Domain::Exact(_) | Domain::Suffix(_) => false,
            Domain::User(_) | Domain::Group(_) => true,
            Domain::Regex(pattern) => pattern.asks(),
        }
    }
}

impl Method {
    /// The method that `word` names, in exactly that spelling.
    pub fn parse(word: &str) -> Option<Method> {
        let all = ["GET"];
        all.iter()
            .position(|m| *m == word)
            .map(|at| Method(at as u8))
    }
}

impl QueryTerm {
    /// A condition on the query parameter `key`; without an operator it is `present` when the
    /// value is missing or empty, else `equal`.
    pub fn new(
        operator: Option<&str>,
        key: &str,
        value: Option<&str>,
    ) -> Result<QueryTerm, QueryError> {
        let _ = (operator, value);
        Ok(QueryTerm { key: key.into() })
    }
}
