//! Credentials in a header: a scheme, a space, and what the scheme makes of them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::portal::app_password::Presented;

use super::Schemes;

/// What is to be checked.
pub enum Given {
    /// An ordinary password.
    Password(NameAndPassword),
    /// An app password, with or without a name.
    App(Presented),
}

/// A name and a password, both of them something.
pub struct NameAndPassword {
    pub(in crate::portal) name: String,
    pub(in crate::portal) password: Zeroizing<String>,
}

/// Reads the value of a header; `None` is a bad credential. That of a scheme which is not listed is
/// one, and so is every token but an app password. Without `app_passwords` there are none of those.
pub(in crate::portal) fn read(
    value: &[u8],
    schemes: Schemes,
    app_passwords: bool,
) -> Option<Given> {
    let space = value.iter().position(|byte| *byte == b' ')?;
    let (scheme, rest) = (&value[..space], &value[space + 1..]);
    if schemes.basic && scheme.eq_ignore_ascii_case(b"basic") {
        let pair = pair(rest)?;
        let app = app_passwords.then(|| Presented::basic(&pair.name, &pair.password));
        return Some(app.flatten().map_or(Given::Password(pair), Given::App));
    }
    if schemes.bearer && app_passwords && scheme.eq_ignore_ascii_case(b"bearer") {
        return Presented::bearer(std::str::from_utf8(rest).ok()?).map(Given::App);
    }
    None
}

fn pair(encoded: &[u8]) -> Option<NameAndPassword> {
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
    use crate::users::app_password::Token;

    const BEARER: Schemes = Schemes {
        basic: false,
        bearer: true,
    };

    /// `P name password` or `A`.
    fn read_as(value: &str, schemes: Schemes, app_passwords: bool) -> Option<String> {
        Some(match read(value.as_bytes(), schemes, app_passwords)? {
            Given::Password(pair) => format!("P {} {}", pair.name, *pair.password),
            Given::App(_) => "A".into(),
        })
    }

    #[test]
    fn only_a_whole_pair_is_a_credential() {
        let value = |text: &str| format!("Basic {}", STANDARD.encode(text));
        let read = |value: &str| read_as(value, Schemes::BASIC, true);
        assert_eq!(read(&value("alice:pass")).unwrap(), "P alice pass");
        assert_eq!(read(&value("alice:a:b")).unwrap(), "P alice a:b");
        assert_eq!(read("bAsIc YTpi").unwrap(), "P a b");
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
        assert_eq!(read_as("Basic YTpi", BEARER, true), None);
    }

    #[test]
    fn a66_of_all_tokens_only_app_passwords_are_credentials() {
        let token = Token::new(&[7; 30]).reveal();
        let bearer = |token: &str| read_as(&format!("Bearer {token}"), BEARER, true);
        assert_eq!(bearer(&token).unwrap(), "A");
        let odd = read_as(&format!("bEaReR {}", *token), BEARER, true);
        assert_eq!(odd.unwrap(), "A");
        for bad in [
            "",
            "YTpi",
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.",
            &token[1..],
            &token.to_uppercase(),
            &format!(" {}", *token),
            &format!("{}, {}", *token, *token),
            &"a".repeat(1 << 20),
        ] {
            assert_eq!(bearer(bad), None, "{bad:.60}");
        }
        let bearer = format!("Bearer {}", *token);
        assert_eq!(read_as(&bearer, Schemes::BASIC, true), None);
        assert_eq!(read_as(&bearer, BEARER, false), None);
    }

    #[test]
    fn an_app_password_stands_in_the_place_of_a_password() {
        let token = Token::new(&[7; 30]).reveal();
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        let value = basic(&format!("alice:{}", *token));
        assert_eq!(read_as(&value, Schemes::BASIC, true).unwrap(), "A");
        let typo = basic(&format!("alice:{}a", *token));
        assert!(
            read_as(&typo, Schemes::BASIC, true)
                .unwrap()
                .starts_with('P')
        );
        // Where there are none it is a password like any other.
        assert!(
            read_as(&value, Schemes::BASIC, false)
                .unwrap()
                .starts_with('P')
        );
    }
}
