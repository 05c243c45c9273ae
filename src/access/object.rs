//! What is asked for: method, scheme, host, path with its readings, query, client address.

use std::net::IpAddr;

/// A request as the rules see it.
#[derive(Clone, Debug)]
pub struct Object<'a> {
    method: &'a str,
    scheme: &'a str,
    host: &'a str,
    target: &'a [u8],
    address: IpAddr,
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
    /// A raw `#`, a control character raw or encoded, a broken percent-encoding, or a path that
    /// can be read in too many ways.
    #[error("request target is malformed")]
    Target,
}

impl<'a> Object<'a> {
    /// The request `method` `target` to `host` over `scheme` from `address`.
    ///
    /// `host` may come in any case, with a port, brackets and a final dot. `target` is the request
    /// target as it was sent: path, then `?` and the query if there is one.
    pub fn new(
        method: &'a [u8],
        scheme: &'a [u8],
        host: &'a [u8],
        target: &'a [u8],
        address: IpAddr,
    ) -> Result<Object<'a>, BadObject> {
        let method = std::str::from_utf8(method).map_err(|_| BadObject::Method)?;
        let scheme = std::str::from_utf8(scheme).map_err(|_| BadObject::Scheme)?;
        let host = std::str::from_utf8(host).map_err(|_| BadObject::Host)?;
        Ok(Object {
            method,
            scheme,
            host,
            target,
            address: address.to_canonical(),
        })
    }

    /// The method, upper-case ASCII letters.
    pub fn method(&self) -> &'a str {
        self.method
    }

    /// `https` or `wss`.
    pub fn scheme(&self) -> &'a str {
        self.scheme
    }

    /// The host as rules see it: lower case, without port, brackets and final dot.
    pub fn host(&self) -> &str {
        self.host
    }

    /// The request target as it was sent.
    pub fn target(&self) -> &'a [u8] {
        self.target
    }

    /// What follows the first `?` of the target, undecoded.
    pub fn query(&self) -> Option<&'a [u8]> {
        let at = self.target.iter().position(|byte| *byte == b'?')?;
        Some(&self.target[at + 1..])
    }

    /// Every way in which the path can be read, without the query; the first is Authelia's.
    pub fn path_readings(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(self.target)
    }

    /// The client's address; an IPv4-mapped address is given as IPv4.
    pub fn address(&self) -> IpAddr {
        self.address
    }
}
