//! Where errands of the portal are run: the store, the mail, the users file, as a thread finds them.
//!
//! One for each configuration and process. Made before the fork; the store is opened at the first
//! [`errand`]. Nothing here touches nginx: what is to be logged comes back with the errand as
//! [`News`].

mod errand;

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use secrecy::ExposeSecret;

use super::{
    durable::{archive::Archive, clerk, outage, vault::Vault},
    log::{self, Level},
    snapshot::{self, Reading, Snapshot},
    zone::Zone,
};
use crate::{
    config::Config,
    mail::{MailError, Post},
    metrics::Store,
    portal::{self, AsideWork, Done, Event, NotChanged, Outage, Work, app_password},
    store::{Redis, Sqlite, StorageKey, StoreError},
    users_file::{self, NotWritten},
};
use errand::Errand;

/// Seconds of grace unless told.
const GRACE: u64 = 15 * 60;

/// Why there can be no office.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// What is said of the mail server.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// What is said of the store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What threads of this process share.
pub struct Office {
    config: Arc<Config>,
    vault: Option<Arc<Vault>>,
    archive: Option<Arc<Archive>>,
    post: Option<Post>,
    /// How many letters are on their way for which a visitor waits.
    sending: AtomicUsize,
    grace: AtomicU64,
    /// How many changes to the users file this process has made; held while it makes one.
    changes: Mutex<u64>,
}

/// What the loop has to know of an errand beside its result.
#[derive(Default)]
pub struct News {
    /// How the errand found the store of second factors, if it asked for it.
    pub factors: Option<Result<(), Outage>>,
    /// The users file as this process has written it, or why that cannot be read.
    pub users: Option<Result<Reading, String>>,
}

impl News {
    /// Lets this worker and the others know. On the loop. The errand began at `begun`, in milliseconds of
    /// the clock that nobody sets.
    pub fn spread(self, office: &Office, snapshot: &Snapshot, zone: &Zone, begun: u64) {
        if let Some(found) = self.factors {
            office.tell_of_factors(found, zone, begun);
        }
        match self.users {
            Some(Ok(reading)) => snapshot.adopt(reading, zone),
            Some(Err(sentence)) => {
                log::cycle(Level::Error, format_args!("auth_gate: {sentence}"));
                // Every worker tries for itself, this one included.
                zone.next_users_generation();
            }
            None => {}
        }
    }
}

impl Office {
    /// The office of one configuration. Opens no store and sends nothing.
    ///
    /// # Errors
    /// Certificates cannot be read.
    pub fn new(config: &Arc<Config>) -> Result<Self, Unusable> {
        let vault = config.storage.as_ref().map(|storage| {
            let key = StorageKey::derive(storage.encryption_key.expose_secret().as_bytes());
            Arc::new(Vault::new(storage.path.clone(), key))
        });
        let archive = match shared(config)? {
            Some(redis) => Some(Archive::shared(redis)),
            None => vault.as_ref().map(Arc::clone).map(Archive::local),
        };
        Ok(Office {
            config: Arc::clone(config),
            vault,
            archive: archive.map(Arc::new),
            post: config.notifier.as_ref().map(Post::new).transpose()?,
            sending: AtomicUsize::new(0),
            grace: AtomicU64::new(GRACE),
            changes: Mutex::default(),
        })
    }

    /// Whether letters can leave. For a thread that may wait.
    ///
    /// # Errors
    /// They cannot.
    pub fn check_post(&self) -> Result<(), MailError> {
        self.post.as_ref().map_or(Ok(()), Post::check)
    }

    /// Changes the password, and what the file then reads as.
    fn change_password(
        &self,
        user: &str,
        current: u64,
        hash: &str,
    ) -> Result<(u64, Result<Reading, String>), NotChanged> {
        let file = &self.config.users_file;
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let fingerprint = users_file::change_password(file, user, current, hash);
        let fingerprint = fingerprint.map_err(|error| match error {
            NotWritten::Stale => NotChanged::Stale,
            NotWritten::Failed(sentence) => Outage(sentence).into(),
        })?;
        *changes += 1;
        Ok((fingerprint, snapshot::read_own(file, *changes)))
    }

    /// Where the store is, and its key.
    pub fn vault(&self) -> Option<(&Path, &StorageKey)> {
        let vault = self.vault.as_ref()?;
        Some(vault.place())
    }

    /// Where sessions are kept, if anywhere but in the zone.
    pub fn archive(&self) -> Option<&Arc<Archive>> {
        self.archive.as_ref()
    }

    fn tell_of_factors(&self, found: Result<(), Outage>, zone: &Zone, begun: u64) {
        let sessions = self.sessions_in() == Some(Store::Sqlite);
        match found {
            Err(outage) => {
                let grace = sessions.then(|| self.grace());
                if !outage::begins(zone, Store::Sqlite, grace, &outage, begun) && sessions {
                    clerk::look_again();
                }
            }
            // It can be read; whether it can be written the clerk finds out.
            Ok(()) if sessions => {}
            Ok(()) => _ = outage::ends(zone, Store::Sqlite, begun),
        }
    }

    /// The store that sessions are kept in.
    pub fn sessions_in(&self) -> Option<Store> {
        self.archive.as_ref().map(|archive| archive.store())
    }

    /// Whether the store of sessions has been out for so long that what the zone knows counts no
    /// more.
    pub fn is_out_of_grace(&self, zone: &Zone) -> bool {
        self.sessions_in()
            .is_some_and(|store| outage::is_out_of_grace(zone, store, self.grace()))
    }

    /// Seconds for which known sessions go on without the store.
    pub fn grace(&self) -> u64 {
        self.grace.load(Ordering::Relaxed)
    }

    /// `auth_gate_store_grace`.
    pub fn set_grace(&self, seconds: u64) {
        self.grace.store(seconds, Ordering::Relaxed);
    }

    /// Does a piece of work. For a thread that may wait.
    pub fn run(&self, work: Work) -> (Done, News) {
        self.with_errand(true, |errand| work(errand))
    }

    /// Does a piece of work that nobody waits for. For a thread that may wait.
    pub fn run_aside(&self, work: AsideWork) -> (Option<Event>, News) {
        self.with_errand(false, |errand| work(errand))
    }

    /// Looks an app password up. For a thread that may wait.
    pub fn look_up(&self, work: app_password::Work) -> (app_password::Looked, News) {
        self.with_errand(true, |errand| work(errand))
    }

    fn with_errand<R>(
        &self,
        waited_for: bool,
        work: impl FnOnce(&mut dyn portal::Office) -> R,
    ) -> (R, News) {
        let mut errand = Errand::new(self, waited_for);
        let done = work(&mut errand);
        (done, errand.news())
    }

    /// The store of second factors, opened if it is not. For a thread that may wait.
    ///
    /// # Errors
    /// There is none, or it cannot be opened.
    fn store(&self) -> Result<Arc<Sqlite>, Outage> {
        let Some(vault) = &self.vault else {
            return Err(Outage("there is no storage.local".into()));
        };
        vault.store()
    }
}

/// The store that other machines use as well, if there is one. Nobody is spoken to yet.
fn shared(config: &Config) -> Result<Option<Arc<Redis>>, StoreError> {
    let Some((settings, key)) = config.session.shared_store() else {
        return Ok(None);
    };
    let redis = Redis::new(settings.clone(), key, &mut |bytes| fill(bytes))?;
    Ok(Some(Arc::new(redis)))
}

/// Random bytes of the kernel's. Without them nothing is safe, so the guard of the thread ends the
/// errand.
pub(super) fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the kernel has random bytes");
}
