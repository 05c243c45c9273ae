//! What a configuration that is taken means.

use std::path::Path;

use ngx_http_auth_gate_module::config::{self, RefreshInterval};
use ngx_http_auth_gate_module::portal::Theme;
use ngx_http_auth_gate_module::session::{CrossSite, Lifetimes};
use secrecy::ExposeSecret;

use super::fixture::{LEAST, Memory, USERS};

fn config(yaml: &str) -> config::Config {
    match Memory::new(yaml).load() {
        Ok(loaded) => loaded.config,
        Err(problems) => panic!("{}", super::fixture::lines(&problems)),
    }
}

fn session(extra: &str) -> config::Sessions {
    config(&LEAST.replace("  secret:", &format!("{extra}  secret:"))).session
}

#[test]
fn defaults_are_authelias() {
    let config = config(LEAST);
    assert_eq!(config.theme, Theme::Light);
    let cookie = &config.session.cookies[0];
    assert_eq!(
        (cookie.realm.domain.as_str(), cookie.realm.cookie.name()),
        ("example.com", "auth_gate_session")
    );
    assert_eq!(
        cookie.authelia_url.as_ref().map(|url| url.as_str()),
        Some("https://auth.example.com/")
    );
    assert_eq!(
        cookie.realm.lifetimes,
        Lifetimes {
            expiration: 3600,
            inactivity: 300,
            remember_me: Some(30 * 86_400)
        },
    );
    assert_eq!(
        (
            cookie.realm.cookie.same_site(),
            cookie.realm.cookie.is_host_only()
        ),
        (CrossSite::Lax, false)
    );
    let regulation = &config.regulation;
    assert!(regulation.modes.user && !regulation.modes.ip);
    assert_eq!(
        (
            regulation.max_retries,
            regulation.find_time,
            regulation.ban_time
        ),
        (3, 120, 300)
    );
    assert_eq!(config.users_file.path, Path::new("/etc/gate/users.yml"));
    assert_eq!(
        config.users_file.refresh_interval,
        RefreshInterval::Every(300)
    );
    assert!(!config.users_file.watch);
    assert_eq!(config.rules.len(), 1);
    let john = config.directory.user("john").expect("john");
    assert_eq!(
        (john.display_name.as_str(), john.groups.join("+")),
        ("John Doe", "admins+dev".into())
    );
}

#[test]
fn lifetimes_are_inherited_and_overridden() {
    let of = |extra: &str, own: &str| {
        let yaml = LEAST
            .replace("  secret:", &format!("{extra}  secret:"))
            .replace("      authelia_url", &format!("{own}      authelia_url"));
        config(&yaml).session.cookies[0].realm.lifetimes
    };
    let lifetimes = |expiration, inactivity, remember_me| Lifetimes {
        expiration,
        inactivity,
        remember_me,
    };
    assert_eq!(
        of("  expiration: 2h\n  inactivity: 90\n", ""),
        lifetimes(7200, 90, Some(2_592_000))
    );
    assert_eq!(
        of("  expiration: 2h\n", "      expiration: 1d\n"),
        lifetimes(86_400, 300, Some(2_592_000))
    );
    assert_eq!(of("  remember_me: -1\n", ""), lifetimes(3600, 300, None));
    assert_eq!(
        of("  remember_me: -1\n", "      remember_me: 1w\n"),
        lifetimes(3600, 300, Some(604_800))
    );
    assert_eq!(
        of("", "      remember_me: -1\n"),
        lifetimes(3600, 300, None)
    );
    assert_eq!(
        of("  remember_me_duration: 1M\n", ""),
        lifetimes(3600, 300, Some(2_592_000))
    );
    assert_eq!(
        of(
            "  expiration: -5\n  inactivity: 0\n",
            "      expiration: ''\n"
        ),
        lifetimes(3600, 300, Some(2_592_000))
    );
}

#[test]
fn the_first_domain_that_covers_a_host_counts() {
    let sessions = session("");
    assert_eq!(
        sessions.domain_of("app.EXAMPLE.com").map(|(n, _)| n),
        Some(0)
    );
    assert!(sessions.domain_of("example.org").is_none());
    let yaml = LEAST.replace("    - domain: example.com", "    - domain: one.example.com\n      authelia_url: https://one.example.com/sso\n      host_only: true\n    - domain: example.com");
    let sessions = config(&yaml).session;
    assert_eq!(
        sessions.domain_of("one.example.com").map(|(n, _)| n),
        Some(0)
    );
    assert_eq!(
        sessions.domain_of("below.one.example.com").map(|(n, _)| n),
        Some(1)
    );
    assert!(sessions.cookies[0].realm.cookie.is_host_only());
    assert_eq!(
        sessions.cookies[0].realm.cookie.name(),
        "__Host-auth_gate_session"
    );
    assert_eq!(
        sessions.cookies[0]
            .authelia_url
            .as_ref()
            .map(|url| url.as_str()),
        Some("https://one.example.com/sso/")
    );
}

#[test]
fn a21_a_name_that_only_ends_like_the_domain_is_outside() {
    let sessions = session("");
    for host in [
        "evilexample.com",
        "example.com.evil.org",
        "example.comevil.org",
        "xexample.com",
        "",
    ] {
        assert!(sessions.domain_of(host).is_none(), "{host}");
    }
}

#[test]
fn the_old_single_domain_still_works() {
    let yaml = LEAST.replace(
        "  cookies:\n    - domain: example.com\n      authelia_url: https://auth.example.com\n",
        "  domain: example.com\n  name: s\n",
    ) + "default_redirection_url: https://home.example.com\n";
    let config = config(&yaml);
    let cookie = &config.session.cookies[0];
    assert_eq!(
        (cookie.realm.domain.as_str(), cookie.realm.cookie.name()),
        ("example.com", "s")
    );
    assert!(cookie.authelia_url.is_none());
    assert_eq!(
        cookie.default_redirection_url,
        config.default_redirection_url
    );
    assert!(config.default_redirection_url.is_some());
}

#[test]
fn refresh_intervals() {
    let of = |backend: &str| {
        config(&LEAST.replace(
            "authentication_backend:\n",
            &format!("authentication_backend:\n{backend}"),
        ))
        .users_file
        .refresh_interval
    };
    assert_eq!(of("  refresh_interval: always\n"), RefreshInterval::Always);
    assert_eq!(of("  refresh_interval: disable\n"), RefreshInterval::Never);
    assert_eq!(of("  refresh_interval: 1m\n"), RefreshInterval::Every(60));
    assert_eq!(of("  refresh_interval: 90\n"), RefreshInterval::Every(90));
    let watched = LEAST.replace(
        "    path: users.yml",
        "    path: users.yml\n    watch: true",
    );
    assert_eq!(
        config(&watched).users_file.refresh_interval,
        RefreshInterval::Always
    );
}

#[test]
fn the_environment_wins_and_its_names_are_told() {
    let without = LEAST.replace("  secret: a-session-secret-of-some-length\n", "");
    let loaded = Memory::new(&without)
        .var("AUTHELIA_SESSION_SECRET_FILE", "/run/secret")
        .var("AUTHELIA_THEME", "dark")
        .var(
            "AUTHELIA_AUTHENTICATION_BACKEND_FILE_PATH",
            "/srv/people.yml",
        )
        .var("AUTHELIA_REGULATION_MAX_RETRIES", "7")
        .var("AUTHELIA_JWT_SECRET", "an old spelling")
        .var("PATH", "/bin")
        .with("/run/secret", "a secret from a file\r\n\n")
        .with("/srv/people.yml", USERS)
        .load()
        .expect("must load");
    let config = &loaded.config;
    assert_eq!(
        config
            .session
            .secret
            .as_ref()
            .map(ExposeSecret::expose_secret),
        Some("a secret from a file")
    );
    assert_eq!(config.theme, Theme::Dark);
    assert_eq!(config.users_file.path, Path::new("/srv/people.yml"));
    assert_eq!(config.regulation.max_retries, 7);
    assert_eq!(
        loaded.env_used,
        [
            "AUTHELIA_AUTHENTICATION_BACKEND_FILE_PATH",
            "AUTHELIA_JWT_SECRET",
            "AUTHELIA_REGULATION_MAX_RETRIES",
            "AUTHELIA_SESSION_SECRET_FILE",
            "AUTHELIA_THEME",
        ],
    );
}

#[test]
fn users_have_what_the_file_gives_them() {
    let yaml = LEAST.replace("    path: users.yml", "    path: users.yml\n    extra_attributes:\n      badge:\n        value_type: integer\n      teams:\n        value_type: string\n        multi_valued: true");
    let users = USERS.to_owned()
        + "    phone_number: +491234\n    given_name: John\n    address: {locality: Bonn}\n    extra: {badge: 0x1F, teams: [a, b]}\n    attributes: {given_name: Johnny, code: 1.10}\n    colour: red\n  gone:\n    disabled: yes\n    displayname: Gone\n    password: $6$GS.snZ36Mzc28kvk$G77gyK4TUVsfiqj5Pv3uxibp/Sjn1.tWn/ysU.SE9rAngSSCRfj0X59dmyjCXQdc7ewdNObZvQMOpzs5RoWC/1\ngroups:\n  admins:\n    attributes: {role: admin}\n    additionalHeaders: {X-Role: '{attr:role}'}\n    backend_override: http://{user}.internal\n";
    let loaded = match Memory::new(&yaml).with("/etc/gate/users.yml", users).load() {
        Ok(loaded) => loaded,
        Err(problems) => panic!("{}", super::fixture::lines(&problems)),
    };
    let directory = &loaded.config.directory;
    assert!(directory.user("gone").is_none(), "`yes` disables");
    let john = directory.user("john").expect("john");
    let attribute = |name: &str| john.attributes.get(name).map(String::as_str);
    assert_eq!(attribute("phone_number"), Some("+491234"));
    assert_eq!(
        attribute("given_name"),
        Some("Johnny"),
        "attributes win over the profile"
    );
    assert_eq!(attribute("locality"), Some("Bonn"));
    assert_eq!(
        (attribute("badge"), attribute("teams")),
        (Some("0x1F"), Some("a,b"))
    );
    assert_eq!(
        (attribute("code"), attribute("role")),
        (Some("1.10"), Some("admin"))
    );
    assert_eq!(
        john.additional_headers,
        [("X-Role".to_owned(), "admin".to_owned())]
    );
    assert_eq!(
        john.backend_override.as_deref(),
        Some("http://john.internal")
    );
    let warnings = super::fixture::lines(&loaded.warnings);
    assert_eq!(
        warnings,
        "users.yml:12: users.john.colour: is no key known here and has no effect\n"
    );
}

#[test]
fn every_hash_that_authelia_makes_is_taken() {
    let users = include_str!("hashes.tsv").lines().enumerate().fold(
        "users:\n".to_owned(),
        |users, (n, line)| {
            let hash = line.split('\t').nth(1).expect("a hash");
            users + &format!("  u{n}: {{displayname: U, password: '{hash}'}}\n")
        },
    );
    let loaded = Memory::new(LEAST).with("/etc/gate/users.yml", users).load();
    match loaded {
        Ok(loaded) => assert_eq!(loaded.config.directory.len(), 16),
        Err(problems) => panic!("{}", super::fixture::lines(&problems)),
    }
}

#[test]
fn the_storage_lies_beside_the_configuration() {
    assert!(config(LEAST).storage.is_none());
    let key = "storage:\n  encryption_key: a-storage-key-of-some-length\n";
    assert!(config(&format!("{LEAST}{key}")).storage.is_none());
    let yaml = format!("{LEAST}{key}  local:\n    path: data/db.sqlite3\n");
    let storage = config(&yaml).storage.unwrap();
    assert_eq!(storage.path, Path::new("/etc/gate/data/db.sqlite3"));
    let secret = storage.encryption_key.expose_secret();
    assert_eq!(secret, "a-storage-key-of-some-length");
    assert!(!format!("{storage:?}").contains("a-storage-key"));
}

#[test]
fn another_engine_has_no_effect_yet() {
    let yaml = format!(
        "{LEAST}storage:\n  encryption_key: a-storage-key-of-some-length\n  postgres:\n    address: tcp://db:5432\n"
    );
    let warnings = Memory::new(&yaml).warnings();
    assert!(
        warnings
            .contains("storage.postgres: has no effect yet: only storage.local (SQLite) is built"),
        "{warnings}"
    );
    assert!(config(&yaml).storage.is_none());
}
