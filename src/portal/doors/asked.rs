//! What a request to an endpoint asks about: the visitor's own request, as the headers of the
//! proxy tell it. A header that is not as it should be is a fault; nothing stands in for it.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::access::{BadObject, Object};
use crate::portal::form::{self, FormError};
use crate::portal::request::{Doorway, Request};

use super::fault::Fault;
use super::{Dialect, Endpoint, Implementation};

const ORIGINAL_METHOD: &str = "X-Original-Method";
const ORIGINAL_URL: &str = "X-Original-URL";
const METHOD: &str = "X-Forwarded-Method";
const PROTO: &str = "X-Forwarded-Proto";
const HOST: &str = "X-Forwarded-Host";
const URI: &str = "X-Forwarded-URI";
const FOR: &str = "X-Forwarded-For";

pub(super) const QUESTION: &str = "the question";
const OWN_METHOD: &str = "the request's method";
const OWN_HOST: &str = "Host";
const OWN_PATH: &str = "the request's path";
const OWN_SCHEME: &str = "X-Forwarded-Proto (missing, so that of this connection)";

/// What is asked about.
pub(super) struct Asked<'q> {
    /// `None`: nobody tells it.
    method: Option<&'q [u8]>,
    scheme: Cow<'q, [u8]>,
    host: Cow<'q, [u8]>,
    target: Cow<'q, [u8]>,
    /// The visitor's address.
    pub(super) address: IpAddr,
    /// Which header said what.
    pub(super) sources: Sources,
}

/// The headers that the parts of a question come from.
#[derive(Clone, Copy)]
pub(super) struct Sources {
    method: &'static str,
    scheme: &'static str,
    pub(super) host: &'static str,
    target: &'static str,
}

/// An address, in parts.
struct Url<'q> {
    scheme: Cow<'q, [u8]>,
    host: Cow<'q, [u8]>,
    target: Cow<'q, [u8]>,
    sources: [&'static str; 3],
}

impl<'q> Asked<'q> {
    /// Reads the headers that the endpoint wants.
    pub(super) fn read(
        request: &'q Request<'q>,
        doorway: &'q Doorway<'q>,
        endpoint: &Endpoint,
    ) -> Result<Asked<'q>, Fault> {
        let (method, method_source) = method(request, doorway, endpoint)?;
        let Url {
            scheme,
            host,
            target,
            sources: [scheme_source, host_source, target_source],
        } = match endpoint.implementation {
            Implementation::AuthRequest => original(needed(doorway, ORIGINAL_URL)?)?,
            Implementation::ForwardAuth => forwarded(request, doorway)?,
            Implementation::ExtAuthz => prefixed(request, doorway, endpoint)?,
            Implementation::Legacy => either(request, doorway)?,
        };
        if !matches!(*target, [] | [b'/' | b'?', ..]) {
            return Err(Fault::Path(target_source));
        }
        Ok(Asked {
            method,
            scheme,
            host,
            target,
            address: address(request, doorway)?,
            sources: Sources {
                method: method_source,
                scheme: scheme_source,
                host: host_source,
                target: target_source,
            },
        })
    }

    /// The same as the rules see it.
    pub(super) fn object(&self) -> Result<Object<'_>, Fault> {
        let object = Object::new(
            self.method.unwrap_or(b"GET"),
            &self.scheme,
            &self.host,
            &self.target,
            self.address,
        );
        let object = object.map(|object| match self.method {
            Some(_) => object,
            None => object.without_method(),
        });
        object.map_err(|bad| match bad {
            BadObject::Scheme => Fault::Scheme(self.sources.scheme),
            BadObject::Method => Fault::Object(self.sources.method, bad),
            BadObject::Host => Fault::Object(self.sources.host, bad),
            BadObject::Target => Fault::Object(self.sources.target, bad),
        })
    }

    /// The host to send a visitor back to, as it was told.
    pub(super) fn host(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.host)
    }
}

/// The method that is asked for, and what tells it. What people have for authentik lets a visitor's
/// own headers through to its endpoint for nginx, and says nothing of the method: there nobody tells.
fn method<'q>(
    request: &Request<'q>,
    doorway: &'q Doorway<'q>,
    endpoint: &Endpoint,
) -> Result<(Option<&'q [u8]>, &'static str), Fault> {
    let own = (request.method, OWN_METHOD);
    let (method, source) = match (endpoint.implementation, endpoint.dialect) {
        (Implementation::AuthRequest, Dialect::Authentik) => return Ok((None, QUESTION)),
        (Implementation::AuthRequest, Dialect::Authelia) => {
            (needed(doorway, ORIGINAL_METHOD)?, ORIGINAL_METHOD)
        }
        (Implementation::ForwardAuth, _) => (needed(doorway, METHOD)?, METHOD),
        (Implementation::ExtAuthz, _) => own,
        (Implementation::Legacy, _) => one(doorway, METHOD)?.map_or(own, |method| (method, METHOD)),
    };
    Ok((Some(method), source))
}

/// `X-Original-URL`.
fn original(url: &[u8]) -> Result<Url<'_>, Fault> {
    let colon = url.windows(3).position(|window| window == b"://");
    let colon = colon.filter(|colon| *colon > 0);
    let (scheme, rest) = url.split_at(colon.ok_or(Fault::Relative(ORIGINAL_URL))?);
    let rest = &rest[3..];
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    let (host, target) = rest.split_at(end.unwrap_or(rest.len()));
    Ok(Url {
        scheme: lower(scheme),
        host: host.into(),
        target: target.into(),
        sources: [ORIGINAL_URL; 3],
    })
}

/// `X-Forwarded-*`.
fn forwarded<'q>(request: &Request<'q>, doorway: &'q Doorway<'q>) -> Result<Url<'q>, Fault> {
    let (scheme, scheme_source) = proto(request, doorway)?;
    Ok(Url {
        scheme,
        host: needed(doorway, HOST)?.into(),
        target: one(doorway, URI)?.unwrap_or_default().into(),
        sources: [scheme_source, HOST, URI],
    })
}

/// The visitor's own request, behind a prefix. Its query counts.
fn prefixed<'q>(
    request: &Request<'q>,
    doorway: &'q Doorway<'q>,
    endpoint: &Endpoint,
) -> Result<Url<'q>, Fault> {
    let (scheme, scheme_source) = proto(request, doorway)?;
    let prefix = request.base.len() + endpoint.path.len();
    let rest = doorway.target.get(prefix..).unwrap_or_default();
    let target = match endpoint.dialect {
        // The prefix that is documented ends in a slash, and the visitor's path begins with one.
        Dialect::Authelia => rest.strip_prefix(b"/").unwrap_or(rest),
        Dialect::Authentik => rest,
    };
    let host = needed(doorway, OWN_HOST)?;
    Ok(Url {
        scheme,
        host: lower(host),
        target: target.into(),
        sources: [scheme_source, OWN_HOST, OWN_PATH],
    })
}

/// `X-Original-URL`, else `X-Forwarded-*`, else the request itself.
fn either<'q>(request: &Request<'q>, doorway: &'q Doorway<'q>) -> Result<Url<'q>, Fault> {
    if let Some(url) = one(doorway, ORIGINAL_URL)? {
        let url = original(url)?;
        let alike = |header, part: &[u8]| match one(doorway, header)? {
            Some(other) if !other.eq_ignore_ascii_case(part) => {
                Err(Fault::Contradict(ORIGINAL_URL, header))
            }
            _ => Ok(()),
        };
        alike(PROTO, &url.scheme)?;
        alike(HOST, &url.host)?;
        // The one part in which case counts.
        match one(doorway, URI)? {
            None | Some(b"") => {}
            Some(target) if target == &*url.target => {}
            Some(_) => return Err(Fault::Contradict(ORIGINAL_URL, URI)),
        }
        return Ok(url);
    }
    let (scheme, scheme_source) = proto(request, doorway)?;
    let (host, host_source) = match one(doorway, HOST)? {
        Some(host) => (host, HOST),
        None => (needed(doorway, OWN_HOST)?, OWN_HOST),
    };
    let (target, target_source) = match one(doorway, URI)? {
        Some(target) if !target.is_empty() => (target, URI),
        _ => (&*doorway.target, OWN_PATH),
    };
    Ok(Url {
        scheme,
        host: host.into(),
        target: target.into(),
        sources: [scheme_source, host_source, target_source],
    })
}

/// The scheme that the visitor used.
fn proto<'q>(
    request: &Request<'q>,
    doorway: &'q Doorway<'q>,
) -> Result<(Cow<'q, [u8]>, &'static str), Fault> {
    Ok(match one(doorway, PROTO)? {
        Some(proto) => (lower(proto), PROTO),
        None => (request.scheme.as_bytes().into(), OWN_SCHEME),
    })
}

/// The first address of `X-Forwarded-For`, if the peer is believed and it is one, else the peer's.
fn address(request: &Request<'_>, doorway: &Doorway<'_>) -> Result<IpAddr, Fault> {
    if !doorway.trusted {
        return Ok(request.address);
    }
    let told = one(doorway, FOR)?.unwrap_or_default();
    let first = told.split(|byte| *byte == b',').next().unwrap_or_default();
    let first = std::str::from_utf8(first.trim_ascii()).ok();
    let parsed = first.and_then(|first| first.parse::<IpAddr>().ok());
    Ok(parsed.map_or(request.address, |address| address.to_canonical()))
}

/// A value of the query.
pub(super) fn asked_for(
    request: &Request<'_>,
    name: &'static str,
) -> Result<Option<String>, Fault> {
    let value = form::query_value(request.query.unwrap_or_default(), name);
    value.map_err(|error| match error {
        FormError::Repeated => Fault::TwiceAsked(name),
        FormError::Large | FormError::Malformed => Fault::Relative(name),
    })
}

fn needed<'q>(doorway: &'q Doorway<'q>, name: &'static str) -> Result<&'q [u8], Fault> {
    one(doorway, name)?.ok_or(Fault::Missing(name))
}

/// The value of a header that may come once.
pub(super) fn one<'q>(
    doorway: &'q Doorway<'q>,
    name: &'static str,
) -> Result<Option<&'q [u8]>, Fault> {
    let mut values = doorway.values(name);
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(Fault::Twice(name)),
    }
}

fn lower(text: &[u8]) -> Cow<'_, [u8]> {
    if text.iter().any(u8::is_ascii_uppercase) {
        text.to_ascii_lowercase().into()
    } else {
        text.into()
    }
}
