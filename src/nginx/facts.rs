//! From what nginx parsed to what the access room judges.

use std::borrow::Cow;

use super::{
    ffi::{self, ngx_str_t},
    request::{Request, bytes},
};
use crate::access::{BadObject, Object};

/// Why a request is not judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// The room that judges says so.
    #[error("{0}")]
    Object(#[from] BadObject),
    /// `Host` names another host than the request target or `:authority`.
    #[error("the Host header differs from the host that was asked for")]
    TwoHosts,
    /// The server that nginx chose does not bear the name that was asked for.
    #[error("no server_name of this server covers the host")]
    Misdirected,
}

/// The parts of a request that must outlive its [`Object`].
pub struct Facts<'r> {
    scheme: Cow<'r, [u8]>,
    target: Cow<'r, [u8]>,
}

impl<'r> Facts<'r> {
    /// Collects what the visitor asked for: the raw target, whatever location was reached since.
    /// A subrequest has no raw target of its own, so its decoded path is encoded again.
    pub fn collect(request: Request<'r>) -> Facts<'r> {
        let target = if request.is_subrequest() {
            own_target(request).into()
        } else {
            request.target()
        };
        Facts {
            scheme: scheme(request),
            target,
        }
    }

    /// The request as an object of the rules, or why it is none.
    pub fn object<'o>(&'o self, request: Request<'o>) -> Result<Object<'o>, BadRequest> {
        check_host(request)?;
        Ok(Object::new(
            request.method(),
            &self.scheme,
            request.host(),
            &self.target,
            request.client(),
        )?)
    }
}

/// Whether the server that nginx chose is the one that was asked for, and everybody means the same.
pub fn check_host(request: Request<'_>) -> Result<(), BadRequest> {
    let host = request.host();
    if !request.server().names.cover(host) {
        return Err(BadRequest::Misdirected);
    }
    if host_headers(request).any(|header| !same_host(header, host)) {
        return Err(BadRequest::TwoHosts);
    }
    Ok(())
}

impl BadRequest {
    /// The status that answers it.
    pub fn status(&self) -> u16 {
        if *self == BadRequest::Misdirected {
            421
        } else {
            400
        }
    }
}

/// The scheme the visitor used: `auth_gate_scheme`, else that of the connection.
pub fn scheme<'r>(request: Request<'r>) -> Cow<'r, [u8]> {
    let Some(value) = request.server().scheme else {
        return if request.is_tls() {
            b"https".as_slice()
        } else {
            b"http"
        }
        .into();
    };
    let mut result = ngx_str_t::empty();
    // SAFETY: the value was compiled into the cycle's pool; the result lives in the request's.
    let code = unsafe { ffi::ngx_http_complex_value(request.as_ptr(), value, &raw mut result) };
    match bytes(&result) {
        _ if code != ffi::OK => b"".as_slice().into(),
        value if value.iter().any(u8::is_ascii_uppercase) => value.to_ascii_lowercase().into(),
        value => value.into(),
    }
}

/// The host to send a visitor back to, with the port that the visitor wrote.
pub fn host_with_port(request: Request<'_>) -> String {
    let mut host = String::from_utf8_lossy(request.host()).into_owned();
    if let Some(port) = host_headers(request).next().and_then(port) {
        host.push(':');
        host.push_str(port);
    }
    host
}

fn port(header: &[u8]) -> Option<&str> {
    let (_, port) = std::str::from_utf8(header).ok()?.rsplit_once(':')?;
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    (is_port && port != "443").then_some(port)
}

/// Every `Host`: over HTTP/2 one stands beside `:authority`, and nginx passes both on.
fn host_headers<'r>(request: Request<'r>) -> impl Iterator<Item = &'r [u8]> {
    request.header_values("host")
}

/// Whether a `Host` value means `host`, which is lower case and bare.
fn same_host(header: &[u8], host: &[u8]) -> bool {
    let bare = match header.iter().rposition(|byte| *byte == b':') {
        Some(colon) if !header[colon..].contains(&b']') => &header[..colon],
        _ => header,
    };
    bare.strip_suffix(b".")
        .unwrap_or(bare)
        .eq_ignore_ascii_case(host)
}

fn own_target(request: Request<'_>) -> Vec<u8> {
    const KEPT: percent_encoding::AsciiSet = percent_encoding::NON_ALPHANUMERIC
        .remove(b'/')
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    let mut target = percent_encoding::percent_encode(request.path(), &KEPT)
        .to_string()
        .into_bytes();
    if !request.query().is_empty() {
        target.push(b'?');
        target.extend_from_slice(request.query());
    }
    target
}
