//! Single values: what kind they must be of, and what they are.

use url::Url;

use super::durations;
use super::report::At;
use super::table::{Range, Type};
use super::yaml::{Kind, Value};

/// Whether a value is what the table wants, or what to write instead.
pub(super) fn fits(at: &At<'_>, kind: &Type) -> Result<(), String> {
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
    if text.is_empty() || words.iter().any(same) {
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
    Err(format!("begins with {given}://; write {}", one_of(&wanted)))
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
