//! The rules of the configuration and the search for the first that matches.

use super::{Object, Requirement, Subject};

/// The place of a rule in the configuration, counted from 1; `None` is the default policy.
pub type RuleId = Option<std::num::NonZeroU32>;

/// What the rules found for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The requirement that holds.
    pub requirement: Requirement,
    /// The rule that gave it.
    pub rule: RuleId,
    /// Whether that rule asks who the visitor is. When it is `false` for the anonymous visitor,
    /// the answer is the same for everybody.
    pub asks: bool,
}
