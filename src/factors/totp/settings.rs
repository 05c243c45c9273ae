//! How codes are made, and what a user may choose of it.

use serde::{Deserialize, Serialize};

/// The shortest period a configuration may have, in seconds.
pub const SHORTEST_PERIOD: u32 = 15;

/// The shortest secret a new device may be given, in bytes.
pub const SHORTEST_SECRET: usize = 20;

/// The hash under the codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Algorithm {
    /// What every app knows.
    #[default]
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How long a code is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Digits {
    /// Six digits.
    #[default]
    Six,
    /// Eight digits.
    Eight,
}

/// How the codes of one device are made; kept beside its secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    algorithm: Algorithm,
    digits: Digits,
    period: u32,
}

/// These are no parameters of codes that are made here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadParameters {
    /// Neither SHA1, SHA256 nor SHA512.
    #[error("algorithm is none of SHA1, SHA256, SHA512")]
    Algorithm,
    /// Neither 6 nor 8.
    #[error("number of digits is neither 6 nor 8")]
    Digits,
    /// Shorter than [`SHORTEST_PERIOD`].
    #[error("period is shorter than 15 seconds")]
    Period,
    /// Known, but not among what users may choose.
    #[error("not among what the configuration allows")]
    Forbid,
}

/// The section `totp` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whose account an app says it is.
    pub issuer: String,
    /// What a new device gets that nobody chose anything for.
    pub default: Parameters,
    /// What users may choose besides the default.
    pub algorithms: Vec<Algorithm>,
    /// What users may choose besides the default.
    pub digits: Vec<Digits>,
    /// What users may choose besides the default, in seconds, each at least [`SHORTEST_PERIOD`].
    pub periods: Vec<u32>,
    /// How many steps a clock may be off, each way.
    pub skew: u8,
    /// Bytes of a new secret, at least [`SHORTEST_SECRET`].
    pub secret_size: usize,
    /// Whether a code works again while its time lasts.
    pub reuse: bool,
}

/// What can be chosen for a new device, in Authelia's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Offer {
    /// The default.
    pub algorithm: Algorithm,
    /// All that can be chosen.
    pub algorithms: Vec<Algorithm>,
    /// The default.
    pub length: u32,
    /// All that can be chosen.
    pub lengths: Vec<u32>,
    /// The default, in seconds.
    pub period: u32,
    /// All that can be chosen.
    pub periods: Vec<u32>,
}

impl Algorithm {
    /// The name in configurations, URIs and stores.
    pub fn word(self) -> &'static str {
        match self {
            Algorithm::Sha1 => "SHA1",
            Algorithm::Sha256 => "SHA256",
            Algorithm::Sha512 => "SHA512",
        }
    }

    /// The algorithm of that name, in any case.
    pub fn from_word(word: &str) -> Option<Algorithm> {
        [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512]
            .into_iter()
            .find(|algorithm| algorithm.word().eq_ignore_ascii_case(word))
    }
}

impl Digits {
    /// As a number.
    pub fn number(self) -> u8 {
        match self {
            Digits::Six => 6,
            Digits::Eight => 8,
        }
    }

    /// From a number.
    pub fn from_number(number: u64) -> Option<Digits> {
        match number {
            6 => Some(Digits::Six),
            8 => Some(Digits::Eight),
            _ => None,
        }
    }
}

impl Parameters {
    /// Codes of `digits`, each for `period` seconds.
    ///
    /// # Errors
    /// [`BadParameters::Period`].
    pub fn new(
        algorithm: Algorithm,
        digits: Digits,
        period: u32,
    ) -> Result<Parameters, BadParameters> {
        if period < SHORTEST_PERIOD {
            return Err(BadParameters::Period);
        }
        Ok(Parameters {
            algorithm,
            digits,
            period,
        })
    }

    /// From what a store or a request says.
    ///
    /// # Errors
    /// What of it cannot be.
    pub fn parse(algorithm: &str, digits: u64, period: u64) -> Result<Parameters, BadParameters> {
        let algorithm = Algorithm::from_word(algorithm).ok_or(BadParameters::Algorithm)?;
        let digits = Digits::from_number(digits).ok_or(BadParameters::Digits)?;
        let period = u32::try_from(period).map_err(|_| BadParameters::Period)?;
        Parameters::new(algorithm, digits, period)
    }

    /// The hash.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The length of a code.
    pub fn digits(&self) -> Digits {
        self.digits
    }

    /// Seconds that a code is good for.
    pub fn period(&self) -> u32 {
        self.period
    }
}

impl Default for Parameters {
    fn default() -> Self {
        Parameters {
            algorithm: Algorithm::Sha1,
            digits: Digits::Six,
            period: 30,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            issuer: "Authelia".to_owned(),
            default: Parameters::default(),
            algorithms: Vec::new(),
            digits: Vec::new(),
            periods: Vec::new(),
            skew: 1,
            secret_size: 32,
            reuse: false,
        }
    }
}

impl Settings {
    /// What can be chosen. The default always can.
    pub fn offer(&self) -> Offer {
        let digits = with_default(&self.digits, self.default.digits);
        let number = |digits: Digits| u32::from(digits.number());
        Offer {
            algorithm: self.default.algorithm,
            algorithms: with_default(&self.algorithms, self.default.algorithm),
            length: number(self.default.digits),
            lengths: digits.into_iter().map(number).collect(),
            period: self.default.period,
            periods: with_default(&self.periods, self.default.period),
        }
    }

    /// The parameters of a new device that somebody chose; nothing chosen is the default.
    ///
    /// # Errors
    /// What of it cannot be, or must not.
    pub fn choose(
        &self,
        algorithm: Option<&str>,
        digits: Option<u64>,
        period: Option<u64>,
    ) -> Result<Parameters, BadParameters> {
        let chosen = Parameters::parse(
            algorithm.unwrap_or(self.default.algorithm.word()),
            digits.unwrap_or(self.default.digits.number().into()),
            period.unwrap_or(self.default.period.into()),
        )?;
        let offer = self.offer();
        let allowed = offer.algorithms.contains(&chosen.algorithm)
            && offer.lengths.contains(&chosen.digits.number().into())
            && offer.periods.contains(&chosen.period);
        allowed.then_some(chosen).ok_or(BadParameters::Forbid)
    }
}

fn with_default<T: Copy + PartialEq>(allowed: &[T], default: T) -> Vec<T> {
    let mut all = allowed.to_vec();
    if !all.contains(&default) {
        all.push(default);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offer_is_what_authelia_answers() {
        let offer = serde_json::to_value(Settings::default().offer()).unwrap();
        let recorded = serde_json::json!({"algorithm": "SHA1", "algorithms": ["SHA1"], "length": 6, "lengths": [6], "period": 30, "periods": [30]});
        assert_eq!(offer, recorded);
    }

    #[test]
    fn only_what_is_offered_can_be_chosen() {
        let settings = Settings {
            algorithms: vec![Algorithm::Sha512],
            digits: vec![Digits::Eight],
            periods: vec![60],
            ..Settings::default()
        };
        let chosen = settings
            .choose(Some("sha512"), Some(8), Some(60))
            .map(|chosen| (chosen.algorithm, chosen.digits, chosen.period));
        assert_eq!(chosen, Ok((Algorithm::Sha512, Digits::Eight, 60)));
        assert_eq!(settings.choose(None, None, None), Ok(Parameters::default()));
        let refused = |algorithm, digits, period| {
            settings
                .choose(Some(algorithm), Some(digits), Some(period))
                .unwrap_err()
        };
        assert_eq!(refused("SHA256", 6, 30), BadParameters::Forbid);
        assert_eq!(refused("MD5", 6, 30), BadParameters::Algorithm);
        assert_eq!(refused("SHA1", 7, 30), BadParameters::Digits);
        assert_eq!(refused("SHA1", 6, 14), BadParameters::Period);
        assert_eq!(refused("SHA1", 6, 45), BadParameters::Forbid);
        assert_eq!(refused("SHA1", 6, u64::MAX), BadParameters::Period);
    }
}
