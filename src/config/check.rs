//! Every key of the file against the table of known keys: unknown, given twice, of the wrong
//! kind, older spelling, not built yet.

use std::collections::HashSet;

use url::Url;

use super::durations;
use super::report::{At, Report};
use super::table::{Fate, Key, Range, Shape, Type, table};
use super::yaml::{Kind, Value};

/// Checks the whole file.
pub(super) fn check(root: &At<'_>, report: &mut Report) {
    let mut walk = Walk {
        report,
        told: HashSet::new(),
    };
    walk.keys(root, table(), None);
}

struct Walk<'r> {
    report: &'r mut Report,
    /// Sections whose fate was told.
    told: HashSet<String>,
}

/// The nearest key at or above a place that has a fate of its own.
#[derive(Clone)]
struct Doom<'t> {
    at: At<'t>,
    fate: Fate,
}

impl Walk<'_> {
    fn value<'t>(&mut self, at: &At<'t>, key: &Key, doom: Option<&Doom<'t>>) {
        let own;
        let doom = match key.fate {
            Fate::Works => doom,
            Fate::Gone(why) | Fate::Error(why) => return self.report.error(at, why),
            Fate::Old(_) | Fate::Part(_) => doom,
            fate => {
                own = Doom {
                    at: at.clone(),
                    fate,
                };
                Some(&own)
            }
        };
        if matches!(at.node.value, Value::Null) {
            return;
        }
        match &key.shape {
            Shape::Keys(_) | Shape::Named(_) => self.keys(at, key, doom),
            Shape::Items(_) => self.each(at, |walk, item| walk.keys(item, key, doom)),
            Shape::NestedItems(_) => self.each(at, |walk, outer| {
                walk.each(outer, |walk, item| walk.keys(item, key, doom));
            }),
            Shape::One(kind) => self.leaf(at, kind, doom),
            Shape::Many(kind) => self.each(at, |walk, item| walk.leaf(item, kind, doom)),
            Shape::Nested(kind) => self.each(at, |walk, outer| {
                walk.each(outer, |walk, item| walk.leaf(item, kind, doom));
            }),
        }
    }

    fn each<'t>(&mut self, at: &At<'t>, mut then: impl FnMut(&mut Self, &At<'t>)) {
        for item in at.items() {
            if item.items().is_empty() {
                self.report
                    .error(&item, "is empty; write a value or take the line out");
            } else {
                then(self, &item);
            }
        }
    }

    fn keys<'t>(&mut self, at: &At<'t>, key: &Key, doom: Option<&Doom<'t>>) {
        if !matches!(at.node.value, Value::Map(_)) {
            if !matches!(at.node.value, Value::Null) {
                let example = example(key);
                self.report.error(at, format!("must be keys with values; write for instance `{example}: …` on a line of its own below"));
            }
            return;
        }
        let mut seen = HashSet::new();
        for entry in at.entries() {
            let place = at.entry(entry);
            if !seen.insert(entry.key.as_str()) {
                self.report
                    .error(&place, "is given twice; keep one of them");
                continue;
            }
            match key.below(&entry.key) {
                Some(known) => self.value(&place, known, doom),
                None => self.report.error(&place, unknown(&entry.key, key)),
            }
        }
    }

    fn leaf<'t>(&mut self, at: &At<'t>, kind: &Type, doom: Option<&Doom<'t>>) {
        if let Err(message) = fits(at, kind) {
            self.report.error(at, message);
        }
        if let Some(doom) = doom
            && self.told.insert(doom.at.key.clone())
        {
            let message = match doom.fate {
                Fate::Later(why) => format!("not built yet, has no effect: {why}"),
                Fate::Unused(why) => format!("has no effect: {why}"),
                _ => return,
            };
            self.report.warn(&doom.at, message);
        }
    }
}

/// Some key that can stand below `key`.
fn example(key: &Key) -> &'static str {
    match &key.shape {
        Shape::Keys(keys) | Shape::Items(keys) | Shape::NestedItems(keys) => {
            keys.first().map_or("name", |key| key.name)
        }
        _ => "name",
    }
}

/// What to say about a key that is not known below `parent`.
fn unknown(name: &str, parent: &Key) -> String {
    if name == "<<" {
        return "a merge key (`<<`) is not read, as in Authelia; write the keys out".into();
    }
    if let Some(near) = nearest(name, names(parent).into_iter()) {
        return format!("is no key known here; did you mean `{near}`?");
    }
    match elsewhere(name) {
        Some(path) => format!("is no key known here; did you mean `{path}`?"),
        None => "is no key known here; take it out".into(),
    }
}

fn names(key: &Key) -> Vec<&'static str> {
    match &key.shape {
        Shape::Keys(keys) | Shape::Items(keys) | Shape::NestedItems(keys) => {
            let current =
                |key: &&Key| matches!(key.fate, Fate::Works | Fate::Later(_) | Fate::Unused(_));
            keys.iter().filter(current).map(|key| key.name).collect()
        }
        _ => Vec::new(),
    }
}

/// The one of `names` that `name` was most likely meant to be.
pub(super) fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    if name.len() > 128 {
        return None;
    }
    let folded = name.to_ascii_lowercase().replace('-', "_");
    let reach = (folded.chars().count() / 3).clamp(1, 4);
    names
        .map(|known| {
            (
                strsim::damerau_levenshtein(&folded, &known.to_ascii_lowercase()),
                known,
            )
        })
        .filter(|(distance, _)| *distance <= reach)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// The only other place in the whole table where this very key stands.
fn elsewhere(name: &str) -> Option<String> {
    let mut found = Vec::new();
    table().leaves(&mut Vec::new(), &mut |path, key| {
        if path.last() == Some(&name) && matches!(key.fate, Fate::Works) {
            found.push(path.join("."));
        }
    });
    (found.len() == 1).then(|| found.remove(0))
}

fn fits(at: &At<'_>, kind: &Type) -> Result<(), String> {
    if *kind == Type::Any || matches!(at.node.value, Value::Null) {
        return Ok(());
    }
    let Some(text) = at.text() else {
        let what = if at.is_list() {
            "a list"
        } else {
            "keys with values"
        };
        return Err(format!("must be a single value, not {what}"));
    };
    match kind {
        Type::Any => Ok(()),
        Type::Text(min) if !text.is_empty() && text.len() < *min => Err(format!(
            "has {} characters; write at least {min}",
            text.len()
        )),
        Type::Text(_) => Ok(()),
        Type::Bool => match at.bool() {
            None if !text.is_empty() => Err(format!("`{text}` is no boolean; write true or false")),
            _ => Ok(()),
        },
        Type::Int(range) => int(at, text, range),
        Type::Duration => duration(at).map(|_| ()),
        Type::WordOrDuration(words) => match words.contains(&text) {
            true => Ok(()),
            false => duration(at)
                .map(|_| ())
                .map_err(|error| format!("{error}, or one of the words {}", words.join(", "))),
        },
        Type::Url => url(text),
        Type::Address(schemes) => address(text, schemes),
        Type::Words { words, any_case } => word(text, words, *any_case),
    }
}

/// A duration in seconds; an integer may be negative and counts as nothing then.
pub(super) fn duration(at: &At<'_>) -> Result<Option<u64>, String> {
    let Some(text) = at.text() else {
        return Ok(None);
    };
    match (at.kind(), at.int()) {
        (Some(Kind::Integer), Some(seconds)) => match u64::try_from(seconds) {
            Ok(seconds) if seconds > i64::MAX as u64 / 1_000_000_000 => {
                Err(format!("`{text}` {}", durations::DurationError::TooLong))
            }
            Ok(seconds) => Ok(Some(seconds)),
            Err(_) => Ok(None),
        },
        _ => durations::parse(text)
            .map(Some)
            .map_err(|error| format!("`{text}` {error}")),
    }
}

fn int(at: &At<'_>, text: &str, range: &Range) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    let Some(value) = at.int() else {
        return Err(format!("`{text}` is no whole number"));
    };
    let zero = range.or_zero && value == 0;
    let only = range.only.is_empty() || range.only.contains(&value);
    let min = range.min.is_none_or(|min| value >= min);
    let max = range.max.is_none_or(|max| value <= max);
    if zero || (only && min && max) {
        return Ok(());
    }
    let wanted = match (&range.only[..], range.min, range.max) {
        ([_, ..], _, _) => range
            .only
            .iter()
            .map(i64::to_string)
            .collect::<Vec<_>>()
            .join(" or "),
        (_, Some(min), Some(max)) => format!("a number from {min} to {max}"),
        (_, Some(min), None) => format!("{min} or more"),
        (_, _, max) => format!("{} or less", max.unwrap_or(i64::MAX)),
    };
    Err(format!("`{text}` cannot be; write {wanted}"))
}

fn word(text: &str, words: &[&'static str], any_case: bool) -> Result<(), String> {
    let same = |word: &&str| {
        if any_case {
            word.eq_ignore_ascii_case(text)
        } else {
            *word == text
        }
    };
    if text.is_empty() || words.iter().any(|word| same(word)) {
        return Ok(());
    }
    Err(format!("`{text}` cannot be; write {}", one_of(words)))
}

/// `a, b or c`.
pub(super) fn one_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).into(),
        [front @ .., last] => format!("{} or {last}", front.join(", ")),
    }
}

fn url(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    match Url::parse(text) {
        Ok(_) => Ok(()),
        Err(_) => Err(format!(
            "`{text}` is no absolute address; write for instance https://auth.example.com"
        )),
    }
}

fn address(text: &str, schemes: &[&'static str]) -> Result<(), String> {
    let given = match text.split_once("://") {
        Some((scheme, _)) => scheme,
        None if text.starts_with('/') => "unix",
        None => return Ok(()),
    };
    if text.is_empty() || schemes.contains(&given) {
        return Ok(());
    }
    let wanted: Vec<String> = schemes
        .iter()
        .map(|scheme| format!("{scheme}://"))
        .collect();
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    Err(format!(
        "`{text}` begins with {given}://; write {}",
        one_of(&wanted)
    ))
}
