//! The decision: what is asked for, who asks, which rule rules, and what follows.
//!
//! Pure: knows no nginx, no clock, no file. The nginx room hands in facts and reads a verdict.
#![forbid(unsafe_code)]

mod object;
mod requirement;
mod rules;
mod subject;

pub use object::{BadObject, Object};
pub use requirement::{Decision, Level, Requirement, decide};
pub use rules::{Found, RuleId};
pub use subject::{Subject, SubjectTerm};
