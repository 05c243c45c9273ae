//! Requirement and level, and the table that compares them.

/// What a rule or a location demands of a visitor. Ordered by strictness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Requirement {
    /// Nothing: everybody passes.
    Bypass,
    /// One proven factor.
    OneFactor,
    /// Two proven factors.
    TwoFactor,
    /// Nobody passes.
    Deny,
}

/// What a visitor has proven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Nothing: anonymous.
    #[default]
    None = 0,
    /// One factor, of any kind.
    OneFactor = 1,
    /// Knowledge and possession.
    TwoFactor = 2,
}

/// What follows from a requirement and a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// The request goes on.
    Allow,
    /// Proving more would help: send the visitor to the portal.
    Challenge,
    /// Nothing the visitor can prove would help.
    Forbid,
}

/// The decision for a visitor of `level` where `required` is demanded.
///
/// `asks` says that the requirement was found by asking who the visitor is; then an anonymous
/// visitor who is denied may be somebody else after signing in.
pub fn decide(required: Requirement, asks: bool, level: Level) -> Decision {
    match (required, level) {
        (Requirement::Bypass, _) => Decision::Allow,
        (Requirement::Deny, Level::None) if asks => Decision::Challenge,
        (Requirement::Deny, _) => Decision::Forbid,
        (Requirement::OneFactor, Level::None) => Decision::Challenge,
        (Requirement::OneFactor, _) => Decision::Allow,
        (Requirement::TwoFactor, Level::TwoFactor) => Decision::Allow,
        (Requirement::TwoFactor, _) => Decision::Challenge,
    }
}

impl Requirement {
    /// The word that the configuration and `$auth_gate_policy` use.
    pub fn word(self) -> &'static str {
        match self {
            Requirement::Bypass => "bypass",
            Requirement::OneFactor => "one_factor",
            Requirement::TwoFactor => "two_factor",
            Requirement::Deny => "deny",
        }
    }

    /// The requirement that `word` names, in exactly that spelling.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "bypass" => Requirement::Bypass,
            "one_factor" => Requirement::OneFactor,
            "two_factor" => Requirement::TwoFactor,
            "deny" => Requirement::Deny,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Decision::*, *};

    #[test]
    fn the_table_of_decisions() {
        let levels = [Level::None, Level::OneFactor, Level::TwoFactor];
        let row = |required, asks| levels.map(|level| decide(required, asks, level));
        for asks in [false, true] {
            assert_eq!(row(Requirement::Bypass, asks), [Allow, Allow, Allow]);
            assert_eq!(row(Requirement::OneFactor, asks), [Challenge, Allow, Allow]);
            assert_eq!(
                row(Requirement::TwoFactor, asks),
                [Challenge, Challenge, Allow]
            );
        }
        assert_eq!(row(Requirement::Deny, false), [Forbid, Forbid, Forbid]);
        assert_eq!(row(Requirement::Deny, true), [Challenge, Forbid, Forbid]);
    }

    #[test]
    fn words_round_trip() {
        for word in ["bypass", "one_factor", "two_factor", "deny"] {
            assert_eq!(
                Requirement::from_word(word).map(Requirement::word),
                Some(word)
            );
        }
        assert_eq!(Requirement::from_word("Deny"), None);
    }
}
