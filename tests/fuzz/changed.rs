//! The files of a corpus, as they are and changed at random.

/// The files of the corpus of a fuzz target.
pub fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/").to_owned() + target;
    let files = std::fs::read_dir(folder).expect("the corpus");
    let mut paths: Vec<_> = files.map(|file| file.expect("an entry").path()).collect();
    paths.sort();
    let read = |path| std::fs::read(path).expect("a file");
    paths.into_iter().map(read).collect()
}

/// Runs `body` on so many of them, each changed in a few places, the same ones every time.
pub fn each(target: &str, times: usize, body: impl Fn(&[u8])) {
    let corpus = corpus(target);
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).expect("31 bits") % below
    };
    for _ in 0..times {
        let mut data = corpus[random(corpus.len())].clone();
        for _ in 0..=random(4) {
            let at = random(data.len().max(1));
            match random(6) {
                0 => data.truncate(at),
                1 => data.insert(at.min(data.len()), random(256) as u8),
                _ => {
                    if let Some(byte) = data.get_mut(at) {
                        *byte = random(256) as u8;
                    }
                }
            }
        }
        body(&data);
    }
}
