//! App passwords: what a program that cannot sign in at the portal sends instead of a user's
//! password. A user may have several, each with a name, hosts that it opens and an end.
//!
//! What a program sends is a [`Token`]: a prefix that scanners of leaked secrets can look for, a public
//! id, 160 bits of secret, and a checksum, so that neither a typo nor an ordinary password is ever
//! looked up. What is kept is a [`Grant`], which holds no secret.

mod scope;
#[cfg(test)]
mod tests;

use std::fmt;

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub use scope::{BadHost, HostScope, MAX_HOSTS};

/// How every token begins.
pub const PREFIX: &str = "agp_";

/// Random bytes that a token is made of.
pub const RANDOM: usize = ID + SECRET;

/// Seconds of the longest life that one may be given, which no program outlives: a hundred years. Beyond
/// the year 9999 no end can be written.
pub const LONGEST_LIFE: u64 = 100 * 365 * 24 * 60 * 60;

/// Bytes of the id, which is no secret.
const ID: usize = 10;
/// Bytes of the secret.
const SECRET: usize = 20;
/// Characters of id and secret.
const BODY: usize = RANDOM * 8 / 5;
/// Characters of the checksum.
const CHECK: usize = 6;

/// The public part of a token, by which it is looked up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id([u8; ID]);

/// What a program sends. It is wiped when it is dropped, and never printed.
#[derive(Clone)]
pub struct Token {
    id: Id,
    secret: Zeroizing<[u8; SECRET]>,
}

/// What is kept of a token: SHA-256 of id and secret. A slow hash protects what people think up; of
/// 160 random bits not even the whole world's machines try a noticeable part, so that a fast one tells
/// nobody anything, and a program that sends its token with each request costs no more than one lookup.
#[derive(Clone, Copy)]
pub struct Verifier([u8; 32]);

/// What an app password is good for.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Of its token.
    pub verifier: Verifier,
    /// The hosts that it opens.
    pub hosts: HostScope,
    /// The Unix second in which it is over; `None`: never.
    pub expires: Option<u64>,
}

/// Why a token is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its secret is another.
    #[error("no such app password")]
    Wrong,
    /// It is over.
    #[error("the app password has expired")]
    Expired,
    /// It opens other hosts.
    #[error("the app password does not open this host")]
    Elsewhere,
}

impl Token {
    /// A token of bytes that come from a cryptographic random source.
    pub fn new(random: &[u8; RANDOM]) -> Token {
        let (mut id, mut secret) = ([0; ID], Zeroizing::new([0; SECRET]));
        id.copy_from_slice(&random[..ID]);
        secret.copy_from_slice(&random[ID..]);
        Token { id: Id(id), secret }
    }

    /// Reads what may be a token; `None` for everything that none can be written as. No ordinary
    /// password has its form unless somebody means it to.
    pub fn read(text: &str) -> Option<Token> {
        let body = text.strip_prefix(PREFIX)?;
        if body.len() != BODY + CHECK || !body.bytes().all(is_letter) {
            return None;
        }
        let (body, check) = body.split_at(BODY);
        if check != checksum(body) {
            return None;
        }
        let bytes = Zeroizing::new(decode(body)?);
        Some(Token::new(bytes.as_slice().try_into().ok()?))
    }

    /// The token as it is shown once, and sent: lower-case letters and digits behind the prefix, nothing
    /// that any program has to escape.
    pub fn reveal(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0; RANDOM]);
        bytes[..ID].copy_from_slice(&self.id.0);
        bytes[ID..].copy_from_slice(&*self.secret);
        let body = Zeroizing::new(encode(&*bytes));
        Zeroizing::new(format!("{PREFIX}{}{}", *body, checksum(&body)))
    }

    /// Its public part.
    pub fn id(&self) -> Id {
        self.id
    }

    /// What is kept of it.
    pub fn verifier(&self) -> Verifier {
        let digest = Sha256::new()
            .chain_update(b"auth-gate app password 1")
            .chain_update(self.id.0)
            .chain_update(*self.secret);
        Verifier(digest.finalize().into())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Id {
    /// The id that was kept as these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Id> {
        Some(Id(bytes.try_into().ok()?))
    }

    /// The id as it is kept.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The id as addresses and the command line write it.
    pub fn read(text: &str) -> Option<Id> {
        let fits = text.len() == ID * 8 / 5 && text.bytes().all(is_letter);
        Id::from_bytes(&fits.then(|| decode(text))??)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode(&self.0))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({self})")
    }
}

impl Verifier {
    /// The verifier that was kept as these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Verifier> {
        Some(Verifier(bytes.try_into().ok()?))
    }

    /// The verifier as it is kept.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether it is that of `token`. How long that takes tells nothing.
    pub fn fits(&self, token: &Token) -> bool {
        self.0.ct_eq(&token.verifier().0).into()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(…)")
    }
}

impl Grant {
    /// Whether it is over at `now` (Unix seconds).
    pub fn is_over(&self, now: u64) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// Whether `token` opens `host` (as rules see it: lower case, without port) at `now` (Unix seconds).
    ///
    /// # Errors
    /// Why it does not. Only of a token whose secret is right more is said than that it is wrong.
    pub fn check(&self, token: &Token, host: &str, now: u64) -> Result<(), Refusal> {
        if !self.verifier.fits(token) {
            Err(Refusal::Wrong)
        } else if self.is_over(now) {
            Err(Refusal::Expired)
        } else if !self.hosts.holds(host) {
            Err(Refusal::Elsewhere)
        } else {
            Ok(())
        }
    }
}

/// What every part of a token is written with.
fn is_letter(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'2'..=b'7')
}

fn encode(bytes: &[u8]) -> String {
    let mut text = BASE32_NOPAD.encode(bytes);
    text.make_ascii_lowercase();
    text
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let upper = Zeroizing::new(text.to_ascii_uppercase());
    BASE32_NOPAD.decode(upper.as_bytes()).ok()
}

fn checksum(body: &str) -> String {
    let digest = Sha256::digest(body);
    let mut text = encode(&digest[..4]);
    text.truncate(CHECK);
    text
}
