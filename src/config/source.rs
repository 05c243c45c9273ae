//! From bytes to a tree: size, encoding, templates, syntax.

use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use super::Problem;
use super::yaml::{self, Node, Value};

fn problem(path: &Path, line: Option<usize>, message: &str) -> Problem {
    Problem::new(path, line, "", message)
}

/// The text of a file of at most `max` bytes.
pub(super) fn text(path: &Path, bytes: Vec<u8>, max: usize) -> Result<String, Problem> {
    if bytes.len() > max {
        let message = format!(
            "is larger than {} MiB; nobody writes that by hand",
            max >> 20
        );
        return Err(problem(path, None, &message));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        problem(path, Some(line), "is not UTF-8; save the file as UTF-8")
    })
}

/// The tree of a file; its top is keys with values.
pub(super) fn tree(path: &Path, text: &str) -> Result<Node, Problem> {
    let root = yaml::parse(text).map_err(|error| problem(path, error.line, &error.message))?;
    match root.value {
        Value::Map(_) => Ok(root),
        Value::Null => Err(problem(path, None, "is empty")),
        _ => Err(problem(path, Some(1), "must be keys with values")),
    }
}

/// Refuses what Authelia's template filter would fill in: here it would be taken as it stands.
pub(super) fn refuse_templates(path: &Path, text: &str) -> Result<(), Problem> {
    static FILTER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"\{\{-?\s*[A-Za-z.$(/"]"#).expect("a fixed pattern"));
    for (n, line) in text.lines().enumerate() {
        let code = match line.trim_start().starts_with('#') {
            true => "",
            false => line.split(" #").next().unwrap_or_default(),
        };
        if FILTER.is_match(code) {
            let message = "a template filter (`{{ … }}`) is not filled in here; write the \
                value itself, or give it in the environment, for instance as \
                AUTHELIA_SESSION_SECRET_FILE";
            return Err(problem(path, Some(n + 1), message));
        }
    }
    Ok(())
}
