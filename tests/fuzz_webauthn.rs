//! The corpus of the fuzz target `webauthn`, replayed, and changed at random.

#[path = "../fuzz/bodies/webauthn.rs"]
mod body;

fn corpus() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/webauthn");
    let files = std::fs::read_dir(folder).expect("the corpus");
    let paths = files.map(|file| file.expect("an entry").path());
    paths
        .map(|path| std::fs::read(path).expect("a file"))
        .collect()
}

#[test]
fn the_corpus_of_answers_is_harmless() {
    let corpus = corpus();
    assert!(corpus.len() >= 20);
    corpus.iter().for_each(|data| body::run(data));
}

#[test]
fn ten_thousand_changed_answers_are_harmless() {
    let corpus = corpus();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).expect("31 bits") % below
    };
    for _ in 0..10_000 {
        let mut data = corpus[random(corpus.len())].clone();
        for _ in 0..=random(4) {
            let at = random(data.len().max(1));
            match random(3) {
                0 => data.truncate(at),
                1 => data.insert(at.min(data.len()), random(256) as u8),
                _ => {
                    if let Some(byte) = data.get_mut(at) {
                        *byte = random(256) as u8;
                    }
                }
            }
        }
        body::run(&data);
    }
}
