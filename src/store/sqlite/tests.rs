use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use super::*;
use crate::store::{
    Ban, BannedBy, Command, Event, Ledger, LedgerSession, Mark, Target, TriedAt, Try,
};

const NOW: u64 = 1_800_000_000;

thread_local! {
    /// What this thread has had prepared.
    static SEEN: RefCell<BTreeSet<String>> = RefCell::default();
}

pub(super) fn note(sql: &str) {
    SEEN.with_borrow_mut(|seen| seen.insert(sql.to_owned()));
}

/// A store in a folder of its own, which goes with this value.
struct Place(PathBuf);

impl Place {
    fn new(test: &str) -> Self {
        let name = format!("auth-gate-{}-{test}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        Place(folder)
    }

    fn open(&self) -> Sqlite {
        let key = StorageKey::derive(b"a-storage-key-of-some-length");
        Sqlite::open(&self.0.join("db.sqlite3"), key, &mut |bytes| bytes.fill(7)).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn session(number: u16) -> LedgerSession {
    let mut key = [0; 32];
    key[..2].copy_from_slice(&number.to_le_bytes());
    LedgerSession {
        key,
        user: "alice".into(),
        domain: "example.com".into(),
        address: "192.0.2.1".parse().unwrap(),
        device: "Firefox on Linux".into(),
        methods: vec!["password".into()],
        remember: false,
        created: NOW,
        last_used: NOW,
        ends: NOW + 600,
        record: vec![7; 184],
    }
}

fn started(number: u16, replaces: Option<[u8; 32]>) -> Event {
    Event::Started {
        session: session(number),
        replaces,
    }
}

/// Everything that can be asked of a ledger.
fn use_all(store: &Sqlite) {
    let bob = || Target::User("bob".into());
    let ban = Ban {
        target: bob(),
        until: NOW + 60,
        created: NOW,
        by: BannedBy::Regulation,
    };
    let tried = |passed| {
        Event::Tried(Try {
            at: TriedAt::Password,
            target: bob(),
            when: NOW,
            passed,
        })
    };
    let events = [
        started(1, None),
        started(2, Some(session(1).key)),
        Event::Used(session(2)),
        Event::Ended(session(3).key),
        Event::Banned(ban.clone()),
        tried(false),
        tried(true),
    ];
    store.record(&events, 1, NOW).unwrap();
    store.fetch(&session(2).key, NOW).unwrap();
    store.sessions(Some("alice"), NOW).unwrap();
    store.bans(NOW).unwrap();
    store.failures(NOW).unwrap();
    let end_user = Command::EndUser {
        user: "alice".into(),
        except: Some(session(2).key),
    };
    let commands = [
        Command::EndSession(session(9).key),
        end_user,
        Command::EndAll,
        Command::Ban(ban),
        Command::Revoke(bob()),
    ];
    for command in &commands {
        store.place_order(command, 0, NOW).unwrap();
    }
    // Once more, now that an era has ended.
    store.record(&events, 1, NOW + 9000).unwrap();
    store.orders_after(Mark(1, 0), 10, Duration::ZERO).unwrap();
    store.mark_before(10, NOW).unwrap();
    store.probe(NOW).unwrap();
}

#[test]
fn nothing_looks_at_rows_that_it_does_not_need() {
    let place = Place::new("plans");
    let store = place.open();
    SEEN.take();
    use_all(&store);
    let plain = SEEN.take();
    assert!(plain.len() > 30, "{plain:?}");
    let steps = |sql: &str| {
        store.with(|connection| {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            let parameters = statement.parameter_count();
            let nulls = vec![rusqlite::types::Null; parameters];
            let rows = statement.query_map(rusqlite::params_from_iter(nulls), |row| row.get(3))?;
            Ok(rows.collect::<Result<Vec<String>, _>>()?)
        })
    };
    // What is as long as the answer, has one row, or is cut short by LIMIT or by its order.
    let fine = |step: &str| {
        [
            "eras",
            "shared_secret",
            "probe",
            "CONSTANT ROW",
            "sqlite_sequence",
        ]
        .iter()
        .any(|table| step.ends_with(table))
    };
    for sql in &plain {
        let steps = steps(sql).unwrap();
        let uses = |index: &str| steps.iter().any(|step| step.contains(index));
        let scans = |step: &String| step.starts_with("SCAN") && !fine(step);
        assert!(!steps.iter().any(scans), "{sql}: {steps:?}");
        // Nor at all sessions of an era for those of one user, or at all orders for the newest.
        let of_user = sql.contains("FROM sessions") && sql.contains("user = ?2");
        let by_user = uses("INDEX sessions_user (user=? AND era=? AND ends>?)");
        assert!(!of_user || by_user, "{sql}: {steps:?}");
        let of_all = sql.starts_with("SELECT count(*)") || sql.starts_with("DELETE");
        assert!(
            of_all || !uses("INDEX sessions_ends (era=? AND ends"),
            "{sql}: {steps:?}"
        );
        let by_time = uses("INDEX orders_at (at");
        assert!(
            !sql.contains("FROM orders WHERE at") || by_time,
            "{sql}: {steps:?}"
        );
    }
}

#[test]
fn a_full_disk_is_called_so_and_leaves_all_as_it_was() {
    let place = Place::new("full");
    let store = place.open();
    store.record(&[started(1, None)], 1, NOW).unwrap();
    let limit = |connection: &mut Connection| -> Result<(), Fault> {
        let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
        connection.pragma_update(None, "max_page_count", pages + 2)?;
        Ok(())
    };
    store.with(limit).unwrap();
    let many: Vec<_> = [Event::Ended(session(1).key)]
        .into_iter()
        .chain((2..900).map(|number| started(number, None)))
        .collect();
    let error = store.record(&many, 1, NOW).unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    let lasting = |number| store.fetch(&session(number).key, NOW).unwrap().is_some();
    assert!(lasting(1) && !lasting(2));
    // Where there is room again, the same is written down.
    assert!(store.record(&many, 1, NOW).unwrap().is_empty());
    assert!(!lasting(1) && lasting(2));
}

#[test]
fn what_ended_is_forgotten_in_portions() {
    let place = Place::new("portions");
    let store = place.open();
    let all: Vec<_> = (0..1200).map(|number| started(number, None)).collect();
    store.record(&all, 1, NOW).unwrap();
    let rows = || {
        let query = "SELECT count(*) FROM sessions";
        let rows = store.read(|tx| Ok(tx.query_one(query, [], |row| row.get::<_, i64>(0))?));
        rows.unwrap()
    };
    let left = [0; 4].map(|_| {
        store.record(&[], 1, NOW + 600).unwrap();
        rows()
    });
    assert_eq!(left, [700, 200, 0, 0]);
    // Those that an order ended are remembered for an hour.
    store.record(&all[..10], 1, NOW).unwrap();
    assert_eq!(store.place_order(&Command::EndAll, 0, NOW).unwrap(), 10);
    store
        .record(&[Event::Ended(session(20).key)], 1, NOW)
        .unwrap();
    for (later, left) in [(3599, 11), (4199, 10), (4200, 0)] {
        store.record(&[], 1, NOW + later).unwrap();
        assert_eq!(rows(), left, "{later}");
    }
}
