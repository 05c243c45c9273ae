//! The program under test, the module in it, and what it says of a configuration.

use std::path::PathBuf;
use std::process::Command;

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

    /// Taken without a warning, but for one that newer releases of nginx have about the way in which
    /// HTTP/2 was switched on before them.
    pub fn taken_silently(&self) -> &Checked {
        self.taken();
        let old = "\"listen ... http2\" directive is deprecated";
        let warns = |line: &str| line.contains("[warn]") && !line.contains(old);
        assert!(!self.text.lines().any(warns), "{}", self.text);
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
