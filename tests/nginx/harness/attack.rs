//! What an attacker does, and what must come of it: a refusal, and a backend that saw nothing.

use super::{Answer, Gate, Visitor};

/// Statuses that say no. Anything else that answers an attack is a hole or a crash.
const REFUSALS: &[u16] = &[302, 303, 400, 401, 403, 405, 413, 414, 421];

/// The bytes of a GET, target and all as given; looks like a browser that navigates.
pub fn get(host: &str, target: impl AsRef<[u8]>, headers: &[(String, String)]) -> Vec<u8> {
    let mut bytes = b"GET ".to_vec();
    bytes.extend_from_slice(target.as_ref());
    bytes.extend_from_slice(
        format!(" HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\n").as_bytes(),
    );
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

impl Gate {
    /// Sends an attack with exact bytes; panics unless it is refused and the backend saw nothing of it.
    pub fn refuses(&self, sni: &str, bytes: impl AsRef<[u8]>) -> Answer {
        let shown =
            String::from_utf8_lossy(&bytes.as_ref()[..bytes.as_ref().len().min(400)]).into_owned();
        self.backend().take();
        let mut connection = self.connect(sni);
        connection.send(&bytes);
        let answer = connection.try_answer(bytes.as_ref().starts_with(b"HEAD "));
        let answer = answer.unwrap_or_else(|error| panic!("no answer ({error}) to {shown:?}"));
        let seen = self.backend().take();
        assert!(
            seen.is_empty(),
            "{} and the backend saw {seen:?} after {shown:?}",
            answer.status
        );
        assert!(
            REFUSALS.contains(&answer.status),
            "{} is no refusal of {shown:?}",
            answer.status
        );
        if matches!(answer.status, 302 | 303) {
            let portal = self.url("auth.example.com", "/");
            assert!(
                answer.location().starts_with(&portal),
                "{:?} after {shown:?}",
                answer.location()
            );
        }
        answer
    }
}

impl Visitor<'_> {
    /// A GET with raw target; panics unless it is refused and the backend saw nothing of it.
    pub fn is_refused(&self, host: &str, target: impl AsRef<[u8]>) -> Answer {
        self.is_refused_with(host, target, &[])
    }

    /// The same with further headers.
    pub fn is_refused_with(
        &self,
        host: &str,
        target: impl AsRef<[u8]>,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.gate
            .refuses(sni(host), get(host, target, &self.headers(host, headers)))
    }

    /// A GET with raw target; panics unless it reaches the backend.
    pub fn is_let_in(&self, host: &str, target: impl AsRef<[u8]>) -> super::Seen {
        self.is_let_in_with(host, target, &[])
    }

    /// The same with further headers.
    pub fn is_let_in_with(
        &self,
        host: &str,
        target: impl AsRef<[u8]>,
        headers: &[(&str, &str)],
    ) -> super::Seen {
        self.gate.backend().take();
        let answer = self
            .gate
            .raw(sni(host), get(host, &target, &self.headers(host, headers)));
        let shown = String::from_utf8_lossy(target.as_ref()).into_owned();
        assert_eq!(
            answer.status,
            200,
            "{host}{shown} leads to {:?}: {}",
            answer.location(),
            answer.text()
        );
        self.gate.backend().take_one()
    }

    fn headers(&self, host: &str, more: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut headers = self.cookie_header(&host.to_ascii_lowercase());
        headers.extend(
            more.iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        headers
    }
}

/// A name that fits into SNI and our certificate, whatever the request says.
fn sni(host: &str) -> &str {
    let plain = host.bytes().all(|b| b.is_ascii_lowercase() || b == b'.');
    if plain && host.ends_with(".example.com") {
        host
    } else {
        "app.example.com"
    }
}
