//! The alphabets and the little grammar that the forms of hashes share.

use base64::Engine;
use base64::alphabet::{self, Alphabet};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::HashError;

const UNPADDED: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_encode_padding(false)
    .with_decode_padding_mode(DecodePaddingMode::RequireNone)
    .with_decode_allow_trailing_bits(true);

/// `A–Z a–z 0–9 + /`, unpadded: PHC strings.
pub(super) const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, UNPADDED);

/// `A–Z a–z 0–9 . /`, unpadded: passlib's pbkdf2.
pub(super) const ADAPTED: GeneralPurpose = GeneralPurpose::new(&ADAPTED_ALPHABET, UNPADDED);

/// bcrypt's order of characters, most significant bits first.
pub(super) const BCRYPT: GeneralPurpose = GeneralPurpose::new(&alphabet::BCRYPT, UNPADDED);

const ADAPTED_ALPHABET: Alphabet =
    match Alphabet::new("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./") {
        Ok(alphabet) => alphabet,
        Err(_) => panic!("64 distinct characters"),
    };

/// The characters of crypt(3), least significant bits first.
pub(super) const CRYPT: &[u8; 64] =
    b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Longest salt or digest, in bytes.
const MAX_BYTES: usize = 1024;

/// Makes errors that name the algorithm.
#[derive(Clone, Copy)]
pub(super) struct Reader(pub(super) &'static str);

impl Reader {
    pub(super) fn error(self, what: impl Into<String>) -> HashError {
        HashError::Malformed {
            kind: self.0,
            what: what.into(),
        }
    }

    /// Decodes `text`; its length afterwards must lie in `len`.
    pub(super) fn bytes(
        self,
        name: &str,
        text: &str,
        engine: &GeneralPurpose,
        len: std::ops::RangeInclusive<usize>,
    ) -> Result<Vec<u8>, HashError> {
        let bytes = engine.decode(text).map_err(|_| {
            self.error(format!(
                "the {name} is not made of the characters it should be, or was cut"
            ))
        })?;
        self.len(name, bytes, len)
    }

    /// As [`Reader::bytes`], in the characters of crypt(3).
    pub(super) fn crypt_bytes(
        self,
        name: &str,
        text: &str,
        len: std::ops::RangeInclusive<usize>,
    ) -> Result<Vec<u8>, HashError> {
        let bytes = crypt_decode(text).ok_or_else(|| {
            self.error(format!(
                "the {name} is not made of the characters it should be, or was cut"
            ))
        })?;
        self.len(name, bytes, len)
    }

    fn len(
        self,
        name: &str,
        bytes: Vec<u8>,
        len: std::ops::RangeInclusive<usize>,
    ) -> Result<Vec<u8>, HashError> {
        let (min, max) = (*len.start(), MAX_BYTES.min(*len.end()));
        if (min..=max).contains(&bytes.len()) {
            return Ok(bytes);
        }
        Err(self.error(format!(
            "the {name} has {} bytes, {min} to {max} are allowed",
            bytes.len()
        )))
    }

    /// A decimal number within `range`; digits only.
    pub(super) fn number(
        self,
        name: &str,
        text: &str,
        range: std::ops::RangeInclusive<u32>,
    ) -> Result<u32, HashError> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| digits);
        number
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                self.error(format!(
                    "`{name}` is not a number from {} to {}",
                    range.start(),
                    range.end()
                ))
            })
    }

    /// `a=1,b=2` with exactly the keys `names`, in any order.
    pub(super) fn options<'t, const N: usize>(
        self,
        text: &'t str,
        names: [&str; N],
    ) -> Result<[&'t str; N], HashError> {
        let mut values = [None; N];
        for pair in text.split(',') {
            let place = pair.split_once('=').and_then(|(key, value)| {
                Some((names.iter().position(|name| *name == key)?, value))
            });
            match place {
                Some((index, value)) if values[index].is_none() => values[index] = Some(value),
                _ => return Err(self.expected(names)),
            }
        }
        let values = values.map(|value| value.ok_or(()));
        if values.iter().any(Result::is_err) {
            return Err(self.expected(names));
        }
        Ok(values.map(Result::unwrap_or_default))
    }

    fn expected<const N: usize>(self, names: [&str; N]) -> HashError {
        let names = names.map(|name| format!("{name}=…")).join(",");
        self.error(format!("its parameters are not `{names}`, each once"))
    }
}

/// Bytes as crypt(3) characters, every three bytes from their least significant bits up.
pub(super) fn crypt_encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group
            .iter()
            .rev()
            .fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
        crypt_digits(bits, group.len() + 1, &mut text);
    }
    text
}

/// `count` characters of `bits`, least significant first.
pub(super) fn crypt_digits(bits: u32, count: usize, text: &mut String) {
    text.extend((0..count).map(|i| char::from(CRYPT[(bits >> (6 * i)) as usize & 63])));
}

fn crypt_decode(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.bytes().map(crypt_digit).collect::<Option<_>>()?;
    let mut bytes = Vec::with_capacity(digits.len());
    for group in digits.chunks(4) {
        let bits = group.iter().rev().fold(0, |bits, digit| bits << 6 | digit);
        let count = group.len().checked_sub(1).filter(|count| *count > 0)?;
        bytes.extend_from_slice(&bits.to_le_bytes()[..count]);
    }
    Some(bytes)
}

fn crypt_digit(byte: u8) -> Option<u32> {
    Some(match byte {
        b'.' => 0,
        b'/' => 1,
        b'0'..=b'9' => u32::from(byte - b'0') + 2,
        b'A'..=b'Z' => u32::from(byte - b'A') + 12,
        b'a'..=b'z' => u32::from(byte - b'a') + 38,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crypt_characters_round_trip() {
        for len in 0..40u8 {
            let bytes: Vec<u8> = (0..len).map(|i| i.wrapping_mul(37) ^ 0xa5).collect();
            assert_eq!(crypt_decode(&crypt_encode(&bytes)), Some(bytes));
        }
        assert_eq!(crypt_decode("a"), None);
        assert_eq!(crypt_decode("ä"), None);
    }

    #[test]
    fn options_are_each_there_once() {
        let read = |text| Reader("x").options(text, ["a", "b"]);
        assert_eq!(read("b=2,a=1"), Ok(["1", "2"]));
        for bad in ["", "a=1", "a=1,b=2,a=1", "a=1,b=2,c=3", "a=1,b", "a=1,b=2,"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_are_digits_within_the_range() {
        let read = |text| Reader("x").number("n", text, 1..=9).ok();
        assert_eq!(read("9"), Some(9));
        assert_eq!(read("09"), Some(9));
        for bad in ["", "0", "10", "+1", "-1", " 1", "1 ", "99999999999"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
