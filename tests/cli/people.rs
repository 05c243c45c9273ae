//! `auth-gate user`, `session` and `ban`: a storage to change, and what holds for every change.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use ngx_http_auth_gate_module::store::{Ledger, Sqlite, StorageKey};

use super::fixture::{Ran, configuration, run};

const KEY: &str = "a-storage-key-of-some-length-for-the-tests";

pub(super) struct Site {
    pub(super) config: String,
    pub(super) file: PathBuf,
}

/// A configuration with a storage.
pub(super) fn site(test: &str) -> Site {
    let config = configuration(test, |text| {
        format!("{text}storage:\n  encryption_key: {KEY}\n  local:\n    path: db.sqlite3\n")
    });
    let file = Path::new(&config).with_file_name("db.sqlite3");
    Site { config, file }
}

impl Site {
    pub(super) fn run(&self, arguments: &[&str]) -> Ran {
        run(&[arguments, &["--config", &self.config]].concat())
    }

    /// What a command prints that must end well.
    pub(super) fn well(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.status, 0, "{arguments:?}: {}", ran.err);
        ran.out
    }

    /// What a command says that must not.
    pub(super) fn bad(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!((ran.status, &*ran.out), (1, ""), "{arguments:?}");
        ran.err
    }

    pub(super) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let out = self.well(&[arguments, &["--format", "json"]].concat());
        serde_json::from_str(&out).unwrap()
    }

    pub(super) fn store(&self) -> Sqlite {
        let key = StorageKey::derive(KEY.as_bytes());
        Sqlite::open(&self.file, key, &mut |bytes: &mut [u8]| {
            getrandom::fill(bytes).unwrap();
        })
        .unwrap()
    }
}

pub(super) fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_secs()
}

#[test]
fn only_users_of_the_users_file_are_changed() {
    let site = site("people_unknown");
    for arguments in [
        &["user", "totp", "add", "--user", "nobody"][..],
        &["user", "totp", "list", "--user", "nobody"],
        &["user", "totp", "remove", "--user", "nobody", "--all"],
        &["user", "webauthn", "add", "--user", "nobody"],
        &["session", "end", "--user", "nobody"],
        &["ban", "add", "--user", "nobody"],
        &["ban", "revoke", "--user", "nobody"],
    ] {
        let err = site.bad(arguments);
        assert!(
            err.contains("users.yml: has no enabled user \"nobody\""),
            "{err}"
        );
    }
    // The name of somebody who is known by another.
    site.well(&["ban", "add", "--user", "john@example.com"]);
    assert_eq!(site.json(&["ban", "list"])[0]["user"], "john");
}

#[test]
fn what_root_makes_belongs_to_who_runs_the_workers() {
    const WORKER: u32 = 65534;
    let site = site("people_root");
    let folder = site.file.parent().unwrap();
    if chown(folder, Some(WORKER), Some(WORKER)).is_err() {
        // Only root can give files away.
        return;
    }
    site.well(&["ban", "add", "--user", "john"]);
    assert_eq!(fs::metadata(&site.file).unwrap().uid(), WORKER);
    // While somebody has it open, the files beside it are there, too.
    let open = site.store();
    open.bans(now()).unwrap();
    site.well(&["ban", "add", "--ip", "192.0.2.1"]);
    let beside = ["-wal", "-shm"].map(|ending| format!("{}{ending}", site.file.display()));
    for file in beside {
        assert_eq!(fs::metadata(&file).unwrap().uid(), WORKER, "{file}");
    }
    chown(&site.file, Some(0), Some(0)).unwrap();
    let err = site.run(&["ban", "add", "--user", "john"]).err;
    assert!(err.contains("belongs to root"), "{err}");
}

#[test]
fn without_a_storage_it_is_said_what_to_write() {
    let config = configuration("people_none", |text| text);
    for arguments in [
        &["session", "list"][..],
        &["ban", "add", "--ip", "192.0.2.1"],
        &["user", "totp", "add", "--user", "john"],
    ] {
        let ran = run(&[arguments, &["--config", &config]].concat());
        assert_eq!(ran.status, 1);
        assert!(
            ran.err
                .contains("names no storage; write storage.local.path"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn half_a_command_ends_with_2() {
    for arguments in [
        &["user"][..],
        &["user", "totp"],
        &["user", "totp", "add"],
        &["user", "totp", "remove", "--user", "john"],
        &[
            "user", "totp", "remove", "--user", "john", "--all", "--id", "1",
        ],
        &["session"],
        &["session", "end"],
        &["session", "end", "--all", "--user", "john"],
        &["ban", "add"],
        &["ban", "add", "--user", "john", "--ip", "192.0.2.1"],
        &["ban", "add", "--user", "john", "--for", "0"],
        &["ban", "add", "--user", "john", "--for", "soon"],
        &["ban", "add", "--ip", "192.0.2"],
        &["session", "list", "--format", "xml"],
    ] {
        let ran = run(&[arguments, &["--config", "x"]].concat());
        assert_eq!((ran.status, &*ran.out), (2, ""), "{arguments:?}");
    }
}
