//! The mail server of the tests, and notifiers that know it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use ngx_http_auth_gate_module::mail::{
    Credentials, Mailbox, Notifier, Post, Security, Smtp, Tls, Way,
};
use ngx_http_auth_gate_module::portal::Letter;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use secrecy::SecretString;
use serde_json::Value;

pub const USER: &str = "gate";
pub const PASSWORD: &str = "correct horse ü 7";

/// A running server with a certificate for `mail.test`.
pub struct Server {
    child: Child,
    told: BufReader<ChildStdout>,
    pub port: u16,
    pub folder: PathBuf,
}

/// A new folder.
pub fn folder(name: &str) -> PathBuf {
    let name = format!("auth-gate-mail-{name}-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(folder.join("trusted")).unwrap();
    folder
}

impl Server {
    /// Starts one; `mode` is plain, starttls or implicit.
    pub fn start(name: &str, mode: &str, credentials: &[&str]) -> Server {
        let folder = folder(name);
        certificates(&folder);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail/server.py");
        let mut child = Command::new("/usr/bin/python3")
            .arg(script)
            .arg(mode)
            .args([folder.join("server.pem"), folder.join("server.key")])
            .args(credentials)
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 (scripts/setup test installs it with python3-aiosmtpd)");
        let mut told = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        told.read_line(&mut line).unwrap();
        let first: Value = serde_json::from_str(&line)
            .expect("a port; scripts/setup test installs python3-aiosmtpd");
        let port = u16::try_from(first["port"].as_u64().unwrap()).unwrap();
        Server {
            child,
            told,
            port,
            folder,
        }
    }

    /// A notifier for this server that trusts its certificate.
    pub fn notifier(&self, security: Security) -> Smtp {
        Smtp {
            tls: Tls {
                server_name: "mail.test".into(),
                verify: true,
                only_newest: false,
                certificates: Some(self.folder.join("trusted")),
            },
            ..smtp(self.port, security)
        }
    }

    /// What it tells until it has said goodbye.
    pub fn conversation(&mut self) -> Vec<Value> {
        let mut told = Vec::new();
        loop {
            let mut line = String::new();
            assert!(self.told.read_line(&mut line).unwrap() > 0, "{told:?}");
            let event: Value = serde_json::from_str(&line).unwrap();
            let over = event["event"] == "QUIT";
            told.push(event);
            if over {
                return told;
            }
        }
    }

    /// Everything that it told, now that nobody speaks to it any more.
    pub fn all(mut self) -> Vec<Value> {
        self.child.kill().unwrap();
        let lines = std::mem::replace(&mut self.told, BufReader::new(sink(&mut self.child)));
        lines
            .lines()
            .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
            .collect()
    }
}

/// Another pipe in place of the one that is read to its end.
fn sink(child: &mut Child) -> ChildStdout {
    child.wait().unwrap();
    let mut nothing = Command::new("true").stdout(Stdio::piped()).spawn().unwrap();
    let pipe = nothing.stdout.take().unwrap();
    nothing.wait().unwrap();
    pipe
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// An authority that is trusted, and a server's certificate of it.
fn certificates(folder: &Path) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(vec!["mail.test".to_owned()]).unwrap();
    let server = server.signed_by(&key, &authority).unwrap();
    std::fs::write(folder.join("trusted/authority.crt"), authority.pem()).unwrap();
    std::fs::write(folder.join("trusted/README"), "no certificate").unwrap();
    std::fs::write(folder.join("server.pem"), server.pem()).unwrap();
    std::fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
}

/// A notifier for some server on this machine.
pub fn smtp(port: u16, security: Security) -> Smtp {
    Smtp {
        host: "127.0.0.1".into(),
        port,
        security,
        timeout: 5,
        credentials: None,
        clear_credentials: false,
        identifier: "auth.example.com".into(),
        sender: Mailbox::parse("Anmeldung für alle <sign-in@example.com>").unwrap(),
        subject: "[Gate] {title}".into(),
        check_recipient: None,
        html: true,
        tls: Tls {
            server_name: "127.0.0.1".into(),
            verify: true,
            only_newest: false,
            certificates: None,
        },
    }
}

/// The right ones.
pub fn credentials(password: &str) -> Option<Credentials> {
    Some(Credentials {
        username: USER.into(),
        password: SecretString::from(password),
    })
}

/// Where letters for this server are posted.
pub fn post(smtp: Smtp) -> Post {
    Post::new(&Notifier {
        startup_check: true,
        way: Way::Smtp(Box::new(smtp)),
    })
    .unwrap()
}

pub fn letter() -> Letter {
    Letter {
        name: "Alice Ünsal".into(),
        address: "alice@example.com".into(),
        title: "Confirm it is you".into(),
        text: "Your code is ABCD1234.\nGrüße\n.\nA line with a dot in front.\n".into(),
        html: "<p>Your code is <b>ABCD1234</b>. Grüße</p>".into(),
    }
}
