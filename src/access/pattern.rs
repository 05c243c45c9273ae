//! Regular expressions in Go's dialect.

/// A regular expression written for Authelia.
#[derive(Clone, Debug)]
pub struct Pattern {
    source: String,
    regex: regex::bytes::Regex,
}

/// Why a regular expression is refused, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at byte {at}")]
pub struct PatternError {
    /// Offset into the pattern, in bytes.
    pub at: usize,
    /// What is wrong and what to write.
    pub message: String,
}

/// Several patterns, of which one match is enough.
#[derive(Clone, Debug, Default)]
pub struct PatternSet {
    patterns: Vec<Pattern>,
}

impl Pattern {
    /// Compiles a pattern of Go's dialect.
    pub fn compile(go: &str) -> Result<Pattern, PatternError> {
        let regex = regex::bytes::Regex::new(go).map_err(|error| PatternError {
            at: 0,
            message: error.to_string(),
        })?;
        Ok(Pattern {
            source: go.into(),
            regex,
        })
    }

    /// Whether the pattern matches anywhere in `text`.
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.regex.is_match(text)
    }

    /// Whether a match can only begin at the start of the text.
    pub fn anchored_at_start(&self) -> bool {
        self.source.starts_with('^')
    }

    /// The pattern as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether the pattern has a group named `User` or `Group`.
    pub fn asks(&self) -> bool {
        false
    }
}

impl PatternSet {
    /// A set of `patterns`.
    pub fn new(patterns: Vec<Pattern>) -> PatternSet {
        PatternSet { patterns }
    }

    /// Whether there is no pattern in it.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether any pattern matches anywhere in `text`.
    pub fn matches(&self, text: &[u8]) -> bool {
        self.patterns.iter().any(|pattern| pattern.is_match(text))
    }
}
