//! The host in the form that rules see: lower case, without port, brackets and final dot.

use std::borrow::Cow;
use std::net::Ipv6Addr;

/// The longest name that the domain name system has.
const LONGEST: usize = 253;

/// Reads `host` as a request carries it; `None` when no host looks like that. Allocates only to
/// fold upper case.
pub(super) fn read(host: &[u8]) -> Option<Cow<'_, str>> {
    let host = std::str::from_utf8(host).ok()?;
    if is_plain(host.as_bytes()) {
        return Some(Cow::Borrowed(host));
    }
    let name = match bracketed(host) {
        Some(address) => address?,
        None => without_port(host)?,
    };
    if is_address(name) {
        return Some(lower(name));
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    let fits =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_') || !b.is_ascii();
    let whole = !name.is_empty() && name.len() <= LONGEST && name.bytes().all(fits);
    (whole && name != "." && !name.contains("..") && !name.ends_with('.')).then(|| lower(name))
}

/// Whether a name is as rules see it already, which nearly every one is.
fn is_plain(name: &[u8]) -> bool {
    let mut before = b' ';
    let fits = |&byte: &u8| {
        let dots = byte == b'.' && before == b'.';
        before = byte;
        !dots && PLAIN[usize::from(byte)]
    };
    (1..=LONGEST).contains(&name.len()) && name.iter().all(fits) && before != b'.'
}

/// The bytes of such a name.
const PLAIN: [bool; 256] = {
    let (mut plain, mut byte) = ([false; 256], 0);
    while byte < plain.len() {
        plain[byte] = matches!(byte as u8, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_');
        byte += 1;
    }
    plain
};

/// The address in `[::1]` or `[::1]:443`; the outer `None` says that there are no brackets.
fn bracketed(host: &str) -> Option<Option<&str>> {
    let (address, rest) = match host.strip_prefix('[')?.split_once(']') {
        Some(parts) => parts,
        None => return Some(None),
    };
    let port = rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port);
    Some((port && is_address(address)).then_some(address))
}

fn without_port(host: &str) -> Option<&str> {
    match host.split_once(':') {
        None => Some(host),
        Some(_) if is_address(host) => Some(host),
        Some((name, port)) => is_port(port).then_some(name),
    }
}

fn is_port(text: &str) -> bool {
    text.len() <= 5 && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_address(text: &str) -> bool {
    text.contains(':') && text.parse::<Ipv6Addr>().is_ok()
}

fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a19_a20_every_spelling_of_a_host_is_one() {
        for spelling in [
            "admin.example.com",
            "ADMIN.example.com",
            "admin.example.com.",
            "admin.example.com:443",
            "Admin.Example.Com:8443",
            "admin.example.com.:443",
            "admin.example.com:",
        ] {
            assert_eq!(
                read(spelling.as_bytes()).as_deref(),
                Some("admin.example.com"),
                "{spelling}"
            );
        }
        assert!(matches!(read(b"a.example.com:443"), Some(Cow::Borrowed(_))));
    }

    #[test]
    fn addresses_lose_their_brackets() {
        for spelling in ["[::1]", "[::1]:443", "::1"] {
            assert_eq!(
                read(spelling.as_bytes()).as_deref(),
                Some("::1"),
                "{spelling}"
            );
        }
        assert_eq!(read(b"[FD00::A]").as_deref(), Some("fd00::a"));
        assert_eq!(read(b"192.168.1.5:80").as_deref(), Some("192.168.1.5"));
    }

    #[test]
    fn a24_a25_what_is_no_host_is_refused() {
        let long = "a.".repeat(128);
        for bad in [
            "",
            ".",
            "..",
            "a..b",
            "a.example.com..",
            "a, b",
            "a b",
            "admin%2eexample.com",
            "admin.example.com;x",
            "a.example.com!",
            "a/b",
            "a@b",
            "a:b",
            "a:1:2",
            "a:123456",
            "[::1",
            "[::1]x",
            "[a]",
            "[]",
            ":443",
            "a\0b",
            "a?b",
            "a#b",
            "a\\b",
            "*.example.com",
            long.as_str(),
        ] {
            assert_eq!(read(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(read(b"a\xFF.example.com"), None);
        assert!(read("dév.example.com".as_bytes()).is_some());
        assert!(read(b"a_b.example.com").is_some());
    }
}
