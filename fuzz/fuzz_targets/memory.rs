//! Shared memory that others have written to.
#![no_main]

#[path = "../bodies/memory.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
