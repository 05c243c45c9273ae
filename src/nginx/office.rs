//! Where errands of the portal are run: the store, the mail, the users file, as a thread finds them.
//!
//! One for each configuration and process. Made before the fork; the store is opened at the first
//! errand. Nothing here touches nginx: what is to be logged comes back with the errand as [`News`].

use std::{
    cell::{OnceCell, RefCell},
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
    portal::{self, AsideWork, Done, Event, Letter, NotChanged, Outage, Work, app_password},
    store::{AppPasswords, Factors, Redis, Sqlite, StorageKey, StoreError},
    users_file::{self, NotWritten},
};

/// Errands that send a letter at once while a visitor waits. Fewer than may run: while a mail server
/// does not answer, those that only need the store go on.
const SENDING: usize = 8;

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
        let mut errand = Errand {
            office: self,
            waited_for,
            store: OnceCell::new(),
            news: RefCell::default(),
        };
        let done = work(&mut errand);
        (done, errand.news.into_inner())
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

/// One errand on its thread.
struct Errand<'o> {
    office: &'o Office,
    /// Whether a visitor waits for it. Of those that nobody waits for only so many run.
    waited_for: bool,
    store: OnceCell<Result<Arc<Sqlite>, Outage>>,
    news: RefCell<News>,
}

impl Errand<'_> {
    /// The store, and word of how it was found.
    fn sqlite(&self) -> Result<&Sqlite, Outage> {
        let found = self.store.get_or_init(|| {
            let found = self.office.store();
            if self.office.vault.is_some() {
                let seen = found.as_ref().map(|_| ()).map_err(Clone::clone);
                self.news.borrow_mut().factors = Some(seen);
            }
            found
        });
        match found {
            Ok(store) => Ok(store),
            Err(outage) => Err(outage.clone()),
        }
    }
}

impl portal::Office for Errand<'_> {
    fn factors(&self) -> Result<&dyn Factors, Outage> {
        self.sqlite().map(|store| store as _)
    }

    fn app_passwords(&self) -> Result<&dyn AppPasswords, Outage> {
        self.sqlite().map(|store| store as _)
    }

    fn random(&self, bytes: &mut [u8]) {
        fill(bytes);
    }

    fn send(&mut self, letter: &Letter) -> Result<(), Outage> {
        let post = self.office.post.as_ref();
        let post = post.ok_or_else(|| Outage("there is no notifier".into()))?;
        let _place = match self.waited_for {
            true => Some(Sending::begin(&self.office.sending)?),
            false => None,
        };
        post.send(letter).map_err(|error| Outage(error.to_string()))
    }

    fn hash_password(&self, password: &[u8]) -> Result<String, Outage> {
        let parameters = &self.office.config.users_file.password;
        let mut salt = vec![0; parameters.salt_len()];
        fill(&mut salt);
        let hash = parameters.hash(password, &salt);
        hash.map_err(|error| Outage(error.to_string()))
    }

    fn change_password(&mut self, user: &str, current: u64, hash: &str) -> Result<u64, NotChanged> {
        let (fingerprint, reading) = self.office.change_password(user, current, hash)?;
        self.news.get_mut().users = Some(reading);
        Ok(fingerprint)
    }
}

/// A place among those that send a letter.
struct Sending<'o>(&'o AtomicUsize);

impl<'o> Sending<'o> {
    fn begin(places: &'o AtomicUsize) -> Result<Self, Outage> {
        let before = places.fetch_add(1, Ordering::Relaxed);
        // Given up again where there is no room.
        let place = Sending(places);
        if before >= SENDING {
            let sentence = format!("{SENDING} letters are on their way, too many for another one");
            return Err(Outage(sentence));
        }
        Ok(place)
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Random bytes of the kernel's. Without them nothing is safe, so the guard of the thread ends the
/// errand.
pub(super) fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the kernel has random bytes");
}
