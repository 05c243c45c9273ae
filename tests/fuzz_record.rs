//! The corpus of the fuzz target `record`, replayed, and changed at random.

#[path = "../fuzz/bodies/record.rs"]
mod body;
#[path = "fuzz/changed.rs"]
mod changed;

#[test]
fn the_corpus_of_records_is_harmless() {
    let corpus = changed::corpus("record");
    assert!(corpus.len() >= 20);
    corpus.iter().for_each(|data| body::run(data));
}

#[test]
fn a_hundred_thousand_changed_records_are_harmless() {
    changed::each("record", 100_000, body::run);
}
