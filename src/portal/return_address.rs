//! Where a visitor may be sent after signing in or out: the address is given by whoever made the
//! link, so nothing but an https address inside a configured cookie domain passes.
//!
//! An address that passes is handed back byte for byte. So only forms that every reader splits the
//! same way may pass: browsers drop tabs, fold backslashes, forgive missing slashes and map
//! look-alike letters to ASCII; here each of these is a refusal instead of a guess.

use url::Url;

/// Longest address that is looked at, in bytes.
pub const LIMIT: usize = 8192;

/// An address that a visitor may be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnAddress {
    raw: String,
    /// Where host and port stand in `raw`.
    authority: std::ops::Range<usize>,
    host: String,
}

/// Why nobody is sent to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No absolute address at all.
    #[error("not an address")]
    Malformed,
    /// An address that two readers could understand differently.
    #[error("address could be read in more than one way")]
    Ambiguous,
    /// A scheme other than https.
    #[error("address is not https")]
    Scheme,
    /// Outside every configured cookie domain.
    #[error("address lies outside the configured domains")]
    Foreign,
}

impl ReturnAddress {
    /// Reads `raw` and takes it if it is https and `covers` says that its host, in lower case, is
    /// one of ours.
    pub fn parse(raw: &str, covers: impl FnOnce(&str) -> bool) -> Result<Self, Refusal> {
        if raw.len() > LIMIT {
            return Err(Refusal::Ambiguous);
        }
        let authority = authority(raw)?;
        let host = host(&raw[authority.clone()])?.to_ascii_lowercase();
        let url = Url::parse(raw).map_err(|_| Refusal::Malformed)?;
        if url.scheme() != "https" || url.host_str() != Some(&host) {
            return Err(Refusal::Ambiguous);
        }
        if !covers(&host) {
            return Err(Refusal::Foreign);
        }
        Ok(ReturnAddress {
            raw: raw.to_owned(),
            authority,
            host,
        })
    }

    /// The address, byte for byte as it was given.
    pub fn as_str(&self) -> &str {
        &self.raw
    }

    /// The host in lower case, without port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Host and port as they were given.
    pub fn authority(&self) -> &str {
        &self.raw[self.authority.clone()]
    }

    /// Path and query as a browser would send them: beginning with `/`, without fragment, bytes
    /// outside ASCII percent-encoded.
    pub fn target(&self) -> String {
        let rest = &self.raw[self.authority.end..];
        let rest = rest.split('#').next().unwrap_or_default();
        let encoded = percent_encoding::utf8_percent_encode(rest, percent_encoding::CONTROLS);
        if rest.starts_with('/') {
            encoded.to_string()
        } else {
            format!("/{encoded}")
        }
    }
}

/// Whether `raw` is some address, wherever it leads: an absolute one or a path.
pub fn is_address(raw: &str) -> bool {
    !raw.chars().any(char::is_control) && (raw.starts_with('/') || Url::parse(raw).is_ok())
}
/// Where host and port stand, if the bytes around them leave no doubt about it.
fn authority(raw: &str) -> Result<std::ops::Range<usize>, Refusal> {
    let doubtful = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
    if raw.contains(doubtful) {
        return Err(Refusal::Ambiguous);
    }
    let colon = raw.find(':').ok_or(Refusal::Malformed)?;
    if !raw[..colon].eq_ignore_ascii_case("https") {
        return Err(Refusal::Scheme);
    }
    let rest = raw[colon + 1..]
        .strip_prefix("//")
        .ok_or(Refusal::Ambiguous)?;
    let start = raw.len() - rest.len();
    let length = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    Ok(start..start + length)
}

/// The host of `host[:port]`, if it is made of plain labels.
fn host(authority: &str) -> Result<&str, Refusal> {
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    if !is_plain(host) || !port.is_none_or(is_port) {
        return Err(Refusal::Ambiguous);
    }
    Ok(host)
}

/// Whether `host` is made of labels of letters, digits, `-` and `_`.
pub(super) fn is_plain(host: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    host.len() <= 253
        && host
            .split('.')
            .all(|label| !label.is_empty() && label.bytes().all(plain))
}

fn is_port(text: &str) -> bool {
    text.len() <= 5
        && text.bytes().all(|b| b.is_ascii_digit())
        && text.parse::<u16>().is_ok_and(|port| port != 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::session::is_inside;

    const DOMAINS: [&str; 2] = ["example.com", "example.org"];

    fn parse(raw: &str) -> Result<ReturnAddress, Refusal> {
        ReturnAddress::parse(raw, |host| {
            DOMAINS.iter().any(|domain| is_inside(host, domain))
        })
    }

    #[test]
    fn a54_an_allowed_address_round_trips_byte_for_byte() {
        for raw in [
            "https://app.example.com",
            "https://app.example.com/",
            "https://app.example.com/a?b=1&c=%26&d=%2f%2F#x&y",
            "https://app.example.com/%C3%A9/é/日本?q=ü#ß",
            "https://app.example.com?x=1",
            "https://app.example.com#top",
            "https://app.example.com:8443/a//b/../c;d=1?e=//evil.test/@evil.test",
            "HTTPS://App.Example.COM/UP",
            "https://example.com/",
            "https://a.b.example.org/%zz?%",
            "https://my_app.example.com/\"<>'`{|}",
        ] {
            assert_eq!(
                parse(raw).as_ref().map(ReturnAddress::as_str),
                Ok(raw),
                "{raw}"
            );
        }
    }

    #[test]
    fn a53_the_hand_set_goes_nowhere() {
        for raw in [
            "",
            "/",
            "//evil.test",
            "/\\evil.test",
            "/%5cevil.test",
            "/%09/evil.test",
            "/ /evil.test",
            "https:evil.test",
            "https:///evil.test",
            "https:/evil.test",
            "https:///app.example.com",
            "https:app.example.com",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://app.example.com@evil.test",
            "https://app.example.com:80@evil.test",
            "https://app.example.com%2eevil.test",
            "http://app.example.com/",
            "https://user@app.example.com/",
            "https://user:word@app.example.com/",
            "https://@app.example.com/",
            "https://app.example.com/\r\nSet-Cookie:a=b",
            "https://app.example.com/\u{85}",
            " https://app.example.com/",
            "https://app.example.com/ ",
            "\thttps://app.example.com/",
            "https://app.example.com./",
            "https://app..example.com/",
            "https://.example.com/",
            "https://app.example.com:/",
            "https://app.example.com:0/",
            "https://app.example.com:65536/",
            "https://app.example.com:+80/",
            "https://evilexample.com/",
            "https://example.com.evil.test/",
            "https://example.comevil.test/",
            "https://[::1]/",
            "https://example。com/",
            "https://ａpp.example.com/",
            "https://app.example.com\u{ff0f}evil.test/",
            "https://evil.test\u{2044}.example.com/",
            "https://evil.test%2f.example.com/",
            "https://evil.test\\.example.com/",
            "https://app.example.com\u{ad}/",
            "ws://app.example.com/",
            "//app.example.com/",
            "app.example.com",
            "https://",
            "https://*.example.com/",
            "https://a,b.example.com/",
        ] {
            assert!(parse(raw).is_err(), "{raw:?}");
        }
        let long = format!("https://app.example.com/{}", "a".repeat(64 << 10));
        assert!(parse(&long).is_err());
    }

    #[test]
    fn no_domain_means_no_address() {
        assert_eq!(
            ReturnAddress::parse("https://a.example.com/", |_| false),
            Err(Refusal::Foreign)
        );
    }

    #[test]
    fn the_parts_are_those_that_a_browser_sends() {
        let parts =
            |raw| parse(raw).map(|a| (a.host().to_owned(), a.authority().to_owned(), a.target()));
        let own = |a: &str, b: &str, c: &str| Ok((a.to_owned(), b.to_owned(), c.to_owned()));
        assert_eq!(
            parts("https://A.example.com:8443?x#y"),
            own("a.example.com", "A.example.com:8443", "/?x")
        );
        assert_eq!(
            parts("https://a.example.com/é?ü"),
            own("a.example.com", "a.example.com", "/%C3%A9?%C3%BC")
        );
        assert_eq!(
            parts("https://a.example.com"),
            own("a.example.com", "a.example.com", "/")
        );
    }

    #[test]
    fn what_counts_as_an_address() {
        for raw in [
            "https://a.example.com",
            "http://x",
            "/relative",
            "//host/",
            "javascript:alert(1)",
        ] {
            assert!(is_address(raw), "{raw}");
        }
        for raw in ["", "nonsense", "not a url", "/a\nb"] {
            assert!(!is_address(raw), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn a52_whatever_passes_leads_inside_and_is_unchanged(
            raw in "[Hh]ttps?:?[/\\\\]{0,3}([a-z0-9.@:%#?\\\\/ é．]{0,12})\\.?example\\.(com|org)[:0-9a-z.@/?#\\\\%\\PC]{0,12}"
        ) {
            if let Ok(address) = parse(&raw) {
                let url = Url::parse(&raw).unwrap();
                prop_assert_eq!(address.as_str(), &raw);
                prop_assert_eq!(url.scheme(), "https");
                prop_assert!(url.username().is_empty() && url.password().is_none());
                let host = url.host_str().unwrap();
                prop_assert!(DOMAINS.iter().any(|domain| is_inside(host, domain)));
            }
        }
    }
}
