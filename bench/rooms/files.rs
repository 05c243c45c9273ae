//! The configuration of a hundred rules that the measured nginx and the measured rooms share.

use std::fmt::Write;
use std::io;
use std::path::Path;

use ngx_http_auth_gate_module::config::{self, Config, Loader};

/// What an allowed request asks for: the last rule is the one that matches.
pub const TARGET: &str = "/part49/page?q=1";

const HEAD: &str = "\
authentication_backend: { file: { path: users_database.yml, watch: true } }
session:
  secret: a-secret-for-the-benchmark-only
  cookies:
    - { domain: example.com, authelia_url: 'https://auth.example.com' }
regulation: { max_retries: 0 }
access_control:
  default_policy: deny
  rules:
";

/// The hash belongs to no password.
const USERS: &str = "
users:
  alice:
    displayname: Alice Liddell
    email: alice@example.com
    groups: [admins, readers]
    password: '$argon2id$v=19$m=1024,t=1,p=1$c2FsdHNhbHRzYWx0$MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI'
";

/// `configuration.yml` with fifty rules for other hosts and fifty for parts of app.example.com.
pub fn configuration() -> String {
    let mut yaml = HEAD.to_owned();
    for n in 0..50 {
        let rule = format!(
            "domain: app{n}.example.com, resources: ['^/(app|static)/'], policy: one_factor"
        );
        writeln!(yaml, "    - {{ {rule} }}").expect("room in a string");
    }
    for n in 0..50 {
        let rule = format!(
            "domain: app.example.com, resources: ['^/part{n}([/?].*)?$'], subject: 'group:readers', policy: one_factor"
        );
        writeln!(yaml, "    - {{ {rule} }}").expect("room in a string");
    }
    yaml
}

/// The same, loaded, with one user called alice.
pub fn load() -> Config {
    config::load(Path::new("/configuration.yml"), &Files)
        .expect("a good configuration")
        .config
}

struct Files;

impl Loader for Files {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let users = path.ends_with("users_database.yml");
        Ok(if users {
            USERS.into()
        } else {
            configuration().into_bytes()
        })
    }

    fn env(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}
