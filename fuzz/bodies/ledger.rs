//! What the fuzz target does with its input; the plain tests replay the corpus through it.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ngx_http_auth_gate_module::store::{
    Ban, BannedBy, Command, Event, Ledger, LedgerSession, Mark, Sqlite, StorageKey, Target,
    TriedAt, Try,
};
use rusqlite::{Connection, params};

const NOW: u64 = 1_800_000_000;

/// A store in a folder of its own, whose rows somebody else may write.
pub struct Place {
    folder: PathBuf,
    store: Sqlite,
    raw: Connection,
}

impl Place {
    /// A store below `folder`, which is empty.
    pub fn new(folder: &Path) -> Self {
        let path = folder.join("db.sqlite3");
        let key = StorageKey::derive(b"the key of the corpus");
        let store = Sqlite::open(&path, key, &mut |bytes| bytes.fill(7)).expect("a store");
        let raw = Connection::open(&path).expect("a database");
        let fast = "PRAGMA synchronous = OFF";
        raw.execute_batch(fast).expect("a setting");
        let place = Place {
            folder: folder.into(),
            store,
            raw,
        };
        place.fill();
        place
    }

    fn fill(&self) {
        let bob = || Target::User("bob".into());
        let ban = Ban {
            target: bob(),
            until: NOW + 60,
            created: NOW,
            by: BannedBy::Administrator,
        };
        let tried = Try {
            at: TriedAt::Password,
            target: bob(),
            when: NOW,
            passed: false,
        };
        let events = [
            Event::Started {
                session: session(1),
                replaces: None,
            },
            Event::Started {
                session: session(2),
                replaces: None,
            },
            Event::Tried(tried),
        ];
        self.store.record(&events, 1, NOW).expect("room");
        let command = Command::Ban(ban);
        self.store.place_order(&command, 0, NOW).expect("room");
    }

    /// Reads what `data` says of a session, a ban, an attempt and an order: lines with words, then
    /// four numbers of eight bytes and a record.
    pub fn run(&self, data: &[u8]) {
        let mut lines = data.splitn(6, |byte| *byte == b'\n');
        let [user, address, methods, device, kind] =
            [(); 5].map(|()| lines.next().unwrap_or_default());
        let rest = lines.next().unwrap_or_default();
        let (numbers, record) = rest.split_at(rest.len().min(32));
        let mut padded = [0; 32];
        padded[..numbers.len()].copy_from_slice(numbers);
        let [a, b, c, d] = std::array::from_fn(|place| {
            let bytes: [u8; 8] = std::array::from_fn(|byte| padded[place * 8 + byte]);
            i64::from_le_bytes(bytes)
        });
        let write = |sql: &str, values: &[&dyn rusqlite::ToSql]| {
            self.raw.execute(sql, values).expect("a row");
        };
        let session = "UPDATE sessions SET user = CAST(?1 AS TEXT), address = CAST(?2 AS TEXT), \
            methods = CAST(?3 AS TEXT), device = CAST(?4 AS TEXT), created = ?5, last_used = ?6, \
            remember = ?7, ends = ?8, record = ?9 WHERE key = ?10";
        let key = [1_u8; 32];
        write(
            session,
            params![user, address, methods, device, a, b, c, d, record, key],
        );
        let ban = "UPDATE bans SET kind = CAST(?1 AS TEXT), target = CAST(?2 AS TEXT), until = ?3, \
            created = ?4, by = CAST(?5 AS TEXT)";
        write(ban, params![kind, address, a, b, device]);
        let tried = "UPDATE tries SET stage = CAST(?1 AS TEXT), target = CAST(?2 AS TEXT), at = ?3";
        write(tried, params![methods, address, a]);
        let order = "UPDATE orders SET kind = CAST(?1 AS TEXT), session = ?2, \
            target_kind = CAST(?3 AS TEXT), target = CAST(?4 AS TEXT), until = ?5, created = ?6, \
            banned_by = CAST(?7 AS TEXT), at = ?8, teller = ?9";
        write(
            order,
            params![kind, record, methods, address, a, b, device, c, d],
        );
        self.read();
    }

    fn read(&self) {
        let other = Some(session(2));
        assert_eq!(self.store.fetch(&[2; 32], NOW).expect("a store"), other);
        let found = self.store.fetch(&[1; 32], NOW).expect("a store");
        assert!(found.is_none_or(|found| found.record == session(1).record));
        let listed = self.store.sessions(None, NOW).expect("a store");
        assert!(listed.iter().any(|one| Some(one) == other.as_ref()));
        // Of these a row that nobody wrote may be an error, and never a panic.
        let _ = self.store.bans(NOW);
        let _ = self.store.failures(0);
        let _ = self.store.orders_after(Mark(0, 0), 10, Duration::ZERO);
        let _ = self.store.mark_before(10, NOW);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn session(number: u8) -> LedgerSession {
    LedgerSession {
        key: [number; 32],
        user: "alice".into(),
        domain: "example.com".into(),
        address: IpAddr::from([192, 0, 2, 1]),
        device: "Firefox on Linux".into(),
        methods: vec!["password".into()],
        remember: false,
        created: NOW,
        last_used: NOW,
        ends: NOW + 600,
        record: vec![number; 184],
    }
}
