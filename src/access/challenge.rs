//! Which answer a challenge takes, and the address it sends the visitor to.

use super::{Object, form};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_encode, utf8_percent_encode};
use std::borrow::Cow;

/// What a visitor's request says about the answers it can use.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ask<'a> {
    /// The request method.
    pub method: &'a str,
    /// `Accept`.
    pub accept: Option<&'a [u8]>,
    /// `X-Requested-With`.
    pub requested_with: Option<&'a [u8]>,
    /// `Sec-Fetch-Mode`.
    pub fetch_mode: Option<&'a [u8]>,
    /// `Upgrade`.
    pub upgrade: Option<&'a [u8]>,
}

/// The answer that a challenge takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// 302 to the portal.
    Redirect,
    /// 303 to the portal: the method becomes GET.
    SeeOther,
    /// 401 with the portal's address.
    Unauthorized,
}

/// What may not stand in a URL's path as it is. `%` may: the path is encoded already.
const PATH: &AsciiSet = &QUERY
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What may not stand in a URL's query as it is.
const QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');

/// All but what RFC 3986 calls unreserved.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// A key of a query and its value, decoded.
type Pair<'q> = (Cow<'q, [u8]>, Cow<'q, [u8]>);

impl Ask<'_> {
    /// Whether a page is of use to the client. A script's request and a WebSocket are told plainly
    /// that they need a login, whatever they claim to accept.
    pub fn accepts_html(&self) -> bool {
        let script = self
            .fetch_mode
            .is_some_and(|mode| !mode.trim_ascii().eq_ignore_ascii_case(b"navigate"));
        let mut protocols = self.upgrade.unwrap_or_default().split(|byte| *byte == b',');
        let socket =
            protocols.any(|protocol| protocol.trim_ascii().eq_ignore_ascii_case(b"websocket"));
        let mut types = self
            .accept
            .unwrap_or_default()
            .split(|byte| *byte == b',')
            .map(|item| {
                let end = item
                    .iter()
                    .position(|byte| *byte == b';')
                    .unwrap_or(item.len());
                item[..end].trim_ascii()
            });
        let first = types.next().unwrap_or_default();
        let html = matches!(first, b"*/*" | b"text/html") || types.any(|item| item == b"text/html");
        html && !script && !socket
    }

    /// The answer that a challenge takes.
    pub fn challenge(&self) -> Challenge {
        let script = self
            .requested_with
            .is_some_and(|with| with.eq_ignore_ascii_case(b"XMLHttpRequest"));
        match self.method {
            _ if script || !self.accepts_html() => Challenge::Unauthorized,
            "GET" | "HEAD" | "OPTIONS" => Challenge::Redirect,
            _ => Challenge::SeeOther,
        }
    }
}

/// The address of the portal that brings the visitor back: `portal`, its own query kept, with the
/// return address `rd` and, if not empty, the method `rm`. Keys are sorted.
pub fn portal_url(portal: &str, original_url: &str, method: &str) -> String {
    let (portal, _) = portal.split_once('#').unwrap_or((portal, ""));
    let (base, query) = portal.split_once('?').unwrap_or((portal, ""));
    let own = form::pairs(query.as_bytes())
        .filter_map(|(key, value)| Some((form::decode(key)?, form::decode(value)?)));
    let mut pairs: Vec<Pair<'_>> = own
        .filter(|(key, _)| !matches!(&**key, b"rd" | b"rm"))
        .collect();
    pairs.push((b"rd".into(), original_url.as_bytes().into()));
    if !method.is_empty() {
        pairs.push((b"rm".into(), method.as_bytes().into()));
    }
    pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut url = base.to_owned();
    let authority = base.find("://").map_or(0, |at| at + "://".len());
    if !base[authority..].contains('/') {
        url.push('/');
    }
    for (at, (key, value)) in pairs.iter().enumerate() {
        url.push(if at == 0 { '?' } else { '&' });
        push_encoded(&mut url, key);
        url.push('=');
        push_encoded(&mut url, value);
    }
    url
}

fn push_encoded(url: &mut String, text: &[u8]) {
    for (at, word) in text.split(|byte| *byte == b' ').enumerate() {
        if at > 0 {
            url.push('+');
        }
        url.extend(percent_encode(word, VALUE));
    }
}

/// The address the visitor asked for, with what may not stand in a URL percent-encoded.
/// `host_with_port` is the host as it is to be visited again, with its port unless that is the
/// scheme's own.
pub fn original_url(object: &Object<'_>, host_with_port: &str) -> String {
    let target = object.target();
    let (path, query) = match object.query() {
        Some(query) => (&target[..target.len() - query.len() - 1], Some(query)),
        None => (target, None),
    };
    let mut url = format!("{}://", object.scheme());
    url.extend(utf8_percent_encode(host_with_port, PATH));
    url.extend(percent_encode(path, PATH));
    if let Some(query) = query {
        url.push('?');
        url.extend(percent_encode(query, QUERY));
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask<'a>(method: &'a str, accept: &'a str) -> Ask<'a> {
        Ask {
            method,
            accept: Some(accept.as_bytes()),
            ..Ask::default()
        }
    }

    #[test]
    fn html_is_accepted_by_name_or_as_the_first_of_all() {
        for (accept, accepted) in [
            ("text/html", true),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                true,
            ),
            ("application/json, text/html", true),
            ("text/html;q=0.9, */*", true),
            ("*/*", true),
            ("*/*;q=0.1, application/json", true),
            ("image/avif,image/webp,*/*;q=0.8", false),
            ("TEXT/HTML", false),
            ("application/json", false),
            ("", false),
            ("text/htmlx", false),
        ] {
            assert_eq!(ask("GET", accept).accepts_html(), accepted, "{accept}");
        }
        assert!(!Ask::default().accepts_html());
    }

    #[test]
    fn scripts_and_sockets_accept_no_html() {
        let page = ask("GET", "text/html");
        for mode in ["cors", "no-cors", "same-origin", "websocket", ""] {
            assert!(
                !Ask {
                    fetch_mode: Some(mode.as_bytes()),
                    ..page
                }
                .accepts_html(),
                "{mode}"
            );
        }
        assert!(
            Ask {
                fetch_mode: Some(b"navigate"),
                ..page
            }
            .accepts_html()
        );
        for (upgrade, accepted) in [
            ("websocket", false),
            ("h2c, WebSocket", false),
            ("h2c", true),
        ] {
            assert_eq!(
                Ask {
                    upgrade: Some(upgrade.as_bytes()),
                    ..page
                }
                .accepts_html(),
                accepted
            );
        }
    }

    #[test]
    fn the_method_and_the_client_choose_the_answer() {
        for (method, challenge) in [
            ("GET", Challenge::Redirect),
            ("HEAD", Challenge::Redirect),
            ("OPTIONS", Challenge::Redirect),
            ("POST", Challenge::SeeOther),
            ("BREW", Challenge::SeeOther),
        ] {
            assert_eq!(ask(method, "text/html").challenge(), challenge);
            assert_eq!(
                ask(method, "image/png").challenge(),
                Challenge::Unauthorized
            );
            for (with, script) in [
                ("XMLHttpRequest", true),
                ("xmlhttprequest", true),
                ("other", false),
            ] {
                let ask = Ask {
                    requested_with: Some(with.as_bytes()),
                    ..ask(method, "text/html")
                };
                assert_eq!(ask.challenge() == Challenge::Unauthorized, script);
            }
        }
    }

    #[test]
    fn the_portal_learns_where_to_return() {
        let original = "https://app.example.com/a?b=1&c";
        assert_eq!(
            portal_url("https://auth.example.com", original, "GET"),
            "https://auth.example.com/?rd=https%3A%2F%2Fapp.example.com%2Fa%3Fb%3D1%26c&rm=GET"
        );
        assert_eq!(
            portal_url(
                "https://login.example.org/sso/?lang=en&x=a+b~&rd=evil&rm=evil&a#f",
                "ü ~",
                ""
            ),
            "https://login.example.org/sso/?a=&lang=en&rd=%C3%BC+~&x=a+b~"
        );
    }

    #[test]
    fn the_original_address_holds_no_raw_oddity() {
        for (target, url) in [
            ("/a?b=1&c", "https://app.example.com:8443/a?b=1&c"),
            ("", "https://app.example.com:8443"),
            ("?", "https://app.example.com:8443?"),
            (
                "/a\\b c/ü%2f",
                "https://app.example.com:8443/a%5Cb%20c/%C3%BC%2f",
            ),
            (
                "/a?ü \"<>{}'",
                "https://app.example.com:8443/a?%C3%BC%20%22%3C%3E{}'",
            ),
            (
                "/(a)[b]!$&'*+,;=:@~",
                "https://app.example.com:8443/(a)[b]!$&'*+,;=:@~",
            ),
        ] {
            let address = [127, 0, 0, 1].into();
            let object = Object::new(
                b"GET",
                b"https",
                b"app.example.com",
                target.as_bytes(),
                address,
            )
            .unwrap();
            assert_eq!(original_url(&object, "app.example.com:8443"), url);
        }
    }
}
