//! A request as the portal room reads it.

use super::{
    doors,
    facts::{self, host_with_port},
    request::Request,
    state::State,
};
use crate::portal::{self, Headers};

/// Gives `f` the request with that body.
pub fn with<R>(request: Request<'_>, body: &[u8], f: impl FnOnce(&portal::Request<'_>) -> R) -> R {
    let (path, host, scheme) = (
        place(request),
        host_with_port(request),
        facts::scheme(request),
    );
    f(&portal::Request {
        method: request.method(),
        path: &path,
        query: Some(request.query()).filter(|query| !query.is_empty()),
        host: &host,
        scheme: std::str::from_utf8(&scheme).unwrap_or_default(),
        base: request.location().portal.as_deref().unwrap_or_default(),
        headers: headers(request),
        body,
        address: request.client(),
        now: super::now(),
        doorway: doors::doorway(request),
    })
}

fn headers(request: Request<'_>) -> Headers<'_> {
    let kept: Vec<&[u8]> = State::find(request)
        .map(|state| state.cookies(request).collect())
        .unwrap_or_default();
    Headers {
        accept: request.header("accept"),
        accept_language: request.header("accept-language"),
        content_type: request.header("content-type"),
        origin: request.header("origin"),
        sec_fetch_site: request.header("sec-fetch-site"),
        sec_fetch_mode: request.header("sec-fetch-mode"),
        sec_fetch_dest: request.header("sec-fetch-dest"),
        sec_purpose: request.header("sec-purpose"),
        user_agent: request.header("user-agent"),
        cookies: kept
            .into_iter()
            .chain(request.header_values("cookie"))
            .collect(),
    }
}

/// The path below the portal's own, as the portal room names its places.
pub fn place(request: Request<'_>) -> String {
    let base = request.location().portal.as_deref().unwrap_or_default();
    let below = request
        .path()
        .strip_prefix(base.as_bytes())
        .unwrap_or_default();
    match below {
        b"" => "/".into(),
        // `/ssoX` is in nginx's prefix location `/sso` and is no place of ours.
        [b'/', ..] => String::from_utf8_lossy(below).into_owned(),
        _ => "/?".into(),
    }
}
