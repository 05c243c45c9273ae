//! Forms and queries (`application/x-www-form-urlencoded`): bounded, and strict where lenient
//! readers disagree. A field that comes twice has no value that everybody would agree on.

use std::borrow::Cow;

use percent_encoding::percent_decode;
use zeroize::Zeroizing;

use super::request::Request;

/// Longest body that is read, in bytes.
pub const BODY_LIMIT: usize = 16 << 10;

/// Most fields that a form may have.
const FORM_FIELDS: usize = 16;

/// Most fields that a query may have before none of it is believed.
const QUERY_FIELDS: usize = 64;

/// Why a form is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// Longer than [`BODY_LIMIT`] or with more fields than any form of ours has.
    #[error("form is too large")]
    Large,
    /// The same field twice.
    #[error("a field is given twice")]
    Repeated,
    /// A broken percent-encoding, or bytes that are no UTF-8.
    #[error("form is not well-formed")]
    Malformed,
}

/// The fields of a posted form. Values are wiped from memory when the form is dropped.
pub struct Form(Vec<(String, Zeroizing<String>)>);

impl Form {
    /// The form that a page of ours sent; otherwise the status of the answer.
    pub fn read(request: &Request<'_>) -> Result<Self, u16> {
        if request.is_foreign() {
            return Err(403);
        }
        if !request.has_content_type("application/x-www-form-urlencoded") {
            return Err(400);
        }
        Self::parse(request.body).map_err(|error| match error {
            FormError::Large => 413,
            FormError::Repeated | FormError::Malformed => 400,
        })
    }

    /// Reads a body.
    pub fn parse(body: &[u8]) -> Result<Self, FormError> {
        if body.len() > BODY_LIMIT {
            return Err(FormError::Large);
        }
        let mut fields: Vec<(String, Zeroizing<String>)> = Vec::new();
        for (name, value) in pairs(body) {
            let name = decode(name)?;
            if fields.iter().any(|(known, _)| *known == *name) {
                return Err(FormError::Repeated);
            }
            if fields.len() == FORM_FIELDS {
                return Err(FormError::Large);
            }
            fields.push((name.to_string(), decode(value)?));
        }
        Ok(Form(fields))
    }

    /// Takes the value of a field out of the form; an absent field is empty.
    pub fn take(&mut self, name: &str) -> Zeroizing<String> {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, value)) => std::mem::take(value),
            None => Zeroizing::default(),
        }
    }
}

/// The value of `name` in a query; `None` when it is absent. Other fields may be anything.
pub fn query_value(query: &[u8], name: &str) -> Result<Option<String>, FormError> {
    let mut found = None;
    for (count, (key, value)) in pairs(query).enumerate() {
        if count == QUERY_FIELDS {
            return Err(FormError::Large);
        }
        if decode(key).is_ok_and(|key| *key == name) {
            if found.is_some() {
                return Err(FormError::Repeated);
            }
            found = Some(decode(value)?.to_string());
        }
    }
    Ok(found)
}

/// `name=value` pairs in form encoding, for addresses and tests.
pub fn encode<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

fn pairs(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    bytes
        .split(|b| *b == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| match pair.iter().position(|b| *b == b'=') {
            Some(equals) => (&pair[..equals], &pair[equals + 1..]),
            None => (pair, &pair[pair.len()..]),
        })
}

fn decode(bytes: &[u8]) -> Result<Zeroizing<String>, FormError> {
    if !has_whole_escapes(bytes) {
        return Err(FormError::Malformed);
    }
    let spaced = Zeroizing::new(
        bytes
            .iter()
            .map(|b| if *b == b'+' { b' ' } else { *b })
            .collect::<Vec<u8>>(),
    );
    let text = match Cow::from(percent_decode(&spaced)) {
        Cow::Borrowed(plain) => std::str::from_utf8(plain).map(str::to_owned).ok(),
        Cow::Owned(decoded) => String::from_utf8(decoded).ok(),
    };
    text.map(Zeroizing::new).ok_or(FormError::Malformed)
}

fn has_whole_escapes(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .enumerate()
        .filter(|(_, b)| **b == b'%')
        .all(|(at, _)| {
            bytes
                .get(at + 1..at + 3)
                .is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(body: &[u8]) -> Option<FormError> {
        Form::parse(body).err()
    }

    #[test]
    fn fields_are_decoded_once() {
        let mut form =
            Form::parse(b"username=J%C3%BCrgen+K&password=%2525%26&empty=&bare").unwrap();
        assert_eq!(*form.take("username"), "Jürgen K");
        assert_eq!(*form.take("password"), "%25&");
        assert_eq!(*form.take("empty"), "");
        assert_eq!(*form.take("bare"), "");
        assert_eq!(*form.take("absent"), "");
    }

    #[test]
    fn a62_a_repeated_field_spoils_the_form() {
        assert_eq!(error(b"username=a&username=b"), Some(FormError::Repeated));
        assert_eq!(error(b"username=a&user%6eame=a"), Some(FormError::Repeated));
        assert_eq!(
            query_value(b"rd=a&x=1&rd=b", "rd"),
            Err(FormError::Repeated)
        );
        assert_eq!(query_value(b"rd=a&r%64=a", "rd"), Err(FormError::Repeated));
        assert_eq!(query_value(b"x=1&x=2&rd=a", "rd"), Ok(Some("a".into())));
    }

    #[test]
    fn broken_and_oversized_forms_are_refused() {
        for body in [
            &b"a=%"[..],
            b"a=%1",
            b"a=%zz",
            b"a=%ff",
            b"%=1",
            b"a=\xff",
            b"a=%c3",
        ] {
            assert_eq!(error(body), Some(FormError::Malformed), "{body:?}");
        }
        assert_eq!(error(&vec![b'a'; BODY_LIMIT + 1]), Some(FormError::Large));
        let many: String = (0..17).map(|n| format!("f{n}=1&")).collect();
        assert_eq!(error(many.as_bytes()), Some(FormError::Large));
        let many = "x=1&".repeat(65);
        assert_eq!(query_value(many.as_bytes(), "rd"), Err(FormError::Large));
    }

    #[test]
    fn an_empty_body_is_an_empty_form() {
        assert_eq!(*Form::parse(b"").unwrap().take("username"), "");
        assert_eq!(query_value(b"", "rd"), Ok(None));
        assert_eq!(query_value(b"rd", "rd"), Ok(Some(String::new())));
    }
}
