//! What the fuzz target does with its input; the plain tests replay the corpus through it.

use std::path::Path;

use ngx_http_auth_gate_module::config::{self, Loader, RefreshInterval, UsersFile};

/// Every file has this content.
struct Bytes<'b>(&'b [u8]);

impl Loader for Bytes<'_> {
    fn read(&self, _: &Path) -> std::io::Result<Vec<u8>> {
        Ok(self.0.to_vec())
    }

    fn env(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// Reads `data` as a configuration and as a users file: an answer, never a panic.
pub fn run(data: &[u8]) {
    let path = Path::new("file.yml");
    if let Err(problems) = config::load(path, &Bytes(data)) {
        assert!(!problems.is_empty());
    }
    let file = UsersFile {
        path: path.into(),
        watch: false,
        matching: Default::default(),
        password: Default::default(),
        refresh_interval: RefreshInterval::Never,
        extra_attributes: Vec::new(),
    };
    if let Err(problems) = config::load_users(path, data, &file) {
        assert!(!problems.is_empty());
    }
}
