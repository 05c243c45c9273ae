//! The corpus of the fuzz target `door`, replayed.

#[path = "../fuzz/bodies/door.rs"]
mod body;

#[test]
fn a27_the_corpus_of_questions_is_harmless() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/door");
    let files = std::fs::read_dir(folder).expect("the corpus");
    let files: Vec<_> = files.map(|file| file.expect("an entry").path()).collect();
    assert!(files.len() >= 10);
    for file in files {
        body::run(&std::fs::read(&file).expect("a file"));
    }
}

#[test]
fn a27_questions_with_bytes_at_random_are_harmless() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/door");
    let files = std::fs::read_dir(folder).expect("the corpus");
    let whole: Vec<_> = files
        .map(|file| std::fs::read(file.expect("an entry").path()).expect("a file"))
        .collect();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    const LETTERS: &[u8] = b"/:?#%.@[], \n\t\\aZ0\0\xff\xc3";
    for _ in 0..30_000 {
        let mut data = whole[random() % whole.len()].clone();
        for _ in 0..1 + random() % 4 {
            let at = random() % (data.len() + 1);
            match random() % 3 {
                0 => data.insert(at, LETTERS[random() % LETTERS.len()]),
                1 if at < data.len() => data[at] = LETTERS[random() % LETTERS.len()],
                _ if at < data.len() => _ = data.remove(at),
                _ => {}
            }
        }
        body::run(&data);
    }
}
