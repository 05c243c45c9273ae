//! The program under test, the module in it, and what it says of a configuration.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The built module: `AUTH_GATE_MODULE`, else where `scripts/test` puts it.
pub fn module() -> PathBuf {
    let path = match std::env::var_os("AUTH_GATE_MODULE") {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("target/test/libngx_http_auth_gate_module.so"),
    };
    assert!(
        path.is_file(),
        "{} is missing: run scripts/test, or name the module in AUTH_GATE_MODULE",
        path.display()
    );
    path
}

/// The nginx under test: `AUTH_GATE_NGINX`, else the one that is installed.
pub fn nginx() -> Command {
    let program = std::env::var_os("AUTH_GATE_NGINX");
    let mut command = Command::new(program.unwrap_or_else(|| "/usr/sbin/nginx".into()));
    // What our scripts read as the kind of nginx, nginx would read as its inherited sockets.
    command.env_remove("NGINX");
    command
}

/// What `nginx -V` says: version and flags.
pub fn built() -> &'static str {
    static BUILT: OnceLock<String> = OnceLock::new();
    BUILT.get_or_init(|| {
        let output = nginx().arg("-V").output().expect("nginx -V runs");
        String::from_utf8_lossy(&output.stderr).into_owned()
    })
}

/// The version of the nginx under test.
pub fn version() -> [u32; 3] {
    let said = built().split_once("nginx/").expect("a version").1;
    let digits = |text: &str| {
        text.chars()
            .take_while(char::is_ascii_digit)
            .collect::<String>()
    };
    let mut parts = said
        .splitn(3, '.')
        .map(|part| digits(part).parse().expect("a number"));
    std::array::from_fn(|_| parts.next().expect("three numbers"))
}

/// What `nginx -t` said; the site's directory reads `@prefix@`.
#[derive(Debug)]
pub struct Checked {
    pub ok: bool,
    pub text: String,
}

impl Checked {
    /// Refused, with all of these in one line of the output.
    pub fn refused(&self, parts: &[&str]) -> &Checked {
        assert!(!self.ok, "nginx -t took it:\n{}", self.text);
        self.says("[emerg]", parts)
    }

    /// Taken, with a warning that has all of these in one line.
    pub fn warned(&self, parts: &[&str]) -> &Checked {
        self.taken();
        self.says("[warn]", parts)
    }

    /// Taken.
    pub fn taken(&self) -> &Checked {
        assert!(self.ok, "nginx -t refused it:\n{}", self.text);
        self
    }

    /// Taken without a warning.
    pub fn taken_silently(&self) -> &Checked {
        self.taken();
        assert!(!self.text.contains("[warn]"), "{}", self.text);
        self
    }

    fn says(&self, level: &str, parts: &[&str]) -> &Checked {
        let said = self
            .text
            .lines()
            .any(|l| l.contains(level) && parts.iter().all(|part| l.contains(part)));
        assert!(said, "no {level} line with {parts:?}:\n{}", self.text);
        self
    }
}
