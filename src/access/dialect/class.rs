//! Bracketed classes.

use super::super::PatternError;
use super::escape::{self, Escape};
use super::{Input, refuse, write_literal};

/// A class as `regex` reads it.
pub(super) struct Class {
    pub rust: String,
    /// Whether the class is not negated and has `?` as a member by name.
    pub names_question_mark: bool,
}

const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

/// Reads the class that begins at the cursor. Inside, Go has no set operations and takes `[`,
/// `&&`, `--` and `~~` for what they are, so that every literal is written as a number.
pub(super) fn read(input: &mut Input<'_>) -> Result<Class, PatternError> {
    let start = input.at;
    input.next();
    let negated = input.take("^");
    let mut class = Class {
        rust: "[".into(),
        names_question_mark: false,
    };
    if negated {
        class.rust.push('^');
    }
    let mut first = true;
    while first || !input.rest().starts_with(']') {
        if input.rest().is_empty() {
            return Err(refuse(
                start,
                "`[` is never closed: write the missing `]`, or `\\[` for the character",
            ));
        }
        first = false;
        if let Some(posix) = read_posix(input)? {
            class.rust.push_str(posix);
        } else {
            read_member(input, start, &mut class)?;
        }
    }
    input.next();
    class.rust.push(']');
    class.names_question_mark &= !negated;
    Ok(class)
}

/// `[:alpha:]` or `[:^alpha:]`; without `:]` the bracket is a character.
fn read_posix<'g>(input: &mut Input<'g>) -> Result<Option<&'g str>, PatternError> {
    let rest = input.rest();
    let Some(end) = rest.strip_prefix("[:").and_then(|inner| inner.find(":]")) else {
        return Ok(None);
    };
    let (whole, name) = (&rest[..end + 4], &rest[2..end + 2]);
    if !POSIX.contains(&name.strip_prefix('^').unwrap_or(name)) {
        return Err(refuse(
            input.at,
            format!("`{whole}` is no class: the names are {}", POSIX.join(", ")),
        ));
    }
    input.at += whole.len();
    Ok(Some(whole))
}

/// A character, a range, or a class such as `\d`.
fn read_member(input: &mut Input<'_>, start: usize, class: &mut Class) -> Result<(), PatternError> {
    let at = input.at;
    let low = match read_character(input, start)? {
        Escape::Class(inner) => {
            class.rust.push_str(&inner);
            return Ok(());
        }
        other => single(other, at)?,
    };
    write_literal(&mut class.rust, low);
    class.names_question_mark |= low == '?';
    let rest = input.rest();
    if !rest.starts_with('-') || rest.starts_with("-]") || rest.len() == 1 {
        return Ok(());
    }
    input.next();
    let high = single(read_character(input, start)?, at)?;
    if high < low {
        return Err(refuse(
            at,
            format!(
                "the range `{}` runs backwards: swap its ends, or write `\\-` for the character",
                &input.text[at..input.at]
            ),
        ));
    }
    class.rust.push('-');
    write_literal(&mut class.rust, high);
    class.names_question_mark |= high == '?';
    Ok(())
}

fn read_character(input: &mut Input<'_>, start: usize) -> Result<Escape, PatternError> {
    if input.rest().starts_with('\\') {
        return escape::read(input);
    }
    match input.next() {
        Some(c) => Ok(Escape::Literal(c)),
        None => Err(refuse(
            start,
            "`[` is never closed: write the missing `]`, or `\\[` for the character",
        )),
    }
}

fn single(escape: Escape, at: usize) -> Result<char, PatternError> {
    match escape {
        Escape::Literal(c) => Ok(c),
        _ => Err(refuse(
            at,
            "only single characters can stand here in a class",
        )),
    }
}
