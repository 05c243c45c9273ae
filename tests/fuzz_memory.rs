//! The corpus of the fuzz target `memory`, replayed, and changed at random.

#[path = "../fuzz/bodies/memory.rs"]
mod body;
#[path = "fuzz/changed.rs"]
mod changed;

#[test]
fn a51_the_corpus_of_memories_is_harmless() {
    let corpus = changed::corpus("memory");
    assert!(corpus.len() >= 20);
    corpus.iter().for_each(|data| body::run(data));
}

#[test]
fn a51_three_thousand_changed_memories_are_harmless() {
    changed::each("memory", 3000, body::run);
}
