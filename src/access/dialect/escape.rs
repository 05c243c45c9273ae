//! Backslash escapes.

use super::super::PatternError;
use super::{Input, refuse};

/// What an escape stands for.
pub(super) enum Escape {
    /// One character.
    Literal(char),
    /// `\Q…\E`.
    Quote(String),
    /// A class of characters, as `regex` reads it in a bracket or out of it.
    Class(String),
    /// A place between characters, as `regex` reads it.
    Assertion(String),
}

/// Reads the escape that begins at the cursor.
pub(super) fn read(input: &mut Input<'_>) -> Result<Escape, PatternError> {
    let start = input.at;
    input.next();
    let Some(c) = input.next() else {
        return Err(refuse(
            start,
            "the pattern ends in `\\`: write `\\\\` for the character",
        ));
    };
    Ok(match c {
        'd' => Escape::Class("[0-9]".into()),
        'D' => Escape::Class("[^0-9]".into()),
        's' => Escape::Class("[\\t\\n\\f\\r\\x20]".into()),
        'S' => Escape::Class("[^\\t\\n\\f\\r\\x20]".into()),
        'w' => Escape::Class("[0-9A-Za-z\\x5F]".into()),
        'W' => Escape::Class("[^0-9A-Za-z\\x5F]".into()),
        'b' => Escape::Assertion("(?-u:\\b)".into()),
        'B' => Escape::Assertion("(?-u:\\B)".into()),
        'A' => Escape::Assertion("\\A".into()),
        'z' => Escape::Assertion("\\z".into()),
        'p' | 'P' => read_property(input, start, c == 'P')?,
        'Q' => read_quote(input),
        '0'..='7' => read_octal(input, start, c)?,
        'x' => read_hexadecimal(input, start)?,
        'a' => Escape::Literal('\x07'),
        'f' => Escape::Literal('\x0C'),
        'n' => Escape::Literal('\n'),
        'r' => Escape::Literal('\r'),
        't' => Escape::Literal('\t'),
        'v' => Escape::Literal('\x0B'),
        c if c.is_ascii() && !c.is_ascii_alphanumeric() => Escape::Literal(c),
        c => return Err(refuse(start, unknown(c))),
    })
}

fn unknown(c: char) -> String {
    match c {
        'Z' => "`\\Z` does not exist here: write `\\z` or `$` for the end of the text".into(),
        'u' | 'U' => {
            format!("`\\{c}` does not exist here: write the character itself or `\\x{{…}}`")
        }
        '8' | '9' => format!("`\\{c}` does not exist here: there are no back-references"),
        c => format!("`\\{c}` does not exist here: write `{c}` for the character"),
    }
}

/// Everything up to `\E` or the end means itself.
fn read_quote(input: &mut Input<'_>) -> Escape {
    let rest = input.rest();
    let (quoted, length) = match rest.split_once("\\E") {
        Some((quoted, _)) => (quoted, quoted.len() + "\\E".len()),
        None => (rest, rest.len()),
    };
    input.at += length;
    Escape::Quote(quoted.into())
}

/// `\pL`, `\p{Greek}`, `\p{^Greek}`.
fn read_property(
    input: &mut Input<'_>,
    start: usize,
    mut negated: bool,
) -> Result<Escape, PatternError> {
    let form = || refuse(start, "a Unicode class is written `\\pL` or `\\p{Greek}`");
    let first = input.next().ok_or_else(form)?;
    let mut name = first.to_string();
    if first == '{' {
        let (inner, _) = input.rest().split_once('}').ok_or_else(form)?;
        input.at += inner.len() + 1;
        negated ^= inner.starts_with('^');
        name = inner.strip_prefix('^').unwrap_or(inner).into();
    }
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(form());
    }
    Ok(Escape::Class(format!(
        "\\{}{{{name}}}",
        if negated { 'P' } else { 'p' }
    )))
}

/// `\0`, `\12`, `\123`; a single digit other than 0 would be a back-reference.
fn read_octal(input: &mut Input<'_>, start: usize, first: char) -> Result<Escape, PatternError> {
    let digits = input
        .rest()
        .bytes()
        .take(2)
        .take_while(|b| (b'0'..=b'7').contains(b))
        .count();
    if first != '0' && digits == 0 {
        return Err(refuse(
            start,
            format!("`\\{first}` does not exist here: there are no back-references"),
        ));
    }
    input.at += digits;
    character(&input.text[start + 1..input.at], 8, start)
}

/// `\x2F` and `\x{2F}`.
fn read_hexadecimal(input: &mut Input<'_>, start: usize) -> Result<Escape, PatternError> {
    let form = || {
        refuse(
            start,
            "a character by number is written `\\x2F` or `\\x{2F}`",
        )
    };
    let digits = if input.take("{") {
        let (digits, _) = input.rest().split_once('}').ok_or_else(form)?;
        input.at += digits.len() + 1;
        digits
    } else {
        let digits = input.rest().get(..2).ok_or_else(form)?;
        input.at += 2;
        digits
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(form());
    }
    character(digits, 16, start)
}

fn character(digits: &str, radix: u32, start: usize) -> Result<Escape, PatternError> {
    let number = u32::from_str_radix(digits, radix).ok();
    number
        .and_then(char::from_u32)
        .map(Escape::Literal)
        .ok_or_else(|| refuse(start, "there is no character of that number"))
}
