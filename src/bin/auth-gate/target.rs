//! An address taken apart without changing a byte of its path: the rules see what is sent.

use std::str::FromStr;

/// `scheme://host[:port][/path][?query]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub scheme: String,
    /// With the port, as in a `Host` header.
    pub host: String,
    /// Path and query; the path is `/` where none was given, as browsers send it.
    pub target: String,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(url: &str) -> Result<Target, String> {
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(
                "write the whole address, for instance https://wiki.example.com/page".into(),
            );
        };
        let (host, target) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if host.is_empty() {
            return Err("the address has no host".into());
        }
        if host.contains('@') {
            return Err("leave out the name and password before the host".into());
        }
        // The part after `#` stays in the browser.
        let target = target.split_once('#').map_or(target, |(target, _)| target);
        let target = if target.starts_with('/') {
            target.into()
        } else {
            format!("/{target}")
        };
        Ok(Target {
            scheme: scheme.to_ascii_lowercase(),
            host: host.into(),
            target,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(url: &str) -> Result<[String; 3], String> {
        url.parse().map(
            |Target {
                 scheme,
                 host,
                 target,
             }| [scheme, host, target],
        )
    }

    #[test]
    fn the_path_stays_as_it_was_typed() {
        let of = |url| parts(url).map(|parts| parts.join(" "));
        assert_eq!(
            of("HTTPS://a.b:8443/x/../%2e?q=/#top"),
            Ok("https a.b:8443 /x/../%2e?q=/".into())
        );
        assert_eq!(of("https://a.b"), Ok("https a.b /".into()));
        assert_eq!(of("https://a.b?x=1"), Ok("https a.b /?x=1".into()));
        assert_eq!(of("wss://[::1]:1/"), Ok("wss [::1]:1 /".into()));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in ["", "a.b/x", "https://", "https:///x", "https://user@a.b/"] {
            assert!(parts(url).is_err(), "{url}");
        }
    }
}
