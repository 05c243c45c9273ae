//! HTTP/3, asked for with the system's curl where that and the nginx under test have it.

use std::process::{Command, Stdio};

use super::{Answer, Gate, nginx};

/// Whether it can be tried here; says what is missing if not.
pub fn is_possible() -> bool {
    let curl = Command::new("curl").arg("-V").stdin(Stdio::null()).output();
    let curl = curl.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).contains(" HTTP3"));
    let nginx = nginx::built().contains("--with-http_v3_module");
    if !(curl && nginx) {
        println!("left out, because it needs HTTP/3: nginx has it: {nginx}, curl has it: {curl}");
    }
    curl && nginx
}

/// One request over a QUIC connection of its own: a GET, or with a body a POST of JSON.
pub fn ask(
    gate: &Gate,
    host: &str,
    target: &str,
    headers: &[(String, String)],
    body: Option<&str>,
) -> Answer {
    let address = gate.address();
    let mut curl = Command::new("curl");
    curl.args(["--http3-only", "--silent", "--show-error", "--include"])
        .args(["--path-as-is", "--max-time", "10", "--resolve"])
        .arg(format!("{host}:{}:{}", address.https, address.ip))
        .arg("--cacert")
        .arg(gate.prefix().join("site.pem"))
        .args(["--header", "Accept: text/html"]);
    for (name, value) in headers {
        curl.args(["--header", &format!("{name}: {value}")]);
    }
    if let Some(body) = body {
        curl.args(["--header", "Content-Type: application/json"])
            .args(["--data-binary", body]);
    }
    let said = curl
        .arg(format!("https://{host}:{}{target}", address.https))
        .stdin(Stdio::null())
        .output()
        .expect("curl runs");
    assert!(
        said.status.success(),
        "HTTP/3 to {host}{target}: {}",
        String::from_utf8_lossy(&said.stderr)
    );
    parsed(&said.stdout)
}

fn parsed(bytes: &[u8]) -> Answer {
    let end = bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("a head");
    let head = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/3 "))
        .and_then(|rest| rest.trim().parse().ok())
        .expect("an answer over HTTP/3");
    let header = |line: &str| {
        let (name, value) = line.split_once(": ").expect("a header");
        (name.to_owned(), value.to_owned())
    };
    Answer {
        status,
        headers: lines.map(header).collect(),
        body: bytes[end + 4..].to_vec(),
    }
}
