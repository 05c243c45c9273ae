//! What happens to sessions, attempts and bans and need not be written down before it counts, on its
//! way into the store; orders and news of others, on their way to this worker.
//!
//! The loop notes what happens in a [`queue`](super::queue), and a thread writes it down in one go:
//! what others have to know at once, the rest once a second. Nothing waits for that: where the store is
//! out the queue waits, up to a bound. There is none of this where sessions are kept in the zone only.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
};

use super::{
    Desk, eraser, grain,
    intake::Intake,
    listener::Listener,
    outage,
    queue::Queue,
    recheck, secret, tries,
    visit::{Entry, LOOK_BACK, Outcome, Visit},
};
use crate::{
    metrics::Level,
    nginx::{
        conf::Loaded,
        job::{self, AtExit},
        meters,
        timer::Timer,
        zone::Zone,
    },
    portal::Outage,
    session::{Key, Realm, Record},
    store::{Ban, BannedBy, Mark, Try},
    users::regulation::{Stage, Who},
};

/// Milliseconds between two looks at what there is to do.
const INTERVAL: usize = 50;

/// Milliseconds between two visits to the store that nobody waits for.
const ROUND: u64 = 1000;

/// Milliseconds after which a visit that has not come back means that the store is out.
const LOST: u64 = 15_000;

thread_local! {
    /// Of this worker; the loop is its only thread that comes here.
    static CLERK: RefCell<Option<Rc<Clerk>>> = const { RefCell::new(None) };
}

struct Clerk {
    desk: Desk,
    intake: Intake,
    queue: Queue,
    /// Whether it is to be found out if the store can be used.
    doubts: Cell<bool>,
    /// Whether a thread is on its way.
    away: Cell<bool>,
    /// When, by the clock that nobody sets, the last visit began.
    visited: Cell<u64>,
    /// The last order that was carried out, once it is known; where there is no listener.
    last: Cell<Option<Mark>>,
    /// Where the store tells of orders when they come.
    listener: Option<Listener>,
}

/// A worker begins.
pub fn begin(loaded: &Loaded, zone: &Rc<Zone>) {
    let clerk = Desk::new(loaded, zone).map(|desk| {
        desk.archive.begin();
        secret::settle_at_start(&desk);
        let shared = desk.archive.is_shared();
        let listener = shared.then(|| Listener::start(Arc::clone(&desk.archive), LOOK_BACK));
        catch_up(&desk);
        Rc::new(Clerk {
            listener: listener.flatten(),
            intake: Intake::new(desk.clone()),
            desk,
            queue: Queue::default(),
            doubts: Cell::default(),
            away: Cell::default(),
            visited: Cell::default(),
            last: Cell::default(),
        })
    });
    if let Some(clerk) = &clerk {
        let clerk = Rc::downgrade(clerk);
        Timer::every(INTERVAL, move |again| {
            // In a single process a reload begins anew, and the old one ends here.
            if let Some(clerk) = clerk.upgrade() {
                // Before anything can panic: this worker hears of orders for as long as it lives.
                again.arm();
                clerk.look();
            }
        });
    }
    CLERK.set(clerk);
}

/// Where nobody has heard of orders for longer than a new worker looks back, as when an old nginx takes
/// over again from a new one, what the zone knows may be over long since.
fn catch_up(desk: &Desk) {
    let heard = desk.zone.heard();
    let gap = crate::nginx::now().saturating_sub(heard);
    let lost = desk.zone.lost_since(desk.archive.store()).is_some();
    if heard > 0 && gap >= LOOK_BACK && !lost {
        eraser::forget(&desk.zone, None);
    }
}

/// A worker ends: what still waits is written down here and now, as there are no more threads, and
/// nobody to wait for it.
pub fn finish() {
    let Some(clerk) = CLERK.take() else { return };
    while !clerk.queue.is_empty() {
        if clerk.visit().pay().brought.is_err() {
            break;
        }
    }
}

/// A session of `realm` that was as in `before` was used and is as in `now`.
pub fn used(key: &Key, realm: &Realm, before: &Record, now: &Record) {
    let grain = grain(realm);
    if before.last_activity / grain != now.last_activity / grain {
        note(false, || Entry::Used(*key, *now));
    }
}

/// A session is over.
pub fn ended(key: &Key) {
    note(true, || Entry::Ended(*key));
}

/// Somebody tried to sign in.
pub fn tried(tried: Try) {
    note(true, || Entry::Tried(tried));
}

/// A user is one no more, or is disabled.
pub fn dismissed(user: &str) {
    note(true, || Entry::Dismissed(user.to_owned()));
}

/// All sessions of a user but one have ended here, and are to end elsewhere.
pub fn ended_all(user: &str, except: Option<Key>) {
    note(true, || Entry::EndedAll(user.to_owned(), except));
}

/// Failures at `stage` have brought about these bans, which end when they say.
pub fn banned(bans: Vec<(Who, u64)>, stage: Stage) {
    for (who, until) in bans {
        note(true, || {
            Entry::Banned(Ban {
                target: tries::target(who),
                until,
                created: crate::nginx::now(),
                by: match stage {
                    Stage::Password => BannedBy::Regulation,
                    Stage::Factor => BannedBy::SecondFactors,
                },
            })
        });
    }
}

/// Somebody could not use the store a moment after it had recovered: whether it is out again is to be
/// found out.
pub fn look_again() {
    CLERK.with_borrow(|clerk| {
        if let Some(clerk) = clerk {
            clerk.doubts.set(true);
        }
    });
}

/// Lets an entry wait, see [`Queue::push`].
fn note(urgent: bool, entry: impl FnOnce() -> Entry) {
    CLERK.with_borrow(|clerk| {
        if let Some(clerk) = clerk {
            clerk.queue.push(urgent, entry);
        }
    });
}

impl Clerk {
    /// Does what there is to do.
    fn look(self: &Rc<Self>) {
        let (zone, store) = (&self.desk.zone, self.desk.archive.store());
        for measure in self.desk.archive.take_notes() {
            meters::observe_store(zone, store, measure);
        }
        meters::set(zone, Level::EntriesWaiting, self.queue.len());
        if self.listener.as_ref().is_some_and(Listener::hears) {
            zone.hear();
        }
        let letters = self.listener.as_ref().map(Listener::take);
        for letter in letters.into_iter().flatten() {
            match letter {
                Ok(orders) => self.intake.queue(orders),
                Err((outage, age)) => {
                    let now = crate::nginx::milliseconds();
                    self.desk.lose(&outage, now.saturating_sub(age));
                }
            }
        }
        self.intake.follow();
        let now = crate::nginx::milliseconds();
        let since = now.saturating_sub(self.visited.get());
        if self.away.get() && since > LOST {
            let sentence = format!("has not answered for {} seconds", LOST / 1000);
            self.desk.lose(&Outage(sentence), self.visited.get());
        }
        let round = since >= ROUND;
        if round && !self.is_out() {
            recheck::begin_if_wanted(&self.desk);
        }
        if !self.away.get()
            && (self.queue.is_urgent() && !self.is_out() || round && self.has_work())
        {
            self.visited.set(now);
            self.send();
        }
    }

    fn is_out(&self) -> bool {
        self.desk
            .zone
            .lost_since(self.desk.archive.store())
            .is_some()
    }

    /// Whether a visit is due once a second.
    fn has_work(&self) -> bool {
        self.listener.is_none()
            || self.is_out()
            || self.doubts.get()
            || !self.queue.is_empty()
            || self.desk.zone.wants_failures()
            || self.desk.zone.keys().is_none()
    }

    /// Sends a thread to the store.
    fn send(self: &Rc<Self>) {
        let (visit, clerk) = (self.visit(), Rc::downgrade(self));
        let entries = Arc::clone(&visit.entries);
        let begun = crate::nginx::milliseconds();
        self.away.set(true);
        job::spawn(
            self.desk.threads,
            AtExit::Leave,
            move || visit.pay(),
            move |back| {
                if let Some(clerk) = clerk.upgrade() {
                    clerk.away.set(false);
                    clerk.receive(entries, begun, back);
                }
            },
        );
    }

    fn visit(&self) -> Visit {
        let (desk, now) = (&self.desk, crate::nginx::now());
        let counts = desk.config.regulation.find_time;
        let counts = counts.max(desk.config.regulation.for_factors().find_time);
        let wants = |wanted: bool| wanted.then(|| now.saturating_sub(counts));
        Visit {
            archive: Arc::clone(&desk.archive),
            config: Arc::clone(&desk.config),
            name: desk.zone.name(),
            entries: Arc::new(self.queue.take_batch()),
            restore: wants(desk.zone.keys().is_some() && desk.zone.wants_failures()),
            probe: self.doubts.take() || self.is_out(),
            secret: match desk.zone.keys() {
                Some(_) => None,
                None => desk.zone.zone_secret(),
            },
            orders: self.listener.is_none().then(|| self.last.get()),
            now,
        }
    }

    /// `back`: what the visit came to, unless there was no thread for it.
    fn receive(&self, entries: Arc<Vec<Entry>>, begun: u64, back: Option<Outcome>) {
        let (zone, store) = (&self.desk.zone, self.desk.archive.store());
        let Some(Outcome { probed, brought }) = back else {
            return self.queue.put_back(Arc::unwrap_or_clone(entries));
        };
        if probed && outage::ends(zone, store, begun) {
            zone.want_recheck();
        }
        match brought {
            Ok(Some(brought)) => {
                if let Some(orders) = &brought.orders {
                    self.last.set(Some(orders.next));
                }
                self.intake.take(brought);
            }
            Ok(None) => {}
            Err(outage) => {
                self.desk.lose(&outage, begun);
                self.queue.put_back(Arc::unwrap_or_clone(entries));
            }
        }
    }
}
