//! The corpus of the fuzz target `configuration`, replayed.

use std::path::Path;

use super::fixture::{LEAST, Memory};
use ngx_http_auth_gate_module::config;

#[test]
fn every_file_of_the_corpus_gets_an_answer() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/configuration");
    let file = Memory::new(LEAST)
        .load()
        .expect("must load")
        .config
        .users_file;
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("a file");
        let memory = Memory::new("").with("/etc/gate/configuration.yml", &bytes);
        if let Err(problems) = memory.load() {
            assert!(!problems.is_empty(), "{}", path.display());
        }
        if let Err(problems) = config::load_users(&path, &bytes, &file) {
            assert!(!problems.is_empty(), "{}", path.display());
        }
        count += 1;
    }
    assert!(count >= 14, "{count} files");
}
