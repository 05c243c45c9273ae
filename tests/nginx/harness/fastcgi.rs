//! A FastCGI application that answers with its parameters, one `NAME=value` a line.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

const END_REQUEST: u8 = 3;
const PARAMS: u8 = 4;
const STDIN: u8 = 5;
const STDOUT: u8 = 6;

/// Starts on any free port of that address; lives until the test process ends.
pub fn start(ip: Ipv4Addr) -> SocketAddr {
    let listener = TcpListener::bind((ip, 0)).expect("a port for FastCGI");
    let address = listener.local_addr().expect("the FastCGI address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

fn serve(mut stream: TcpStream) -> io::Result<()> {
    let mut params = Vec::new();
    loop {
        let mut head = [0; 8];
        stream.read_exact(&mut head)?;
        let length = usize::from(u16::from_be_bytes([head[4], head[5]]));
        let mut content = vec![0; length + usize::from(head[6])];
        stream.read_exact(&mut content)?;
        content.truncate(length);
        match head[1] {
            PARAMS => params.extend(content),
            STDIN if length == 0 => break,
            _ => {}
        }
    }
    let body = format!("Content-Type: text/plain\r\n\r\n{}", listed(&params));
    for chunk in body.as_bytes().chunks(30_000) {
        record(&mut stream, STDOUT, chunk)?;
    }
    record(&mut stream, STDOUT, b"")?;
    record(&mut stream, END_REQUEST, &[0; 8])
}

fn record(stream: &mut TcpStream, kind: u8, content: &[u8]) -> io::Result<()> {
    let [high, low] = u16::try_from(content.len())
        .map_err(io::Error::other)?
        .to_be_bytes();
    stream.write_all(&[1, kind, 0, 1, high, low, 0, 0])?;
    stream.write_all(content)
}

fn listed(mut params: &[u8]) -> String {
    let mut text = String::new();
    while let Some((name, value, rest)) = pair(params) {
        text += &format!(
            "{}={}\n",
            String::from_utf8_lossy(name),
            String::from_utf8_lossy(value)
        );
        params = rest;
    }
    text
}

fn pair(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (name, rest) = length(bytes)?;
    let (value, rest) = length(rest)?;
    let (name, rest) = rest.split_at_checked(name)?;
    let (value, rest) = rest.split_at_checked(value)?;
    Some((name, value, rest))
}

fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match *bytes {
        [short, ref rest @ ..] if short < 128 => Some((usize::from(short), rest)),
        [a, b, c, d, ref rest @ ..] => {
            Some((u32::from_be_bytes([a & 127, b, c, d]) as usize, rest))
        }
        _ => None,
    }
}
