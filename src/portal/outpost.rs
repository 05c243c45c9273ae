//! What authentik's outpost serves beside its endpoints, asked for on the portal's host or, through a
//! proxy, on that of an application: the way to the login page, and whether anybody is there.

use crate::access::portal_url;

use super::answer::Answer;
use super::request::Request;
use super::return_address::ReturnAddress;
use super::{Portal, reader};

/// All of it stands below this.
const OUTPOST: &str = "/outpost.goauthentik.io/";
const PING: &str = "/outpost.goauthentik.io/ping";
const START: &str = "/outpost.goauthentik.io/start";

/// Whether `target`, raw and below the portal's own path, could be one of these places.
pub fn may_be_outpost(target: &[u8]) -> bool {
    target.starts_with(OUTPOST.as_bytes())
}

impl Portal {
    /// The answer at these places; `None` elsewhere.
    pub(super) fn outpost(&self, request: &Request<'_>) -> Option<Answer> {
        let doorway = request.doorway.as_ref().filter(|it| !it.here.sign_out)?;
        let answer = match doorway.path(request.base)? {
            path if path == PING.as_bytes() => Answer::no_content(),
            path if path == START.as_bytes() => match doorway.only || request.is_https() {
                true => self.start(request),
                false => return Some(self.needs_https(reader(request))),
            },
            _ => return None,
        };
        Some(match request.method {
            b"GET" | b"HEAD" => answer,
            _ => Answer::text(405).with("Allow", "GET, HEAD"),
        })
    }

    /// To the login page, and from there to where the visitor wanted to go, if anybody may be sent
    /// there.
    fn start(&self, request: &Request<'_>) -> Answer {
        let wanted = self.wanted_at_start(request);
        let host = match &wanted {
            Some(wanted) => Some(wanted.host().to_owned()),
            None => self.told_hosts(request).next(),
        };
        let domain = host.and_then(|host| self.settings.domain_of(&host));
        let login = domain.and_then(|(_, domain)| domain.login.clone());
        let here = || request.is_https().then(|| request.location("/"));
        let mut domains = self.settings.domains.iter();
        let login = login.or_else(|| domains.find_map(|domain| domain.login.clone()));
        match (login.or_else(here), wanted) {
            (Some(login), Some(wanted)) => {
                Answer::link(302, portal_url(&login, wanted.as_str(), ""))
            }
            (Some(login), None) => Answer::link(302, login),
            (None, _) => Answer::text(404),
        }
    }

    /// `rd`, as the address that it means. Proxies write a visitor's own target behind it, often as it
    /// is: then all that follows belongs to it, question marks and ampersands as well. A mere path is
    /// one of the host that was asked.
    fn wanted_at_start(&self, request: &Request<'_>) -> Option<ReturnAddress> {
        let query = std::str::from_utf8(request.query?).ok()?;
        let whole = query.strip_prefix("rd=").filter(|rd| is_raw(rd));
        let rd = match whole {
            Some(rd) => rd.to_owned(),
            None => request.query_value("rd")?,
        };
        let parse =
            |address: &str| ReturnAddress::parse(address, |host| self.settings.covers(host)).ok();
        if !rd.starts_with('/') {
            return parse(&rd);
        }
        if rd.starts_with("//") {
            return None;
        }
        let mut told = told(request);
        told.find_map(|authority| parse(&format!("https://{authority}{rd}")))
    }

    /// The hosts that may be the one on which the visitor is, best first: those in a cookie domain.
    pub(super) fn told_hosts<'q>(
        &'q self,
        request: &'q Request<'q>,
    ) -> impl Iterator<Item = String> {
        told(request).filter_map(|authority| {
            let parse = |host: &str| self.settings.covers(host);
            let address = ReturnAddress::parse(&format!("https://{authority}/"), parse).ok()?;
            Some(address.host().to_owned())
        })
    }
}

/// Whether a value stands in a query as no program would encode it: as a path, or an address whose
/// path has its slash.
fn is_raw(rd: &str) -> bool {
    let rest = rd.strip_prefix("https://");
    let authority = rest.map(|rest| rest.find(['/', '?', '&', '%']));
    let ends_raw = |end: Option<usize>| {
        let rest = rest.unwrap_or_default();
        end.is_some_and(|end| matches!(rest.as_bytes().get(end), Some(b'/' | b'?')))
    };
    rd.starts_with('/') || authority.is_some_and(ends_raw)
}

/// What a proxy and the visitor say of host and port, best first.
fn told<'q>(request: &'q Request<'q>) -> impl Iterator<Item = &'q str> {
    let doorway = request.doorway.as_ref();
    let first = move |name| doorway.and_then(|doorway| doorway.values(name).next());
    let url = first("X-Original-URL").and_then(|url| url.strip_prefix(b"https://"));
    let authority = url.and_then(|url| url.split(|byte| matches!(byte, b'/' | b'?' | b'#')).next());
    let texts = [authority, first("X-Forwarded-Host")];
    let texts = texts.into_iter().flatten();
    texts
        .filter_map(|text| std::str::from_utf8(text).ok())
        .chain([request.host])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_program_encodes_is_raw() {
        for raw in [
            "/",
            "/deep?x=1&y=2",
            "https://app.example.com/deep?x=1&y=2",
            "https://app.example.com?x",
            "https://app.example.com:8443/%2F",
        ] {
            assert!(is_raw(raw), "{raw}");
        }
        for encoded in [
            "",
            "https%3A%2F%2Fapp.example.com%2F",
            "https://app.example.com%2Fdeep%3Fx%3D1",
            "https://app.example.com",
            "https://app.example.com&x=/",
            "javascript:x",
        ] {
            assert!(!is_raw(encoded), "{encoded}");
        }
    }
}
