//! Cookie headers from outside, and records from memory.
#![no_main]

#[path = "../bodies/cookie.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
