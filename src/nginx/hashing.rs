//! How many passwords are checked, or made into hashes, at once.
//!
//! A hash burns a core and up to a few hundred megabytes, so no more run at once than the machine
//! has cores, all workers together; the rest wait in a queue of each worker up to a bound, and
//! beyond that a visitor is told to come back. Every worker counts its own under its process id, so
//! that the count of one that died can be taken away by anybody.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{
    ffi,
    job::{self, AtExit, Threads},
    timer::Timer,
    wait::Waiting,
    zone::Zone,
};

/// Logins that wait in one worker.
const QUEUE: usize = 64;

/// Whatever waits there: a flow may come to its hash some time after it was admitted.
const LONGEST_QUEUE: usize = 2 * QUEUE;

/// Milliseconds after which a worker looks again whether others have left room.
const LOOK_AGAIN: usize = 10;

/// Seconds after which a visitor is told to come back when the queue is full.
pub const RETRY_AFTER: u64 = 5;

thread_local! {
    /// Of this worker; the loop is its only thread that comes here.
    static WAITING: RefCell<VecDeque<Box<dyn FnOnce()>>> = const { RefCell::new(VecDeque::new()) };
    /// Whether a timer will look at the queue again.
    static LOOKING: Cell<bool> = const { Cell::new(false) };
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
    work: impl FnOnce() -> T + Send + 'static,
    then: impl FnOnce(Waiting, Option<T>) + 'static,
) {
    if WAITING.with_borrow(|waiting| waiting.len() >= LONGEST_QUEUE) {
        return then(waiting, None);
    }
    let held = Rc::clone(&zone);
    let start = move || {
        if waiting.has_gone() {
            leave(&held);
            return;
        }
        let finish = move |result: Option<T>| {
            leave(&held);
            then(waiting, result);
            admit(&held);
        };
        job::spawn(threads, AtExit::Wait, work, finish);
    };
    WAITING.with_borrow_mut(|waiting| waiting.push_back(Box::new(start)));
    admit(&zone);
}

/// Starts as many of those that wait as there is room for.
fn admit(zone: &Rc<Zone>) {
    while WAITING.with_borrow(|waiting| !waiting.is_empty()) {
        if !enter(zone) {
            look_again(zone);
            return;
        }
        match WAITING.with_borrow_mut(VecDeque::pop_front) {
            Some(start) => start(),
            None => leave(zone),
        }
    }
}

/// Others wake nobody here, so the queue is looked at again.
fn look_again(zone: &Rc<Zone>) {
    if LOOKING.replace(true) {
        return;
    }
    let zone = Rc::clone(zone);
    Timer::once(LOOK_AGAIN, move || {
        LOOKING.set(false);
        admit(&zone);
    });
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
    change(own, |running| running + 1);
    let total: u32 = counts.iter().map(alive).sum();
    let room = total <= cores();
    if !room {
        change(own, |running| running.saturating_sub(1));
    }
    room
}

fn leave(zone: &Zone) {
    if let Some(own) = own(zone) {
        change(own, |running| running.saturating_sub(1));
    }
}

/// Changes how many hashes this process runs. What another process left in the place is forgotten.
fn change(place: &AtomicU64, by: impl Fn(u32) -> u32) {
    let own = std::process::id();
    let changed = |value| {
        let (process, running) = parts(value);
        Some(whole(own, by(if process == own { running } else { 0 })))
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

/// What a process runs; one that is gone runs nothing, whatever it left.
fn alive(place: &AtomicU64) -> u32 {
    let value = place.load(Ordering::Acquire);
    let (process, running) = parts(value);
    if running == 0 || process == std::process::id() {
        return running;
    }
    // SAFETY: signal 0 only asks whether the process is there.
    let gone = unsafe { libc::kill(process.cast_signed(), 0) } == -1
        && std::io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH);
    if !gone {
        return running;
    }
    // Only what was seen is taken away: the place may have a new owner by now.
    let _ = place.compare_exchange(value, 0, Ordering::AcqRel, Ordering::Relaxed);
    0
}

/// Process and count share a word, so that no count is ever taken for that of another process.
fn whole(process: u32, running: u32) -> u64 {
    u64::from(process) << 32 | u64::from(running)
}

fn parts(value: u64) -> (u32, u32) {
    ((value >> 32) as u32, value as u32)
}

fn cores() -> u32 {
    // SAFETY: written by nginx at its start.
    u32::try_from(unsafe { ffi::ngx_ncpu }).unwrap_or(1).max(1)
}
