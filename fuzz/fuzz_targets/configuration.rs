//! Configurations and users files from outside.
#![no_main]

#[path = "../bodies/configuration.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
