//! Credentials in a header: a scheme, a space, and what the scheme makes of name and password.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::Schemes;

/// A name and a password, both of them something.
pub struct NameAndPassword {
    pub(in crate::portal) name: String,
    pub(in crate::portal) password: Zeroizing<String>,
}

/// Reads the value of a header; `None` is a bad credential. That of a scheme which is not listed
/// is one, and so is every token.
pub(in crate::portal) fn read(value: &[u8], schemes: Schemes) -> Option<NameAndPassword> {
    let space = value.iter().position(|byte| *byte == b' ')?;
    let (scheme, encoded) = (&value[..space], &value[space + 1..]);
    if !schemes.basic || !scheme.eq_ignore_ascii_case(b"basic") {
        return None;
    }
    let decoded = Zeroizing::new(STANDARD.decode(encoded).ok()?);
    let text = std::str::from_utf8(&decoded).ok()?;
    let (name, password) = text.split_once(':')?;
    let whole = !name.is_empty() && !password.is_empty();
    whole.then(|| NameAndPassword {
        name: name.to_owned(),
        password: Zeroizing::new(password.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_pair_is_a_credential() {
        let value = |text: &str| format!("Basic {}", STANDARD.encode(text));
        let read = |value: &str| {
            let read = read(value.as_bytes(), Schemes::BASIC)?;
            Some((read.name, read.password.to_string()))
        };
        let pair = |name: &str, password: &str| Some((name.to_owned(), password.to_owned()));
        assert_eq!(read(&value("alice:pass")), pair("alice", "pass"));
        assert_eq!(read(&value("alice:a:b")), pair("alice", "a:b"));
        assert_eq!(read("bAsIc YTpi"), pair("a", "b"));
        for bad in [
            "",
            "Basic",
            "Basic ",
            "Basic !!!",
            "Basic YTpi=",
            "Basic  YTpi",
            "Bearer YTpi",
            "Basic YQ==",
            "YTpi",
            " Basic YTpi",
            "Basic /zpi",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
        for bad in ["alice", "alice:", ":pass", ":"] {
            assert_eq!(read(&value(bad)), None, "{bad}");
        }
        let bearer = Schemes {
            basic: false,
            bearer: true,
        };
        assert!(super::read(b"Basic YTpi", bearer).is_none());
        assert!(super::read(b"Bearer YTpi", bearer).is_none());
    }
}
