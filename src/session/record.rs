//! What is remembered of a session, and its form as bytes of a fixed length.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use super::Device;
use crate::slots::Text;

/// The longest user name a session can carry, in bytes.
pub const NAME_LENGTH: usize = 140;

/// Length of an encoded [`Record`] in bytes.
pub const RECORD_LENGTH: usize = 184;

const VERSION: u8 = 3;
/// Shares its byte with the methods.
const REMEMBER: u8 = 0x80;

/// Where the address and the name begin.
const ADDRESS: usize = 28;
const NAME: usize = ADDRESS + 16;

/// A user's canonical name, kept inline.
pub type Name = Text<NAME_LENGTH>;

/// What somebody has proven, one bit a method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Methods(u8);

/// What is remembered of a session. It names its user and is no copy of him. All times are Unix
/// seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Canonical name of the user.
    pub user: Name,
    /// The cookie domain it was made for, see [`domain_id`].
    pub domain: u64,
    /// Fingerprint of the password hash that the user had then: with another password the session
    /// is over.
    pub password: u64,
    /// What the user has proven.
    pub methods: Methods,
    /// Whether the box "remember me" was ticked: no idle limit, and the longer life.
    pub remember: bool,
    /// When it was made.
    pub created: u64,
    /// When it was last used, at a grain of a second.
    pub last_activity: u64,
    /// From where it was made; an IPv6 address that stands for an IPv4 one is kept as that.
    pub address: IpAddr,
    /// With what it was made.
    pub device: Device,
}

impl Methods {
    /// Nothing proven.
    pub const NONE: Methods = Methods(0);
    /// The password.
    pub const PASSWORD: Methods = Methods(1);
    /// A one-time code.
    pub const TOTP: Methods = Methods(2);
    /// A WebAuthn credential.
    pub const WEBAUTHN: Methods = Methods(4);
    /// A WebAuthn credential that has verified its user (PIN, finger). Comes on top of `WEBAUTHN`.
    pub const USER_VERIFIED: Methods = Methods(8);

    const KNOWN: u8 = 15;

    /// These and those.
    #[must_use]
    pub const fn with(self, other: Methods) -> Methods {
        Methods(self.0 | other.0)
    }

    /// Whether all of `other` are among these.
    pub const fn holds(self, other: Methods) -> bool {
        self.0 & other.0 == other.0
    }

    /// These in words, for lists.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        let words = [
            (Methods::PASSWORD, "password"),
            (Methods::TOTP, "totp"),
            (Methods::WEBAUTHN, "webauthn"),
            (Methods::USER_VERIFIED, "user verified"),
        ];
        let held = words
            .into_iter()
            .filter(move |(method, _)| self.holds(*method));
        held.map(|(_, word)| word)
    }

    /// How many factors these are: 0, 1 or 2. Knowledge and possession together are two; a
    /// user-verified passkey alone is two where `passkey_is_two`.
    pub const fn level(self, passkey_is_two: bool) -> u8 {
        let possession = self.holds(Methods::TOTP) || self.holds(Methods::WEBAUTHN);
        let passkey = self.holds(Methods::WEBAUTHN.with(Methods::USER_VERIFIED));
        match (self.holds(Methods::PASSWORD), possession) {
            (true, true) => 2,
            (false, true) if passkey && passkey_is_two => 2,
            (false, false) => 0,
            _ => 1,
        }
    }
}

impl Record {
    /// How many factors were proven, 0 to 2, a passkey alone counting as one.
    pub const fn level(&self) -> u8 {
        self.methods.level(false)
    }

    /// The record as bytes. `last_activity` is not among them: it changes often, and whoever keeps
    /// the record keeps it beside it.
    pub fn encode(&self) -> [u8; RECORD_LENGTH] {
        let mut bytes = [0; RECORD_LENGTH];
        bytes[0] = VERSION;
        bytes[1] = self.methods.0 | if self.remember { REMEMBER } else { 0 };
        bytes[2] = self.device.encode();
        bytes[3] = self.user.length();
        bytes[4..12].copy_from_slice(&self.domain.to_le_bytes());
        bytes[12..20].copy_from_slice(&self.created.to_le_bytes());
        bytes[20..28].copy_from_slice(&self.password.to_le_bytes());
        let address = match self.address {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        };
        bytes[ADDRESS..NAME].copy_from_slice(&address.octets());
        bytes[NAME..].copy_from_slice(self.user.padded());
        bytes
    }

    /// The record that `bytes` hold; `None` for what [`Record::encode`] of this version never
    /// writes, an empty name included.
    pub fn decode(bytes: &[u8], last_activity: u64) -> Option<Record> {
        let bytes: &[u8; RECORD_LENGTH] = bytes.try_into().ok()?;
        let [version, methods, device, length, ..] = *bytes;
        let known = methods & !(Methods::KNOWN | REMEMBER) == 0;
        if version != VERSION || length == 0 || !known {
            return None;
        }
        let number = |at: usize| {
            let bytes = bytes[at..].first_chunk().copied();
            bytes.map(u64::from_le_bytes)
        };
        let address: [u8; 16] = *bytes[ADDRESS..].first_chunk()?;
        Some(Record {
            user: Name::from_padded(length, &bytes[NAME..])?,
            domain: number(4)?,
            methods: Methods(methods & Methods::KNOWN),
            remember: methods & REMEMBER != 0,
            created: number(12)?,
            password: number(20)?,
            last_activity,
            address: IpAddr::from(address).to_canonical(),
            device: Device::decode(device)?,
        })
    }
}

/// The number by which a [`Record`] knows its cookie domain: stable over restarts and machines,
/// the same for every case of the letters. Computed once for a configuration, not per request.
pub fn domain_id(domain: &str) -> u64 {
    let hash: [u8; 32] = Sha256::digest(domain.to_ascii_lowercase()).into();
    let [a, b, c, d, e, f, g, h, ..] = hash;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn knowledge_and_possession_are_two() {
        let (password, totp) = (Methods::PASSWORD, Methods::TOTP);
        let key = Methods::WEBAUTHN;
        let passkey = key.with(Methods::USER_VERIFIED);
        assert_eq!(Methods::NONE.level(true), 0);
        assert_eq!(Methods::USER_VERIFIED.level(true), 0);
        assert_eq!([password, totp, key].map(|m| m.level(true)), [1; 3]);
        assert_eq!(totp.with(passkey).level(false), 1);
        assert_eq!(password.with(totp).level(false), 2);
        assert_eq!(password.with(key).level(false), 2);
        assert_eq!((passkey.level(false), passkey.level(true)), (1, 2));
    }

    #[test]
    fn another_version_and_unknown_flags_are_no_record() {
        let user = Name::new("alice").expect("short");
        let methods = Methods::PASSWORD;
        let record = Record {
            user,
            domain: 1,
            password: 2,
            methods,
            remember: true,
            created: 2,
            last_activity: 3,
            address: Ipv4Addr::new(192, 0, 2, 1).into(),
            device: Device::of(Some(b"curl/8.5.0")),
        };
        let good = record.encode();
        assert_eq!(Record::decode(&good, 3), Some(record));
        for (at, byte) in [
            (0, 1),
            (0, 2),
            (1, 16),
            (2, 0x80),
            (2, 7),
            (3, 0),
            (3, 141),
            (3, 4),
        ] {
            let mut bad = good;
            bad[at] = byte;
            assert_eq!(Record::decode(&bad, 3), None, "{at}");
        }
        assert_eq!(Record::decode(&good[1..], 3), None);
    }

    #[test]
    fn the_id_of_a_domain_never_changes() {
        assert_eq!(domain_id("example.com"), domain_id("Example.COM"));
        assert_eq!(domain_id("example.com"), 0xa5b9afeef6a679a3);
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_was_written(bytes in prop::collection::vec(any::<u8>(), RECORD_LENGTH), cut in any::<bool>()) {
            let mut bytes = bytes;
            if cut {
                bytes[0] = VERSION;
                bytes[1] &= 0x8f;
                bytes[2] &= 0x75;
                bytes[3] %= 3;
                let name = NAME + usize::from(bytes[3]);
                bytes[name..].fill(0);
            }
            if let Some(record) = Record::decode(&bytes, 9) {
                prop_assert_eq!(&record.encode()[..], &bytes[..]);
            }
        }

        #[test]
        fn a_record_round_trips(user in "\\PC{1,34}", domain: u64, password: u64, methods in 0u8..16, remember: bool, created: u64, last_activity: u64, address: IpAddr, agent in "(Firefox|Chrome)/ (Linux|Android)") {
            let (user, address) = (Name::cut(&user), address.to_canonical());
            let device = Device::of(Some(agent.as_bytes()));
            let record = Record { user, domain, password, methods: Methods(methods), remember, created, last_activity, address, device };
            prop_assert_eq!(Record::decode(&record.encode(), last_activity), Some(record));
        }
    }
}
