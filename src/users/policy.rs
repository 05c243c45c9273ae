//! What a new password must be like (`password_policy`).

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
