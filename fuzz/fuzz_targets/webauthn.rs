//! Answers of browsers to WebAuthn questions.
#![no_main]

#[path = "../bodies/webauthn.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
