//! The corpus of the fuzz target `configuration`, replayed.

use std::path::Path;

#[path = "../../fuzz/bodies/configuration.rs"]
mod body;

#[test]
fn every_file_of_the_corpus_gets_an_answer() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/configuration");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus") {
        body::run(&std::fs::read(entry.expect("an entry").path()).expect("a file"));
        count += 1;
    }
    assert!(count >= 14, "{count} files");
}
