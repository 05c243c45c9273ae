//! The corpus of the fuzz target `cookie`, replayed.

#[path = "../fuzz/bodies/cookie.rs"]
mod body;

#[test]
fn a42_the_corpus_of_cookies_is_harmless() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/cookie");
    let files = std::fs::read_dir(folder).expect("the corpus");
    let files: Vec<_> = files.map(|file| file.expect("an entry").path()).collect();
    assert!(files.len() >= 10);
    for file in files {
        body::run(&std::fs::read(&file).expect("a file"));
    }
}

#[test]
fn a42_a_hundred_thousand_cookies_at_random_are_harmless() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    const LETTERS: &[u8] = b"session=; \t\n\"%,AQgwZ-_09+/\0\xff";
    for _ in 0..100_000 {
        let length = random() % 160;
        let any = random() % 4 == 0;
        let mut data: Vec<u8> = match random() % 2 {
            0 => b"session=".to_vec(),
            _ => Vec::new(),
        };
        data.extend((0..length).map(|_| match any {
            true => random() as u8,
            false => LETTERS[random() as usize % LETTERS.len()],
        }));
        body::run(&data);
    }
}
