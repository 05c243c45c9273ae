//! A thread of its own that waits for orders where the store can tell of them when they come. It
//! blocks for as long as it likes: neither the loop nor a thread of nginx's pool, which a worker
//! that ends would wait for, is held up.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::archive::Archive;
use crate::{
    nginx::signals,
    portal::Outage,
    store::{Mark, Orders},
};

/// How long one wait takes when nothing happens.
const WAIT: Duration = Duration::from_secs(1);

/// How long a store that cannot be used is left alone.
const REST: Duration = Duration::from_millis(250);

/// Orders that are taken in one go.
const MOST: usize = 256;

/// Letters that wait for the loop; a worker that is stopped hears of what it missed when it goes on.
const INBOX: usize = 64;

/// What has come; or what is wrong, and how many milliseconds ago it was asked for what did not come.
pub type Letter = Result<Orders, (Outage, u64)>;

/// The thread, as the loop knows it.
pub struct Listener(Arc<Inbox>);

#[derive(Default)]
struct Inbox {
    letters: Mutex<Vec<Letter>>,
    /// Whether there are any, to be asked without the lock.
    full: AtomicBool,
    /// Whether the last question had an answer.
    heard: AtomicBool,
    done: AtomicBool,
}

impl Listener {
    /// Starts the thread, which begins with orders placed so many seconds ago. `None`: there is none
    /// to be had.
    pub fn start(archive: Arc<Archive>, look_back: u64) -> Option<Listener> {
        let inbox = Arc::new(Inbox::default());
        let own = Arc::clone(&inbox);
        let work = move || listen(&archive, &own, look_back);
        let thread = thread::Builder::new().name("auth-gate orders".into());
        let started = signals::blocked(|| thread.spawn(work));
        started.ok().map(|_| Listener(inbox))
    }

    /// Whether it hears of orders when they come.
    pub fn hears(&self) -> bool {
        self.0.heard.load(Ordering::Acquire)
    }

    /// What has come since the last time, in its order.
    pub fn take(&self) -> Vec<Letter> {
        if !self.0.full.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        std::mem::take(&mut *self.0.lock())
    }
}

impl Drop for Listener {
    /// The thread ends by itself after its wait.
    fn drop(&mut self) {
        self.0.done.store(true, Ordering::Release);
    }
}

impl Inbox {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Letter>> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there was room.
    fn put(&self, letter: Letter) -> bool {
        let mut letters = self.lock();
        let room = letters.len() < INBOX;
        if room {
            letters.push(letter);
            self.full.store(true, Ordering::Release);
        }
        room
    }
}

fn listen(archive: &Archive, inbox: &Inbox, look_back: u64) {
    let (mut mark, mut failures) = (None::<Mark>, 0_u32);
    while !inbox.done.load(Ordering::Acquire) {
        let asked = Instant::now();
        let heard = archive.listen(|ledger| {
            let from = match mark {
                Some(mark) => mark,
                None => ledger.mark_before(look_back, seconds())?,
            };
            mark = Some(from);
            ledger.orders_after(from, MOST, WAIT)
        });
        let next = heard.as_ref().ok().map(|orders| orders.next);
        failures = match heard {
            Ok(_) => 0,
            Err(_) => failures.saturating_add(1),
        };
        let empty = |orders: &Orders| orders.orders.is_empty() && !orders.missed;
        let is_news = match &heard {
            Ok(orders) => !empty(orders),
            // A connection that broke off once is no outage.
            Err(_) => failures > 1,
        };
        let age = u64::try_from(asked.elapsed().as_millis()).unwrap_or(u64::MAX);
        let letter = heard.map_err(|outage| (outage, age));
        inbox.heard.store(failures == 0, Ordering::Release);
        // What finds no room is asked for once more.
        let is_told = !is_news || inbox.put(letter);
        if is_told && next.is_some() {
            mark = next;
        }
        if failures > 0 || !is_told {
            thread::sleep(REST);
        }
    }
}

/// Unix seconds; nginx's own clock belongs to the loop.
fn seconds() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
