//! Authenticator data: what the authenticator itself signs.

use std::fmt;

use super::{Refusal, RelyingParty, UserVerification, cbor::Map, key};

/// Longest credential id, in bytes.
pub(super) const LONGEST_ID: usize = 1023;

/// Longest authenticator data, in bytes.
pub(super) const LONGEST: usize = 8 << 10;

/// The model of an authenticator. Anybody can claim one.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Aaguid(pub [u8; 16]);

/// What the authenticator says about the touch and the credential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Somebody touched it.
    pub present: bool,
    /// It was the user, by PIN or finger.
    pub verified: bool,
    /// The credential can be copied to other machines.
    pub backup_eligible: bool,
    /// It has been.
    pub backup_state: bool,
}

/// Authenticator data, taken apart.
#[derive(Debug)]
pub(super) struct AuthenticatorData<'a> {
    rp_id_hash: &'a [u8; 32],
    pub(super) flags: Flags,
    pub(super) sign_count: u32,
    pub(super) credential: Option<AttestedCredential<'a>>,
}

/// The credential in authenticator data.
#[derive(Debug)]
pub(super) struct AttestedCredential<'a> {
    pub(super) model: Aaguid,
    pub(super) id: &'a [u8],
    /// As COSE, byte for byte.
    pub(super) public_key: &'a [u8],
}

impl Aaguid {
    /// The model that `text` names as a UUID.
    pub fn parse(text: &str) -> Option<Aaguid> {
        let groups: Vec<&str> = text.split('-').collect();
        if groups.iter().map(|group| group.len()).ne([8, 4, 4, 4, 12]) {
            return None;
        }
        let digits = groups.concat();
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        u128::from_str_radix(&digits, 16)
            .ok()
            .map(|number| Aaguid(number.to_be_bytes()))
    }

    /// Whether it names no model.
    pub fn is_zero(&self) -> bool {
        self.0 == [0; 16]
    }
}

impl<'a> AuthenticatorData<'a> {
    /// Takes `bytes` apart.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<AuthenticatorData<'a>, Refusal> {
        if bytes.len() > LONGEST {
            return Err(Refusal::AuthenticatorData);
        }
        Self::read(bytes).ok_or(Refusal::AuthenticatorData)
    }

    fn read(bytes: &'a [u8]) -> Option<AuthenticatorData<'a>> {
        let (rp_id_hash, rest) = bytes.split_first_chunk()?;
        let (&[bits], rest) = rest.split_first_chunk()?;
        let (count, mut rest) = rest.split_first_chunk()?;
        let is = |bit: u8| bits & (1 << bit) != 0;
        let credential = match is(6) {
            true => Some(AttestedCredential::take(&mut rest)?),
            false => None,
        };
        if is(7) {
            // Extensions mean nothing here, but they have to be what they are.
            Map::take(&mut rest).ok()?;
        }
        rest.is_empty().then(|| AuthenticatorData {
            rp_id_hash,
            flags: Flags {
                present: is(0),
                verified: is(2),
                backup_eligible: is(3),
                backup_state: is(4),
            },
            sign_count: u32::from_be_bytes(*count),
            credential,
        })
    }

    /// Checks that it was made for `party`, or for its id of U2F where `u2f` allows that, and that
    /// somebody was there in the way that `verification` asks for.
    pub(super) fn check(
        &self,
        party: &RelyingParty,
        u2f: bool,
        verification: UserVerification,
    ) -> Result<(), Refusal> {
        let ours = party.is(self.rp_id_hash) || u2f && party.is_app(self.rp_id_hash);
        if !ours {
            return Err(Refusal::RelyingParty);
        }
        if !self.flags.present {
            return Err(Refusal::Presence);
        }
        if verification == UserVerification::Required && !self.flags.verified {
            return Err(Refusal::Verification);
        }
        if self.flags.backup_state && !self.flags.backup_eligible {
            return Err(Refusal::Backup);
        }
        Ok(())
    }
}

impl<'a> AttestedCredential<'a> {
    fn take(rest: &mut &'a [u8]) -> Option<AttestedCredential<'a>> {
        let (model, after) = rest.split_first_chunk()?;
        let (length, after) = after.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length == 0 || length > LONGEST_ID {
            return None;
        }
        let (id, from_key) = after.split_at_checked(length)?;
        let mut behind = from_key;
        Map::take(&mut behind).ok()?;
        let public_key = &from_key[..from_key.len() - behind.len()];
        *rest = behind;
        (public_key.len() <= key::LONGEST).then_some(AttestedCredential {
            model: Aaguid(*model),
            id,
            public_key,
        })
    }
}

impl fmt::Display for Aaguid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if [4, 6, 8, 10].contains(&at) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Aaguid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_uuids() {
        let text = "ee882879-721c-4913-9775-3dfcce97072a";
        let model = Aaguid::parse(text).unwrap();
        assert_eq!(model.to_string(), text);
        assert_eq!(Aaguid::parse(&text.to_uppercase()), Some(model));
        for bad in [
            "",
            "ee882879721c491397753dfcce97072a",
            "+e882879-721c-4913-9775-3dfcce97072a",
            "ee882879-721c-4913-9775-3dfcce97072",
            "ee882879-721c-4913-97753-dfcce97072a",
        ] {
            assert_eq!(Aaguid::parse(bad), None, "{bad}");
        }
        assert!(Aaguid::default().is_zero() && !model.is_zero());
    }
}
