//! The files and the environment of this machine, for whoever reads a configuration.
#![forbid(unsafe_code)]

use std::{io, path::Path};

use crate::config::Loader;

/// The real file system and environment.
#[derive(Clone, Copy, Debug)]
pub struct Disk;

impl Loader for Disk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn env(&self) -> Vec<(String, String)> {
        // A name or value that is not UTF-8 is none of ours.
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| name.starts_with("AUTHELIA_"))
            .collect()
    }
}
