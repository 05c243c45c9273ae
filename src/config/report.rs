//! Walking the tree with the key in hand, and collecting what is wrong with it.

use std::path::Path;

use super::Problem;
use super::yaml::{self, Entry, Id, Kind, Node, Value};

/// Values from the environment have numbers from here on.
pub(super) const ENVIRONMENT: Id = Id::MAX / 2;

/// Errors, and warnings, of one file that are told; one line says how many more there are.
const MAX_TOLD: usize = 100;

/// Bytes that are parsed again, all in all, to find lines: a very large file with very many
/// mistakes has some told without a line rather than after a minute.
const PARSED_FOR_LINES: usize = 64 << 20;

/// A place in the tree.
#[derive(Clone, Debug)]
pub(super) struct At<'t> {
    pub(super) node: &'t Node,
    /// Number of the key, or of the list item.
    pub(super) id: Id,
    /// The key as a person finds it.
    pub(super) key: String,
}

/// What was found in one file.
#[derive(Debug, Default)]
pub(super) struct Report {
    errors: Vec<Note>,
    warnings: Vec<Note>,
}

#[derive(Debug)]
struct Note {
    id: Option<Id>,
    key: String,
    message: String,
}

impl<'t> At<'t> {
    pub(super) fn root(node: &'t Node) -> Self {
        At {
            node,
            id: node.id,
            key: String::new(),
        }
    }

    /// The place of an entry of this map.
    pub(super) fn entry(&self, entry: &'t Entry) -> At<'t> {
        let key = match &entry.written {
            Some(written) => written.clone(),
            None if self.key.is_empty() => entry.key.clone(),
            None => format!("{}.{}", self.key, entry.key),
        };
        At {
            node: &entry.value,
            id: entry.key_id,
            key,
        }
    }

    /// The entries of a map, those with no value included.
    pub(super) fn entries(&self) -> &'t [Entry] {
        match &self.node.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// What stands at a key, or a path of keys, of this map; no value counts as no key.
    pub(super) fn get(&self, path: &str) -> Option<At<'t>> {
        let (name, rest) = path.split_once('.').unwrap_or((path, ""));
        let entry = self.entries().iter().find(|entry| entry.key == name)?;
        let at = self.entry(entry);
        match (&at.node.value, rest) {
            (Value::Null, _) => None,
            (_, "") => Some(at),
            _ => at.get(rest),
        }
    }

    /// The items of a list; a value alone is a list of one.
    pub(super) fn items(&self) -> Vec<At<'t>> {
        match &self.node.value {
            Value::Null => Vec::new(),
            Value::List(items) => {
                let item = |(n, node): (usize, &'t Node)| At {
                    node,
                    id: node.id,
                    key: format!("{}#{}", self.key, n + 1),
                };
                items.iter().enumerate().map(item).collect()
            }
            _ => vec![self.clone()],
        }
    }

    /// The items of the list at `key`, none where there is no such key.
    pub(super) fn list(&self, key: &str) -> Vec<At<'t>> {
        self.get(key).map_or(Vec::new(), |at| at.items())
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self.node.value, Value::List(_))
    }

    /// The scalar as it was written.
    pub(super) fn text(&self) -> Option<&'t str> {
        match &self.node.value {
            Value::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// The scalar, unless it is empty.
    pub(super) fn filled(&self) -> Option<&'t str> {
        self.text().filter(|text| !text.is_empty())
    }

    pub(super) fn kind(&self) -> Option<Kind> {
        match &self.node.value {
            Value::Scalar(scalar) => Some(scalar.kind),
            _ => None,
        }
    }

    /// A boolean, in the spellings that Authelia reads.
    pub(super) fn bool(&self) -> Option<bool> {
        match self.text()? {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
            _ => None,
        }
    }

    /// An integer, decimal or with `0x`, `0o`, `0b` in front.
    pub(super) fn int(&self) -> Option<i64> {
        let text = self.text()?.replace('_', "");
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", text.strip_prefix('+').unwrap_or(&text)),
        };
        let (radix, digits) = match digits.get(..2) {
            Some("0x" | "0X") => (16, &digits[2..]),
            Some("0o" | "0O") => (8, &digits[2..]),
            Some("0b" | "0B") => (2, &digits[2..]),
            _ => (10, digits),
        };
        if digits.starts_with(['+', '-']) {
            return None;
        }
        i64::from_str_radix(&format!("{sign}{digits}"), radix).ok()
    }
}

impl Report {
    pub(super) fn error(&mut self, at: &At<'_>, message: impl Into<String>) {
        self.errors.push(Note {
            id: Some(at.id),
            key: at.key.clone(),
            message: message.into(),
        });
    }

    pub(super) fn warn(&mut self, at: &At<'_>, message: impl Into<String>) {
        self.warnings.push(Note {
            id: Some(at.id),
            key: at.key.clone(),
            message: message.into(),
        });
    }

    /// An error about something that does not stand in the file.
    pub(super) fn missing(&mut self, key: &str, message: impl Into<String>) {
        self.errors.push(Note {
            id: None,
            key: key.into(),
            message: message.into(),
        });
    }

    /// A warning about something that does not stand in the file.
    pub(super) fn advise(&mut self, key: &str, message: impl Into<String>) {
        self.warnings.push(Note {
            id: None,
            key: key.into(),
            message: message.into(),
        });
    }

    pub(super) fn is_good(&self) -> bool {
        self.errors.is_empty()
    }

    /// Errors and warnings with their lines in `text`, in the order of the file.
    pub(super) fn finish(self, file: &Path, text: &str) -> (Vec<Problem>, Vec<Problem>) {
        (
            locate(self.errors, file, text),
            locate(self.warnings, file, text),
        )
    }
}

fn locate(mut notes: Vec<Note>, file: &Path, text: &str) -> Vec<Problem> {
    notes.sort_by_key(|note| note.id.unwrap_or(ENVIRONMENT));
    let more = notes.len().saturating_sub(MAX_TOLD);
    notes.truncate(MAX_TOLD);
    let mut lines = Lines {
        text,
        left: PARSED_FOR_LINES / text.len().max(1),
        last: None,
    };
    let mut problems: Vec<Problem> = notes
        .into_iter()
        .map(|note| place(note, file, &mut lines))
        .collect();
    problems.dedup();
    if more > 0 {
        problems.push(Problem::new(
            file,
            None,
            "",
            &format!("and {more} more like these"),
        ));
    }
    problems
}

fn place(note: Note, file: &Path, lines: &mut Lines<'_>) -> Problem {
    let Note { id, key, message } = note;
    if id.is_some_and(|id| id >= ENVIRONMENT) {
        return Problem::new(Path::new("environment"), None, &key, &message);
    }
    let line = id.and_then(|id| lines.find(id));
    Problem::new(file, line, &key, &message)
}

/// Finds lines, each at the cost of parsing the file again.
struct Lines<'t> {
    text: &'t str,
    left: usize,
    last: Option<(Id, Option<usize>)>,
}

impl Lines<'_> {
    fn find(&mut self, id: Id) -> Option<usize> {
        if let Some((last, line)) = self.last
            && last == id
        {
            return line;
        }
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let line = yaml::line_of(self.text, id);
        self.last = Some((id, line));
        line
    }
}
