//! `auth-gate storage`, as an administrator runs it.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::fixture::{folder, recorded};
use super::imports::AUTHELIAS_KEY;

const CONFIGURATION: &str = "\
access_control:
  default_policy: two_factor
authentication_backend:
  file:
    path: users.yml
session:
  secret: a-secret-of-some-length-for-the-tests
  cookies:
    - domain: example.com
      authelia_url: https://auth.example.com
storage:
  encryption_key: KEY
  local:
    path: ours.sqlite3
";

const USERS: &str = "\
users:
  alice: {displayname: Alice, password: HASH}
  bob: {displayname: Bob, password: HASH}
  erin: {displayname: Erin, password: HASH}
";

const HASH: &str = "$argon2id$v=19$m=1024,t=1,p=1$AhQkYiTfw1U8C71DDKRMvA$VsUqy8zzmGqUIicz7mGMz9X65zZ8kElo04KyXsbfRhU";

struct Site {
    folder: std::path::PathBuf,
    config: String,
}

/// A configuration with `key` for its storage.
fn site(test: &str, key: &str) -> Site {
    let folder = folder(test);
    fs::write(
        folder.join("users.yml"),
        USERS.replace("HASH", &format!("'{HASH}'")),
    )
    .unwrap();
    let config = folder.join("configuration.yml");
    fs::write(&config, CONFIGURATION.replace("KEY", key)).unwrap();
    let config = config.to_str().unwrap().into();
    Site { folder, config }
}

/// Status, standard output and standard error.
fn run(arguments: &[&str]) -> (i32, String, String) {
    run_as(None, arguments)
}

fn run_as(user: Option<u32>, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_auth-gate"));
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
    let output = command
        .arg("storage")
        .args(arguments)
        .env_clear()
        .output()
        .unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

fn import(site: &Site, from: &Path, more: &[&str]) -> (i32, String, String) {
    let from = from.to_str().unwrap();
    let arguments = ["import", "--from", from, "--config", &site.config];
    run(&[&arguments[..], more].concat())
}

#[test]
fn an_import_says_what_was_taken() {
    let site = site("command_import", AUTHELIAS_KEY);
    let from = recorded(&site.folder, 26);
    let folder = site.folder.display();
    let check = || run(&["check", "--config", &site.config]);
    let fresh = format!(
        "{folder}/ours.sqlite3 is not there yet; it is made when the first user signs in or enrols\n"
    );
    assert_eq!(check(), (0, fresh, String::new()));
    let (status, out, err) = import(&site, &from, &[]);
    assert_eq!(
        out,
        format!(
            "Imported from {folder}/schema-26.sqlite3 (schema 26 of Authelia) into {folder}/ours.sqlite3:\n  \
            3 TOTP devices\n  1 security key\n  2 preferred methods\n"
        )
    );
    assert_eq!(status, 0, "{err}");
    assert!(err.starts_with(&format!(
        "warning: carol is not among the enabled users of {folder}/users.yml; "
    )));
    let (status, out, _) = import(&site, &recorded(&site.folder, 24), &[]);
    assert_eq!(status, 0);
    assert!(
        out.contains("\n  0 TOTP devices (3 imported or chosen here before)\n"),
        "{out}"
    );
    let good = format!(
        "{folder}/ours.sqlite3 is good: schema 5, 3 TOTP devices, 1 security key and 0 app passwords of 4 users\n"
    );
    assert_eq!(check(), (0, good, String::new()));
}

#[test]
fn the_key_of_that_authelia_may_be_another() {
    let site = site("command_key", "another-storage-key-of-some-length");
    let from = recorded(&site.folder, 24);
    let (status, out, err) = import(&site, &from, &[]);
    assert_eq!((status, out.as_str()), (1, ""));
    assert!(
        err.contains("does not open with this encryption key"),
        "{err}"
    );
    assert!(!site.folder.join("ours.sqlite3").exists());
    let key = site.folder.join("authelias.key");
    fs::write(&key, format!("{AUTHELIAS_KEY}\r\n")).unwrap();
    let more = ["--encryption-key-file", key.to_str().unwrap()];
    let (status, out, err) = import(&site, &from, &more);
    assert_eq!(status, 0, "{err}");
    assert!(out.contains("3 TOTP devices"), "{out}");
    fs::write(&key, "\n").unwrap();
    let (status, _, err) = import(&site, &from, &more);
    assert_eq!(status, 1);
    assert!(err.contains("authelias.key: is empty"), "{err}");
}

#[test]
fn the_file_of_authelia_is_not_taken_for_ours() {
    let site = site("command_same", AUTHELIAS_KEY);
    let from = recorded(&site.folder, 26);
    let ours = site.folder.join("ours.sqlite3");
    fs::rename(&from, &ours).unwrap();
    let before = fs::read(&ours).unwrap();
    let check = run(&["check", "--config", &site.config]);
    for (status, out, err) in [check, import(&site, &ours, &[])] {
        assert_eq!((status, out.as_str()), (1, ""));
        assert!(err.contains("is the database of Authelia"), "{err}");
        assert!(err.contains("storage.local.path"), "{err}");
    }
    assert_eq!(fs::read(&ours).unwrap(), before);
}

#[test]
fn a_configuration_without_storage_is_told_what_to_write() {
    let site = site("command_none", AUTHELIAS_KEY);
    let text = fs::read_to_string(&site.config).unwrap();
    let (text, _) = text.split_once("storage:").unwrap();
    fs::write(&site.config, text).unwrap();
    let (status, out, err) = run(&["check", "--config", &site.config]);
    assert_eq!((status, out.as_str()), (1, ""));
    assert!(
        err.contains("names no storage; write storage.local.path"),
        "{err}"
    );
}

#[test]
fn a_damaged_or_locked_away_storage_is_no_good_news() {
    let site = site("command_damaged", AUTHELIAS_KEY);
    let check = || run(&["check", "--config", &site.config]);
    fs::write(site.folder.join("ours.sqlite3"), "x".repeat(5000)).unwrap();
    let (status, _, err) = check();
    assert_eq!(status, 1);
    assert!(err.contains("ours.sqlite3: is no SQLite database"), "{err}");
}

#[test]
fn what_the_user_cannot_write_is_named_with_what_to_type() {
    const WORKER: u32 = 65534;
    let site = site("command_worker", AUTHELIAS_KEY);
    let ours = site.folder.join("ours.sqlite3");
    if chown(&site.folder, Some(WORKER), None).is_err() {
        // Only root can become somebody else.
        return;
    }
    let check = || run_as(Some(WORKER), &["check", "--config", &site.config]);
    assert_eq!(check().0, 0);
    chown(&site.folder, Some(0), None).unwrap();
    let (status, _, err) = check();
    assert_eq!(status, 1);
    let folder = site.folder.display();
    assert!(
        err.contains(&format!(
            "{folder}: cannot be read and written by user 65534"
        )) && err.contains(&format!("chown 65534 '{folder}'")),
        "{err}"
    );
    let (_, _, err) = import(&site, &recorded(&site.folder, 26), &[]);
    assert!(err.contains("ours.sqlite3 belongs to root"), "{err}");
    chown(&site.folder, Some(WORKER), None).unwrap();
    let (status, _, err) = check();
    assert_eq!(status, 1);
    assert!(
        err.contains("ours.sqlite3: cannot be read and written"),
        "{err}"
    );
    chown(&ours, Some(WORKER), None).unwrap();
    let (status, out, err) = check();
    assert_eq!(status, 0, "{err}");
    assert!(out.contains("3 TOTP devices"), "{out}");
}

#[test]
fn the_help_has_examples_and_half_a_command_ends_with_2() {
    for command in ["check", "import"] {
        let (status, out, _) = run(&["help", command]);
        assert_eq!(status, 0);
        assert!(out.contains("Example"), "{command} has no example");
    }
    for half in [&[][..], &["check"], &["import", "--from", "x"], &["open"]] {
        let (status, out, _) = run(half);
        assert_eq!((status, out.as_str()), (2, ""), "{half:?}");
    }
}
