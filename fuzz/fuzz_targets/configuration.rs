//! Any bytes as configuration and as users file: an answer, never a panic.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use ngx_http_auth_gate_module::config::{self, Loader, RefreshInterval, UsersFile};

struct Bytes<'b>(&'b [u8]);

impl Loader for Bytes<'_> {
    fn read(&self, _: &Path) -> std::io::Result<Vec<u8>> {
        Ok(self.0.to_vec())
    }

    fn env(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("file.yml");
    let _ = config::load(path, &Bytes(bytes));
    let file = UsersFile {
        path: path.into(),
        watch: false,
        matching: Default::default(),
        password: Default::default(),
        refresh_interval: RefreshInterval::Never,
        extra_attributes: Vec::new(),
    };
    let _ = config::load_users(path, bytes, &file);
});
