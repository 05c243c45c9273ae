//! A connection's bytes: TCP or a unix socket, plain or TLS, never beyond a deadline.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use rustls::{ClientConnection, StreamOwned};

use super::deadline::Deadline;
use super::tls::Tls;
use crate::store::RedisServer;
use crate::store::redis::trouble::RedisTrouble;

/// Bytes both ways.
pub enum Stream {
    Plain(Socket),
    Tls(Box<StreamOwned<ClientConnection, Socket>>),
}

/// A socket whose every step ends by a deadline.
pub struct Socket {
    kind: Kind,
    deadline: Deadline,
}

enum Kind {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    pub fn open(
        server: &RedisServer,
        tls: Option<&Tls>,
        deadline: Deadline,
    ) -> Result<Stream, RedisTrouble> {
        let kind = match server {
            RedisServer::Tcp { host, port } => tcp(host, *port, deadline).map(Kind::Tcp),
            RedisServer::Unix(path) => unix(path).map(Kind::Unix),
        };
        let kind = kind.map_err(|error| match error.kind() {
            ErrorKind::TimedOut => RedisTrouble::Late(deadline.seconds()),
            _ => RedisTrouble::Unreachable(error.to_string()),
        })?;
        let mut socket = Socket { kind, deadline };
        let Some(tls) = tls else {
            return Ok(Stream::Plain(socket));
        };
        let mut session = tls.session(server)?;
        while session.is_handshaking() {
            // What is left to be sent, such as an alert, is sent with the next step.
            session
                .complete_io(&mut socket)
                .map_err(|error| match is_late(&error) {
                    true => RedisTrouble::Late(deadline.seconds()),
                    false => RedisTrouble::Tls(tls.explain(&error)),
                })?;
        }
        Ok(Stream::Tls(Box::new(StreamOwned::new(session, socket))))
    }

    /// Sets until when the next steps may take.
    pub fn until(&mut self, deadline: Deadline) {
        match self {
            Stream::Plain(socket) => socket.deadline = deadline,
            Stream::Tls(stream) => stream.sock.deadline = deadline,
        }
    }
}

/// Whether a deadline has passed.
pub fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock)
}

fn tcp(host: &str, port: u16, deadline: Deadline) -> io::Result<TcpStream> {
    let addresses: Vec<_> = (host, port).to_socket_addrs()?.collect();
    let mut last = io::Error::other("the name has no address");
    for (tried, address) in addresses.iter().enumerate() {
        let left = deadline.share(addresses.len() - tried).left()?;
        match TcpStream::connect_timeout(address, left) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Connecting to a unix socket cannot be given a time: where its queue is full, it would wait for a
/// server that hangs. So it does not wait at all.
fn unix(path: &Path) -> io::Result<UnixStream> {
    let address = SocketAddrUnix::new(path)?;
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    connect(&socket, &address).map_err(|error| match error {
        rustix::io::Errno::AGAIN => io::Error::from(ErrorKind::TimedOut),
        error => error.into(),
    })?;
    let stream = UnixStream::from(socket);
    stream.set_nonblocking(false)?;
    Ok(stream)
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = Some(self.deadline.left()?);
        match &mut self.kind {
            Kind::Tcp(stream) => {
                stream.set_read_timeout(left)?;
                stream.read(buffer)
            }
            Kind::Unix(stream) => {
                stream.set_read_timeout(left)?;
                stream.read(buffer)
            }
        }
    }
}

impl Write for Socket {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let left = Some(self.deadline.left()?);
        match &mut self.kind {
            Kind::Tcp(stream) => {
                stream.set_write_timeout(left)?;
                stream.write(buffer)
            }
            Kind::Unix(stream) => {
                stream.set_write_timeout(left)?;
                stream.write(buffer)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(socket) => socket.read(buffer),
            Stream::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(socket) => socket.write(buffer),
            Stream::Tls(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Plain(socket) => socket.flush(),
            Stream::Tls(stream) => stream.flush(),
        }
    }
}
