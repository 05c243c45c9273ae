//! Room users.
#![forbid(unsafe_code)]
