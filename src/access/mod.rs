//! The decision: what is asked for, who asks, which rule rules, and what follows.
//!
//! Pure: knows no nginx, no clock, no file. The nginx room hands in facts and reads a verdict.
#![forbid(unsafe_code)]

mod challenge;
mod criteria;
mod guard;
mod object;
mod pattern;
mod requirement;
mod rules;
mod subject;

pub use challenge::{Ask, Challenge, original_url, portal_url};
pub use criteria::{Domain, Method, QueryError, QueryTerm};
pub use guard::{Guard, PolicySource, Source, Verdict};
pub use object::{BadObject, Object};
pub use pattern::{Pattern, PatternError, PatternSet};
pub use requirement::{Decision, Level, Requirement, decide};
pub use rules::{Criterion, Explained, Explanation, Found, Outcome, Rule, RuleId, Rules};
pub use subject::{Subject, SubjectTerm};
