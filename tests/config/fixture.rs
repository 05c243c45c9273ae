//! Files and environment in memory.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};

use ngx_http_auth_gate_module::config::{self, Loaded, Loader, Problem};

/// A users file with one person.
pub const USERS: &str = "users:\n  john:\n    displayname: John Doe\n    password: $argon2id$v=19$m=1024,t=1,p=1$AhQkYiTfw1U8C71DDKRMvA$VsUqy8zzmGqUIicz7mGMz9X65zZ8kElo04KyXsbfRhU\n    email: john@example.com\n    groups: [admins, dev]\n";

/// The least that is a configuration.
pub const LEAST: &str = "authentication_backend:\n  file:\n    path: users.yml\nsession:\n  secret: a-session-secret-of-some-length\n  cookies:\n    - domain: example.com\n      authelia_url: https://auth.example.com\naccess_control:\n  rules:\n    - domain: app.example.com\n      policy: one_factor\n";

/// [`LEAST`] with a store, and with something more.
pub fn stored(more: &str) -> String {
    format!(
        "{LEAST}storage:\n  encryption_key: a-storage-key-of-some-length\n  local: {{path: db.sqlite3}}\n{more}"
    )
}

#[derive(Default)]
pub struct Memory {
    pub files: BTreeMap<PathBuf, Vec<u8>>,
    pub env: Vec<(String, String)>,
}

impl Memory {
    /// The configuration at `/etc/gate/configuration.yml`, a users file beside it.
    pub fn new(configuration: &str) -> Self {
        Memory::default()
            .with("/etc/gate/configuration.yml", configuration)
            .with("/etc/gate/users.yml", USERS)
    }

    pub fn with(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.files.insert(path.into(), content.as_ref().into());
        self
    }

    pub fn var(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    pub fn load(&self) -> std::result::Result<Loaded, Vec<Problem>> {
        config::load(Path::new("/etc/gate/configuration.yml"), self)
    }

    /// The errors, one a line; empty when there are none.
    pub fn errors(&self) -> String {
        self.load()
            .map_or_else(|problems| lines(&problems), |_| String::new())
    }

    /// The warnings, one a line.
    pub fn warnings(&self) -> String {
        lines(&self.load().expect("must load").warnings)
    }
}

/// Problems as they are printed, without the folder.
pub fn lines(problems: &[Problem]) -> String {
    let line = |problem: &Problem| problem.to_string().replace("/etc/gate/", "") + "\n";
    problems.iter().map(line).collect()
}

impl Loader for Memory {
    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        if path == Path::new("/etc/gate") {
            return Err(Error::from(ErrorKind::IsADirectory));
        }
        self.files
            .get(path)
            .cloned()
            .ok_or_else(|| Error::from(ErrorKind::NotFound))
    }

    fn env(&self) -> Vec<(String, String)> {
        self.env.clone()
    }
}
