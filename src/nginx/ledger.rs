//! What happens to sessions and bans, on its way into the store; orders of the command line, on
//! their way to this worker.
//!
//! The loop notes what happens in a queue. Once a second a thread writes it down in one go and asks
//! for orders. Nothing waits for that: where the store is out the queue waits, up to a bound. There
//! is none of this where no store is configured.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
};

use super::{
    conf::Loaded,
    job::{self, AtExit, Threads},
    log::{self, Level},
    office::{Line, Office},
    orders,
    timer::{Again, Timer},
    visit::{Brought, Entry, GRAIN, Outcome, Visit},
    zone::Zone,
};
use crate::{
    config::Config,
    session::{Key, Record},
    store::{Ban, BannedBy, Mark, Target},
    users::regulation::{Stage, Who},
};

/// Milliseconds between two looks at the orders.
const INTERVAL: usize = 1000;

/// Entries that wait in one worker.
const QUEUE: usize = 4096;

thread_local! {
    /// Of this worker; the loop is its only thread that comes here.
    static CLERK: RefCell<Option<Rc<Clerk>>> = const { RefCell::new(None) };
}

struct Clerk {
    config: Arc<Config>,
    office: Arc<Office>,
    zone: Rc<Zone>,
    threads: Threads,
    queue: RefCell<Vec<Entry>>,
    /// Whether something was lost, which is said once.
    lost: Cell<bool>,
    /// Whether the last visit failed, which is said once.
    broken: Cell<bool>,
    /// The number of the last order that was carried out, once it is known.
    last: Cell<Option<Mark>>,
    /// When this worker began.
    began: u64,
}

/// A worker begins.
pub fn begin(loaded: &Loaded, zone: &Rc<Zone>) {
    let clerk = loaded.config.storage.as_ref().map(|_| {
        Rc::new(Clerk {
            config: Arc::clone(&loaded.config),
            office: Arc::clone(&loaded.office),
            zone: Rc::clone(zone),
            threads: loaded.threads,
            queue: RefCell::default(),
            lost: Cell::default(),
            broken: Cell::default(),
            last: Cell::default(),
            began: super::now(),
        })
    });
    if let Some(clerk) = &clerk {
        let clerk = Rc::downgrade(clerk);
        Timer::every(INTERVAL, move |again| {
            // In a single process a reload begins anew, and the old one ends here.
            if let Some(clerk) = clerk.upgrade() {
                clerk.send(again);
            }
        });
    }
    CLERK.set(clerk);
}

/// A worker ends: what still waits is written down here and now, as there are no more threads, and
/// nobody to wait for it.
pub fn finish() {
    let Some(clerk) = CLERK.take() else { return };
    let visit = clerk.visit();
    if !visit.entries.is_empty() {
        let _ = visit.pay(&mut Vec::new());
    }
}

/// A session began.
pub fn started(key: &Key, record: &Record) {
    note(QUEUE, || Entry::Started(*key, *record));
}

/// A session that was as in `before` was used and is as in `now`.
pub fn used(key: &Key, before: &Record, now: &Record) {
    if before.last_activity / GRAIN != now.last_activity / GRAIN {
        // Beginnings and ends matter more when there is no end of them.
        note(QUEUE / 2, || Entry::Used(*key, *now));
    }
}

/// A session is over.
pub fn ended(key: &Key) {
    note(QUEUE, || Entry::Ended(*key));
}

/// Failures at `stage` have brought about these bans, which end when they say.
pub fn banned(bans: Vec<(Who, u64)>, stage: Stage) {
    for (who, until) in bans {
        note(QUEUE, || {
            Entry::Banned(Ban {
                target: match who {
                    Who::User(name) => Target::User(name.to_string()),
                    Who::Address(address) => Target::Address(address),
                },
                until,
                created: super::now(),
                by: match stage {
                    Stage::Password => BannedBy::Regulation,
                    Stage::Factor => BannedBy::SecondFactors,
                },
            })
        });
    }
}

/// Puts an entry into the queue if that has less than `room` in it.
fn note(room: usize, entry: impl FnOnce() -> Entry) {
    CLERK.with_borrow(|clerk| {
        let Some(clerk) = clerk else { return };
        let mut queue = clerk.queue.borrow_mut();
        if queue.len() < room {
            queue.push(entry());
        } else if room == QUEUE {
            drop(queue);
            clerk.lose();
        }
    });
}

impl Clerk {
    /// Sends a thread to the store, and arms the timer when it is back, before what it brings can
    /// panic: this worker hears of orders for as long as it lives.
    fn send(self: &Rc<Self>, again: Again) {
        let (visit, clerk) = (self.visit(), Rc::downgrade(self));
        let entries = Arc::clone(&visit.entries);
        let work = move || {
            let mut lines = Vec::new();
            let outcome = visit.pay(&mut lines);
            (lines, outcome)
        };
        job::spawn(self.threads, AtExit::Leave, work, move |back| {
            if let Some(clerk) = clerk.upgrade() {
                again.arm();
                let missing = || (Vec::new(), Err("no thread to write it down".into()));
                clerk.receive(entries, back.unwrap_or_else(missing));
            }
        });
    }

    fn visit(&self) -> Visit {
        Visit {
            config: Arc::clone(&self.config),
            office: Arc::clone(&self.office),
            entries: Arc::new(self.queue.take()),
            born: self.zone.wants_bans(),
            last: self.last.get(),
            began: self.began,
            now: super::now(),
        }
    }

    fn receive(&self, entries: Arc<Vec<Entry>>, (lines, outcome): (Vec<Line>, Outcome)) {
        let said = lines.iter().any(|(level, _)| *level == Level::Error);
        for (level, line) in lines {
            log::cycle(level, format_args!("auth_gate: {line}"));
        }
        match outcome {
            Ok(brought) => {
                self.broken.set(false);
                if let Some(brought) = brought {
                    self.last.set(Some(brought.last));
                    self.carry_out(brought);
                }
            }
            Err(sentence) => {
                if !self.broken.replace(true) && !said {
                    log::cycle(
                        Level::Error,
                        format_args!(
                            "auth_gate: sessions and bans are written down later: {sentence}"
                        ),
                    );
                }
                self.take_back(Arc::unwrap_or_clone(entries));
            }
        }
    }

    fn carry_out(&self, brought: Brought) {
        if self.zone.wants_bans().is_some() {
            // The last word counts there, so of several bans of one target the longest goes last.
            let bans = brought.bans.iter().rev();
            bans.for_each(|ban| orders::ban(&self.zone, ban));
            self.zone.has_bans();
        }
        for order in brought.orders {
            orders::carry_out(&self.zone, order);
        }
    }

    /// What could not be written down waits before what has come since.
    fn take_back(&self, mut entries: Vec<Entry>) {
        let mut queue = self.queue.borrow_mut();
        entries.append(&mut queue);
        let too_many = entries.len() > QUEUE;
        entries.truncate(QUEUE);
        *queue = entries;
        drop(queue);
        if too_many {
            self.lose();
        }
    }

    fn lose(&self) {
        if !self.lost.replace(true) {
            log::cycle(
                Level::Error,
                format_args!(
                    "auth_gate: more happens to sessions than the store takes: \
                    auth-gate session list and ban list will be incomplete"
                ),
            );
        }
    }
}
