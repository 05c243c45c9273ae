//! The `otpauth://` address that an app reads from the QR code.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Parameters;

/// What Go's `net/url` escapes in a query value, apart from the space.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b' ');

/// What it escapes in a path.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b',')
    .remove(b'/')
    .remove(b':')
    .remove(b';')
    .remove(b'=')
    .remove(b'@');

/// The address as Authelia writes it: keys sorted, the label unescaped where a path may be.
pub(super) fn write(issuer: &str, account: &str, parameters: &Parameters, base32: &str) -> String {
    format!(
        "otpauth://totp/{}:{}?algorithm={}&digits={}&issuer={}&period={}&secret={base32}",
        utf8_percent_encode(issuer, PATH),
        utf8_percent_encode(account, PATH),
        parameters.algorithm().word(),
        parameters.digits().number(),
        utf8_percent_encode(issuer, QUERY)
            .to_string()
            .replace(' ', "+"),
        parameters.period(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_as_go_does() {
        let uri = write("Über & Co?", "a b@c/d%", &Parameters::default(), "AAAA");
        assert_eq!(
            uri,
            "otpauth://totp/%C3%9Cber%20&%20Co%3F:a%20b@c/d%25?algorithm=SHA1&digits=6&issuer=%C3%9Cber+%26+Co%3F&period=30&secret=AAAA"
        );
    }
}
