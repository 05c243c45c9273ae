//! What a new password must be like (`password_policy`).

use zxcvbn::zxcvbn;

use super::MAX_PASSWORD;

/// What a new password must be like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PasswordPolicy {
    /// Nothing but not to be empty.
    #[default]
    Off,
    /// Lengths and kinds of characters.
    Standard(Standard),
    /// A strength as zxcvbn judges it.
    Zxcvbn {
        /// 0 to 4.
        min_score: u8,
    },
}

/// `password_policy.standard`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Standard {
    /// Characters.
    pub min_length: usize,
    /// Characters; 0 is no limit.
    pub max_length: usize,
    pub require_uppercase: bool,
    pub require_lowercase: bool,
    pub require_number: bool,
    pub require_special: bool,
}

/// The first thing that is wrong with a password; the portal has the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// There is none.
    #[error("empty")]
    Empty,
    /// Longer than anything that is hashed here ([`MAX_PASSWORD`] bytes).
    #[error("longer than {MAX_PASSWORD} bytes")]
    Huge,
    /// So many characters at least.
    #[error("shorter than {0} characters")]
    Short(usize),
    /// So many characters at most.
    #[error("longer than {0} characters")]
    Long(usize),
    /// No upper-case letter.
    #[error("without an upper-case letter")]
    NoUppercase,
    /// No lower-case letter.
    #[error("without a lower-case letter")]
    NoLowercase,
    /// No digit.
    #[error("without a digit")]
    NoNumber,
    /// Only plain letters and digits.
    #[error("without a special character")]
    NoSpecial,
    /// Too easily guessed.
    #[error("of strength {score} of 4 where {needed} are needed")]
    Guessable {
        /// What it reaches, 0 to 4.
        score: u8,
        /// What is needed.
        needed: u8,
    },
}

impl PasswordPolicy {
    /// Whether `password` may become a password. `user_words` are what everybody knows of the user:
    /// name, address, the name to show; a password made of them is easily guessed.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn check(&self, password: &str, user_words: &[&str]) -> Result<(), Weakness> {
        if password.is_empty() {
            return Err(Weakness::Empty);
        }
        if password.len() > MAX_PASSWORD {
            return Err(Weakness::Huge);
        }
        match self {
            PasswordPolicy::Off => Ok(()),
            PasswordPolicy::Standard(standard) => standard.check(password),
            PasswordPolicy::Zxcvbn { min_score } => guessable(password, user_words, *min_score),
        }
    }
}

impl Default for Standard {
    /// Authelia's.
    fn default() -> Self {
        Standard {
            min_length: 8,
            max_length: 0,
            require_uppercase: false,
            require_lowercase: false,
            require_number: false,
            require_special: false,
        }
    }
}

impl Standard {
    /// Whatever Authelia takes is taken; letters and digits of other scripts count besides.
    fn check(&self, password: &str) -> Result<(), Weakness> {
        let length = password.chars().count();
        if length < self.min_length {
            return Err(Weakness::Short(self.min_length));
        }
        if self.max_length > 0 && length > self.max_length {
            return Err(Weakness::Long(self.max_length));
        }
        let special = |c: char| !c.is_ascii_alphanumeric();
        let lacks = |wanted: bool, kind: fn(char) -> bool| wanted && !password.chars().any(kind);
        if lacks(self.require_uppercase, char::is_uppercase) {
            Err(Weakness::NoUppercase)
        } else if lacks(self.require_lowercase, char::is_lowercase) {
            Err(Weakness::NoLowercase)
        } else if lacks(self.require_number, char::is_numeric) {
            Err(Weakness::NoNumber)
        } else if lacks(self.require_special, special) {
            Err(Weakness::NoSpecial)
        } else {
            Ok(())
        }
    }
}

/// The crate looks at the first hundred characters only, so that this takes bounded time.
fn guessable(password: &str, user_words: &[&str], needed: u8) -> Result<(), Weakness> {
    let score = u8::from(zxcvbn(password, user_words).score());
    if score < needed {
        return Err(Weakness::Guessable { score, needed });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Standard = Standard {
        min_length: 8,
        max_length: 12,
        require_uppercase: true,
        require_lowercase: true,
        require_number: true,
        require_special: true,
    };

    #[test]
    fn every_policy_refuses_nothing_and_too_much() {
        let huge = "x".repeat(MAX_PASSWORD + 1);
        let standard = Standard {
            min_length: 0,
            ..Standard::default()
        };
        for policy in [
            PasswordPolicy::Off,
            PasswordPolicy::Standard(standard),
            PasswordPolicy::Zxcvbn { min_score: 0 },
        ] {
            assert_eq!(policy.check("", &[]), Err(Weakness::Empty));
            assert_eq!(policy.check(&huge, &[]), Err(Weakness::Huge));
            assert_eq!(policy.check("x", &[]), Ok(()));
            assert_eq!(policy.check(&huge[1..], &[]), Ok(()));
        }
    }

    #[test]
    fn lengths_are_characters_and_every_kind_is_asked_for() {
        let check = |password| PasswordPolicy::Standard(STRICT).check(password, &[]);
        assert_eq!(check("Aa1!äöü"), Err(Weakness::Short(8)));
        assert_eq!(check("Aa1!äöüß"), Ok(()));
        assert_eq!(check("Aa1!äöüßäöüß"), Ok(()));
        assert_eq!(check("Aa1!äöüßäöüßä"), Err(Weakness::Long(12)));
        assert_eq!(check("aaaaaa1!"), Err(Weakness::NoUppercase));
        assert_eq!(check("AAAAAA1!"), Err(Weakness::NoLowercase));
        assert_eq!(check("AAAaaaa!"), Err(Weakness::NoNumber));
        assert_eq!(check("AAAaaaa1"), Err(Weakness::NoSpecial));
        assert_eq!(check("Ωmega 77"), Ok(()));
    }

    #[test]
    fn a_password_made_of_the_name_is_easily_guessed() {
        let policy = PasswordPolicy::Zxcvbn { min_score: 3 };
        let weak = policy.check("password1", &[]);
        assert!(matches!(weak, Err(Weakness::Guessable { score, needed: 3 }) if score < 3));
        assert_eq!(policy.check("correct horse ü 7 staple", &[]), Ok(()));
        let own = "wolfeschlegelsteinhausen";
        assert_eq!(policy.check(own, &[]), Ok(()));
        assert!(policy.check(own, &[own]).is_err());
    }

    #[test]
    fn a_hostile_password_is_judged_in_bounded_time() {
        let policy = PasswordPolicy::Zxcvbn { min_score: 4 };
        let started = std::time::Instant::now();
        for unit in [
            "a", "ab", "password", "1234", "p4ssw0rd", "$@", "é", "\u{0}",
        ] {
            let _ = policy.check(&unit.repeat(MAX_PASSWORD / unit.len()), &["a", "", "pass"]);
        }
        assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
    }
}
