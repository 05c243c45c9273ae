//! One password in a users file, replaced: every other byte stays as it was.
//!
//! The place is found by the parser itself. The result is parsed again and must be the same tree but
//! for that one value; whatever cannot be shown to be so is refused.

use super::yaml::{self, Entry, Kind, Node, Scalar, Value};

/// Why a password was not replaced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RewriteError {
    /// The file cannot be read as YAML.
    #[error("the users file cannot be read: {0}")]
    Unreadable(String),
    /// The user is not in it, or more than once.
    #[error("the users file has no such user, or has him twice")]
    NoUser,
    /// There is no password, or more than one.
    #[error("the user has no `password:` in the users file, or has it twice")]
    NoPassword,
    /// Written in a way that is not rewritten.
    #[error(
        "the `password:` of the user cannot be rewritten in place: it is {0}; write it as one \
        text in quotes on its own line"
    )]
    Unsure(&'static str),
    /// What should be written is no password hash.
    #[error("what should be written is no password hash")]
    NoHash,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quotes {
    None,
    Single,
    Double,
}

/// Where a scalar stands, quotes included.
struct Place {
    start: usize,
    end: usize,
    quotes: Quotes,
}

/// `text`, a users file, with `hash` as the password of `user` (canonical name).
///
/// # Errors
/// It could not be done with certainty.
pub fn replace_password(text: &str, user: &str, hash: &str) -> Result<String, RewriteError> {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"$./+=,_-{}".contains(&byte);
    if hash.is_empty() || !hash.bytes().all(safe) {
        return Err(RewriteError::NoHash);
    }
    let parse =
        |text: &str| yaml::parse(text).map_err(|error| RewriteError::Unreadable(error.message));
    let mut wanted = parse(text)?;
    let node = password(&mut wanted, user)?;
    let Value::Scalar(scalar) = &node.value else {
        return Err(RewriteError::NoPassword);
    };
    let place = place(text, node, scalar)?;
    node.value = Value::Scalar(Scalar {
        text: hash.to_owned(),
        kind: Kind::Text,
    });
    for quotes in [place.quotes, Quotes::Single] {
        let rewritten = format!(
            "{}{}{}",
            &text[..place.start],
            quoted(hash, quotes),
            &text[place.end..]
        );
        if yaml::parse(&rewritten).is_ok_and(|tree| tree == wanted) {
            return Ok(rewritten);
        }
    }
    Err(RewriteError::Unsure(
        "not told apart from what is around it",
    ))
}

/// The value of the `password` of `user`.
fn password<'t>(root: &'t mut Node, user: &str) -> Result<&'t mut Node, RewriteError> {
    let user = only(root, "users")
        .and_then(|users| only(users, user))
        .ok_or(RewriteError::NoUser)?;
    only(user, "password").ok_or(RewriteError::NoPassword)
}

/// What stands at a key that is there once.
fn only<'t>(node: &'t mut Node, key: &str) -> Option<&'t mut Node> {
    let Value::Map(entries) = &mut node.value else {
        return None;
    };
    let mut found = entries.iter_mut().filter(|entry| entry.key == key);
    let Entry { value, .. } = found.next()?;
    found.next().is_none().then_some(value)
}

fn place(text: &str, node: &Node, scalar: &Scalar) -> Result<Place, RewriteError> {
    let start = yaml::start_of(text, node.id)
        .ok_or(RewriteError::Unsure("nowhere that the parser could say"))?;
    let rest = &text[start..];
    let (length, quotes) = match rest.as_bytes().first() {
        Some(b'\'') => (single(rest), Quotes::Single),
        Some(b'"') => (double(rest), Quotes::Double),
        Some(b'|' | b'>') => return Err(RewriteError::Unsure("a block of lines")),
        Some(b'&' | b'*') => {
            return Err(RewriteError::Unsure(
                "an anchor or alias (`&name`, `*name`)",
            ));
        }
        Some(b'!') => return Err(RewriteError::Unsure("behind a tag (`!name`)")),
        _ => {
            let length = Some(scalar.text.len())
                .filter(|length| *length > 0 && rest.starts_with(&scalar.text));
            (length, Quotes::None)
        }
    };
    let length = length.ok_or(RewriteError::Unsure("written over several lines"))?;
    Ok(Place {
        start,
        end: start + length,
        quotes,
    })
}

/// The length of a text in single quotes; two of them inside are one.
fn single(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate().skip(1).peekable();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\n' | b'\r' => return None,
            b'\'' if bytes.next_if(|(_, byte)| *byte == b'\'').is_none() => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The length of a text in double quotes.
fn double(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\n' | b'\r' => return None,
            b'\\' => {
                bytes.next().filter(|(_, byte)| *byte != b'\n')?;
            }
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn quoted(hash: &str, quotes: Quotes) -> String {
    match quotes {
        Quotes::None => hash.to_owned(),
        Quotes::Single => format!("'{hash}'"),
        Quotes::Double => format!("\"{hash}\""),
    }
}

#[cfg(test)]
mod tests;
