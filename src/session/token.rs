//! The secret in the cookie, the key under which a session is kept, and the keys of the MACs.

use std::fmt;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

type HmacSha256 = Hmac<Sha256>;

const ID: usize = 32;
const TAG: usize = 16;

/// The MAC in a cookie.
pub(super) type Tag = [u8; TAG];

/// Characters of a cookie value: id and tag in base64url, which come out even, so that there is
/// exactly one way to write a token.
pub const COOKIE_LENGTH: usize = (ID + TAG) / 3 * 4;

/// The random id of a session. Who knows it is signed in: it lives in the cookie and nowhere else.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Token([u8; ID]);

/// What zone and store know of a token: its SHA-256. It opens nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub [u8; 32]);

/// The keys of the gate, all made from one secret, each for one purpose.
#[derive(Clone)]
pub struct Keys {
    cookie: HmacSha256,
    form: HmacSha256,
    regulation: [u8; 32],
    uid: HmacSha256,
}

impl Token {
    /// A token from 32 bytes of a cryptographic random source.
    pub fn new(random: [u8; ID]) -> Self {
        Token(random)
    }

    /// The cookie value: the id and a MAC that binds it to the cookie domain `domain`.
    pub fn seal(&self, keys: &Keys, domain: &str) -> String {
        let mut bytes = [0; ID + TAG];
        bytes[..ID].copy_from_slice(&self.0);
        bytes[ID..].copy_from_slice(&self.mac(keys, domain).finalize().into_bytes()[..TAG]);
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// The token in a cookie value, if we made it for `domain`; the MAC is compared in constant
    /// time and nothing is allocated.
    pub fn open(keys: &Keys, domain: &str, cookie: &[u8]) -> Option<Token> {
        let (token, tag) = Token::read(cookie)?;
        token.is_ours(keys, domain, &tag).then_some(token)
    }

    /// The token in a cookie value and the MAC beside it, which is still to be checked.
    pub(super) fn read(cookie: &[u8]) -> Option<(Token, Tag)> {
        if cookie.len() != COOKIE_LENGTH {
            return None;
        }
        let mut bytes = [0; ID + TAG];
        BASE64URL_NOPAD.decode_mut(cookie, &mut bytes).ok()?;
        let (id, tag) = bytes.split_first_chunk::<ID>()?;
        Some((Token(*id), *tag.first_chunk()?))
    }

    /// Whether `tag` is the MAC that we made for `domain`.
    pub(super) fn is_ours(&self, keys: &Keys, domain: &str, tag: &Tag) -> bool {
        let mac = self.mac(keys, domain);
        mac.verify_truncated_left(tag).is_ok()
    }

    /// The key under which the session is kept.
    pub fn key(&self) -> Key {
        Key(Sha256::digest(self.0).into())
    }

    fn mac(&self, keys: &Keys, domain: &str) -> HmacSha256 {
        // The id has a fixed length, so the two cannot be read as another pair.
        keys.cookie
            .clone()
            .chain_update(self.0)
            .chain_update(domain)
    }
}

impl Keys {
    /// Makes the keys from `secret`, of any length.
    pub fn derive(secret: &[u8]) -> Keys {
        let root = hmac(secret).chain_update(b"auth-gate");
        let root: [u8; 32] = root.finalize().into_bytes().into();
        let key = |purpose: &[u8]| -> [u8; 32] {
            hmac(&root)
                .chain_update(purpose)
                .finalize()
                .into_bytes()
                .into()
        };
        Keys {
            cookie: hmac(&key(b"session cookie 1")),
            form: hmac(&key(b"form token 1")),
            regulation: key(b"regulation 1"),
            uid: hmac(&key(b"user identifier 1")),
        }
    }

    /// What identifies the user of that name, 64 hexadecimal digits that only we can make.
    pub fn uid(&self, name: &str) -> String {
        let mac = self.uid.clone().chain_update(name);
        HEXLOWER.encode(&mac.finalize().into_bytes())
    }

    /// A token for `data` that only we can make, for one `purpose` (which must not hold a NUL).
    pub fn form_token(&self, purpose: &str, data: &[u8]) -> String {
        BASE64URL_NOPAD.encode(&self.form_mac(purpose, data).finalize().into_bytes())
    }

    /// Whether `token` is what [`Keys::form_token`] makes of the same, in constant time.
    pub fn verify_form_token(&self, purpose: &str, data: &[u8], token: &[u8]) -> bool {
        let mut bytes = [0; 32];
        let read = BASE64URL_NOPAD.decode_len(token.len()) == Ok(bytes.len())
            && BASE64URL_NOPAD.decode_mut(token, &mut bytes).is_ok();
        read && self.form_mac(purpose, data).verify_slice(&bytes).is_ok()
    }

    /// The key that [`crate::users::regulation::Attempts`] hashes its subjects with.
    pub fn regulation(&self) -> &[u8; 32] {
        &self.regulation
    }

    fn form_mac(&self, purpose: &str, data: &[u8]) -> HmacSha256 {
        debug_assert!(!purpose.contains('\0'));
        self.form
            .clone()
            .chain_update(purpose)
            .chain_update([0])
            .chain_update(data)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(")?;
        self.0[..4]
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("…)")
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

fn hmac(key: &[u8]) -> HmacSha256 {
    HmacSha256::new_from_slice(key).expect("HMAC takes keys of every length")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys::derive(b"a secret")
    }

    #[test]
    fn a_token_opens_with_its_own_key_and_domain_only() {
        let token = Token::new([7; 32]);
        let cookie = token.seal(&keys(), "example.com");
        assert_eq!(cookie.len(), COOKIE_LENGTH);
        assert_eq!(
            Token::open(&keys(), "example.com", cookie.as_bytes()),
            Some(token)
        );
        assert_eq!(Token::open(&keys(), "example.org", cookie.as_bytes()), None);
        assert_eq!(
            Token::open(&Keys::derive(b"other"), "example.com", cookie.as_bytes()),
            None
        );
    }

    #[test]
    fn the_cookie_of_a_secret_never_changes() {
        // A changed value here signs everybody out at the upgrade.
        let cookie = Token::new([7; 32]).seal(&keys(), "example.com");
        assert_eq!(
            cookie,
            "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwfDps0vz3bYAMuJZBQY5IiL"
        );
    }

    #[test]
    fn a42_every_changed_character_is_refused() {
        let cookie = Token::new([7; 32])
            .seal(&keys(), "example.com")
            .into_bytes();
        for at in 0..cookie.len() {
            for byte in 0..=255 {
                let mut changed = cookie.clone();
                changed[at] = byte;
                let opened = Token::open(&keys(), "example.com", &changed);
                assert_eq!(opened.is_some(), changed == cookie);
            }
        }
    }

    #[test]
    fn a42_garbage_is_refused() {
        let cookie = Token::new([7; 32]).seal(&keys(), "example.com");
        let long = "A".repeat(16 << 10);
        let padded = format!("{}==", &cookie[..COOKIE_LENGTH - 2]);
        let garbage = [
            "",
            "A",
            "%",
            "\0",
            &cookie[1..],
            &cookie[..63],
            &long,
            &padded,
            "1.2.3",
        ];
        for text in garbage {
            assert_eq!(
                Token::open(&keys(), "example.com", text.as_bytes()),
                None,
                "{text}"
            );
        }
        let longer = format!("{cookie}A");
        assert_eq!(Token::open(&keys(), "example.com", longer.as_bytes()), None);
    }

    #[test]
    fn form_tokens_belong_to_purpose_and_data() {
        let token = keys().form_token("login", b"browser");
        assert!(keys().verify_form_token("login", b"browser", token.as_bytes()));
        assert!(!keys().verify_form_token("logout", b"browser", token.as_bytes()));
        assert!(!keys().verify_form_token("login", b"another", token.as_bytes()));
        assert!(!keys().verify_form_token("login", b"browser", b""));
        assert!(!keys().verify_form_token("login", b"browser", &token.as_bytes()[..42]));
        assert!(!keys().verify_form_token(
            "login",
            b"browser",
            format!("{token}{token}").as_bytes()
        ));
    }

    #[test]
    fn secrets_are_not_printed() {
        let shown = format!("{:?} {:?}", Token::new([7; 32]), keys());
        assert_eq!(shown, "Token(…) Keys(…)");
    }
}
