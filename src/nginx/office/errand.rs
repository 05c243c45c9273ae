//! One errand on its thread: what the portal's work finds in the office.

use std::{
    cell::{OnceCell, RefCell},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{News, Office, fill};
use crate::{
    portal::{self, Letter, NotChanged, Outage},
    store::{AppPasswords, Factors, Sqlite},
};

/// Errands that send a letter at once while a visitor waits. Fewer than may run: while a mail server
/// does not answer, those that only need the store go on.
const SENDING: usize = 8;

/// One errand on its thread.
pub(super) struct Errand<'o> {
    office: &'o Office,
    /// Whether a visitor waits for it. Of those that nobody waits for only so many run.
    waited_for: bool,
    store: OnceCell<Result<Arc<Sqlite>, Outage>>,
    news: RefCell<News>,
}

impl<'o> Errand<'o> {
    pub(super) fn new(office: &'o Office, waited_for: bool) -> Self {
        Errand {
            office,
            waited_for,
            store: OnceCell::new(),
            news: RefCell::default(),
        }
    }

    /// What came of it beside its result.
    pub(super) fn news(self) -> News {
        self.news.into_inner()
    }

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
