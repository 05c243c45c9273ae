//! What the file may be, and what is said about what it may not.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use ngx_http_auth_gate_module::store::{
    Contents, Factors, State, StorageKey, StoreError, check, inspect,
};
use rusqlite::Connection;

use super::fixture::{NOW, credential, device, folder, key, open, random, recorded, store};

/// What opening and checking say, which must be the same.
fn refused(path: &Path) -> String {
    let before = fs::read(path).ok();
    let opened = open(path).unwrap_err().to_string();
    let checked = check(path, &key()).unwrap_err().to_string();
    assert_eq!(opened, checked);
    assert_eq!(fs::read(path).ok(), before, "the file was changed");
    opened
}

#[test]
fn a_new_file_is_private_and_in_wal_mode() {
    let store = store("new");
    let file = fs::metadata(store.path()).unwrap();
    assert_eq!(file.mode() & 0o777, 0o600);
    let raw = Connection::open(store.path()).unwrap();
    let mode: String = raw
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn checking_makes_nothing() {
    let folder = folder("checking");
    let path = folder.join("db.sqlite3");
    assert_eq!(check(&path, &key()).unwrap(), State::Fresh);
    assert!(!path.exists());
    drop(open(&path).unwrap());
    let current = State::Current { version: 5 };
    assert_eq!(check(&path, &key()).unwrap(), current);
    let names: Vec<_> = fs::read_dir(&folder).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
    let busy = open(&path).unwrap();
    let phone = device("alice", "phone");
    busy.add_totp(&phone, NOW, &mut random).unwrap();
    let (state, contents) = inspect(&path, &key(), NOW).unwrap();
    let one = Contents {
        users: 1,
        totp: 1,
        ..Contents::default()
    };
    assert_eq!((state, contents), (current, one));
}

#[test]
fn odd_names_of_files_are_only_names() {
    for name in ["a?mode=memory#b", "50%", "ü ü", "file:x"] {
        let path = folder("odd_names").join(name);
        let store = open(&path).unwrap();
        store
            .add_totp(&device("alice", "phone"), NOW, &mut random)
            .unwrap();
        drop(store);
        let (_, contents) = inspect(&path, &key(), NOW).unwrap();
        assert_eq!(contents.totp, 1, "{name}");
    }
}

#[test]
fn another_key_is_found_out_at_once() {
    let store = store("another_key");
    let other = StorageKey::derive(b"another-storage-key-of-some-length");
    let opened =
        ngx_http_auth_gate_module::store::Sqlite::open(store.path(), other.clone(), &mut random);
    let error = opened.unwrap_err();
    assert!(matches!(error, StoreError::WrongKey { .. }));
    assert!(
        error
            .to_string()
            .ends_with("was made with another storage.encryption_key; write the key it was made with, or start with a new file")
    );
    let checked = check(store.path(), &other).unwrap_err();
    assert!(matches!(checked, StoreError::WrongKey { .. }));
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let folder = folder("not_ours");
    let path = folder.join("db.sqlite3");
    fs::write(&path, "users: {}\n".repeat(100)).unwrap();
    assert!(refused(&path).contains("is no SQLite database"));
    fs::remove_file(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE notes (text)").unwrap();
    drop(other);
    assert!(refused(&path).contains("the database of another program"));
    let authelias = recorded(&folder, 26);
    let said = refused(&authelias);
    assert!(said.contains("is the database of Authelia, which is left as it is"));
    assert!(said.contains("auth-gate storage import --from"), "{said}");
}

#[test]
fn a_newer_schema_is_not_touched() {
    let store = store("newer");
    let raw = Connection::open(store.path()).unwrap();
    raw.pragma_update(None, "user_version", 7).unwrap();
    let path = store.path().to_owned();
    drop((raw, store));
    assert!(refused(&path).contains("written by a newer Auth Gate (schema 7, this one knows 5)"));
}

#[test]
fn a_missing_folder_is_named() {
    let path = folder("no_folder").join("below/db.sqlite3");
    let said = refused(&path);
    assert!(said.contains("there is no folder"), "{said}");
    let said = refused(&folder("a_folder"));
    assert!(said.contains("is no SQLite database"), "{said}");
}

#[test]
fn secrets_are_not_in_the_file_and_rows_cannot_be_exchanged() {
    let store = store("sealed");
    let mut alice = device("alice", "phone");
    alice.secret = b"a-secret-of-alice".to_vec().into();
    store.add_totp(&alice, NOW, &mut random).unwrap();
    store
        .add_totp(&device("mallory", "phone"), NOW, &mut random)
        .unwrap();
    let mut key = credential("alice", "key", b"alice's");
    key.public_key = b"a-public-key-of-alice".to_vec();
    store.add_credential(&key, NOW, &mut random).unwrap();
    let key = credential("mallory", "key", b"mallory's");
    store.add_credential(&key, NOW, &mut random).unwrap();
    let path = store.path().to_owned();
    drop(store);
    let bytes = fs::read(&path).unwrap();
    for secret in [&b"a-secret-of-alice"[..], b"a-public-key-of-alice"] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    }
    let tampered = [
        "UPDATE totp_devices SET secret = (SELECT secret FROM totp_devices WHERE user = 'mallory')",
        "UPDATE totp_devices SET user = 'alice', name = 'x' WHERE user = 'mallory'",
        "UPDATE webauthn_credentials SET public_key = \
            (SELECT public_key FROM webauthn_credentials WHERE user = 'mallory')",
        "UPDATE webauthn_credentials SET user = 'alice', name = 'x' WHERE user = 'mallory'",
        "UPDATE webauthn_credentials SET public_key = attestation",
    ];
    for change in tampered {
        fs::write(&path, &bytes).unwrap();
        Connection::open(&path)
            .unwrap()
            .execute_batch(change)
            .unwrap();
        let store = open(&path).unwrap();
        let found = (store.totp_devices("alice"), store.credentials("alice"));
        let damaged = matches!(
            found,
            (Err(StoreError::Damaged { .. }), _) | (_, Err(StoreError::Damaged { .. }))
        );
        assert!(damaged, "{change}");
        assert!(inspect(&path, &super::fixture::key(), NOW).is_err());
    }
}

#[test]
fn what_root_makes_belongs_to_the_owner_of_the_folder() {
    let folder = folder("ownership");
    if chown(&folder, Some(65534), Some(65534)).is_err() {
        // Only root gives files away, and only root's files need to be.
        return;
    }
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
    let path = folder.join("db.sqlite3");
    let store = open(&path).unwrap();
    store
        .add_totp(&device("alice", "phone"), NOW, &mut random)
        .unwrap();
    check(&path, &key()).unwrap();
    for name in ["db.sqlite3", "db.sqlite3-wal", "db.sqlite3-shm"] {
        let file = fs::metadata(folder.join(name)).unwrap();
        assert_eq!((file.uid(), file.gid()), (65534, 65534), "{name}");
        assert_eq!(file.mode() & 0o777, 0o600, "{name}");
    }
}
