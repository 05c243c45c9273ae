//! A configuration of its own for each test, and the command run on it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Rules with every criterion; the users file beside it.
pub const CONFIGURATION: &str = "\
access_control:
  default_policy: deny
  networks:
    - name: office
      networks: 10.0.0.0/8
  rules:
    - domain: public.example.com
      policy: bypass
    - domain: wiki.example.com
      policy: one_factor
      resources: '^/open/'
    - domain: wiki.example.com
      policy: two_factor
      subject: 'group:admins'
    - domain: wiki.example.com
      policy: deny
      subject: 'user:mallory'
    - domain: lan.example.com
      policy: one_factor
      networks: office
      methods: GET
    - domain: lan.example.com
      policy: two_factor
      query:
        - key: mode
          value: admin
authentication_backend:
  file:
    path: users.yml
    search:
      email: true
    password:
      algorithm: argon2
      argon2:
        memory: 1024
        iterations: 1
        parallelism: 1
session:
  secret: a-secret-of-some-length-for-the-tests
  cookies:
    - domain: example.com
      authelia_url: https://auth.example.com
";

pub const USERS: &str = "\
users:
  john:
    displayname: John Doe
    password: $argon2id$v=19$m=1024,t=1,p=1$AhQkYiTfw1U8C71DDKRMvA$VsUqy8zzmGqUIicz7mGMz9X65zZ8kElo04KyXsbfRhU
    email: john@example.com
    groups:
      - admins
      - dev
  mallory:
    displayname: Mallory
    password: $argon2id$v=19$m=1024,t=1,p=1$AhQkYiTfw1U8C71DDKRMvA$VsUqy8zzmGqUIicz7mGMz9X65zZ8kElo04KyXsbfRhU
";

/// An empty folder named after the test.
pub fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("cli")
        .join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A folder with both files; the path of the configuration.
pub fn configuration(test: &str, change: impl FnOnce(String) -> String) -> String {
    let folder = folder(test);
    fs::write(folder.join("users.yml"), USERS).unwrap();
    let file = folder.join("configuration.yml");
    fs::write(&file, change(CONFIGURATION.into())).unwrap();
    file.to_str().unwrap().into()
}

/// What the command answered.
#[derive(Debug)]
pub struct Ran {
    pub status: i32,
    pub out: String,
    pub err: String,
}

pub fn run(arguments: &[&str]) -> Ran {
    run_with_input(arguments, b"")
}

pub fn run_with_input(arguments: &[&str], input: &[u8]) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_auth-gate"))
        .args(arguments)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that needs no input may have ended before it is written.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    Ran {
        status: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
