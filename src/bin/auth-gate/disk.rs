//! Configurations from the disk of this machine.

use std::path::Path;

use ngx_http_auth_gate_module::config::{self, Loaded};
use ngx_http_auth_gate_module::files::Disk;

/// Loads a configuration; the errors are lines to print.
pub fn load(path: &Path) -> Result<Loaded, Vec<String>> {
    config::load(path, &Disk).map_err(|problems| problems.iter().map(ToString::to_string).collect())
}
