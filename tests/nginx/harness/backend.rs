//! The application behind the gate: answers with the very bytes it was asked with and remembers every request.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{PATIENCE, until};

/// A request as the backend got it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Seen {
    /// All values of a header; names in any case, but `_` is not `-`.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// The only value of a header, empty if there is none.
    pub fn one(&self, name: &str) -> &str {
        match self.all(name)[..] {
            [] => "",
            [value] => value,
            _ => panic!("{name} more than once in {self:?}"),
        }
    }

    /// All values under any name that a CGI-like backend would take for `name`.
    pub fn folded(&self, name: &str) -> Vec<&str> {
        let wanted = fold(name);
        self.headers
            .iter()
            .filter(|(n, _)| fold(n) == wanted)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// The target of the request line.
    pub fn target(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }
}

/// Letters and digits count, whatever stands between them is one separator: backends differ in what they fold.
fn fold(name: &str) -> String {
    let words = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

/// Takes a conversation over after the head of the request.
pub type Talk = Arc<dyn Fn(&Seen, &mut Peer) -> io::Result<()> + Send + Sync>;

#[derive(Default)]
struct Shared {
    seen: Mutex<Vec<Seen>>,
    talks: Mutex<HashMap<String, Talk>>,
}

/// A server on a port of its own; lives until the test process ends.
#[derive(Clone)]
pub struct Backend {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

impl Backend {
    /// Starts on any free port of that address.
    pub fn start(ip: Ipv4Addr) -> Backend {
        let listener = TcpListener::bind((ip, 0)).expect("a port for the backend");
        let address = listener.local_addr().expect("the backend's address");
        let shared = Arc::new(Shared::default());
        let backend = Backend {
            address,
            shared: Arc::clone(&shared),
        };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        backend
    }

    /// From now on requests whose path (without query) is `path` are answered by `talk`.
    pub fn on(
        &self,
        path: &str,
        talk: impl Fn(&Seen, &mut Peer) -> io::Result<()> + Send + Sync + 'static,
    ) {
        hold(&self.shared.talks).insert(path.to_owned(), Arc::new(talk));
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        hold(&self.shared.seen).clone()
    }

    /// The requests since the last time of asking.
    pub fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut hold(&self.shared.seen))
    }

    /// The one request since the last time of asking.
    pub fn take_one(&self) -> Seen {
        let mut seen = self.take();
        assert_eq!(seen.len(), 1, "not one request: {seen:?}");
        seen.remove(0)
    }

    /// Waits for a request that nobody waits for (a mirror's).
    pub fn wait_for(&self, target: &str) -> Seen {
        until(&format!("the backend to be asked for {target}"), || {
            self.seen().into_iter().find(|s| s.target() == target)
        })
    }
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(stream: TcpStream, shared: &Shared) {
    let _ = stream.set_read_timeout(Some(PATIENCE));
    let mut peer = Peer {
        stream,
        pending: Vec::new(),
    };
    while let Ok(mut seen) = peer.head() {
        let path = seen
            .target()
            .split('?')
            .next()
            .unwrap_or_default()
            .to_owned();
        let talk = hold(&shared.talks).get(&path).cloned();
        let served = match talk {
            Some(talk) => {
                hold(&shared.seen).push(seen.clone());
                talk(&seen, &mut peer)
            }
            None => peer.body(&seen).and_then(|body| {
                seen.body = body;
                hold(&shared.seen).push(seen.clone());
                peer.echo(&seen)
            }),
        };
        let close =
            seen.one("Connection").eq_ignore_ascii_case("close") || seen.line.ends_with("HTTP/1.0");
        if served.is_err() || close {
            return;
        }
    }
}

/// nginx, seen from the backend.
pub struct Peer {
    stream: TcpStream,
    pending: Vec<u8>,
}

impl Peer {
    fn head(&mut self) -> io::Result<Seen> {
        let line = self.line()?;
        let mut seen = Seen {
            line,
            ..Seen::default()
        };
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(seen);
            }
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            seen.headers
                .push((name.to_owned(), value.trim_matches(' ').to_owned()));
        }
    }

    /// Reads the body that the head announced.
    pub fn body(&mut self, seen: &Seen) -> io::Result<Vec<u8>> {
        if seen
            .one("Transfer-Encoding")
            .eq_ignore_ascii_case("chunked")
        {
            let mut body = Vec::new();
            loop {
                let chunk = self.chunk()?;
                if chunk.is_empty() {
                    return Ok(body);
                }
                body.extend(chunk);
            }
        }
        self.take(seen.one("Content-Length").parse().unwrap_or(0))
    }

    /// One chunk of a chunked body, empty at its end.
    pub fn chunk(&mut self) -> io::Result<Vec<u8>> {
        let size = self.line()?;
        let size = usize::from_str_radix(&size, 16).map_err(io::Error::other)?;
        let bytes = self.take(size)?;
        self.line()?;
        Ok(bytes)
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// Sends a whole answer with its length.
    pub fn answer(&mut self, status: &str, headers: &str, body: &str) -> io::Result<()> {
        self.send(format!(
            "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    /// Reads what is there, at least one byte.
    pub fn some(&mut self) -> io::Result<Vec<u8>> {
        if self.pending.is_empty() {
            self.fill()?;
        }
        Ok(std::mem::take(&mut self.pending))
    }

    fn echo(&mut self, seen: &Seen) -> io::Result<()> {
        let mut body = format!("{}\n", seen.line);
        for (name, value) in &seen.headers {
            body += &format!("{name}: {value}\n");
        }
        let body = if seen.line.starts_with("HEAD ") {
            String::new()
        } else {
            body
        };
        self.answer(
            "200 OK",
            "Content-Type: text/plain\r\nX-Backend: echo\r\n",
            &body,
        )
    }

    fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.pending.windows(2).position(|two| two == b"\r\n") {
                let line: Vec<u8> = self.pending.drain(..end + 2).take(end).collect();
                return Ok(String::from_utf8_lossy(&line).into_owned());
            }
            self.fill()?;
        }
    }

    fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.pending.len() < count {
            self.fill()?;
        }
        Ok(self.pending.drain(..count).collect())
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut bytes = [0; 16 * 1024];
        match self.stream.read(&mut bytes)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                self.pending.extend_from_slice(&bytes[..read]);
                Ok(())
            }
        }
    }
}
