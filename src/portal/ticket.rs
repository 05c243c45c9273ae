//! Tickets: what a browser carries from one step of a flow to the next, under a MAC. Nothing is
//! kept for a visitor on our side, so nobody can fill anything up; a ticket is bound to a session or
//! a browser, ends by itself, and whatever must count only once is used up in the store besides.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::session::Keys;

use super::request::values;

/// Longest payload of a ticket, in bytes. The longest of ours is a TOTP secret of 256 bytes in base32
/// with its parameters and a name.
const LONGEST: usize = 1024;

/// More cookies of one name than any browser of ours sends are not looked at.
const CANDIDATES: usize = 4;

/// What a ticket is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ticket {
    /// The TOTP secret that waits for its first code. Bound to the session.
    Totp,
    /// The challenge of a registration. Bound to the session.
    Registration,
    /// The challenge of a second factor. Bound to the session.
    Assertion,
    /// The challenge of a passkey login. Bound to the form nonce of the browser.
    Passkey,
    /// Leave to change factors and password. Bound to the session.
    Elevation,
    /// Leave to set a new password without the old one. Bound to the form nonce of the browser.
    Reset,
}

impl Ticket {
    /// The name of its cookie.
    pub(super) const fn cookie(self) -> &'static str {
        match self {
            Ticket::Totp => "__Host-auth_gate_totp",
            Ticket::Registration => "__Host-auth_gate_registration",
            Ticket::Assertion => "__Host-auth_gate_assertion",
            Ticket::Passkey => "__Host-auth_gate_passkey",
            Ticket::Elevation => "__Host-auth_gate_elevation",
            Ticket::Reset => "__Host-auth_gate_reset",
        }
    }

    /// A `Set-Cookie` with `payload` for `seconds` from `now` on. A payload that is too long to be
    /// taken back is not handed out: the browser then has no ticket, and the flow begins anew.
    pub(super) fn issue(
        self,
        keys: &Keys,
        bound: &[u8],
        payload: &[u8],
        now: u64,
        seconds: u64,
    ) -> String {
        if payload.len() > LONGEST {
            return self.take_back();
        }
        let mut bytes = now.saturating_add(seconds).to_be_bytes().to_vec();
        bytes.extend_from_slice(payload);
        let token = keys.form_token(self.cookie(), &Self::subject(bound, &bytes));
        let value = URL_SAFE_NO_PAD.encode(&bytes);
        format!(
            "{}={value}.{token}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax",
            self.cookie()
        )
    }

    /// A `Set-Cookie` that takes the ticket away.
    pub(super) fn take_back(self) -> String {
        format!(
            "{}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax",
            self.cookie()
        )
    }

    /// The payload and the end (Unix seconds) of the ticket in the `Cookie` headers, if we made it
    /// for `bound` and it has not ended.
    pub(super) fn find(
        self,
        keys: &Keys,
        bound: &[u8],
        cookies: &[&[u8]],
        now: u64,
    ) -> Option<(Vec<u8>, u64)> {
        let mut found = values(cookies, self.cookie())
            .take(CANDIDATES)
            .filter_map(|value| self.open(keys, bound, value));
        found.find(|(_, ends)| *ends > now)
    }

    fn open(self, keys: &Keys, bound: &[u8], value: &[u8]) -> Option<(Vec<u8>, u64)> {
        // Four characters hold three bytes.
        if value.len() > (LONGEST + 64) / 3 * 4 {
            return None;
        }
        let dot = value.iter().position(|byte| *byte == b'.')?;
        let (value, token) = (&value[..dot], &value[dot + 1..]);
        let bytes = URL_SAFE_NO_PAD.decode(value).ok()?;
        if !keys.verify_form_token(self.cookie(), &Self::subject(bound, &bytes), token) {
            return None;
        }
        let (ends, payload) = bytes.split_first_chunk()?;
        Some((payload.to_vec(), u64::from_be_bytes(*ends)))
    }

    /// What the MAC is over; the length in front keeps the two apart.
    fn subject(bound: &[u8], bytes: &[u8]) -> Vec<u8> {
        let length = (bound.len() as u64).to_be_bytes();
        [&length[..], bound, bytes].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_good_for_one_thing_one_holder_and_one_time() {
        let (keys, other) = (Keys::derive(b"a secret"), Keys::derive(b"another"));
        let cookie = Ticket::Totp.issue(&keys, b"session", b"payload", 100, 60);
        let value = cookie.split(';').next().unwrap().as_bytes();
        let find =
            |ticket: Ticket, keys, bound: &[u8], now| ticket.find(keys, bound, &[value], now);
        let whole = Some((b"payload".to_vec(), 160));
        assert_eq!(find(Ticket::Totp, &keys, b"session", 159), whole);
        assert_eq!(find(Ticket::Totp, &keys, b"session", 160), None);
        assert_eq!(find(Ticket::Totp, &keys, b"sessio", 100), None);
        assert_eq!(find(Ticket::Totp, &other, b"session", 100), None);
        let renamed = String::from_utf8_lossy(value).replace("_totp=", "_reset=");
        assert_eq!(
            Ticket::Reset.find(&keys, b"session", &[renamed.as_bytes()], 100),
            None
        );
    }

    #[test]
    fn a_payload_is_taken_back_or_not_handed_out() {
        let keys = Keys::derive(b"a secret");
        let issue = |payload: &[u8]| Ticket::Totp.issue(&keys, b"s", payload, 100, 60);
        let longest = [b'x'; LONGEST];
        let cookie = issue(&longest);
        let value = cookie.split(';').next().unwrap().as_bytes();
        let found = Ticket::Totp.find(&keys, b"s", &[value], 100);
        assert_eq!(found, Some((longest.to_vec(), 160)));
        assert_eq!(issue(&[b'x'; LONGEST + 1]), Ticket::Totp.take_back());
        // Base32 has eight characters for five bytes; names have 64 characters at most.
        let secret = 256_usize.div_ceil(5) * 8;
        assert!("sha512\n8\n4294967295\n\n".len() + secret + 64 * 4 <= LONGEST);
    }

    #[test]
    fn a_changed_ticket_is_none() {
        let keys = Keys::derive(b"a secret");
        let cookie = Ticket::Elevation.issue(&keys, b"s", b"", 100, 60);
        let whole = cookie.split(';').next().unwrap().as_bytes().to_vec();
        let found = |bytes: &[u8]| Ticket::Elevation.find(&keys, b"s", &[bytes], 100).is_some();
        assert!(found(&whole));
        for at in Ticket::Elevation.cookie().len() + 1..whole.len() {
            let mut changed = whole.clone();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert!(!found(&changed), "{at}");
        }
        assert!(!found(&[&whole[..], &[b'A'; 4096]].concat()));
    }
}
