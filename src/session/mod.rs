//! Sessions: token and cookie, the record, how long it lasts, and the table that holds records.
#![forbid(unsafe_code)]

/// What is remembered of a session. It names its user and is no copy of him.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {}
