//! What is asked for: method, scheme, host, path with its readings, query, client address.

use std::net::IpAddr;

/// A request as the rules see it.
#[derive(Clone, Debug)]
pub struct Object<'a> {
    /// Upper-case ASCII letters.
    pub method: &'a str,
    /// `https` or `wss`.
    pub scheme: &'a str,
    /// Host without port, brackets and final dot.
    pub host: &'a str,
    /// The request target as it was sent: path, then `?` and the query if there is one.
    pub target: &'a [u8],
    /// Address of the client; an IPv4-mapped address is given as IPv4.
    pub address: IpAddr,
    // readings: filled by the access room
}

/// Why a request cannot be judged at all; every one is answered with 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadObject {
    /// The method holds something else than `A` to `Z`.
    #[error("method is not made of A to Z")]
    Method,
    /// Neither `https` nor `wss`.
    #[error("scheme is not https or wss; set auth_gate_scheme where TLS ends before nginx")]
    Scheme,
    /// Empty, or bytes that no host has.
    #[error("host is empty or malformed")]
    Host,
    /// A raw `#`, a control character raw or encoded, or a broken percent-encoding.
    #[error("request target is malformed")]
    Target,
}
