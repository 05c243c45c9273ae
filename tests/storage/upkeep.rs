//! A store that cannot be written, is locked, or is of an older release.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use ngx_http_auth_gate_module::store::{
    BannedBy, Command as Order, Factors, Ledger, State, StoreError, Target, check, inspect,
};
use rusqlite::Connection;

use super::contract::{self, session, started};
use super::fixture::{NOW, device, folder, key, open, random, store};

const FOLDER: &str = "AUTH_GATE_TEST_PROBE";
const WORKER: u32 = 65534;

/// What the child runs, who must not write. Nothing to do for who is no child.
#[test]
fn prober() {
    let Some(path) = std::env::var_os(FOLDER) else {
        return;
    };
    let probed = open(Path::new(&path)).and_then(|store| store.probe(NOW));
    let unwritable = matches!(probed, Err(StoreError::Unwritable { .. }));
    assert!(unwritable, "{probed:?}");
}

#[test]
fn a_probe_finds_out_that_nothing_can_be_written() {
    let folder = folder("probe_read_only");
    let path = folder.join("db.sqlite3");
    let store = open(&path).unwrap();
    store.probe(NOW).unwrap();
    drop(store);
    // Whom modes do not bind becomes somebody whom they do.
    let root = chown(&folder, Some(WORKER), Some(WORKER)).is_ok();
    if root {
        chown(&path, Some(WORKER), Some(WORKER)).unwrap();
    }
    fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    if root {
        child.uid(WORKER).gid(WORKER);
    }
    let ended = child
        .args(["--exact", "upkeep::prober"])
        .env(FOLDER, &path)
        .output()
        .unwrap();
    assert!(ended.status.success(), "{ended:?}");
}

#[test]
fn nobody_waits_for_a_locked_store_for_longer_than_five_seconds() {
    let store = store("locked");
    let path = store.path();
    store
        .record(&[started(session(1, "alice", NOW))], 1, NOW)
        .unwrap();
    let other = Connection::open(path).unwrap();
    let lock = "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; \
        INSERT INTO probe (id, at) VALUES (1, 1) ON CONFLICT DO NOTHING";
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let busy = |what: &str, call: &(dyn Fn() -> Result<(), StoreError> + Sync)| {
        let started = Instant::now();
        let error = call().unwrap_err();
        let waited = started.elapsed();
        assert!(matches!(error, StoreError::Busy { .. }), "{what}: {error}");
        let fine = Duration::from_secs(4)..Duration::from_secs(8);
        assert!(fine.contains(&waited), "{what}: {waited:?}");
    };
    thread::scope(|scope| {
        // Reading goes on; and of those who would write each waits once, with a new connection, too.
        assert_eq!(contract::listed(&store, None, NOW), [1]);
        for number in 0..5 {
            let (store, busy) = (&store, &busy);
            scope.spawn(move || match number {
                0 => busy("order", &|| {
                    let order = contract::end_user("alice", None);
                    store.place_order(&order, 0, NOW).map(|_| ())
                }),
                _ => busy("record", &|| store.record(&[], 1, NOW).map(|_| ())),
            });
        }
    });
    drop((other, store));
    // Alone with it, as an administrator may be: nobody else gets in at all.
    let path = folder("locked_alone").join("db.sqlite3");
    drop(open(&path).unwrap());
    let other = Connection::open(&path).unwrap();
    other.execute_batch(lock).unwrap();
    busy("open", &|| open(&path).map(|_| ()));
}

/// A file of schema 3 with what is in `current`, and a session and an order as they were then.
fn of_schema_3(current: &Path, older: &Path) {
    let raw = Connection::open(older).unwrap();
    let schemas = [
        include_str!("../../src/store/sqlite/schema-1.sql"),
        include_str!("../../src/store/sqlite/schema-2.sql"),
        include_str!("../../src/store/sqlite/schema-3.sql"),
    ];
    schemas
        .iter()
        .for_each(|sql| raw.execute_batch(sql).unwrap());
    raw.execute("ATTACH ?1 AS current", [current.to_str().unwrap()])
        .unwrap();
    for table in ["store_check", "totp_devices", "bans", "preferences"] {
        let copy = format!("INSERT INTO {table} SELECT * FROM current.{table}");
        raw.execute(&copy, []).unwrap();
    }
    raw.execute_batch(&format!(
        "INSERT INTO sessions VALUES (zeroblob(32), 'alice', 'example.com', '192.0.2.1', '', '', 0, \
            {NOW}, {NOW}, {NOW} + 600, 0); \
        INSERT INTO orders (kind, at) VALUES ('end all', {NOW}); \
        PRAGMA application_id = {}; PRAGMA user_version = 3; PRAGMA journal_mode = WAL;",
        0x4147_6174
    ))
    .unwrap();
}

#[test]
fn a_store_of_an_older_release_keeps_what_counts() {
    let folder = folder("older");
    let (current, older) = (folder.join("current"), folder.join("older"));
    let store = open(&current).unwrap();
    let phone = device("alice", "phone");
    store.add_totp(&phone, NOW, &mut random).unwrap();
    let bob = Target::User("bob".into());
    let by = BannedBy::Administrator;
    let ban = contract::ban(bob, by, NOW, NOW + 600);
    let order = Order::Ban(ban.clone());
    store.place_order(&order, 0, NOW).unwrap();
    of_schema_3(&current, &older);
    let state = check(&older, &key()).unwrap();
    assert_eq!(state, State::Older { version: 3 });
    let migrated = open(&older).unwrap();
    assert_eq!(migrated.totp_devices("alice").unwrap().len(), 1);
    assert_eq!(migrated.bans(NOW).unwrap(), [ban]);
    // Of sessions nothing was known but words, and nobody can take them up.
    assert!(contract::listed(&migrated, None, NOW).is_empty());
    let begun = started(session(1, "alice", NOW));
    assert!(contract::record(&migrated, &[begun], NOW).is_empty());
    assert_eq!(contract::listed(&migrated, None, NOW), [1]);
    assert!(contract::commands(&migrated).is_empty());
    let (state, contents) = inspect(&older, &key(), NOW).unwrap();
    assert_eq!((state, contents.totp), (State::Current { version: 5 }, 1));
}
