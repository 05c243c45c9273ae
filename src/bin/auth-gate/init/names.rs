//! Hosts and addresses that a person types, as configuration and nginx need them.

use std::net::IpAddr;

use url::Url;

/// A host as it is written in files: lower case, no dot at the end.
fn host(typed: &str) -> Result<String, String> {
    let trimmed = typed.trim().to_ascii_lowercase();
    let bare = trimmed
        .strip_prefix("https://")
        .or_else(|| trimmed.strip_prefix("http://"))
        .unwrap_or(&trimmed);
    let bare = bare.split('/').next().unwrap_or(bare);
    let host = bare.strip_suffix('.').unwrap_or(bare);
    let label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if host != trimmed.strip_suffix('.').unwrap_or(&trimmed) {
        return Err(format!(
            "`{}` is more than a host; write `{host}`",
            typed.trim()
        ));
    }
    // Browsers take a name that ends with a number for an address.
    let is_numeric = |host: &str| {
        let last = host.rsplit('.').next().unwrap_or(host);
        last.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_name = |host: &str| host.len() <= 253 && host.split('.').all(label) && !is_numeric(host);
    if host.parse::<IpAddr>().is_err() && !is_name(host) {
        return Err(format!(
            "`{}` is no host name; write letters, digits, hyphens and dots, for instance \
            example.com (names with other letters begin with xn--)",
            typed.trim().escape_debug()
        ));
    }
    Ok(host.to_owned())
}

/// A domain that the cookie can be for.
pub fn domain(typed: &str) -> Result<String, String> {
    let typed = typed.trim();
    let typed = typed
        .strip_prefix("*.")
        .or_else(|| typed.strip_prefix('.'))
        .unwrap_or(typed);
    let domain = host(typed)?;
    if domain.parse::<IpAddr>().is_ok() {
        return Err(format!(
            "`{domain}` is an address, and portal and sites need names; write a domain of yours, for instance \
            example.com, or home.example for names in /etc/hosts"
        ));
    }
    if !domain.contains('.') {
        return Err(format!(
            "`{domain}` has no dot, and browsers take no cookie for it; write for instance home.{domain}"
        ));
    }
    let is_suffix = |suffix: psl::Suffix<'_>| suffix.is_known() && suffix == domain.as_str();
    if psl::suffix(domain.as_bytes()).is_some_and(is_suffix) {
        return Err(format!(
            "`{domain}` is a public suffix, and browsers take no cookie for it; write your own domain below it"
        ));
    }
    Ok(domain)
}

/// A host of that domain. `what` names it in a sentence.
pub fn inside(typed: &str, domain: &str, what: &str) -> Result<String, String> {
    let host = host(typed)?;
    if host != domain && !host.ends_with(&format!(".{domain}")) {
        return Err(format!(
            "{what} `{host}` lies outside the domain `{domain}`, and the cookie would not reach it; write \
            `{domain}` or a name that ends with `.{domain}`"
        ));
    }
    Ok(host)
}

/// Where an application listens, as `proxy_pass` takes it.
pub fn upstream(typed: &str) -> Result<String, String> {
    let typed = typed.trim();
    let wrong = |why: &str| {
        Err(format!(
            "`{}` {why}; write for instance http://127.0.0.1:8080 or http://unix:/run/app.sock",
            typed.escape_debug()
        ))
    };
    if let Some(socket) = typed.strip_prefix("http://unix:") {
        let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+@".contains(&byte);
        return match socket.starts_with('/') && socket.bytes().all(safe) {
            true => Ok(typed.to_owned()),
            false => wrong("names no socket that nginx could read"),
        };
    }
    let Ok(url) = Url::parse(typed) else {
        return wrong("is no address");
    };
    if !matches!(url.scheme(), "http" | "https") {
        return wrong("is neither http nor https");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("has a user name");
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return wrong("has a path, and nginx would cut the visitor's");
    }
    let whole = url.as_str().trim_end_matches('/');
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b":/._-[]".contains(&byte);
    if !whole.bytes().all(safe) {
        return wrong("has letters that nginx would not read as they are");
    }
    Ok(whole.to_owned())
}

/// One line of text without control characters.
pub fn line(typed: &str, what: &str) -> Result<String, String> {
    let line = typed.trim();
    if line.is_empty() {
        return Err(format!("{what} is empty; write a name"));
    }
    if line.chars().any(char::is_control) {
        return Err(format!(
            "{what} has control characters; write it in one line"
        ));
    }
    Ok(line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_what_a_cookie_can_be_for() {
        for (typed, domain_) in [
            ("example.com", "example.com"),
            (" Example.COM. ", "example.com"),
            ("*.example.com", "example.com"),
            ("home.example", "home.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(domain(typed), Ok(domain_.to_owned()));
        }
        for (typed, said) in [
            ("192.168.1.2", "is an address"),
            ("::1", "is an address"),
            ("localhost", "write for instance home.localhost"),
            ("co.uk", "public suffix"),
            ("https://example.com/x", "write `example.com`"),
            ("example.com:8443", "is no host name"),
            ("b\u{fc}cher.example", "xn--"),
            ("a b.example", "is no host name"),
            ("", "is no host name"),
        ] {
            let error = domain(typed).unwrap_err();
            assert!(error.contains(said), "{typed}: {error}");
        }
    }

    #[test]
    fn a_host_lies_in_its_domain() {
        let inside = |typed| inside(typed, "example.com", "the portal");
        assert_eq!(inside("Auth.example.com"), Ok("auth.example.com".into()));
        assert_eq!(inside("example.com"), Ok("example.com".into()));
        for outside in ["auth.example.org", "badexample.com", "com"] {
            assert!(inside(outside).unwrap_err().contains(".example.com"));
        }
    }

    #[test]
    fn an_upstream_is_an_address_without_a_path() {
        for (typed, taken) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
            ("https://wiki.internal", "https://wiki.internal"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://unix:/run/app.sock", "http://unix:/run/app.sock"),
        ] {
            assert_eq!(upstream(typed), Ok(taken.to_owned()));
        }
        for typed in [
            "127.0.0.1:8080",
            "ftp://a",
            "http://a/b",
            "http://a?b",
            "http://u:p@a",
            "http://$host",
            "http://a;b",
            "http://unix:run",
            "http://unix:/a b",
            "",
        ] {
            assert!(upstream(typed).is_err(), "{typed}");
        }
    }
}
