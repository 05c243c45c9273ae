//! Form-encoded queries, as Go's `net/url` takes them apart.

use std::borrow::Cow;

/// The raw keys and values of `query` in their order. Pairs that hold `;` are dropped, as are
/// empty ones.
pub(super) fn pairs(query: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let pairs = query.split(|byte| *byte == b'&');
    pairs
        .filter(|pair| !pair.is_empty() && !pair.contains(&b';'))
        .map(|pair| match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &pair[..0]),
        })
}

/// The value of the first pair whose key is `key`; pairs with an invalid escape are dropped.
pub(super) fn first<'q>(query: &'q [u8], key: &str) -> Option<Cow<'q, [u8]>> {
    pairs(query)
        .filter(|(name, _)| decode(name).is_some_and(|name| *name == *key.as_bytes()))
        .find_map(|(_, value)| decode(value))
}

/// `text` with `+` as a space and escapes resolved; `None` when an escape is invalid.
pub(super) fn decode(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    if !text.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return Some(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                rest = tail.get(2..)?;
                escaped(tail)?
            }
            other => *other,
        });
    }
    Some(Cow::Owned(out))
}

/// The byte that the two hexadecimal digits at the start of `digits` stand for.
pub(super) fn escaped(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16);
    u8::try_from(digit(0)? << 4 | digit(1)?).ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn takes_pairs_apart_as_go_does() {
        let first = |query: &'static str, key| {
            super::first(query.as_bytes(), key)
                .map(|value| String::from_utf8(value.into_owned()).unwrap())
        };
        assert_eq!(first("a=1&a=2", "a").as_deref(), Some("1"));
        assert_eq!(first("b&a", "a").as_deref(), Some(""));
        assert_eq!(first("a=1;x=2", "a"), None);
        assert_eq!(first("a=%zz&a=2", "a").as_deref(), Some("2"));
        assert_eq!(first("%61=x%20y+z", "a").as_deref(), Some("x y z"));
        assert_eq!(first("a%3D1", "a"), None);
        assert_eq!(first("a%3D1", "a=1").as_deref(), Some(""));
        assert_eq!(first("a%=1&%=2", "a"), None);
        assert_eq!(first("=1", "").as_deref(), Some("1"));
    }
}
