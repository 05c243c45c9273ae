//! Sessions that somebody has tampered with, or a disk has spoilt.

use std::fs;

use ngx_http_auth_gate_module::store::{Event, Ledger, LedgerSession, Sqlite, StoreError, inspect};
use rusqlite::Connection;

use super::contract::{self, session, started};
use super::fixture::{NOW, key, store};

/// A store with three sessions in its file, where others may change it.
fn three(test: &str) -> Sqlite {
    let store = store(test);
    let sessions = [1, 2, 3].map(|number| {
        started(LedgerSession {
            record: format!("a-record-of-session-{number}").into(),
            ..session(number, "alice", NOW)
        })
    });
    store.record(&sessions, 1, NOW).unwrap();
    store
}

fn change(store: &Sqlite, sql: &str) {
    let raw = Connection::open(store.path()).unwrap();
    raw.execute_batch(sql).unwrap();
}

fn fetched(store: &Sqlite) -> [Option<String>; 3] {
    [1, 2, 3].map(|number| {
        let session = contract::fetch(store, number, NOW)?;
        Some(String::from_utf8(session.record).unwrap())
    })
}

fn right(number: u8) -> Option<String> {
    Some(format!("a-record-of-session-{number}"))
}

#[test]
fn records_are_not_in_the_file() {
    let store = three("records_sealed");
    assert_eq!(fetched(&store), [1, 2, 3].map(right));
    let path = store.path().to_owned();
    drop(store);
    let bytes = fs::read(path).unwrap();
    let record = b"a-record-of-session";
    assert!(!bytes.windows(record.len()).any(|window| window == record));
}

#[test]
fn a_record_in_the_wrong_place_or_spoilt_is_none() {
    let taken = "(SELECT record FROM sessions WHERE hex(key) LIKE '02%')";
    let other = "(SELECT sealed FROM store_check)";
    let spoilt = "CAST(substr(record, 1, 40) || x'00' || substr(record, 42) AS BLOB)";
    let values = [
        taken,
        other,
        spoilt,
        "substr(record, 1, 30)",
        "x''",
        "x'01'",
        "NULL",
    ];
    let store = three("records_spoilt");
    for value in values {
        let sessions = [1].map(|number| started(session(number, "alice", NOW)));
        change(&store, "DELETE FROM sessions WHERE hex(key) LIKE '01%'");
        store.record(&sessions, 1, NOW).unwrap();
        change(
            &store,
            &format!("UPDATE sessions SET record = {value} WHERE hex(key) LIKE '01%'"),
        );
        assert_eq!(fetched(&store), [None, right(2), right(3)], "{value}");
        // It is listed, so that it can be ended, and spoils no list.
        let listed = store.sessions(None, NOW).unwrap();
        let records: Vec<_> = listed.iter().map(|session| session.record.len()).collect();
        assert_eq!(records, [0, 21, 21], "{value}");
        if value != "NULL" {
            let error = inspect(store.path(), &key(), NOW).unwrap_err();
            assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        }
        // Whoever still has it writes it down again.
        let known = contract::used(1, "alice", NOW, NOW + 1);
        contract::record(&store, &[Event::Used(known.clone())], NOW + 1);
        assert_eq!(contract::fetch(&store, 1, NOW), Some(known));
    }
}

#[test]
fn records_that_were_exchanged_are_nobodys() {
    let store = three("records_exchanged");
    let raw = Connection::open(store.path()).unwrap();
    let record = |number: u8| -> Vec<u8> {
        let query = "SELECT record FROM sessions WHERE key = ?1";
        let found = raw.query_one(query, [[number; 32]], |row| row.get(0));
        found.unwrap()
    };
    let records = [1, 2, 3].map(record);
    for (number, record) in [(1_u8, &records[1]), (2, &records[2]), (3, &records[0])] {
        let update = "UPDATE sessions SET record = ?2 WHERE key = ?1";
        let values = rusqlite::params![[number; 32], record];
        raw.execute(update, values).unwrap();
    }
    assert_eq!(fetched(&store), [None, None, None]);
    // Nor does a right record under another name open.
    raw.execute("UPDATE sessions SET record = ?1", [&records[0]])
        .unwrap();
    assert_eq!(fetched(&store), [right(1), None, None]);
    raw.execute(
        "UPDATE sessions SET key = zeroblob(32) WHERE key = ?1",
        [[1_u8; 32]],
    )
    .unwrap();
    assert_eq!(contract::fetch(&store, 0, NOW), None);
}

#[test]
fn a_row_that_nobody_wrote_spoils_no_list() {
    let store = three("rows_spoilt");
    for change_to in [
        "address = 'nowhere'",
        "key = x'01'",
        "remember = 17",
        "created = -5, last_used = -5",
        "methods = ',,,'",
        "user = CAST(x'ff' AS TEXT)",
    ] {
        change(
            &store,
            &format!("UPDATE sessions SET {change_to} WHERE hex(key) LIKE '01%'"),
        );
        let listed = store.sessions(None, NOW).unwrap();
        assert!(listed.len() >= 2, "{change_to}");
        assert_eq!(fetched(&store)[1..], [right(2), right(3)]);
        store.sessions(Some("alice"), NOW).unwrap();
    }
}

#[test]
fn a_secret_that_was_changed_is_an_error_and_not_another_secret() {
    let store = store("secret_spoilt");
    store.secret(&[1; 32]).unwrap();
    change(
        &store,
        "UPDATE shared_secret SET sealed = (SELECT sealed FROM store_check)",
    );
    let error = store.secret(&[2; 32]).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(inspect(store.path(), &key(), NOW).is_err());
}
