//! What lies in Redis, after it was unsealed.
#![no_main]

#[path = "../bodies/redis.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    body::run(data);
});
