//! A short text kept inline, so that records hold names without a heap.

use std::fmt;

/// UTF-8 of at most `N` bytes (`N` below 256), stored in place.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Text<const N: usize> {
    length: u8,
    bytes: [u8; N],
}

/// The text has more bytes than its place has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("longer than {limit} bytes")]
pub struct TooLong {
    /// How many bytes there is room for.
    pub limit: usize,
}

impl<const N: usize> Text<N> {
    /// Takes a text of at most `N` bytes.
    ///
    /// # Errors
    /// The text is longer than that.
    pub fn new(text: &str) -> Result<Self, TooLong> {
        let length = u8::try_from(text.len()).ok().filter(|_| text.len() <= N);
        let length = length.ok_or(TooLong { limit: N })?;
        let mut bytes = [0; N];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Text { length, bytes })
    }

    /// As much of `text` as there is room for, cut between two characters.
    pub fn cut(text: &str) -> Self {
        let mut end = text.len().min(N).min(u8::MAX.into());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        Self::new(&text[..end]).unwrap_or(Text {
            length: 0,
            bytes: [0; N],
        })
    }

    /// Reads what [`Text::length`] and [`Text::padded`] gave; `None` for what they never give.
    pub fn from_padded(length: u8, bytes: &[u8]) -> Option<Self> {
        let bytes = <[u8; N]>::try_from(bytes).ok()?;
        std::str::from_utf8(bytes.get(..length.into())?).ok()?;
        // Without a way out of the loop, many bytes are looked at in one go.
        let rest = bytes[length.into()..]
            .iter()
            .fold(0, |all, byte| all | byte);
        (rest == 0).then_some(Text { length, bytes })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        // Checked when the value was made; nothing is a safe answer if it ever were not so.
        std::str::from_utf8(&self.bytes[..self.length.into()]).unwrap_or_default()
    }

    /// Bytes of the text.
    pub fn length(&self) -> u8 {
        self.length
    }

    /// The text, filled up with zeros.
    pub fn padded(&self) -> &[u8; N] {
        &self.bytes
    }
}

impl<const N: usize> TryFrom<&str> for Text<N> {
    type Error = TooLong;

    fn try_from(text: &str) -> Result<Self, TooLong> {
        Self::new(text)
    }
}

impl<const N: usize> PartialEq<str> for Text<N> {
    fn eq(&self, other: &str) -> bool {
        self.bytes[..self.length.into()] == *other.as_bytes()
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_fits_or_says_so() {
        assert_eq!(Text::<4>::new("äü").map(|t| t.to_string()), Ok("äü".into()));
        assert_eq!(Text::<4>::new("abcde"), Err(TooLong { limit: 4 }));
        assert_eq!(Text::<4>::cut("abäü").as_str(), "abä");
        assert_eq!(Text::<4>::cut("abcä").as_str(), "abc");
    }

    #[test]
    fn what_was_not_written_here_is_not_read() {
        let text = Text::<4>::new("ab").expect("short");
        assert_eq!(Text::from_padded(text.length(), text.padded()), Some(text));
        assert_eq!(Text::<4>::from_padded(5, b"abcd"), None);
        assert_eq!(Text::<4>::from_padded(1, b"ab\0\0"), None);
        assert_eq!(Text::<4>::from_padded(1, b"\xff\0\0\0"), None);
        assert_eq!(Text::<4>::from_padded(1, b"a\0\0"), None);
    }
}
