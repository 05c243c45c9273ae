//! What a location adds to the rules, and the verdict that comes of both.

use super::{Decision, Level, Object, PatternSet, Requirement, Rules, Subject, SubjectTerm};

/// What a location adds to the rules.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    /// `auth_gate_policy`.
    pub policy: PolicySource,
    /// `auth_gate_require`: all terms of one line must hold.
    pub require: Vec<Vec<SubjectTerm>>,
    /// `auth_gate_unauthenticated`, on the path without the query.
    pub unauthenticated: PatternSet,
    /// `auth_gate_unauthenticated_url`, on scheme, host and path.
    pub unauthenticated_url: PatternSet,
}

/// Where a location takes its requirement from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PolicySource {
    /// From the rules.
    #[default]
    Rules,
    /// From the location itself.
    Fixed(Requirement),
}

/// What gave the requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A rule, counted from 1.
    Rule(u32),
    /// The default policy.
    Default,
    /// A directive of the location.
    Location,
}

/// The requirement that holds, and what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What is demanded.
    pub requirement: Requirement,
    /// What demanded it.
    pub source: Source,
    /// Whether it was found by asking who the visitor is.
    pub asks: bool,
    /// What follows.
    pub decision: Decision,
}

impl Guard {
    /// The verdict when everybody may pass, whoever it is; to be asked before any cookie is read.
    pub fn for_everybody(&self, rules: &Rules, object: &Object<'_>) -> Option<Verdict> {
        let _ = (rules, object);
        None
    }

    /// The verdict for `subject` (`None`: anonymous) of `level`.
    pub fn judge(
        &self,
        rules: &Rules,
        object: &Object<'_>,
        subject: Option<&Subject<'_>>,
        level: Level,
    ) -> Verdict {
        let _ = (rules, object, subject, level);
        Verdict {
            requirement: Requirement::Deny,
            source: Source::Default,
            asks: false,
            decision: Decision::Forbid,
        }
    }
}
