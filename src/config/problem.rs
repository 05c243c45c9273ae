//! Errors and warnings as a person reads them.

use std::fmt;
use std::path::{Path, PathBuf};

/// Something about a configuration that a person should change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file it stands in, or `environment`.
    pub file: PathBuf,
    /// The line, from 1, where it is known.
    pub line: Option<usize>,
    /// The key as it is written, keys joined by dots, list items counted from 1: `rules#3.policy`.
    /// For a variable of the environment its name. Empty where a whole file is meant.
    pub key: String,
    /// What is wrong and what to write instead.
    pub message: String,
}

/// Longest key and longest message, in characters: a file may hold a megabyte in one value.
const MAX_CHARS: usize = 600;

impl Problem {
    pub(super) fn new(file: &Path, line: Option<usize>, key: &str, message: &str) -> Self {
        Problem {
            file: file.into(),
            line,
            key: printable(key),
            message: printable(message),
        }
    }
}

/// `text` on one line of bounded length.
fn printable(text: &str) -> String {
    let mut shown = String::new();
    for (n, c) in text.chars().enumerate() {
        if n == MAX_CHARS {
            shown.push('…');
            break;
        }
        match c.is_control() {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    shown
}

impl fmt::Display for Problem {
    /// `file:line: key: message`, without what is not known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_one_line_of_bounded_length() {
        let problem = Problem::new(Path::new("f.yml"), Some(3), "a.b", "x\ny\u{7}");
        assert_eq!(problem.to_string(), "f.yml:3: a.b: x\\ny\\u{7}");
        let long = Problem::new(Path::new("f.yml"), None, "", &"é".repeat(5000));
        assert_eq!(
            long.to_string().chars().count(),
            "f.yml: ".len() + MAX_CHARS + 1
        );
    }
}
