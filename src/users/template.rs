//! `{user}` and `{attr:NAME}` in the values that the users file adds.

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What RFC 3986 calls unreserved stays as it is.
const SEGMENT: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Whom the placeholders speak of.
pub(super) struct Person<'a> {
    pub(super) name: &'a str,
    pub(super) attributes: &'a BTreeMap<String, String>,
}

/// How a value is put in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// As it is.
    Text,
    /// Encoded as one segment of a path; neither empty nor `.` nor `..`.
    Segment,
}

/// Fills `template`. The error is the placeholder that has no value fit for its place; any other
/// brace stays as it is.
pub(super) fn fill(template: &str, person: &Person<'_>, place: Place) -> Result<String, String> {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(start) = rest.find('{') {
        filled.push_str(&rest[..start]);
        rest = &rest[start..];
        let placeholder = rest.find('}').map(|end| &rest[1..end]);
        let Some(name) = placeholder.filter(|name| *name == "user" || name.starts_with("attr:"))
        else {
            filled.push('{');
            rest = &rest[1..];
            continue;
        };
        filled.push_str(&value(name, person, place).ok_or_else(|| format!("{{{name}}}"))?);
        rest = &rest[name.len() + 2..];
    }
    filled.push_str(rest);
    Ok(filled)
}

fn value<'a>(placeholder: &str, person: &Person<'a>, place: Place) -> Option<Cow<'a, str>> {
    let value = match placeholder.strip_prefix("attr:") {
        Some(name) => person.attributes.get(name)?,
        None => person.name,
    };
    match place {
        Place::Text => Some(value.into()),
        Place::Segment => {
            (!matches!(value, "" | "." | "..")).then(|| utf8_percent_encode(value, &SEGMENT).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str, place: Place) -> Result<String, String> {
        let attributes = [
            ("team", "a/b ü"),
            ("up", ".."),
            ("empty", ""),
            ("twice", "{user}"),
        ];
        let attributes = attributes
            .map(|(name, value)| (name.into(), value.into()))
            .into();
        fill(
            template,
            &Person {
                name: "john",
                attributes: &attributes,
            },
            place,
        )
    }

    #[test]
    fn placeholders_are_filled_and_other_braces_stay() {
        let text = |template| filled(template, Place::Text);
        assert_eq!(text("{user}@{attr:team}!"), Ok("john@a/b ü!".into()));
        assert_eq!(
            text(r#"{"a": {user}, {users} {"#),
            Ok(r#"{"a": {user}, {users} {"#.replace("{user}", "john"))
        );
        assert_eq!(text("{attr:twice}"), Ok("{user}".into()));
        assert_eq!(text("x{attr:none}"), Err("{attr:none}".into()));
        assert_eq!(text("{attr:empty}"), Ok("".into()));
    }

    #[test]
    fn a_segment_cannot_leave_its_place() {
        let segment = |template| filled(template, Place::Segment);
        assert_eq!(
            segment("http://{user}.x/{attr:team}"),
            Ok("http://john.x/a%2Fb%20%C3%BC".into())
        );
        for placeholder in ["{attr:up}", "{attr:empty}", "{attr:none}"] {
            assert_eq!(segment(placeholder), Err(placeholder.into()));
        }
    }
}
