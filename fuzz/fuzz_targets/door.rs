//! Requests to the authorization endpoints.
#![no_main]

#[path = "../bodies/door.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
