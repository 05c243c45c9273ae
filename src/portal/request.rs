//! A request to the portal as the glue hands it in.

use std::borrow::Cow;
use std::net::IpAddr;

use super::messages::Messages;

/// A request. Nothing in it is believed before it is looked at.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// As it was sent.
    pub method: &'a [u8],
    /// Decoded path below [`base`](Self::base), beginning with `/`.
    pub path: &'a str,
    /// Raw query without `?`.
    pub query: Option<&'a [u8]>,
    /// Host as the visitor sent it, with its port if it has one.
    pub host: &'a str,
    /// The scheme that the visitor used.
    pub scheme: &'a str,
    /// Where the portal stands on its host: empty for the whole host, else like `/sso`.
    pub base: &'a str,
    /// The headers that matter.
    pub headers: Headers<'a>,
    /// The whole body.
    pub body: &'a [u8],
    /// Address of the visitor.
    pub address: IpAddr,
    /// Unix seconds.
    pub now: u64,
    /// What an authorization endpoint looks at beside; `None` where none can be meant.
    pub doorway: Option<Doorway<'a>>,
}

/// What an authorization endpoint looks at beside.
#[derive(Clone, Debug)]
pub struct Doorway<'a> {
    /// The request target as it was sent.
    pub target: Cow<'a, [u8]>,
    /// Names and values of all headers, in the order of arrival.
    pub headers: Vec<(&'a [u8], &'a [u8])>,
    /// Whether the peer is one whose `X-Forwarded-For` is believed.
    pub trusted: bool,
    /// Whether nothing but endpoints is served here.
    pub only: bool,
    /// What the location says.
    pub here: Here<'a>,
}

/// What the location of a request says beside.
#[derive(Clone, Copy, Debug, Default)]
pub struct Here<'a> {
    /// Whether all that is done here is to sign out.
    pub sign_out: bool,
    /// The application's name in authentik's headers.
    pub application: Option<&'a str>,
    /// The attributes of a user, of the name and of the password, of which a Basic `Authorization` is
    /// made.
    pub backend_basic: Option<(&'a str, &'a str)>,
}

impl Doorway<'_> {
    /// The values of all headers of that name, in any case.
    pub fn values<'d>(&'d self, name: &'d str) -> impl Iterator<Item = &'d [u8]> + 'd {
        let named = move |(other, _): &&(&[u8], &[u8])| other.eq_ignore_ascii_case(name.as_bytes());
        self.headers.iter().filter(named).map(|(_, value)| *value)
    }

    /// The raw path below `base`, without the query.
    pub fn path(&self, base: &str) -> Option<&[u8]> {
        let below = self.target.strip_prefix(base.as_bytes())?;
        below.split(|byte| *byte == b'?').next()
    }
}

/// The headers that matter, as they were sent.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct Headers<'a> {
    pub accept: Option<&'a [u8]>,
    pub accept_language: Option<&'a [u8]>,
    pub content_type: Option<&'a [u8]>,
    pub origin: Option<&'a [u8]>,
    pub sec_fetch_site: Option<&'a [u8]>,
    pub sec_fetch_mode: Option<&'a [u8]>,
    pub sec_fetch_dest: Option<&'a [u8]>,
    pub sec_purpose: Option<&'a [u8]>,
    pub user_agent: Option<&'a [u8]>,
    /// Every `Cookie` header.
    pub cookies: Vec<&'a [u8]>,
}

impl Request<'_> {
    /// The host without port and final dot.
    pub fn host_name(&self) -> &str {
        let (host, _) = self.host_and_port();
        host.strip_suffix('.').unwrap_or(host)
    }

    /// The address of a place in the portal; `path` begins with `/`.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The same with scheme and host, as a `Location` wants it.
    pub fn location(&self, path: &str) -> String {
        let (_, port) = self.host_and_port();
        format!("https://{}{port}{}{path}", self.host_name(), self.base)
    }

    /// The value of a field of the query; `None` when it is absent, given twice or broken.
    pub fn query_value(&self, name: &str) -> Option<String> {
        super::form::query_value(self.query?, name).ok().flatten()
    }

    /// Texts in the visitor's language.
    pub fn messages(&self) -> &'static Messages {
        Messages::choose(self.headers.accept_language)
    }

    /// Whether scheme and host are those of a visitor who came over https.
    pub fn is_https(&self) -> bool {
        self.scheme == "https"
    }

    /// Whether another site made this request, as far as the browser tells. Programs that send
    /// neither `Origin` nor `Sec-Fetch-Site` have no other sites to be tricked by.
    pub fn is_foreign(&self) -> bool {
        let own = self.headers.origin.map(|origin| self.is_own_origin(origin));
        match (own, self.headers.sec_fetch_site) {
            (Some(false), _) => true,
            (_, None | Some(b"same-origin" | b"none")) => false,
            (own, Some(b"same-site")) => own.is_none(),
            (_, Some(_)) => true,
        }
    }

    /// Whether this is a person who opens a page in a window, from here or a site beside it.
    pub fn is_navigation(&self) -> bool {
        let headers = &self.headers;
        headers.sec_fetch_mode == Some(b"navigate")
            && matches!(
                headers.sec_fetch_site,
                Some(b"none" | b"same-origin" | b"same-site")
            )
            && matches!(headers.sec_fetch_dest, None | Some(b"document"))
            && headers.sec_purpose.is_none()
    }

    /// Whether the body is said to be of `kind`, whatever parameters follow.
    pub fn has_content_type(&self, kind: &str) -> bool {
        let text = self
            .headers
            .content_type
            .and_then(|t| std::str::from_utf8(t).ok());
        let essence = text
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default();
        essence.trim().eq_ignore_ascii_case(kind)
    }

    /// The host and, with its colon, the port.
    fn host_and_port(&self) -> (&str, &str) {
        let colon = self.host.rfind(':').unwrap_or(self.host.len());
        match self.host.split_at(colon) {
            (host, port) if port.bytes().skip(1).all(|b| b.is_ascii_digit()) => (host, port),
            _ => (self.host, ""),
        }
    }

    fn is_own_origin(&self, origin: &[u8]) -> bool {
        let host = self.host.strip_suffix(":443").unwrap_or(self.host);
        let own = format!("https://{host}");
        let origin = origin.strip_suffix(b":443").unwrap_or(origin);
        origin.eq_ignore_ascii_case(own.as_bytes())
    }
}

/// The values of the cookies of the portal's own that are called `name`. Strict: what a browser
/// guards by the prefix `__Host-` is taken under that very name only.
pub(super) fn values<'h>(
    headers: &'h [&'h [u8]],
    name: &'h str,
) -> impl Iterator<Item = &'h [u8]> + 'h {
    let pairs = headers
        .iter()
        .flat_map(|header| header.split(|b| *b == b';'));
    pairs.filter_map(|pair| {
        pair.trim_ascii()
            .strip_prefix(name.as_bytes())?
            .strip_prefix(b"=")
    })
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn request<'a>(origin: Option<&'a str>, site: Option<&'a str>) -> Request<'a> {
        Request {
            method: b"POST",
            path: "/",
            query: None,
            host: "auth.example.com:8443",
            scheme: "https",
            base: "",
            headers: Headers {
                origin: origin.map(str::as_bytes),
                sec_fetch_site: site.map(str::as_bytes),
                ..Headers::default()
            },
            body: b"",
            address: Ipv4Addr::LOCALHOST.into(),
            now: 0,
            doorway: None,
        }
    }

    #[test]
    fn a55_only_this_origin_is_not_foreign() {
        let own = Some("https://auth.example.com:8443");
        for (origin, site, foreign) in [
            (None, None, false),
            (own, None, false),
            (Some("https://AUTH.example.com:8443"), None, false),
            (own, Some("same-origin"), false),
            (None, Some("same-origin"), false),
            (None, Some("none"), false),
            (own, Some("same-site"), false),
            (None, Some("same-site"), true),
            (own, Some("cross-site"), true),
            (None, Some("cross-site"), true),
            (None, Some(""), true),
            (None, Some("SAME-ORIGIN"), true),
            (Some("null"), None, true),
            (Some("null"), Some("same-origin"), true),
            (Some("https://evil.test"), None, true),
            (Some("https://evil.test"), Some("same-origin"), true),
            (Some("https://auth.example.com"), None, true),
            (Some("http://auth.example.com:8443"), None, true),
            (Some("https://auth.example.com:8443.evil.test"), None, true),
            (Some(""), None, true),
        ] {
            assert_eq!(
                request(origin, site).is_foreign(),
                foreign,
                "{origin:?} {site:?}"
            );
        }
    }

    #[test]
    fn the_default_port_may_be_named() {
        let mut ours = request(Some("https://auth.example.com"), None);
        ours.host = "auth.example.com:443";
        assert!(!ours.is_foreign());
        assert_eq!(ours.host_name(), "auth.example.com");
        ours.host = "auth.example.com";
        assert_eq!(ours.host_name(), "auth.example.com");
    }

    #[test]
    fn a80_an_image_or_a_frame_is_no_navigation() {
        let mut ours = request(None, Some("same-site"));
        assert!(!ours.is_navigation());
        ours.headers.sec_fetch_mode = Some(b"navigate");
        assert!(ours.is_navigation());
        for dest in [&b"image"[..], b"iframe", b"empty", b""] {
            ours.headers.sec_fetch_dest = Some(dest);
            assert!(!ours.is_navigation());
        }
        ours.headers.sec_fetch_dest = Some(b"document");
        ours.headers.sec_purpose = Some(b"prefetch;prerender");
        assert!(!ours.is_navigation());
        ours.headers.sec_purpose = None;
        for site in [None, Some(&b"cross-site"[..]), Some(b"")] {
            ours.headers.sec_fetch_site = site;
            assert!(!ours.is_navigation());
        }
    }
}
