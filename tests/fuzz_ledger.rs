//! The corpus of the fuzz target `ledger`, replayed, and changed at random.

#[path = "../fuzz/bodies/ledger.rs"]
mod body;
#[path = "fuzz/changed.rs"]
mod changed;

use std::path::Path;

/// A store of a test's own.
fn place(test: &str) -> body::Place {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    body::Place::new(&folder)
}

#[test]
fn the_corpus_of_rows_is_harmless() {
    let corpus = changed::corpus("ledger");
    assert!(corpus.len() >= 20);
    let place = place("fuzz_ledger_corpus");
    corpus.iter().for_each(|data| place.run(data));
}

#[test]
fn a_thousand_changed_rows_are_harmless() {
    let place = place("fuzz_ledger_changed");
    changed::each("ledger", 1000, |data| place.run(data));
}
