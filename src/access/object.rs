//! What is asked for: method, scheme, host, path with its readings, query, client address.

use super::readings::{Reading, Readings};
use super::{Method, host};
use std::borrow::Cow;
use std::net::IpAddr;

/// A request as the rules see it.
#[derive(Clone, Debug)]
pub struct Object<'a> {
    method: &'a str,
    scheme: &'a str,
    host: Cow<'a, str>,
    target: &'a [u8],
    query: Option<&'a [u8]>,
    readings: Readings<'a>,
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
    /// target as it was sent: path, then `?` and the query if there is one. Nothing is allocated
    /// for a host in lower case and a path that can be read in one way only.
    pub fn new(
        method: &'a [u8],
        scheme: &'a [u8],
        host: &'a [u8],
        target: &'a [u8],
        address: IpAddr,
    ) -> Result<Object<'a>, BadObject> {
        let method = letters(method).ok_or(BadObject::Method)?;
        let scheme = match scheme {
            b"https" => "https",
            b"wss" => "wss",
            _ => return Err(BadObject::Scheme),
        };
        let host = host::read(host).ok_or(BadObject::Host)?;
        let mark = target.iter().position(|byte| *byte == b'?');
        let readings = Readings::of(target, mark)?;
        let query = mark.map(|mark| &target[mark + 1..]);
        Ok(Object {
            method,
            scheme,
            host,
            target,
            query,
            readings,
            address: address.to_canonical(),
        })
    }

    /// The same request where nobody tells its method: it is judged by whichever is treated most
    /// strictly.
    pub fn without_method(self) -> Object<'a> {
        Object { method: "", ..self }
    }

    /// The method, upper-case ASCII letters; empty where it is not known.
    pub fn method(&self) -> &'a str {
        self.method
    }

    /// `https` or `wss`.
    pub fn scheme(&self) -> &'a str {
        self.scheme
    }

    /// The host as rules see it: lower case, without port, brackets and final dot.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The request target as it was sent.
    pub fn target(&self) -> &'a [u8] {
        self.target
    }

    /// What follows the first `?` of the target, undecoded.
    pub fn query(&self) -> Option<&'a [u8]> {
        self.query
    }

    /// Every way in which the path can be read, without the query; the first is Authelia's. At
    /// least one, at most 64. A byte that is not part of an UTF-8 character stands as U+FFFD.
    pub fn path_readings(&self) -> impl Iterator<Item = &[u8]> {
        self.readings().iter().map(Reading::path)
    }

    /// The client's address; an IPv4-mapped address is given as IPv4.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    pub(super) fn readings(&self) -> &[Reading<'a>] {
        self.readings.as_slice()
    }

    /// The method as a set of one; empty for a method that no rule can name.
    pub(super) fn method_bit(&self) -> u16 {
        Method::parse(self.method).map_or(0, Method::bit)
    }
}

fn letters(method: &[u8]) -> Option<&str> {
    let upper = !method.is_empty() && method.iter().all(u8::is_ascii_uppercase);
    std::str::from_utf8(method).ok().filter(|_| upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(method: &str, scheme: &str, host: &str, target: &str) -> Option<BadObject> {
        let [method, scheme, host, target] = [method, scheme, host, target].map(str::as_bytes);
        Object::new(method, scheme, host, target, IpAddr::from([127, 0, 0, 1])).err()
    }

    #[test]
    fn what_cannot_be_judged_is_named() {
        assert_eq!(object("GET", "https", "a.example.com", "/"), None);
        assert_eq!(object("BREW", "wss", "a.example.com", ""), None);
        for method in ["", "get", "G T", "GET\n", "PROP-FIND"] {
            assert_eq!(
                object(method, "https", "a", "/"),
                Some(BadObject::Method),
                "{method}"
            );
        }
        for scheme in ["http", "HTTPS", "ftp", "", "ws"] {
            assert_eq!(
                object("GET", scheme, "a", "/"),
                Some(BadObject::Scheme),
                "{scheme}"
            );
        }
        assert_eq!(object("GET", "https", "a b", "/"), Some(BadObject::Host));
        assert_eq!(object("GET", "https", "a", "/%00"), Some(BadObject::Target));
    }

    #[test]
    fn parts_are_given_as_rules_see_them() {
        let address = "::ffff:192.168.4.5".parse().unwrap();
        let object =
            Object::new(b"GET", b"https", b"A.Example.com:443", b"/a?b?c", address).unwrap();
        assert_eq!(
            (object.method(), object.scheme(), object.host()),
            ("GET", "https", "a.example.com")
        );
        assert_eq!(
            (object.target(), object.query()),
            (&b"/a?b?c"[..], Some(&b"b?c"[..]))
        );
        assert_eq!(object.address(), IpAddr::from([192, 168, 4, 5]));
        assert_eq!(object.path_readings().collect::<Vec<_>>(), [b"/a"]);
    }
}
