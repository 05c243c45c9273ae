//! Files and environment of this machine, for the configuration room.

use std::io;
use std::path::Path;

use ngx_http_auth_gate_module::config::{self, Loaded, Loader};

/// The real thing.
struct Disk;

impl Loader for Disk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn env(&self) -> Vec<(String, String)> {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        std::env::vars_os()
            .filter_map(text)
            .filter(|(name, _)| name.starts_with("AUTHELIA_"))
            .collect()
    }
}

/// Loads a configuration; the errors are lines to print.
pub fn load(path: &Path) -> Result<Loaded, Vec<String>> {
    config::load(path, &Disk).map_err(|problems| problems.iter().map(ToString::to_string).collect())
}
