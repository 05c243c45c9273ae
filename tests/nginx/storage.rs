//! The store under the workers: what is wrong with it is said before nginx starts, and what goes wrong while it runs
//! refuses whoever needs it and mends by itself.

use std::fs;
use std::path::Path;

use ngx_http_auth_gate_module::store::{Sqlite, StorageKey};
use rusqlite::Connection;

use super::harness::Site;
use super::harness::place::{give, is_root};

pub(super) const KEY: &str = "a storage key of tests, long enough";
const STORAGE: &str = "storage:
  encryption_key: a storage key of tests, long enough
  local:
    path: store/db.sqlite3
";

/// The test bed with a store in a folder of its own, given to the workers.
pub(super) fn bed() -> Site {
    Site::bed()
        .yaml(STORAGE)
        .file("store/.keep", "")
        .prepare(|prefix| give(&prefix.join("store")))
}

/// The store of a site, open.
pub(super) fn open(prefix: &Path, key: &str) -> Sqlite {
    let key = StorageKey::derive(key.as_bytes());
    let random = &mut |bytes: &mut [u8]| getrandom::fill(bytes).unwrap();
    Sqlite::open(&prefix.join("store/db.sqlite3"), key, random).unwrap()
}

fn execute(prefix: &Path, statements: &str) {
    let path = prefix.join("store/db.sqlite3");
    let database = Connection::open(&path).unwrap();
    database.execute_batch(statements).unwrap();
    drop(database);
    give(&path);
}

#[test]
fn a_good_store_or_none_yet_is_taken_and_nothing_is_made() {
    bed().check().taken();
    let made = bed().prepare(|prefix| drop(open(prefix, KEY)));
    made.check().taken();
    let gate = bed().start();
    assert!(
        !gate.prefix().join("store/db.sqlite3").exists(),
        "opened before anybody needed it"
    );
}

#[test]
fn what_is_wrong_with_the_store_stops_nginx_with_a_sentence() {
    let path = "@prefix@/store/db.sqlite3";
    bed()
        .prepare(|prefix| drop(open(prefix, "another key")))
        .check()
        .refused(&[path, "was made with another storage.encryption_key"]);
    bed()
        .prepare(|prefix| {
            drop(open(prefix, KEY));
            execute(prefix, "PRAGMA user_version = 1000000");
        })
        .check()
        .refused(&[path, "was written by a newer Auth Gate"]);
    bed()
        .prepare(|prefix| {
            let path = prefix.join("store/db.sqlite3");
            fs::write(&path, include_bytes!("../storage/schema-24.sqlite3")).unwrap();
            give(&path);
        })
        .check()
        .refused(&[
            path,
            "is the database of Authelia",
            "auth-gate storage import",
        ]);
    bed()
        .prepare(|prefix| fs::remove_dir_all(prefix.join("store")).unwrap())
        .check()
        .refused(&[
            path,
            "there is no folder",
            "make it and give it to the user",
        ]);
    bed()
        .prepare(|prefix| fs::write(prefix.join("store/db.sqlite3"), [b'x'; 4096]).unwrap())
        .prepare(|prefix| give(&prefix.join("store/db.sqlite3")))
        .check()
        .refused(&[path, "is no SQLite database"]);
}

#[test]
fn it_is_the_workers_who_must_be_able_to_write() {
    if !is_root() {
        return;
    }
    Site::bed()
        .yaml(STORAGE)
        .file("store/.keep", "")
        .check()
        .refused(&[
            "@prefix@/store",
            "cannot be read and written by user",
            "chown",
        ]);
    bed()
        .prepare(|prefix| {
            drop(open(prefix, KEY));
            let path = prefix.join("store/db.sqlite3");
            std::os::unix::fs::chown(&path, Some(0), Some(0)).unwrap();
        })
        .check()
        .refused(&[
            "@prefix@/store/db.sqlite3",
            "cannot be read and written by user",
        ]);
}
