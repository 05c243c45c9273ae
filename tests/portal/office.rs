//! Where errands of a test are run: a real store in a folder of its own, letters in a list, users
//! in memory.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use ngx_http_auth_gate_module::portal::{Letter, NotChanged, Office, Outage};
use ngx_http_auth_gate_module::store::{AppPasswords, Factors, Random, Sqlite, StorageKey};
use ngx_http_auth_gate_module::users::{HashOptions, HashParameters, PasswordHash};

use crate::world::{Memory, directory};

/// What errands of a test find.
pub struct Desk {
    /// What was sent, oldest first.
    pub letters: Vec<Letter>,
    /// Errands cannot be run.
    pub closed: bool,
    /// No letter can be sent.
    pub mute: bool,
    /// The store cannot be reached.
    pub lost: bool,
    /// An errand is run in a place for a hash.
    pub burns: bool,
    store: Sqlite,
    folder: PathBuf,
    passwords: BTreeMap<String, PasswordHash>,
    changed: bool,
}

static COUNT: AtomicU32 = AtomicU32::new(0);

impl Desk {
    pub fn new() -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = format!("auth-gate-portal-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        let key = StorageKey::derive(b"golden-storage-encryption-key-of-some-length");
        let random: &mut Random<'_> = &mut |bytes: &mut [u8]| getrandom::fill(bytes).unwrap();
        let store = Sqlite::open(&folder.join("db.sqlite3"), key, random).unwrap();
        Desk {
            letters: Vec::new(),
            closed: false,
            mute: false,
            lost: false,
            burns: false,
            store,
            folder,
            passwords: BTreeMap::new(),
            changed: false,
        }
    }

    /// The store, to look at and to fill.
    pub fn store(&self) -> &Sqlite {
        &self.store
    }

    /// Store, mail and users file may be slow, so nobody waits for them in a place for a hash.
    fn waits(&self) {
        assert!(!self.burns, "what waits must not hold a place for a hash");
    }

    /// Lets the world know of changed passwords, as the watch over the users file does.
    pub fn hand_over(&mut self, world: &mut Memory) {
        if std::mem::take(&mut self.changed) {
            world.directory = directory(&self.passwords);
        }
    }
}

impl Office for Desk {
    fn factors(&self) -> Result<&dyn Factors, Outage> {
        self.waits();
        match self.lost {
            true => Err(Outage("the store is lost".into())),
            false => Ok(&self.store),
        }
    }

    fn app_passwords(&self) -> Result<&dyn AppPasswords, Outage> {
        self.waits();
        match self.lost {
            true => Err(Outage("the store is lost".into())),
            false => Ok(&self.store),
        }
    }

    fn random(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).unwrap();
    }

    fn send(&mut self, letter: &Letter) -> Result<(), Outage> {
        self.waits();
        if self.mute {
            return Err(Outage("no letter leaves".into()));
        }
        self.letters.push(letter.clone());
        Ok(())
    }

    fn hash_password(&self, password: &[u8]) -> Result<String, Outage> {
        assert!(
            self.burns,
            "a hash burns a core, so it needs a place for one"
        );
        let parameters = HashParameters::new(HashOptions::default()).unwrap();
        let salt = vec![7; parameters.salt_len()];
        Ok(parameters.hash(password, &salt).unwrap())
    }

    fn change_password(&mut self, user: &str, current: u64, hash: &str) -> Result<u64, NotChanged> {
        self.waits();
        let known = directory(&self.passwords);
        let found = known.user(user).ok_or(NotChanged::Stale)?;
        if found.password.fingerprint() != current {
            return Err(NotChanged::Stale);
        }
        let hash = PasswordHash::parse(hash).unwrap();
        let fingerprint = hash.fingerprint();
        self.passwords.insert(user.to_owned(), hash);
        self.changed = true;
        Ok(fingerprint)
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
