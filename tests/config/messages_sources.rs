//! The exact words about where a configuration comes from: its files as a whole, the users file, the
//! environment.

use super::fixture::{LEAST, Memory};
use super::messages::{errors, warnings, with};

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
