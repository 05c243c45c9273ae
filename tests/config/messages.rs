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

/// [`LEAST`] with another rule.
fn rule(rule: &str) -> String {
    let at = LEAST.find("    - domain: app").expect("a rule");
    let indented: String = rule.lines().map(|line| format!("      {line}\n")).collect();
    format!("{}    - {}", &LEAST[..at], indented.trim_start())
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
fn rules() {
    errors(
        &with("one_factor", "one-factor"),
        &[
            "configuration.yml:12: access_control.rules#1.policy: `one-factor` is no policy; write `one_factor`",
        ],
    );
    errors(
        &rule("domain: a\n"),
        &[
            "configuration.yml:11: access_control.rules#1: has no policy; write `policy: ` with bypass, one_factor, two_factor or deny",
        ],
    );
    errors(
        &rule("policy: deny\n"),
        &[
            "configuration.yml:11: access_control.rules#1: has neither domain nor domain_regex; write for instance `domain: app.example.com`",
        ],
    );
    errors(
        &rule("domain: a\npolicy: bypass\nsubject: user:john\n"),
        &[
            "configuration.yml:13: access_control.rules#1.subject: has no place beside policy `bypass`, which asks nobody who he is; write one_factor, or take it out",
        ],
    );
    errors(
        &rule("domain_regex: '^(?P<User>\\w+)$'\npolicy: bypass\n"),
        &[
            "configuration.yml:11: access_control.rules#1.domain_regex: names a `User` or `Group`, but policy `bypass` asks nobody who he is; write one_factor, or take the names out",
        ],
    );
    errors(
        &rule("domain: a\npolicy: deny\nmethods: [get, GET, GET, BREW]\n"),
        &[
            "configuration.yml:13: access_control.rules#1.methods#1: `get` is no method; write `GET`",
            "configuration.yml:13: access_control.rules#1.methods#3: `GET` is given twice; keep one of them",
            "configuration.yml:13: access_control.rules#1.methods#4: `BREW` is no method; rules know GET, HEAD, POST, PUT, PATCH, DELETE, TRACE, CONNECT, OPTIONS, COPY, LOCK, MKCOL, MOVE, PROPFIND, PROPPATCH and UNLOCK",
        ],
    );
    errors(
        &rule(
            "domain: a\npolicy: deny\nsubject:\n  - User:john\n  - - group:a\n    - oauth2:client:x\n",
        ),
        &[
            "configuration.yml:14: access_control.rules#1.subject#1: `User:john` names nobody; write user:NAME or group:NAME",
            "configuration.yml:16: access_control.rules#1.subject#2#2: `oauth2:client:x` names an OpenID Connect client, which is not built yet; write user:NAME or group:NAME",
        ],
    );
    errors(
        &rule("domain: a\npolicy: deny\nsubject: ['user:a', ~, []]\n"),
        &[
            "configuration.yml:13: access_control.rules#1.subject#2: is empty; write a value or take the line out",
            "configuration.yml:13: access_control.rules#1.subject#3: is empty; write a value or take the line out",
        ],
    );
    errors(
        &rule(
            "domain: a\npolicy: deny\nquery:\n  - key: a\n    value: 5\n  - operator: equal\n    value: x\n",
        ),
        &[
            "configuration.yml:15: access_control.rules#1.query#1.value: must be a text; put it in quotes: value: '5'",
            "configuration.yml:16: access_control.rules#1.query#2: a query condition needs a `key`",
        ],
    );
    warnings(
        &rule("domain: a\npolicy: deny\nsubject:\n"),
        &[
            "configuration.yml:13: access_control.rules#1.subject: has no value and counts as absent, so that the rule holds for more; write a value or take it out",
        ],
    );
    warnings(
        &rule("domain: a\npolicy: two_factor\n"),
        &[
            "configuration.yml:11: access_control.rules#1: asks for a second factor, but there is no storage to keep one in: nobody gets in there; write storage.local.path and storage.encryption_key",
        ],
    );
}

#[test]
fn a74_a_rule_that_can_never_be_reached_is_an_error() {
    let twice = format!(
        "{LEAST}    - policy: deny\n      domain: [app.example.com]\n    - domain: app.example.com\n      policy: deny\n      methods: GET\n"
    );
    errors(
        &twice,
        &[
            "configuration.yml:13: access_control.rules#2: asks for the same as rule 1, which stands before it and wins; take one of them out",
        ],
    );
}

#[test]
fn a11_a_bypass_that_matches_anywhere_is_told_with_the_form_to_write() {
    warnings(
        &rule("domain: a\npolicy: bypass\nresources: /public\n"),
        &[
            "configuration.yml:13: access_control.rules#1.resources: `/public` matches anywhere in a path, so the rule opens more than it seems to; write `^/public`",
        ],
    );
}

#[test]
fn patterns() {
    let memory = Memory::new(&rule("domain: a\npolicy: deny\nresources: ['a**', '']\n"));
    let errors = memory.errors();
    let lines: Vec<&str> = errors.lines().collect();
    assert!(lines[0].starts_with("configuration.yml:13: access_control.rules#1.resources#1: `a**` is no regular expression: "), "{errors}");
    assert_eq!(
        lines[1],
        "configuration.yml:13: access_control.rules#1.resources#2: is an empty pattern; write one or take it out"
    );
    let open = |pattern: &str, anchored: &str| {
        let expected = format!(
            "configuration.yml:13: access_control.rules#1.resources: `{pattern}` matches anywhere in a path, so the rule opens more than it seems to; write `{anchored}`"
        );
        warnings(
            &rule(&format!(
                "domain: a\npolicy: bypass\nresources: '{pattern}'\n"
            )),
            &[&expected],
        );
    };
    open("/api/.*", "^/api/.*");
    open("\\.css$", "^[^?]*\\.css$");
    open("/a|/b", "^(?:/a|/b)");
    open("a|b", "^[^?]*(?:a|b)");
    warnings(
        &rule("domain: a\npolicy: bypass\nresources: '^/api/'\n"),
        &[],
    );
    warnings(
        &rule("domain: '*example.com'\npolicy: deny\n"),
        &[
            "configuration.yml:11: access_control.rules#1.domain: `*example.com` matches no host: a `*` stands only at the beginning and before a dot, as in `*.example.com`",
        ],
    );
}

#[test]
fn networks() {
    errors(&rule("domain: a\npolicy: deny\nnetworks: [10.0.0.0/33, intrenal, '::1']\n").replace("access_control:", "definitions:\n  network:\n    internal: 10.0.0.0/8\n    bad: [x]\naccess_control:\n  networks:\n    - name: internal\n      networks: 10.0.0.0/8"), &[
        "configuration.yml:12: definitions.network.bad#1: `x` is no network; write for instance 10.0.0.0/8 or 10.1.2.3",
        "configuration.yml:15: access_control.networks#1.name: the network `internal` is defined twice; keep one of them",
        "configuration.yml:20: access_control.rules#1.networks#1: `10.0.0.0/33` is neither a network nor the name of one; write for instance 10.0.0.0/8, or define the name in definitions.network",
        "configuration.yml:20: access_control.rules#1.networks#2: `intrenal` is neither a network nor the name of one; did you mean `internal`?",
    ]);
}

#[test]
fn a_network_without_addresses_would_open_a_rule() {
    errors(
        &format!("{LEAST}definitions:\n  network:\n    internal: []\n    lan:\n"),
        &[
            "configuration.yml:15: definitions.network.internal: the network `internal` has no addresses, so that a rule that names it would hold everywhere; write for instance 10.0.0.0/8",
            "configuration.yml:16: definitions.network.lan: the network `lan` has no addresses, so that a rule that names it would hold everywhere; write for instance 10.0.0.0/8",
        ],
    );
}

#[test]
fn what_is_missing() {
    errors(
        "theme: dark\n",
        &[
            "configuration.yml: authentication_backend.file: is missing; write authentication_backend.file.path with the path of a users file",
            "configuration.yml: access_control: is missing, so nobody would be let in; write access_control.rules, or default_policy: one_factor",
            "configuration.yml: session: is missing; write session.cookies with a domain and an authelia_url",
        ],
    );
    errors(
        &with(
            "  file:\n    path: users.yml",
            "  ldap:\n    address: ldap://x",
        ),
        &[
            "configuration.yml:2: authentication_backend.ldap: LDAP is not built; write authentication_backend.file with the path of a users file",
        ],
    );
    errors(
        &with("users.yml", "people.yml"),
        &["people.yml: there is no such file; check the path"],
    );
    errors("", &["configuration.yml: is empty"]);
    errors("- a\n", &["configuration.yml:1: must be keys with values"]);
}

#[test]
fn what_is_no_configuration() {
    errors(
        &with(
            "a-session-secret-of-some-length",
            "{{ secret \"/run/secret\" }}",
        ),
        &[
            "configuration.yml:5: a template filter (`{{ … }}`) is not filled in here; write the value itself, or give it in the environment, for instance as AUTHELIA_SESSION_SECRET_FILE",
        ],
    );
    warnings(
        &format!("{LEAST}# a comment about {{{{ secret \"x\" }}}}\n"),
        &[],
    );
    errors(
        &format!("{LEAST}---\nlog: {{level: debug}}\n"),
        &[
            "configuration.yml:14: a second YAML document begins here; write everything in one document, without a line `---` in between",
        ],
    );
    errors(
        "a:\n\t- b\n",
        &[
            "configuration.yml:2: not valid YAML: a tab or another character that cannot stand here; indent with spaces and put the value in quotes",
        ],
    );
    let latin1 = Memory::new("").with("/etc/gate/configuration.yml", b"a: 1\nb: \xe4\n");
    assert_eq!(
        latin1.errors(),
        "configuration.yml:2: is not UTF-8; save the file as UTF-8\n"
    );
    let huge = Memory::new("").with("/etc/gate/configuration.yml", vec![b'#'; 5 << 20]);
    assert_eq!(
        huge.errors(),
        "configuration.yml: is larger than 4 MiB; nobody writes that by hand\n"
    );
    let folder =
        ngx_http_auth_gate_module::config::load("/etc/gate".as_ref(), &huge).expect_err("a folder");
    assert_eq!(
        folder[0].to_string(),
        "/etc/gate: is a directory; write everything in one file and name that file"
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

#[test]
fn users() {
    let users = |content: &str| {
        Memory::new(LEAST)
            .with("/etc/gate/users.yml", content)
            .errors()
    };
    assert_eq!(
        users("users: {}\n"),
        "users.yml: users: nobody is in it; write users: with a name, displayname and password\n"
    );
    assert_eq!(
        users("users:\n  john:\n    email: j@example.com\n    disabled: maybe\n"),
        "users.yml:2: users.john: has no displayname; write the name to show\n\
         users.yml:2: users.john: has no password; write what `auth-gate hash-password` prints\n\
         users.yml:4: users.john.disabled: `maybe` is no boolean; write true or false\n",
    );
    let errors = users(
        "users:\n  john:\n    displayname: J\n    password: $argon2id$broken\n  mary:\n    displayname: M\n    password: secret\n",
    );
    let lines: Vec<&str> = errors.lines().collect();
    assert_eq!(lines.len(), 2, "{errors}");
    assert!(
        lines[0].starts_with("users.yml:4: users.john.password: "),
        "{errors}"
    );
    assert!(
        lines[1].starts_with("users.yml:7: users.mary.password: "),
        "{errors}"
    );
    assert!(
        !errors.contains("broken"),
        "a hash is not repeated: {errors}"
    );
}

#[test]
fn environment() {
    let memory = Memory::new(LEAST)
        .var("AUTHELIA_SESSION_SECRET_FILE", "/run/secret")
        .var("AUTHELIA_TOTP_PERIOD", "10")
        .with("/run/secret", "from the file\n");
    assert_eq!(
        memory.errors(),
        "environment: AUTHELIA_TOTP_PERIOD: `10` cannot be; write a number from 15 to 86400\n\
         environment: AUTHELIA_SESSION_SECRET_FILE: `session.secret` has a value already; keep one of the two\n",
    );
    let missing = Memory::new(&with("  secret: a-session-secret-of-some-length\n", ""))
        .var("AUTHELIA_SESSION_SECRET_FILE", "/run/nothing");
    assert!(
        missing
            .errors()
            .starts_with("environment: AUTHELIA_SESSION_SECRET_FILE: cannot read `/run/nothing`: ")
    );
    let typo = Memory::new(LEAST)
        .var("AUTHELIA_SESION_SECRET_FILE", "x")
        .var("AUTHELIA_FOO", "x");
    assert_eq!(
        typo.warnings(),
        "environment: AUTHELIA_FOO: stands for no key and has no effect\n\
         environment: AUTHELIA_SESION_SECRET_FILE: stands for no key; did you mean AUTHELIA_SESSION_SECRET_FILE?\n",
    );
}
