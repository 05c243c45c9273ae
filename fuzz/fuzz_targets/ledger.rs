//! Rows of a store that somebody else has written.
#![no_main]

#[path = "../bodies/ledger.rs"]
mod body;

thread_local! {
    static PLACE: body::Place = {
        let name = format!("auth-gate-fuzz-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        body::Place::new(&folder)
    };
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| PLACE.with(|place| place.run(data)));
