//! The corpus of the fuzz target `path`, replayed.

#[path = "../fuzz/bodies/path.rs"]
mod body;

#[test]
fn the_corpus_of_paths_is_judged_alike_in_every_reading() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/path");
    let files = std::fs::read_dir(folder).expect("the corpus");
    let mut replayed = 0;
    for file in files {
        let bytes = std::fs::read(file.expect("an entry").path()).expect("a readable file");
        // Every beginning of a file is a case of its own.
        (0..=bytes.len()).for_each(|end| body::run(&bytes[..end]));
        replayed += 1;
    }
    assert!(replayed >= 20);
}
