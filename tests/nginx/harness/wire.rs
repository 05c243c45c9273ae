//! HTTP/1 as bytes: what is sent goes out exactly as written, what comes back is kept raw.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use super::{PATIENCE, tls};

/// One answer as it came.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of that name; names in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers_named(name).next()
    }

    /// All headers of that name in order.
    pub fn headers_named<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Where it leads, empty if nowhere.
    pub fn location(&self) -> &str {
        self.header("Location").unwrap_or_default()
    }

    /// Something if this is the status, to be waited for.
    pub fn is(&self, status: u16) -> Option<()> {
        (self.status == status).then_some(())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text()))
    }
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// A connection to the gate, for as many requests as the test likes.
pub struct Connection {
    stream: Stream,
    pending: Vec<u8>,
}

impl Connection {
    /// Plain http.
    pub fn plain(to: SocketAddr) -> Connection {
        Connection {
            stream: Stream::Plain(open(to)),
            pending: Vec::new(),
        }
    }

    /// TLS with `sni`, whatever the requests will say.
    pub fn tls(to: SocketAddr, sni: &str) -> Connection {
        Self::over(open(to), sni)
    }

    /// The same where perhaps nobody listens.
    pub fn try_tls(to: SocketAddr, sni: &str) -> io::Result<Connection> {
        Ok(Self::over(try_open(to)?, sni))
    }

    /// The same for somebody who comes from that address of this machine.
    pub fn tls_from(source: Ipv4Addr, to: SocketAddr, sni: &str) -> Connection {
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
        bind(&socket, &SocketAddr::from((source, 0))).expect("an address of this machine");
        connect(&socket, &to).unwrap_or_else(|error| panic!("connect to {to}: {error}"));
        Self::over(patient(socket.into()).expect("a stream"), sni)
    }

    fn over(stream: TcpStream, sni: &str) -> Connection {
        let name = ServerName::try_from(sni.to_owned()).expect("a host name for SNI");
        let session = ClientConnection::new(tls::client(b"http/1.1"), name).expect("a TLS session");
        Connection {
            stream: Stream::Tls(Box::new(StreamOwned::new(session, stream))),
            pending: Vec::new(),
        }
    }

    /// Sends these bytes and no others. A peer that hung up shows when the answer is read.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Connection {
        let _ = self.try_send(bytes.as_ref());
        self
    }

    /// Sends, and says whether the peer still takes it.
    pub fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(bytes),
            Stream::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
        }
    }

    /// The next answer, interim ones (1xx) included.
    pub fn answer(&mut self) -> Answer {
        self.try_answer(false)
            .unwrap_or_else(|error| panic!("no answer: {error}; read so far: {:?}", self.shown()))
    }

    /// The next answer, or why there is none. `head` says that none of its length is a body.
    pub fn try_answer(&mut self, head: bool) -> io::Result<Answer> {
        let mut answer = self.head()?;
        let bodiless = head || answer.status < 200 || matches!(answer.status, 204 | 304);
        if bodiless {
            return Ok(answer);
        }
        answer.body = if answer
            .header("Transfer-Encoding")
            .is_some_and(|v| v.eq_ignore_ascii_case("chunked"))
        {
            self.chunks()?
        } else if let Some(length) = answer.header("Content-Length").and_then(|v| v.parse().ok()) {
            self.take(length)?
        } else {
            self.rest()?
        };
        Ok(answer)
    }

    /// Status line and headers only; the body stays to be read.
    pub fn head(&mut self) -> io::Result<Answer> {
        let status_line = self.line()?;
        let status = status_line
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok());
        let status =
            status.ok_or_else(|| io::Error::other(format!("odd status line {status_line:?}")))?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(Answer {
                    status,
                    headers,
                    body: Vec::new(),
                });
            }
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| io::Error::other(format!("odd header {line:?}")))?;
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }

    /// One line without its end.
    pub fn line(&mut self) -> io::Result<String> {
        let end = self.fill_until(|bytes| bytes.windows(2).position(|two| two == b"\r\n"))?;
        let line: Vec<u8> = self.pending.drain(..end + 2).take(end).collect();
        Ok(String::from_utf8_lossy(&line).into_owned())
    }

    /// Exactly so many bytes.
    pub fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        self.fill_until(|bytes| (bytes.len() >= count).then_some(count))?;
        Ok(self.pending.drain(..count).collect())
    }

    /// One chunk of a chunked body, empty at its end.
    pub fn chunk(&mut self) -> io::Result<Vec<u8>> {
        let size = self.line()?;
        let size = usize::from_str_radix(&size, 16)
            .map_err(|_| io::Error::other(format!("odd chunk {size:?}")))?;
        let bytes = self.take(size)?;
        self.line()?;
        Ok(bytes)
    }

    /// All that comes until the peer hangs up.
    pub fn rest(&mut self) -> io::Result<Vec<u8>> {
        match self.fill_until(|_| None) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Ok(std::mem::take(&mut self.pending))
            }
            Err(error) => Err(error),
            Ok(_) => unreachable!("nothing ends the wait but the end"),
        }
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let chunk = self.chunk()?;
            if chunk.is_empty() {
                return Ok(body);
            }
            body.extend(chunk);
        }
    }

    fn fill_until(&mut self, done: impl Fn(&[u8]) -> Option<usize>) -> io::Result<usize> {
        let mut bytes = [0; 16 * 1024];
        loop {
            if let Some(count) = done(&self.pending) {
                return Ok(count);
            }
            let read = match &mut self.stream {
                Stream::Plain(stream) => stream.read(&mut bytes),
                Stream::Tls(stream) => stream.read(&mut bytes),
            }?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.pending.extend_from_slice(&bytes[..read]);
        }
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.pending).into_owned()
    }
}

fn open(to: SocketAddr) -> TcpStream {
    try_open(to).unwrap_or_else(|error| panic!("connect to {to}: {error}"))
}

fn try_open(to: SocketAddr) -> io::Result<TcpStream> {
    patient(TcpStream::connect_timeout(&to, PATIENCE)?)
}

fn patient(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
