//! Room config.
#![forbid(unsafe_code)]
