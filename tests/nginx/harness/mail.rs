//! A real mail server (Debian's python3-aiosmtpd) that asks for TLS and keeps what it is sent.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

/// A letter takes a job on a thread and a handful of packets; the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server on a port of its own.
pub struct MailServer {
    child: Child,
    folder: PathBuf,
    letters: Receiver<String>,
    port: u16,
}

impl MailServer {
    /// Starts one with a certificate that nobody trusts.
    pub fn start(name: &str) -> MailServer {
        let folder = format!("auth-gate-letters-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir_all(&folder).expect("a folder");
        let signed = rcgen::generate_simple_self_signed(["mail.example.com".to_owned()]).unwrap();
        let files = [folder.join("server.pem"), folder.join("server.key")];
        fs::write(&files[0], signed.cert.pem()).unwrap();
        fs::write(&files[1], signed.signing_key.serialize_pem()).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail/server.py");
        let mut child = Command::new("/usr/bin/python3")
            .arg(script)
            .arg("starttls")
            .args(&files)
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3; scripts/setup test installs it");
        let mut told = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut next = move || -> Option<Value> {
            let line = told.next()?.ok()?;
            serde_json::from_str(&line).ok()
        };
        let port = next().expect("a port; scripts/setup test installs python3-aiosmtpd");
        let port = u16::try_from(port["port"].as_u64().unwrap()).unwrap();
        let (sender, letters) = channel();
        std::thread::spawn(move || {
            while let Some(event) = next() {
                let Some(data) = event["data"].as_str() else {
                    continue;
                };
                if sender.send(plain(data)).is_err() {
                    return;
                }
            }
        });
        MailServer {
            child,
            folder,
            letters,
            port,
        }
    }

    /// What the configuration says of it.
    pub fn notifier(&self) -> String {
        format!(
            "notifier:
  smtp:
    address: smtp://127.0.0.1:{}
    sender: Sign-in <sign-in@example.com>
    tls: {{ skip_verify: true }}
",
            self.port
        )
    }

    /// The next letter that holds `part`, its text as a person reads it; others are put aside.
    pub fn letter(&self, part: &str) -> String {
        loop {
            let letter = self.letters.recv_timeout(PATIENCE);
            let letter = letter.unwrap_or_else(|_| panic!("no letter with {part:?} comes"));
            if letter.contains(part) {
                return letter;
            }
        }
    }

    /// The next code that is mailed.
    pub fn code(&self) -> String {
        let letter = self.letter("----");
        let line = letter.lines().skip_while(|line| !line.starts_with("---"));
        let code = line.skip(1).find(|line| !line.trim().is_empty());
        code.expect("a code between two lines").trim().to_owned()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A letter with the line breaks and letters of quoted-printable undone.
fn plain(data: &str) -> String {
    let data = data.replace("\r\n", "\n").replace("=\n", "");
    let mut text = String::new();
    let mut rest = &data[..];
    while let Some((before, after)) = rest.split_once('=') {
        text.push_str(before);
        let byte = after
            .get(..2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        rest = match byte {
            Some(byte) => {
                text.push(char::from(byte));
                &after[2..]
            }
            None => {
                text.push('=');
                after
            }
        };
    }
    text + rest
}
