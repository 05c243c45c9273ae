//! One device: its secret and how it makes codes of it.

use secrecy::{ExposeSecret, SecretString};

use super::{Algorithm, Parameters, Secret, uri};

/// The longest thing that is looked at as a code, in bytes: eight digits and some spaces.
const LONGEST_CODE: usize = 32;

/// A device that makes one-time codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// What it shares with us.
    pub secret: Secret,
    /// How it makes codes.
    pub parameters: Parameters,
}

/// The step of time a code was made for, counted in periods of its device since 1970. A step that
/// let somebody in must not do so again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step(pub u64);

impl Key {
    /// The step for which `code` is right at `now` (Unix seconds), at most `skew` steps off; the
    /// nearest to `now` if it should be right for several. Spaces in the code do not matter. How
    /// long it takes does not tell which digits or which step were right.
    pub fn check(&self, code: &str, skew: u8, now: u64) -> Option<Step> {
        if code.len() > LONGEST_CODE {
            return None;
        }
        let digits: String = code.chars().filter(|char| *char != ' ').collect();
        let totp = self.totp();
        let mut found = None;
        for step in self.steps(skew, now) {
            let right = totp.check(&digits, step * u64::from(self.parameters.period()));
            found = found.or(right.map(Step));
        }
        found
    }

    /// The code at `now`, which is what an app shows.
    pub fn code(&self, now: u64) -> SecretString {
        self.totp().generate(now).to_string().into()
    }

    /// The address that an app reads from a QR code, as Authelia writes it.
    pub fn uri(&self, issuer: &str, account: &str) -> SecretString {
        let base32 = self.secret.base32();
        uri::write(issuer, account, &self.parameters, base32.expose_secret()).into()
    }

    /// The steps around `now`, nearest first.
    fn steps(&self, skew: u8, now: u64) -> impl Iterator<Item = u64> {
        let period = u64::from(self.parameters.period());
        let (present, last) = (now / period, u64::MAX / period);
        let off = (1..=u64::from(skew))
            .flat_map(move |off| [present.checked_sub(off), present.checked_add(off)]);
        std::iter::once(Some(present))
            .chain(off)
            .flatten()
            .filter(move |step| *step <= last)
    }

    fn totp(&self) -> totp_rs::Totp {
        let algorithm = match self.parameters.algorithm() {
            Algorithm::Sha1 => totp_rs::Algorithm::SHA1,
            Algorithm::Sha256 => totp_rs::Algorithm::SHA256,
            Algorithm::Sha512 => totp_rs::Algorithm::SHA512,
        };
        // The steps around are tried one by one, so that all of them are. Noncompliant means that
        // short secrets pass, too: those in use are older than we are.
        totp_rs::Builder::new()
            .with_algorithm(algorithm)
            .with_digits(self.parameters.digits().number())
            .with_step_duration(self.parameters.period().into())
            .with_skew(0)
            .with_secret(self.secret.inner())
            .build_noncompliant()
    }
}

#[cfg(test)]
mod tests;
