//! Proof that a form was made by this portal for this browser. A form for anybody is tied to a
//! random nonce in a cookie that no other host can set; a form for a signed-in visitor is tied to
//! the session itself.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::session::{Key, Keys};

use super::request::values;

/// Name of the cookie with the nonce.
pub const COOKIE: &str = "__Host-auth_gate_form";

const LOGIN: &str = "login form";
const SIGN_OUT: &str = "sign-out form";

/// More cookies of the same name than any browser of ours sends are not looked at.
const NONCES: usize = 4;

/// 32 bytes in base64url.
const LENGTH: usize = 43;

/// A random value that a browser was given before anybody signed in.
pub(super) struct Nonce(String);

impl Nonce {
    /// A nonce from 32 random bytes.
    pub(super) fn new(random: [u8; 32]) -> Self {
        Nonce(URL_SAFE_NO_PAD.encode(random))
    }

    /// The nonces that a browser sent back.
    pub(super) fn sent<'h>(headers: &'h [&'h [u8]]) -> impl Iterator<Item = Nonce> + 'h {
        values(headers, COOKIE).take(NONCES).filter_map(Self::read)
    }

    /// What a ticket of this browser is bound to.
    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The cookie that carries it.
    pub(super) fn cookie(&self) -> String {
        format!(
            "{COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Lax",
            self.0
        )
    }

    /// The token of a form of `purpose`.
    pub(super) fn token_for(&self, keys: &Keys, purpose: &str) -> String {
        keys.form_token(purpose, self.0.as_bytes())
    }

    /// Whether `token` stood in such a form.
    pub(super) fn verify_for(&self, keys: &Keys, purpose: &str, token: &str) -> bool {
        keys.verify_form_token(purpose, self.0.as_bytes(), token.as_bytes())
    }

    /// The token of the login form.
    pub(super) fn token(&self, keys: &Keys) -> String {
        keys.form_token(LOGIN, self.0.as_bytes())
    }

    /// Whether `token` stood in the login form of this browser.
    pub(super) fn verify(&self, keys: &Keys, token: &str) -> bool {
        keys.verify_form_token(LOGIN, self.0.as_bytes(), token.as_bytes())
    }

    fn read(value: &[u8]) -> Option<Nonce> {
        let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        let text = std::str::from_utf8(value).ok()?;
        (value.len() == LENGTH && value.iter().all(plain)).then(|| Nonce(text.to_owned()))
    }
}

/// The token of a form of `purpose` for the visitor whose session is kept under `key`.
pub(super) fn session_token(keys: &Keys, purpose: &str, key: &Key) -> String {
    keys.form_token(purpose, &key.0)
}

/// Whether `token` stood in such a form.
pub(super) fn verify_session(keys: &Keys, purpose: &str, key: &Key, token: &str) -> bool {
    keys.verify_form_token(purpose, &key.0, token.as_bytes())
}

/// The token of a form that signs the session of `key` out.
pub(super) fn sign_out_token(keys: &Keys, key: &Key) -> String {
    session_token(keys, SIGN_OUT, key)
}

/// Whether `token` stood in such a form.
pub(super) fn verify_sign_out(keys: &Keys, key: &Key, token: &str) -> bool {
    verify_session(keys, SIGN_OUT, key, token)
}
