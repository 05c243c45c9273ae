//! The corpus of the fuzz target `redis`, replayed.

#[path = "../fuzz/bodies/redis.rs"]
mod body;

fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/redis");
    let files = std::fs::read_dir(folder).expect("the corpus");
    let read = |file: std::io::Result<std::fs::DirEntry>| {
        let path = file.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy();
        (name.into_owned(), std::fs::read(&path).expect("a file"))
    };
    files.map(read).collect()
}

#[test]
fn what_is_kept_in_redis_is_read_and_what_is_odd_is_not() {
    let corpus = corpus();
    assert!(corpus.len() >= 14);
    for (name, data) in corpus {
        let is_odd = matches!(&name[..], "empty" | "long-text");
        assert_eq!(body::run(&data), !is_odd, "{name}");
    }
}

#[test]
fn a_hundred_thousand_damaged_values_are_harmless() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize % below
    };
    let corpus = corpus();
    for _ in 0..100_000 {
        let mut data = corpus[random(corpus.len())].1.clone();
        for _ in 0..=random(3) {
            if !data.is_empty() {
                let at = random(data.len());
                data[at] = random(256) as u8;
            }
        }
        data.truncate(random(data.len() + 1).max(data.len().saturating_sub(random(40))));
        body::run(&data);
    }
}
