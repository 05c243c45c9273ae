//! The decision: what is asked for, who asks, which rule rules, and what follows.
//!
//! Pure: knows no nginx, no clock, no file. The nginx room hands in facts and reads a verdict.
#![forbid(unsafe_code)]

mod challenge;
mod dialect;
mod domain;
mod form;
mod guard;
mod host;
mod object;
mod pattern;
mod query;
mod readings;
mod requirement;
mod rules;
mod sieve;
mod subject;
mod text;

pub use challenge::{Ask, Challenge, original_url, portal_url};
pub use domain::Domain;
pub use guard::{Guard, PolicySource, Source, Verdict};
pub use object::{BadObject, Object};
pub use pattern::{Pattern, PatternError, PatternSet};
pub use query::{Method, QueryError, QueryTerm};
pub use requirement::{Decision, Level, Requirement, decide};
pub use rules::{Criterion, Explained, Explanation, Found, Outcome, Rule, RuleId, Rules};
pub use subject::{Subject, SubjectTerm};
