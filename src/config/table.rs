//! The table of known keys, read from `known-keys.txt`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

static TABLE: LazyLock<Key> = LazyLock::new(|| read(include_str!("known-keys.txt")));

/// A key of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) fate: Fate,
}

/// What stands below a key.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    /// One value.
    One(Type),
    /// One value or a list of them.
    Many(Type),
    /// One value, a list, or a list within the list.
    Nested(Type),
    /// These keys.
    Keys(Vec<Key>),
    /// A list of maps with these keys.
    Items(Vec<Key>),
    /// A list of such lists or maps.
    NestedItems(Vec<Key>),
    /// Any names with this below each.
    Named(Box<Key>),
}

/// What a value must be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Type {
    Any,
    /// So many characters at least.
    Text(usize),
    Bool,
    Int(Range),
    Duration,
    /// One of the words, or a duration.
    WordOrDuration(Vec<&'static str>),
    Url,
    /// An address with one of the schemes; the first is meant where there is none.
    Address(Vec<&'static str>),
    Words {
        words: Vec<&'static str>,
        any_case: bool,
    },
}

/// Integers that are taken.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Range {
    pub(super) min: Option<i64>,
    pub(super) max: Option<i64>,
    /// Only these, where there are any.
    pub(super) only: Vec<i64>,
    /// 0 means the default.
    pub(super) or_zero: bool,
}

/// What becomes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It takes effect, or what is above it says what becomes of it.
    Works,
    /// It takes effect, whatever is said of the section above it.
    Built,
    /// Not built yet.
    Later(&'static str),
    /// Never needed here.
    Unused(&'static str),
    /// An older spelling.
    Old(&'static str),
    /// Replaced, together with others, by one key.
    Part(&'static str),
    /// No longer a key.
    Gone(&'static str),
    /// Nothing can work with it.
    Error(&'static str),
}

/// All known keys, below a key without a name.
pub(super) fn table() -> &'static Key {
    &TABLE
}

impl Key {
    /// The key `name` right below this one.
    pub(super) fn below(&self, name: &str) -> Option<&Key> {
        match &self.shape {
            Shape::Keys(keys) | Shape::Items(keys) | Shape::NestedItems(keys) => {
                keys.iter().find(|key| key.name == name)
            }
            Shape::Named(key) => Some(key),
            Shape::One(_) | Shape::Many(_) | Shape::Nested(_) => None,
        }
    }

    /// Calls `each` with the dotted path of every value that stands outside lists and free names.
    pub(super) fn leaves<'k>(
        &'k self,
        path: &mut Vec<&'k str>,
        each: &mut dyn FnMut(&[&'k str], &'k Key),
    ) {
        match &self.shape {
            Shape::Keys(keys) => {
                for key in keys {
                    path.push(key.name);
                    key.leaves(path, each);
                    path.pop();
                }
            }
            Shape::One(_) | Shape::Many(_) | Shape::Nested(_) => each(path, self),
            Shape::Items(_) | Shape::NestedItems(_) | Shape::Named(_) => {}
        }
    }
}

/// A line of the table: its depth, its name with brackets, its value, its fate.
struct Line {
    depth: usize,
    name: &'static str,
    value: &'static str,
    fate: Fate,
}

fn read(text: &'static str) -> Key {
    let lines: Vec<Line> = text.lines().filter_map(line).collect();
    let mut at = 0;
    let mut blocks = BTreeMap::new();
    let mut keys = Vec::new();
    while at < lines.len() {
        let name = lines[at].name;
        let key = subtree(&lines, &mut at, &blocks);
        if let (Some(block), Shape::Keys(below)) = (name.strip_prefix('@'), &key.shape) {
            blocks.insert(block, below.clone());
        } else {
            keys.push(key);
        }
    }
    Key {
        name: "",
        shape: Shape::Keys(keys),
        fate: Fate::Works,
    }
}

fn line(text: &'static str) -> Option<Line> {
    let body = text.trim_start();
    if body.is_empty() || body.starts_with('#') {
        return None;
    }
    let (body, mark) = match text.trim_start().split_once("  ! ") {
        Some((body, mark)) => (body, mark),
        None => (body, ""),
    };
    let (name, value) = body
        .trim_end()
        .split_once(' ')
        .unwrap_or((body.trim_end(), ""));
    let depth = (text.len() - text.trim_start().len()) / 2;
    Some(Line {
        depth,
        name,
        value: value.trim(),
        fate: fate(mark),
    })
}

fn fate(mark: &'static str) -> Fate {
    match mark.split_once(": ") {
        Some(("built", _)) => Fate::Built,
        Some(("later", why)) => Fate::Later(why),
        Some(("unused", why)) => Fate::Unused(why),
        Some(("old", new)) => Fate::Old(new),
        Some(("part", new)) => Fate::Part(new),
        Some(("gone", why)) => Fate::Gone(why),
        Some(("error", why)) => Fate::Error(why),
        _ => Fate::Works,
    }
}

fn subtree(lines: &[Line], at: &mut usize, blocks: &BTreeMap<&str, Vec<Key>>) -> Key {
    let head = &lines[*at];
    *at += 1;
    let mut below = Vec::new();
    while lines.get(*at).is_some_and(|line| line.depth > head.depth) {
        below.push(subtree(lines, at, blocks));
    }
    if let Some(block) = head.value.strip_prefix('@') {
        below = blocks.get(block).cloned().unwrap_or_default();
    }
    let name = head.name.trim_end_matches("[]");
    let shape = if below.is_empty() {
        leaf(head.value)
    } else if below.len() == 1 && below[0].name == "*" {
        Shape::Named(Box::new(below.remove(0)))
    } else if head.name.ends_with("[][]") {
        Shape::NestedItems(below)
    } else if head.name.ends_with("[]") {
        Shape::Items(below)
    } else {
        Shape::Keys(below)
    };
    Key {
        name,
        shape,
        fate: head.fate,
    }
}

fn leaf(value: &'static str) -> Shape {
    if let Some(one) = value.strip_suffix(" lists") {
        Shape::Nested(kind(one))
    } else if let Some(one) = value.strip_suffix(" list") {
        Shape::Many(kind(one))
    } else {
        Shape::One(kind(value))
    }
}

fn kind(text: &'static str) -> Type {
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    match first {
        "any" => Type::Any,
        "text" => Type::Text(rest.trim_end_matches("..").parse().unwrap_or(0)),
        "bool" => Type::Bool,
        "int" => Type::Int(range(rest)),
        "duration" => Type::Duration,
        "url" => Type::Url,
        "address" => Type::Address(rest.split('|').collect()),
        _ => match text.strip_suffix(" or duration") {
            Some(words) => Type::WordOrDuration(words.split('|').collect()),
            None => Type::Words {
                words: text.trim_start_matches('~').split('|').collect(),
                any_case: text.starts_with('~'),
            },
        },
    }
}

fn range(text: &str) -> Range {
    let or_zero = text.ends_with("or 0");
    let text = text.trim_end_matches("or 0").trim();
    let mut range = Range {
        or_zero,
        ..Range::default()
    };
    if let Some((min, max)) = text.split_once("..") {
        range.min = min.parse().ok();
        range.max = max.parse().ok();
    } else {
        range.only = text
            .split('|')
            .filter_map(|word| word.parse().ok())
            .collect();
    }
    range
}

#[cfg(test)]
mod tests;
