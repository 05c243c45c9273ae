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

#[test]
fn paths_put_together_at_random_are_judged_alike_in_every_reading() {
    const WORDS: [&[u8]; 32] = [
        b"/", b"/", b"/", b"//", b".", b"..", b"/../", b"admin", b"public", b"x", b";", b";v=1",
        b"\\", b"%2f", b"%2e", b"%5c", b"%3b", b"%25", b"%20", b" ", b"%c0%ae", b"%c0%af",
        b"%C3%BC", b"\xff", b"%61", b"2f", b"2e", b"?", b"%3f", b"=", b"%", b"#",
    ];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..20_000 {
        let mut target = b"/".to_vec();
        for _ in 0..state % 12 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            target.extend_from_slice(WORDS[(state >> 20) as usize % WORDS.len()]);
        }
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        body::run(&target);
    }
}
