//! The exact words for mistakes: each case is [`LEAST`] with a change, and what must be said.

use super::fixture::{LEAST, Memory, stored};

/// Line, key and message of every error, in order.
pub(super) fn errors(configuration: &str, expected: &[&str]) {
    let expected: String = expected.iter().map(|line| format!("{line}\n")).collect();
    assert_eq!(Memory::new(configuration).errors(), expected);
}

pub(super) fn warnings(configuration: &str, expected: &[&str]) {
    let expected: String = expected.iter().map(|line| format!("{line}\n")).collect();
    assert_eq!(Memory::new(configuration).warnings(), expected);
}

/// [`LEAST`] with `from` replaced by `to`.
pub(super) fn with(from: &str, to: &str) -> String {
    assert!(LEAST.contains(from), "{from}");
    LEAST.replace(from, to)
}

#[test]
fn the_least_has_nothing_to_say() {
    warnings(LEAST, &[]);
}

#[test]
fn keys() {
    errors(
        &with("secret:", "secert:"),
        &["configuration.yml:5: session.secert: is no key known here; did you mean `secret`?"],
    );
    errors(
        &format!("{LEAST}default_policy: deny\n"),
        &[
            "configuration.yml:13: default_policy: is no key known here; did you mean `access_control.default_policy`?",
        ],
    );
    errors(
        &format!("{LEAST}frobnicate: 1\n"),
        &["configuration.yml:13: frobnicate: is no key known here; take it out"],
    );
    errors(
        &with("      policy:", "      policy: one_factor\n      policy:"),
        &["configuration.yml:13: access_control.rules#1.policy: is given twice; keep one of them"],
    );
    errors(
        &format!("{LEAST}log:\n  <<: {{level: warn}}\n"),
        &[
            "configuration.yml:14: log.<<: a merge key (`<<`) is not read, as in Authelia; write the keys out",
        ],
    );
    errors(
        &format!("{LEAST}log: warn\n"),
        &[
            "configuration.yml:13: log: must be keys with values; write for instance `level: …` on a line of its own below",
        ],
    );
    errors(
        &with("one_factor", "[one_factor]"),
        &[
            "configuration.yml:12: access_control.rules#1.policy: must be a single value, not a list",
        ],
    );
    errors(
        &format!("{LEAST}google_analytics: x\n"),
        &["configuration.yml:13: google_analytics: it was removed from Authelia; delete the line"],
    );
}

#[test]
fn values() {
    errors(
        &format!("{LEAST}theme: drak\n"),
        &["configuration.yml:13: theme: `drak` cannot be; write auto, light, dark, grey or oled"],
    );
    errors(
        &format!(
            "{LEAST}regulation:\n  max_retries: many\n  find_time: 1H\n  modes: [user, port]\n"
        ),
        &[
            "configuration.yml:14: regulation.max_retries: `many` is no whole number",
            "configuration.yml:15: regulation.find_time: `1H` has the unknown unit `H`; units are s, m, h, d, w, M (30 days), y (365 days) and their long names",
            "configuration.yml:16: regulation.modes#2: `port` cannot be; write user or ip",
        ],
    );
    errors(
        &format!("{LEAST}regulation:\n  find_time: 10m\n"),
        &[
            "configuration.yml:14: regulation.find_time: find_time (600 s) may not be longer than ban_time (300 s); make the ban longer",
        ],
    );
    errors(
        &with("  file:\n", "  file:\n    watch: yes\n"),
        &[
            "configuration.yml:3: authentication_backend.file.watch: `yes` is no boolean; write true or false",
        ],
    );
    errors(
        &format!("{LEAST}totp:\n  period: 10\n  digits: 7\n  algorithm: md5\n"),
        &[
            "configuration.yml:14: totp.period: `10` cannot be; write a number from 15 to 86400",
            "configuration.yml:15: totp.digits: `7` cannot be; write 6 or 8",
            "configuration.yml:16: totp.algorithm: `md5` cannot be; write SHA1, SHA256 or SHA512",
        ],
    );
    errors(
        &format!("{LEAST}storage:\n  encryption_key: short\n"),
        &["configuration.yml:14: storage.encryption_key: has 5 characters; write at least 20"],
    );
    errors(
        &format!("{LEAST}server:\n  address: http://x\n"),
        &[
            "configuration.yml:14: server.address: begins with http://; write tcp://, tcp4://, tcp6://, unix:// or fd://",
        ],
    );
}

#[test]
fn sessions() {
    errors(
        &with("authelia_url: https", "authelia_url: http"),
        &[
            "configuration.yml:8: session.cookies#1.authelia_url: `http://auth.example.com/` is not secure; write https://auth.example.com/",
        ],
    );
    errors(
        &with("https://auth.example.com", "auth.example.com"),
        &[
            "configuration.yml:8: session.cookies#1.authelia_url: `auth.example.com` is no absolute address; write for instance https://auth.example.com",
        ],
    );
    errors(
        &with("auth.example.com", "auth.example.org"),
        &[
            "configuration.yml:8: session.cookies#1.authelia_url: `https://auth.example.org/` lies outside the domain `example.com`; write a host that is `example.com` or ends with `.example.com`",
        ],
    );
    for (domain, message) in [
        (
            "co.uk",
            "`co.uk` is a public suffix, and browsers take no cookie for it; write your own domain below it",
        ),
        (
            "localhost",
            "`localhost` has no dot, and browsers take no cookie for it; write for instance home.localhost",
        ),
        (
            "'*.example.com'",
            "`*.example.com` covers what is below it anyway; write `example.com`",
        ),
        (
            ".example.com",
            "`.example.com` covers what is below it anyway; write `example.com`",
        ),
        ("Example.com", "must be in lower case; write `example.com`"),
        (
            "example.com:443",
            "`example.com:443` has a port, which cookies do not know; write `example.com`",
        ),
        (
            "exa mple.com",
            "`exa mple.com` is no domain; write for instance example.com",
        ),
    ] {
        let expected = format!("configuration.yml:7: session.cookies#1.domain: {message}");
        errors(
            &with("domain: example.com", &format!("domain: {domain}")),
            &[&expected],
        );
    }
    let second = |domain: &str| {
        with(
            "access_control:",
            &format!(
                "    - domain: {domain}\n      authelia_url: https://{domain}\naccess_control:"
            ),
        )
    };
    errors(
        &second("example.com"),
        &[
            "configuration.yml:9: session.cookies#2.domain: `example.com` is given twice; keep one of them",
        ],
    );
    errors(
        &second("a.example.com"),
        &[
            "configuration.yml:9: session.cookies#2.domain: `a.example.com` lies below example.com, which stands before it and covers it; take it out",
        ],
    );
    errors(
        &with("      authelia_url: https://auth.example.com\n", ""),
        &[
            "configuration.yml:7: session.cookies#1: has no authelia_url; write the address of the portal, for instance https://auth.example.com",
        ],
    );
    errors(
        &with("  secret:", "  name: __Host-x\n  secret:"),
        &[
            "configuration.yml:8: session.cookies#1: browsers take a cookie with `__Host-` for one host only; write `x`, or add `host_only: true`",
        ],
    );
    warnings(
        &with("a-session-secret-of-some-length", "abc"),
        &[
            "configuration.yml:5: session.secret: is short enough to be guessed; write 64 random characters",
        ],
    );
}

#[test]
fn older_spellings() {
    warnings(
        &format!("{LEAST}log_level: info\njwt_secret: abc\n"),
        &[
            "configuration.yml:13: log_level: is an older spelling; write `log.level`",
            "configuration.yml:13: log_level: has no effect: the log is nginx's error_log",
            "configuration.yml:14: jwt_secret: is an older spelling; write `identity_validation.reset_password.jwt_secret`",
            "configuration.yml:14: jwt_secret: has no effect: links to new passwords are codes in the store, which nobody signs",
        ],
    );
    errors(
        &format!("{LEAST}host: 127.0.0.1\nserver:\n  address: tcp://:9091\n"),
        &[
            "configuration.yml:13: host: cannot stand beside `server.address`, which has taken its place; take this one out",
        ],
    );
    warnings(
        &with(
            "  secret:",
            "  remember_me_duration: 1M\n  remember_me: 1y\n  secret:",
        ),
        &[
            "configuration.yml:5: session.remember_me_duration: is an older spelling of `session.remember_me`, which is given, too, and holds; take this one out",
        ],
    );
}

#[test]
fn sections_that_are_not_built_yet() {
    warnings(
        &format!("{LEAST}duo_api:\n  hostname: x\nntp:\n  version: 4\n"),
        &[
            "configuration.yml:13: duo_api: has no effect yet: Duo is not built",
            "configuration.yml:15: ntp: has no effect: the machine's own clock is used",
        ],
    );
    let mail = "notifier:\n  filesystem: {filename: x}\n";
    warnings(
        &stored(&format!(
            "{mail}  template_path: /t\nwebauthn:\n  metadata: {{enabled: false, validate_entry: false}}\nserver:\n  endpoints:\n    rate_limits:\n      second_factor_duo: {{enable: true}}\n      second_factor_totp: {{enable: true}}\n"
        )),
        &[
            "configuration.yml:18: notifier.template_path: has no effect yet: letters of your own are not built",
            "configuration.yml:20: webauthn.metadata: has no effect yet: authenticators are not verified",
            "configuration.yml:24: server.endpoints.rate_limits.second_factor_duo: has no effect yet: Duo is not built",
        ],
    );
}
