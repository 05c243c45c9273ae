//! Room users.
#![forbid(unsafe_code)]

pub mod regulation;
