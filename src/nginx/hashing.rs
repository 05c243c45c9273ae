//! How many passwords are checked, or made into hashes, at once, and on what threads.
//!
//! A hash burns a core and up to a few hundred megabytes. No more run at once than the machine has
//! cores but one, all workers together, and each on a thread that yields to everybody else: while
//! logins come without end, a core is left for the requests of those who are signed in. The rest
//! wait in a queue of each worker up to a bound, and beyond that a visitor is told to come back.
//!
//! Every worker counts its own under its process id, so that the count of one that died can be
//! taken away by anybody. A worker that has had its turn for a while lets others go first who wait.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use super::{
    ffi, hash_thread,
    job::{self, AtExit, Threads},
    meters,
    timer::Timer,
    wait::Waiting,
    zone::Zone,
};
use crate::{
    metrics::{Counter, Hashed, Hashes},
    users::Workspace,
};

/// Logins that wait in one worker.
const QUEUE: usize = 64;

/// Whatever waits there: a flow may come to its hash some time after it was admitted.
const LONGEST_QUEUE: usize = 2 * QUEUE;

/// Milliseconds after which a worker looks again whether others have left room.
const LOOK_AGAIN: usize = 4;

/// Milliseconds for which a worker may go on while others wait, so that memory is handed from hash
/// to hash and little time is lost between them.
const TURN: u64 = 250;

/// Milliseconds for which it then stands back: long enough for another to look and find the room,
/// and no longer, because that other may be stopped.
const STAND_BACK: usize = 3 * LOOK_AGAIN;

/// Seconds after which a visitor is told to come back when the queue is full.
pub const RETRY_AFTER: u64 = 5;

/// A login that waits: runs, if its visitor is still there, with the memory it is given.
type Start = Box<dyn FnOnce(&mut Workspace)>;

thread_local! {
    /// Of this worker; the loop is its only thread that comes here.
    static WAITING: RefCell<VecDeque<Start>> = const { RefCell::new(VecDeque::new()) };
    /// Whether a timer will look at the queue again.
    static LOOKING: Cell<bool> = const { Cell::new(false) };
    /// Whether that timer is to be waited for, because others go first.
    static STANDS_BACK: Cell<bool> = const { Cell::new(false) };
    /// When, by our clock, this worker last began a turn.
    static TURN_BEGAN: Cell<u64> = const { Cell::new(0) };
}

/// Whether another login can wait.
pub fn has_room(threads: Threads) -> bool {
    threads.are_running() && WAITING.with_borrow(|waiting| waiting.len() < QUEUE)
}

/// Runs `work` on a thread when its turn comes, and `then` on the loop with its result; `None` when
/// neither a place in the queue nor a thread could be had. Work whose visitor has gone before its
/// turn is not done at all.
pub fn run<T: Send + 'static>(
    waiting: Waiting,
    zone: Rc<Zone>,
    threads: Threads,
    work: impl FnOnce(&mut Workspace) -> T + Send + 'static,
    then: impl FnOnce(Waiting, Option<T>) + 'static,
) {
    if WAITING.with_borrow(|waiting| waiting.len() >= LONGEST_QUEUE) {
        meters::count(&zone, Counter::Hash(Hashed::TurnedAway));
        return then(waiting, None);
    }
    let held = Rc::clone(&zone);
    let start = move |spare: &mut Workspace| {
        if waiting.has_gone() {
            meters::count(&held, Counter::Hash(Hashed::Abandoned));
            leave(&held);
            return;
        }
        let began = Instant::now();
        let finish = move |result: Option<(T, Workspace)>| {
            match &result {
                Some(_) => meters::hashed(&held, began.elapsed()),
                None => meters::count(&held, Counter::Hash(Hashed::TurnedAway)),
            }
            leave(&held);
            let (result, spare) = result.unzip();
            then(waiting, result);
            // The memory goes with the place, or back to the system: no more of it is held than
            // hashes may run.
            admit(&held, spare.unwrap_or_default());
        };
        let mut workspace = std::mem::take(spare);
        let work = move || (work(&mut workspace), workspace);
        let aside = || hash_thread::run(work);
        job::spawn(threads, AtExit::Wait, aside, |result| {
            finish(result.flatten())
        });
    };
    WAITING.with_borrow_mut(|waiting| waiting.push_back(Box::new(start)));
    admit(&zone, Workspace::default());
}

/// Starts as many of those that wait as there is room for, the first in memory that is left over.
fn admit(zone: &Rc<Zone>, mut spare: Workspace) {
    while has_waiting() && !STANDS_BACK.get() {
        if lets_others_go_first(zone) {
            STANDS_BACK.set(true);
            look_again(zone, STAND_BACK);
        } else if enter(zone) {
            match WAITING.with_borrow_mut(VecDeque::pop_front) {
                Some(start) => start(&mut spare),
                None => leave(zone),
            }
        } else {
            if runs_nothing(zone) {
                TURN_BEGAN.set(super::milliseconds());
            }
            look_again(zone, LOOK_AGAIN);
            break;
        }
    }
    say_how_many_wait(zone);
}

/// How many passwords of all workers are being checked, and how many wait for that.
pub fn load(zone: &Zone) -> Hashes {
    let shares = zone.hash_counts().into_iter().flatten().map(alive);
    shares.fold(Hashes::default(), |sum, share| Hashes {
        running: sum.running + u64::from(share.running),
        waiting: sum.waiting + u64::from(share.waiting),
    })
}

fn has_waiting() -> bool {
    WAITING.with_borrow(|waiting| !waiting.is_empty())
}

/// Others wake nobody here, so the queue is looked at again.
fn look_again(zone: &Rc<Zone>, after: usize) {
    if LOOKING.replace(true) {
        return;
    }
    let zone = Rc::clone(zone);
    Timer::once(after, move || {
        LOOKING.set(false);
        STANDS_BACK.set(false);
        admit(&zone, Workspace::default());
    });
}

/// Whether this worker has had its turn and another has somebody waiting. Either way a new turn
/// begins.
fn lets_others_go_first(zone: &Zone) -> bool {
    let now = super::milliseconds();
    if now.saturating_sub(TURN_BEGAN.get()) < TURN {
        return false;
    }
    TURN_BEGAN.set(now);
    let (Some(counts), Some(own)) = (zone.hash_counts(), own(zone)) else {
        return false;
    };
    let mut others = counts.iter().filter(|place| !std::ptr::eq(*place, own));
    others.any(|place| alive(place).waiting > 0)
}

fn runs_nothing(zone: &Zone) -> bool {
    own(zone).is_none_or(|own| alive(own).running == 0)
}

/// Forgets what this worker, or a process that had its place before, was running.
pub fn reset(zone: &Zone) {
    if let Some(own) = own(zone) {
        own.store(0, Ordering::Release);
    }
}

fn enter(zone: &Zone) -> bool {
    let (Some(counts), Some(own)) = (zone.hash_counts(), own(zone)) else {
        return true;
    };
    change(own, Share::one_more);
    let running = counts.iter().map(|place| u32::from(alive(place).running));
    let total: u32 = running.sum();
    let room = total <= most_at_once();
    if !room {
        change(own, Share::one_less);
    }
    room
}

fn leave(zone: &Zone) {
    if let Some(own) = own(zone) {
        change(own, Share::one_less);
    }
}

fn say_how_many_wait(zone: &Zone) {
    let waiting = WAITING.with_borrow(VecDeque::len);
    let waiting = u16::try_from(waiting).unwrap_or(u16::MAX);
    if let Some(own) = own(zone) {
        change(own, |share| Share { waiting, ..share });
    }
}

/// What one process has of the hashes. It fits a word with the process's id, so that no count is
/// ever taken for that of another process.
#[derive(Clone, Copy, Default)]
struct Share {
    process: u32,
    waiting: u16,
    running: u16,
}

impl Share {
    fn of(word: u64) -> Self {
        Share {
            process: (word >> 32) as u32,
            waiting: (word >> 16) as u16,
            running: word as u16,
        }
    }

    fn word(self) -> u64 {
        u64::from(self.process) << 32 | u64::from(self.waiting) << 16 | u64::from(self.running)
    }

    fn one_more(self) -> Self {
        let running = self.running.saturating_add(1);
        Share { running, ..self }
    }

    fn one_less(self) -> Self {
        let running = self.running.saturating_sub(1);
        Share { running, ..self }
    }
}

/// Changes the share of this process. What another process left in the place is forgotten.
fn change(place: &AtomicU64, by: impl Fn(Share) -> Share) {
    let process = std::process::id();
    let changed = |word| {
        let share = Some(Share::of(word)).filter(|share| share.process == process);
        let share = share.unwrap_or_default();
        Some(
            Share {
                process,
                ..by(share)
            }
            .word(),
        )
    };
    // The closure always gives a value, so this cannot fail.
    let _ = place.fetch_update(Ordering::AcqRel, Ordering::Acquire, changed);
}

fn own(zone: &Zone) -> Option<&AtomicU64> {
    // SAFETY: written by nginx before the worker starts.
    let slot = usize::try_from(unsafe { ffi::ngx_process_slot }).unwrap_or(0);
    zone.hash_counts()
        .map(|counts| &counts[slot % counts.len()])
}

/// The share of a process; one that is gone has none, whatever it left.
fn alive(place: &AtomicU64) -> Share {
    let word = place.load(Ordering::Acquire);
    let share = Share::of(word);
    let idle = share.running == 0 && share.waiting == 0;
    if idle || share.process == std::process::id() {
        return share;
    }
    if is_there(share.process) {
        return share;
    }
    // Only what was seen is taken away: the place may have a new owner by now.
    let _ = place.compare_exchange(word, 0, Ordering::AcqRel, Ordering::Relaxed);
    Share::default()
}

/// Whether there is such a process.
pub fn is_there(process: u32) -> bool {
    // SAFETY: signal 0 only asks whether the process is there.
    let there = unsafe { libc::kill(process.cast_signed(), 0) } == 0;
    there || std::io::Error::last_os_error().raw_os_error() != Some(libc::ESRCH)
}

/// One core is left to the loops, whatever the priority of the hashes: a thread that yields still
/// empties the caches that it shares, and is not always moved away at once.
fn most_at_once() -> u32 {
    // SAFETY: written by nginx at its start.
    let cores = u32::try_from(unsafe { ffi::ngx_ncpu }).unwrap_or(1);
    cores.saturating_sub(1).max(1)
}
