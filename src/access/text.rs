//! Text as Go sees it, where Rust's own notion differs.

use std::borrow::Cow;

/// `bytes` as UTF-8, each byte that is not part of a character replaced by U+FFFD. Go's regular
/// expressions read such bytes so; with them replaced, `.` matches the same in both.
pub(super) fn readable(bytes: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    if std::str::from_utf8(&bytes).is_ok() {
        return bytes;
    }
    let mut out = Vec::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        out.extend_from_slice(chunk.valid().as_bytes());
        chunk
            .invalid()
            .iter()
            .for_each(|_| out.extend_from_slice("\u{FFFD}".as_bytes()));
    }
    Cow::Owned(out)
}

/// Whether two texts are the same but for case.
pub(super) fn same_but_for_case(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
        || !(a.is_ascii() && b.is_ascii()) && a.chars().map(fold).eq(b.chars().map(fold))
}

/// One character for all its cases. Characters that grow when their case changes stay as they are.
fn fold(c: char) -> char {
    let upper = alone(c.to_uppercase()).unwrap_or(c);
    alone(upper.to_lowercase()).unwrap_or(upper)
}

fn alone(mut chars: impl Iterator<Item = char>) -> Option<char> {
    let first = chars.next()?;
    chars.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stray_byte_is_one_replacement() {
        let read =
            |bytes: &'static [u8]| String::from_utf8(readable(bytes.into()).into_owned()).unwrap();
        assert_eq!(read(b"/a\xFFb"), "/a\u{FFFD}b");
        assert_eq!(read(b"/\xE2\x82/"), "/\u{FFFD}\u{FFFD}/");
        assert_eq!(read("/ü".as_bytes()), "/ü");
    }

    #[test]
    fn case_is_folded_one_character_for_one() {
        for (a, b) in [
            ("Alice", "aLICE"),
            ("ÜNSAL", "ünsal"),
            ("ς", "Σ"),
            ("\u{17F}", "S"),
        ] {
            assert!(same_but_for_case(a, b), "{a} {b}");
        }
        for (a, b) in [("alice", "alice "), ("ß", "ss"), ("", "a"), ("é", "e")] {
            assert!(!same_but_for_case(a, b), "{a} {b}");
        }
    }
}
