//! The store of a process, opened once and kept.
//!
//! Empty until a thread first asks for it, because an open SQLite file must not cross a fork. A store
//! that cannot be opened is tried again by whoever first asks a second later. Knows neither what is
//! kept in it nor who asks.

use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    nginx::office::fill,
    portal::Outage,
    store::{Sqlite, StorageKey},
};

/// How long a store that could not be opened is not tried again: to find that out may take seconds,
/// and all errands wait for it, one after another if each tried for itself.
const REST: Duration = Duration::from_secs(1);

/// The store and how it is.
pub struct Vault {
    path: PathBuf,
    key: StorageKey,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: Option<Open>,
    /// When it last could not be opened, if so, and why.
    failed: Option<(Instant, Outage)>,
    /// Whether there was a file once: then no empty one takes its place unasked.
    existed: bool,
}

struct Open {
    store: Arc<Sqlite>,
    file: (u64, u64),
}

impl Vault {
    /// The store at `path`, not opened yet.
    pub fn new(path: PathBuf, key: StorageKey) -> Self {
        let state = Mutex::default();
        Vault { path, key, state }
    }

    /// Where it is, and its key.
    pub fn place(&self) -> (&Path, &StorageKey) {
        (&self.path, &self.key)
    }

    /// Whether there is a store, or was one: then it is missed.
    pub fn exists(&self) -> bool {
        let existed = self.lock().existed;
        existed || self.path.exists()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store, opened if it is not. For a thread that may wait.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn store(&self) -> Result<Arc<Sqlite>, Outage> {
        let mut state = self.lock();
        self.find(&mut state)
    }

    fn find(&self, state: &mut State) -> Result<Arc<Sqlite>, Outage> {
        let file = std::fs::metadata(&self.path).map(|meta| (meta.dev(), meta.ino()));
        if let (Some(open), Ok(file)) = (&state.open, &file)
            && open.file == *file
        {
            return Ok(Arc::clone(&open.store));
        }
        // The file that is open is no longer the one at the path: what is written to it is lost.
        state.open = None;
        if state.existed
            && let Err(error) = file
        {
            return Err(Outage(format!(
                "{}: {error}; put it back, or restart nginx to begin with an empty one",
                self.path.display()
            )));
        }
        if let Some((when, outage)) = &state.failed
            && when.elapsed() < REST
        {
            return Err(outage.clone());
        }
        let opened = self.open();
        // From the end of the try, however long it took.
        let failure = opened.as_ref().err();
        state.failed = failure.map(|outage| (Instant::now(), outage.clone()));
        let open = opened?;
        let store = Arc::clone(&open.store);
        state.existed = true;
        state.open = Some(open);
        Ok(store)
    }

    fn open(&self) -> Result<Open, Outage> {
        let random = &mut |bytes: &mut [u8]| fill(bytes);
        let opened = Sqlite::open(&self.path, self.key.clone(), random);
        let store = Arc::new(opened.map_err(|error| Outage(error.to_string()))?);
        let file = std::fs::metadata(&self.path)
            .map_err(|error| Outage(format!("{}: {error}", self.path.display())))?;
        Ok(Open {
            store,
            file: (file.dev(), file.ino()),
        })
    }
}
