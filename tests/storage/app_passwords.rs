//! App passwords in the store: what it keeps, what it forgets, and what somebody gets who can write to
//! its file.

use ngx_http_auth_gate_module::store::{
    AppPassword, AppPasswords, MAX_DEVICES, Sqlite, State, StoreError, check, inspect,
};
use rusqlite::Connection;

use super::fixture::{NOW, folder, key, open, random, store};

const DAY: u64 = 24 * 60 * 60;

fn password(user: &str, name: &str, number: u8) -> AppPassword {
    AppPassword {
        id: vec![number; 10],
        user: user.into(),
        name: name.into(),
        verifier: vec![number; 32],
        hosts: vec!["wiki.example.com".into(), "*.dav.example.com".into()],
        created: NOW,
        expires: Some(NOW + 90 * DAY),
        last_used: None,
    }
}

fn add(store: &Sqlite, new: &AppPassword) -> Result<(), StoreError> {
    store.add_app_password(new, &mut random)
}

fn names(store: &Sqlite, user: &str) -> Vec<String> {
    let found = store.app_passwords(user).unwrap().into_iter();
    found.map(|it| it.name).collect()
}

#[test]
fn they_come_back_as_they_were_given() {
    let store = store("app_passwords");
    let phone = password("alice", "phone", 1);
    let tablet = AppPassword {
        hosts: Vec::new(),
        created: NOW + 1,
        expires: None,
        ..password("alice", "tablet ü", 2)
    };
    for new in [&phone, &tablet, &password("bob", "phone", 3)] {
        add(&store, new).unwrap();
    }
    let again = open(store.path()).unwrap();
    assert_eq!(
        again.app_passwords("alice").unwrap(),
        [phone, tablet.clone()]
    );
    assert_eq!(again.app_password(&tablet.id).unwrap(), Some(tablet));
    assert_eq!(again.app_password(&[9; 10]).unwrap(), None);
    assert_eq!(again.all_app_passwords().unwrap().len(), 3);
    let (_, contents) = inspect(store.path(), &key(), NOW).unwrap();
    assert_eq!((contents.users, contents.app_passwords), (2, 3));
}

#[test]
fn the_last_second_of_all_is_kept_like_any_other() {
    let store = store("app_password_end");
    let endless = AppPassword {
        expires: Some(u64::MAX),
        ..password("alice", "phone", 1)
    };
    add(&store, &endless).unwrap();
    add(&store, &password("bob", "phone", 2)).unwrap();
    assert_eq!(names(&store, "alice"), ["phone"]);
    assert_eq!(store.all_app_passwords().unwrap().len(), 2);
}

#[test]
fn names_are_one_users_and_unique() {
    let store = store("app_password_names");
    add(&store, &password("alice", "phone", 1)).unwrap();
    add(&store, &password("bob", "phone", 2)).unwrap();
    for (name, number) in [("phone", 3), ("other", 1)] {
        let error = add(&store, &password("alice", name, number)).unwrap_err();
        assert!(matches!(error, StoreError::NameTaken), "{error}");
    }
    for bad in ["", " ", "a\nb", "a\u{202e}b", &"x".repeat(65)] {
        let error = add(&store, &password("alice", bad, 4)).unwrap_err();
        assert!(matches!(error, StoreError::BadName), "{bad:?}: {error}");
    }
    assert_eq!(names(&store, "alice"), ["phone"]);
}

#[test]
fn a_user_has_no_more_than_so_many() {
    let store = store("app_password_crowd");
    for number in 0..MAX_DEVICES as u8 {
        add(&store, &password("alice", &format!("{number}"), number)).unwrap();
    }
    let error = add(&store, &password("alice", "one more", 200)).unwrap_err();
    assert!(matches!(error, StoreError::TooManyAppPasswords), "{error}");
    add(&store, &password("bob", "first", 200)).unwrap();
    assert!(
        store
            .remove_app_password("alice", &[0; 10])
            .unwrap()
            .is_some()
    );
    add(&store, &password("alice", "one more", 201)).unwrap();
}

#[test]
fn only_its_user_revokes_one() {
    let store = store("app_password_revoked");
    add(&store, &password("alice", "phone", 1)).unwrap();
    assert_eq!(store.remove_app_password("bob", &[1; 10]).unwrap(), None);
    assert_eq!(names(&store, "alice"), ["phone"]);
    let removed = store.remove_app_password("alice", &[1; 10]).unwrap();
    assert_eq!(removed.as_deref(), Some("phone"));
    assert_eq!(store.remove_app_password("alice", &[1; 10]).unwrap(), None);
    assert_eq!(store.app_password(&[1; 10]).unwrap(), None);
    assert!(!store.note_app_password(&[1; 10], NOW).unwrap());
}

#[test]
fn the_last_use_never_goes_back() {
    let store = store("app_password_used");
    add(&store, &password("alice", "phone", 1)).unwrap();
    for (at, last) in [
        (NOW + 10, NOW + 10),
        (NOW + 5, NOW + 10),
        (NOW + 20, NOW + 20),
    ] {
        assert!(store.note_app_password(&[1; 10], at).unwrap());
        let kept = store.app_password(&[1; 10]).unwrap().unwrap();
        assert_eq!(kept.last_used, Some(last));
    }
}

#[test]
fn those_that_are_over_are_shown_for_a_month() {
    let store = store("app_password_over");
    let lasting = |name: &str, number, days: Option<u64>| AppPassword {
        expires: days.map(|days| NOW + days * DAY),
        ..password("alice", name, number)
    };
    add(&store, &lasting("short", 1, Some(1))).unwrap();
    add(&store, &lasting("long", 2, Some(365))).unwrap();
    add(&store, &lasting("endless", 3, None)).unwrap();
    // Somebody else's is as good an occasion as any.
    let later = |days: u64, number| AppPassword {
        created: NOW + days * DAY,
        ..password("bob", &format!("{days}"), number)
    };
    add(&store, &later(31, 4)).unwrap();
    assert_eq!(names(&store, "alice"), ["endless", "long", "short"]);
    add(&store, &later(32, 5)).unwrap();
    assert_eq!(names(&store, "alice"), ["endless", "long"]);
}

#[test]
fn a_row_that_was_changed_opens_nothing() {
    for (at, change) in [
        "user = 'bob'",
        "hosts = ''",
        "hosts = 'wiki.example.com *.dav.example.com evil.example.com'",
        "expires = NULL",
        "expires = expires + 1",
        "created = created + 1",
        "verifier = zeroblob(32)",
        "verifier = (SELECT verifier FROM app_passwords WHERE name = 'tablet')",
        "verifier = (SELECT sealed FROM store_check)",
        "id = x'00000000000000000007'",
    ]
    .into_iter()
    .enumerate()
    {
        let store = store(&format!("app_password_changed_{at}"));
        add(&store, &password("alice", "phone", 1)).unwrap();
        add(&store, &password("alice", "tablet", 2)).unwrap();
        let raw = Connection::open(store.path()).unwrap();
        let update = format!("UPDATE app_passwords SET {change} WHERE name = 'phone'");
        assert_eq!(raw.execute(&update, []).unwrap(), 1);
        let id: Vec<u8> = raw
            .query_one(
                "SELECT id FROM app_passwords WHERE name = 'phone'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        let error = store.app_password(&id).unwrap_err();
        assert!(
            matches!(error, StoreError::Damaged { .. }),
            "{change}: {error}"
        );
        assert!(store.app_password(&[2; 10]).unwrap().is_some(), "{change}");
        assert!(inspect(store.path(), &key(), NOW).is_err(), "{change}");
    }
}

#[test]
fn verifiers_are_not_in_the_file() {
    let store = store("app_password_sealed");
    let verifier = b"a-verifier-of-thirty-two-bytes-!";
    let new = AppPassword {
        verifier: verifier.to_vec(),
        ..password("alice", "phone", 1)
    };
    add(&store, &new).unwrap();
    let path = store.path().to_owned();
    drop(store);
    let bytes = std::fs::read(path).unwrap();
    assert!(
        !bytes
            .windows(verifier.len())
            .any(|window| window == verifier)
    );
}

#[test]
fn a_store_of_schema_4_gets_a_place_for_them() {
    let folder = folder("app_password_older");
    let path = folder.join("db.sqlite3");
    let phone = super::fixture::device("alice", "phone");
    {
        use ngx_http_auth_gate_module::store::Factors;
        let store = open(&path).unwrap();
        store.add_totp(&phone, NOW, &mut random).unwrap();
    }
    let raw = Connection::open(&path).unwrap();
    raw.execute_batch("DROP TABLE app_passwords; PRAGMA user_version = 4")
        .unwrap();
    drop(raw);
    let state = check(&path, &key()).unwrap();
    assert_eq!(state, State::Older { version: 4 });
    let store = open(&path).unwrap();
    add(&store, &password("alice", "phone", 1)).unwrap();
    let (state, contents) = inspect(&path, &key(), NOW).unwrap();
    assert_eq!(state, State::Current { version: 5 });
    assert_eq!((contents.totp, contents.app_passwords), (1, 1));
}
