//! What a location adds to the rules, and the verdict that comes of both.

use super::readings::Reading;
use super::{
    Decision, Found, Level, Object, PatternSet, Requirement, Rules, Subject, SubjectTerm, decide,
};

/// What a location adds to the rules.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    /// `auth_gate_policy`.
    pub policy: PolicySource,
    /// `auth_gate_require`: all terms of one line must hold, several lines are alternatives.
    pub require: Vec<Vec<SubjectTerm>>,
    /// `auth_gate_unauthenticated`, on the path without the query.
    pub unauthenticated: PatternSet,
    /// `auth_gate_unauthenticated_url`, on `scheme://host/path`, the host without port.
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

/// An address up to this length is put together without the heap.
const SHORT_URL: usize = 1024;

impl Guard {
    /// The verdict for `subject` (`None`: anonymous) of `level`. One without the other counts as
    /// anonymous.
    pub fn judge(
        &self,
        rules: &Rules,
        object: &Object<'_>,
        subject: Option<&Subject<'_>>,
        level: Level,
    ) -> Verdict {
        let (subject, level) = match subject {
            Some(subject) if level > Level::None => (Some(subject), level),
            _ => (None, Level::None),
        };
        if self.passes_unauthenticated(object) {
            return Verdict::new(Requirement::Bypass, Source::Location, false, level);
        }
        let (requirement, source, asks) = self.policy(rules, object, subject);
        if self.require.is_empty() {
            return Verdict::new(requirement, source, asks, level);
        }
        if subject.is_some_and(|subject| !self.requires(subject)) {
            return Verdict::new(Requirement::Deny, Source::Location, true, level);
        }
        match requirement {
            Requirement::Bypass => {
                Verdict::new(Requirement::OneFactor, Source::Location, true, level)
            }
            _ => Verdict::new(requirement, source, true, level),
        }
    }

    /// Whether everybody passes, whoever he is: nobody needs to be asked.
    pub fn is_open(&self, rules: &Rules, object: &Object<'_>) -> bool {
        // Whatever matches somebody known matches somebody unknown as well, so a rule that was found
        // without asking is everybody's.
        let verdict = self.judge(rules, object, None, Level::None);
        verdict.requirement == Requirement::Bypass && !verdict.asks
    }

    fn policy(
        &self,
        rules: &Rules,
        object: &Object<'_>,
        subject: Option<&Subject<'_>>,
    ) -> (Requirement, Source, bool) {
        match self.policy {
            PolicySource::Fixed(requirement) => (requirement, Source::Location, false),
            PolicySource::Rules => {
                let Found {
                    requirement,
                    rule,
                    asks,
                } = rules.find(subject, object);
                let source = rule.map_or(Source::Default, |rule| Source::Rule(rule.get()));
                (requirement, source, asks)
            }
        }
    }

    fn requires(&self, subject: &Subject<'_>) -> bool {
        self.require
            .iter()
            .any(|line| line.iter().all(|term| term.holds(subject)))
    }

    /// Whether every reading of the path passes without login.
    fn passes_unauthenticated(&self, object: &Object<'_>) -> bool {
        if self.unauthenticated.is_empty() && self.unauthenticated_url.is_empty() {
            return false;
        }
        let mut readings = object.readings().iter().map(Reading::path);
        readings.all(|path| self.unauthenticated.matches(path) || self.passes_url(object, path))
    }

    fn passes_url(&self, object: &Object<'_>, path: &[u8]) -> bool {
        if self.unauthenticated_url.is_empty() {
            return false;
        }
        let parts = [
            object.scheme().as_bytes(),
            b"://",
            object.host().as_bytes(),
            path,
        ];
        let length = parts.iter().map(|part| part.len()).sum();
        let (mut short, mut long) = ([0; SHORT_URL], Vec::new());
        let url = if length <= SHORT_URL {
            &mut short[..length]
        } else {
            long.resize(length, 0);
            &mut long[..]
        };
        let mut at = 0;
        for part in parts {
            url[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        self.unauthenticated_url.matches(url)
    }
}

impl Verdict {
    fn new(requirement: Requirement, source: Source, asks: bool, level: Level) -> Verdict {
        Verdict {
            requirement,
            source,
            asks,
            decision: decide(requirement, asks, level),
        }
    }
}

#[cfg(test)]
mod tests;
