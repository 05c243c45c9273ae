//! What a store keeps. All times are Unix seconds.

use std::net::IpAddr;

use secrecy::SecretSlice;

/// Devices of one kind that one user may have, and app passwords.
pub const MAX_DEVICES: usize = 64;

/// One-time codes of one kind that one user may have at a time: whoever asks on and on fills
/// neither his mailbox nor the store.
pub const MAX_CODES: usize = 3;

/// Longest name of a device, in characters.
pub const MAX_NAME: usize = 64;

/// The hash of a TOTP device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC-SHA-1, which every app knows.
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

/// A second factor that a user may prefer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondFactor {
    /// A one-time code.
    Totp,
    /// A security key or passkey.
    Webauthn,
}

/// What a one-time code is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Changing factors or the password.
    Elevation,
    /// A new password for who has lost the old one.
    PasswordReset,
}

/// What a user has enrolled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Enrolled {
    /// At least one TOTP device.
    pub totp: bool,
    /// At least one WebAuthn credential.
    pub webauthn: bool,
}

/// A TOTP device that is to be kept.
#[derive(Clone, Debug)]
pub struct NewTotp {
    /// Canonical name of its owner.
    pub user: String,
    /// What the owner calls it, unique among his.
    pub name: String,
    /// The issuer that the app shows.
    pub issuer: String,
    /// Its hash.
    pub algorithm: Algorithm,
    /// Digits of a code.
    pub digits: u8,
    /// Seconds that a code lasts.
    pub period: u32,
    /// The key of the HMAC (bytes, not their base32).
    pub secret: SecretSlice<u8>,
}

/// A TOTP device that is kept.
#[derive(Clone, Debug)]
pub struct TotpDevice {
    /// Number among all devices, never given twice.
    pub id: i64,
    /// When it was enrolled.
    pub created: u64,
    /// When one of its codes last signed in.
    pub last_used: Option<u64>,
    /// Everything else.
    pub device: NewTotp,
}

/// A WebAuthn credential that is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCredential {
    /// Canonical name of its owner.
    pub user: String,
    /// What the owner calls it, unique among his of one relying party.
    pub name: String,
    /// The relying party that it was made for.
    pub rp_id: String,
    /// Its id, chosen by the authenticator.
    pub credential_id: Vec<u8>,
    /// The public key, as COSE.
    pub public_key: Vec<u8>,
    /// The model of the authenticator, where it says.
    pub aaguid: Option<String>,
    /// Format of the attestation statement, for instance `none` or `packed`.
    pub attestation_format: String,
    /// What the attestation came to, for instance `none` or `basic_full`.
    pub attestation_type: String,
    /// The attestation as it was received, where it was kept.
    pub attestation: Option<Vec<u8>>,
    /// `platform` or `cross-platform`, or nothing.
    pub attachment: String,
    /// How the browser reaches it, separated by commas: `usb,nfc`.
    pub transports: String,
    /// Its counter of signatures.
    pub sign_count: u32,
    /// Whether the counter once went backwards.
    pub clone_warning: bool,
    /// Whether it was registered with U2F and signs for the `appid`.
    pub legacy: bool,
    /// Whether it can be found without a user name.
    pub discoverable: bool,
    /// Whether the user was present at the last use.
    pub present: bool,
    /// Whether the user was verified at the last use.
    pub verified: bool,
    /// Whether it can be copied to other devices.
    pub backup_eligible: bool,
    /// Whether it has been.
    pub backup_state: bool,
}

/// A WebAuthn credential that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Number among all credentials, never given twice.
    pub id: i64,
    /// When it was registered.
    pub created: u64,
    /// When it last signed in.
    pub last_used: Option<u64>,
    /// Everything else.
    pub credential: NewCredential,
}

/// What is remembered of a use of a WebAuthn credential.
#[derive(Clone, Copy, Debug)]
pub struct Assertion {
    /// [`Credential::id`].
    pub id: i64,
    /// The counter that was found when the signature was checked.
    pub found: u32,
    /// The counter that came with the signature.
    pub sign_count: u32,
    /// Whether the counter is a reason to think of a copy. Once set, it stays.
    pub clone_warning: bool,
    /// Whether the user was present.
    pub present: bool,
    /// Whether the user was verified.
    pub verified: bool,
    /// Whether the credential has been copied to other devices.
    pub backup_state: bool,
    /// Whether it was found without a user name. Once set, it stays.
    pub discoverable: bool,
}

/// What a program sends instead of its user's password, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppPassword {
    /// The public part of what is sent, which no other has.
    pub id: Vec<u8>,
    /// Canonical name of its owner.
    pub user: String,
    /// What the owner calls it, unique among his.
    pub name: String,
    /// A hash of what is sent.
    pub verifier: Vec<u8>,
    /// The hosts that it opens, none with white space in it; empty: all.
    pub hosts: Vec<String>,
    /// When it was made.
    pub created: u64,
    /// When it is over; `None`: never.
    pub expires: Option<u64>,
    /// When it was last used, give or take an hour.
    pub last_used: Option<u64>,
}

/// A one-time code that is to be kept; the store keeps a keyed hash of it.
#[derive(Clone, Copy, Debug)]
pub struct NewCode<'a> {
    /// A random name, by which the user can revoke it.
    pub id: [u8; 16],
    /// Canonical name of the user.
    pub user: &'a str,
    /// What it is good for.
    pub purpose: Purpose,
    /// The code, as the user will give it back.
    pub code: &'a [u8],
    /// Who asked for it.
    pub address: IpAddr,
    /// When it ends.
    pub expires: u64,
}

impl Algorithm {
    /// The word for it in `otpauth` addresses and in Authelia's configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Algorithm::Sha1 => "SHA1",
            Algorithm::Sha256 => "SHA256",
            Algorithm::Sha512 => "SHA512",
        }
    }

    /// The algorithm of a word, in any case.
    pub fn from_word(word: &str) -> Option<Self> {
        [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512]
            .into_iter()
            .find(|algorithm| algorithm.word().eq_ignore_ascii_case(word))
    }
}

impl SecondFactor {
    /// Authelia's word for it.
    pub const fn word(self) -> &'static str {
        match self {
            SecondFactor::Totp => "totp",
            SecondFactor::Webauthn => "webauthn",
        }
    }

    /// The method of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        [SecondFactor::Totp, SecondFactor::Webauthn]
            .into_iter()
            .find(|method| method.word() == word)
    }
}

impl Purpose {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Purpose::Elevation => "elevation",
            Purpose::PasswordReset => "password reset",
        }
    }
}

/// Whether a device may be called so: something, at most [`MAX_NAME`] characters, and none that
/// rearranges the text around it (controls, marks of direction, breaks of lines).
pub fn is_good_name(name: &str) -> bool {
    let rearranges = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    !name.trim().is_empty() && name.chars().count() <= MAX_NAME && !name.contains(rearranges)
}
