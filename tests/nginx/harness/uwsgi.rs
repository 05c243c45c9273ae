//! A uwsgi application that answers with its variables, one `NAME=value` a line.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

/// Starts on any free port of that address; lives until the test process ends.
pub fn start(ip: Ipv4Addr) -> SocketAddr {
    let listener = TcpListener::bind((ip, 0)).expect("a port for uwsgi");
    let address = listener.local_addr().expect("the uwsgi address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

fn serve(mut stream: TcpStream) -> io::Result<()> {
    let mut head = [0; 4];
    stream.read_exact(&mut head)?;
    let mut variables = vec![0; usize::from(u16::from_le_bytes([head[1], head[2]]))];
    stream.read_exact(&mut variables)?;
    let (mut text, mut rest) = (String::new(), &variables[..]);
    while let Some((name, after)) = string(rest)
        && let Some((value, after)) = string(after)
    {
        text += &format!(
            "{}={}\n",
            String::from_utf8_lossy(name),
            String::from_utf8_lossy(value)
        );
        rest = after;
    }
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{text}",
        text.len()
    )
}

fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))
}
