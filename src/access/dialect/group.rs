//! What begins with `(`.

use super::super::PatternError;
use super::{Last, Translator, refuse};
use std::fmt::Write;

impl Translator<'_> {
    pub(super) fn open_group(&mut self) -> Result<(), PatternError> {
        let start = self.input.at;
        if self.input.take("(?P<") || (!is_look_behind(self.input.rest()) && self.input.take("(?<"))
        {
            self.name_group(start)?;
        } else if self.input.rest().starts_with("(?") {
            if !self.flags(start)? {
                return Ok(());
            }
        } else {
            self.input.next();
            self.captures += 1;
            self.done.rust.push('(');
        }
        self.open.push(start);
        self.last = Last::Nothing;
        Ok(())
    }

    /// Go takes a name twice and lets the first count, `regex` takes it once: groups go by number.
    fn name_group(&mut self, start: usize) -> Result<(), PatternError> {
        let Some(end) = self.input.rest().find('>') else {
            return Err(refuse(
                start,
                "the group's name is never closed: write `(?P<NAME>…)`",
            ));
        };
        let name = &self.input.rest()[..end];
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(refuse(
                start,
                format!("`{name}` is no name for a group: use letters, digits and `_`"),
            ));
        }
        self.input.at += end + 1;
        self.captures += 1;
        let number = self.captures;
        let first = match name {
            "User" => &mut self.done.user,
            "Group" => &mut self.done.group,
            _ => &mut None,
        };
        first.get_or_insert(number);
        self.done.rust.push('(');
        Ok(())
    }

    /// `(?i)` and `(?i:`; whether a group was opened.
    fn flags(&mut self, start: usize) -> Result<bool, PatternError> {
        let rest = self.input.rest();
        if ["(?=", "(?!"].iter().any(|look| rest.starts_with(look)) || is_look_behind(rest) {
            return Err(refuse(
                start,
                "look-ahead and look-behind do not exist here: write two rules, the narrower one first",
            ));
        }
        let flags = &rest["(?".len()..];
        let end = flags.find([':', ')']).unwrap_or(flags.len());
        let (flags, closing) = flags.split_at(end);
        let (on, off) = match flags.split_once('-') {
            Some((on, off)) => (on, Some(off)),
            None => (flags, None),
        };
        let known = |flags: &str| flags.chars().all(|c| matches!(c, 'i' | 'm' | 's' | 'U'));
        if closing.is_empty() || off == Some("") || !known(on) || !off.is_none_or(known) {
            return Err(refuse(
                start,
                format!(
                    "`(?{flags}` is no group: the flags are i, m, s and U, a group without capture is `(?:…)`"
                ),
            ));
        }
        self.input.at += "(?".len() + end + 1;
        let opens = closing.starts_with(':');
        if opens || !flags.is_empty() {
            let off = off.map(|off| format!("-{}", once(off))).unwrap_or_default();
            let _ = write!(self.done.rust, "(?{}{off}{}", once(on), &closing[..1]);
        }
        if !opens {
            self.last = Last::Nothing;
        }
        Ok(opens)
    }
}

fn is_look_behind(rest: &str) -> bool {
    rest.starts_with("(?<=") || rest.starts_with("(?<!")
}

/// `regex` refuses a flag given twice.
fn once(flags: &str) -> String {
    "imsU"
        .chars()
        .filter(|flag| flags.contains(*flag))
        .collect()
}
