//! From Go's regular expressions to those of `regex`.
//!
//! Both engines find the same matches for what both understand; this file writes a pattern so that
//! `regex` understands what Go would have, and refuses what Go refuses. It knows no request.

mod class;
mod escape;
mod group;

use super::PatternError;
use escape::Escape;
use std::fmt::Write;

/// Go refuses a repetition above this count.
const MOST_REPETITIONS: u32 = 1000;

/// A pattern as `regex` reads it, and what was noticed on the way.
#[derive(Debug, Default)]
pub(super) struct Translation {
    /// The pattern for `regex`, with Unicode on.
    pub rust: String,
    /// Whether a literal question mark stands in it, alone or in a class that is not negated.
    pub names_question_mark: bool,
    /// Number of the first capture group named `User`.
    pub user: Option<usize>,
    /// Number of the first capture group named `Group`.
    pub group: Option<usize>,
}

/// Translates `go`; the error says what to write instead.
pub(super) fn translate(go: &str) -> Result<Translation, PatternError> {
    if go.is_empty() {
        return Err(refuse(
            0,
            "the pattern is empty: write `.*` if everything is meant",
        ));
    }
    let mut translator = Translator {
        input: Input { text: go, at: 0 },
        ..Translator::default()
    };
    translator.run()?;
    Ok(translator.done)
}

fn refuse(at: usize, message: impl Into<String>) -> PatternError {
    PatternError {
        at,
        message: message.into(),
    }
}

/// A place in the pattern.
#[derive(Clone, Copy, Default)]
struct Input<'g> {
    text: &'g str,
    at: usize,
}

impl<'g> Input<'g> {
    fn rest(&self) -> &'g str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn take(&mut self, prefix: &str) -> bool {
        let found = self.rest().starts_with(prefix);
        if found {
            self.at += prefix.len();
        }
        found
    }
}

/// What stands before the cursor, as far as a repetition cares.
#[derive(Clone, Copy, Default, PartialEq)]
enum Last {
    #[default]
    Nothing,
    Atom,
    Repetition,
}

#[derive(Default)]
struct Translator<'g> {
    input: Input<'g>,
    last: Last,
    /// Where the groups that are still open began.
    open: Vec<usize>,
    captures: usize,
    done: Translation,
}

impl Translator<'_> {
    fn run(&mut self) -> Result<(), PatternError> {
        while let Some(c) = self.input.peek() {
            match c {
                '(' => self.open_group()?,
                ')' => self.close_group()?,
                '|' => self.pass('|', Last::Nothing),
                '*' | '+' | '?' => self.repeat_simply(c)?,
                '{' => self.repeat_counted()?,
                '[' => self.class()?,
                '\\' => self.escape()?,
                '^' | '$' | '.' => self.pass(c, Last::Atom),
                _ => {
                    self.input.next();
                    self.literal(c);
                }
            }
        }
        match self.open.pop() {
            Some(at) => Err(refuse(
                at,
                "`(` is never closed: write the missing `)`, or `\\(` for the character",
            )),
            None => Ok(()),
        }
    }

    /// Copies a character that means the same to both.
    fn pass(&mut self, c: char, last: Last) {
        self.input.next();
        self.done.rust.push(c);
        self.last = last;
    }

    fn literal(&mut self, c: char) {
        self.done.names_question_mark |= c == '?';
        write_literal(&mut self.done.rust, c);
        self.last = Last::Atom;
    }

    fn close_group(&mut self) -> Result<(), PatternError> {
        if self.open.pop().is_none() {
            return Err(refuse(
                self.input.at,
                "`)` closes nothing: remove it, or write `\\)` for the character",
            ));
        }
        self.pass(')', Last::Atom);
        Ok(())
    }

    fn repeat_simply(&mut self, c: char) -> Result<(), PatternError> {
        let start = self.input.at;
        self.input.next();
        self.repeat(start, &c.to_string())
    }

    fn repeat_counted(&mut self) -> Result<(), PatternError> {
        let start = self.input.at;
        let Some((least, most, length)) = counts(self.input.rest()) else {
            self.input.next();
            self.literal('{');
            return Ok(());
        };
        if least > MOST_REPETITIONS
            || most.is_some_and(|most| most > MOST_REPETITIONS || most < least)
        {
            return Err(refuse(
                start,
                format!(
                    "a count is above {MOST_REPETITIONS}, or the second is below the first: correct it, or write `\\{{` for the character"
                ),
            ));
        }
        let text = self.input.rest()[..length].to_owned();
        self.input.at += length;
        self.repeat(start, &text)
    }

    fn repeat(&mut self, start: usize, operator: &str) -> Result<(), PatternError> {
        match self.last {
            Last::Nothing => Err(refuse(
                start,
                format!(
                    "`{operator}` has nothing before it to repeat: write `\\{operator}` for the character"
                ),
            )),
            Last::Repetition => Err(refuse(
                start,
                format!(
                    "`{operator}` repeats a repetition: remove one of the two, or put the first into `(?:…)`"
                ),
            )),
            Last::Atom => {
                self.done.rust.push_str(operator);
                if self.input.take("?") {
                    self.done.rust.push('?');
                }
                self.last = Last::Repetition;
                Ok(())
            }
        }
    }

    fn class(&mut self) -> Result<(), PatternError> {
        let class = class::read(&mut self.input)?;
        self.done.names_question_mark |= class.names_question_mark;
        self.done.rust.push_str(&class.rust);
        self.last = Last::Atom;
        Ok(())
    }

    fn escape(&mut self) -> Result<(), PatternError> {
        match escape::read(&mut self.input)? {
            Escape::Literal(c) => self.literal(c),
            Escape::Quote(text) => text.chars().for_each(|c| self.literal(c)),
            Escape::Class(class) | Escape::Assertion(class) => {
                self.done.rust.push_str(&class);
                self.last = Last::Atom;
            }
        }
        Ok(())
    }
}

/// Writes `c` so that it can mean nothing but itself, in a class or out of it.
fn write_literal(out: &mut String, c: char) {
    if c.is_ascii_alphanumeric() {
        out.push(c);
    } else {
        let _ = write!(out, "\\x{{{:X}}}", u32::from(c));
    }
}

/// The counts of a `{2}`, `{2,}` or `{2,3}` that `text` begins with, and its length.
fn counts(text: &str) -> Option<(u32, Option<u32>, usize)> {
    let end = text.find('}')?;
    let inner = &text[1..end];
    let (least, most) = inner.split_once(',').unwrap_or((inner, inner));
    let most = if most.is_empty() {
        None
    } else {
        Some(count(most)?)
    };
    Some((count(least)?, most, end + 1))
}

/// A count without leading zeros; one that does not fit is as bad as the largest.
fn count(digits: &str) -> Option<u32> {
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let led = digits.len() > 1 && digits.starts_with('0');
    (plain && !led).then(|| digits.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests;
