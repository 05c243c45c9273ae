//! How many passwords are checked at once.
//!
//! A hash burns a core and up to a few hundred megabytes, so no more run at once than the machine
//! has cores, all workers together; the rest wait in a queue of each worker up to a bound, and
//! beyond that a visitor is told to come back. Every worker counts its own under its process id, so
//! that the count of one that died can be taken away by anybody.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    sync::atomic::{AtomicU32, Ordering},
};

use super::{
    ffi,
    job::{self, Threads},
    request::Request,
    timer::Timer,
    zone::Zone,
};

/// Logins that wait in one worker.
const QUEUE: usize = 64;

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
pub fn has_room() -> bool {
    WAITING.with_borrow(|waiting| waiting.len() < QUEUE)
}

/// Runs `work` on a thread when its turn comes, and `then` on the loop with its result; the
/// request is kept meanwhile. `then` gets `None` when no thread could be had.
pub fn run(
    request: Request,
    zone: Rc<Zone>,
    threads: Threads,
    work: impl FnOnce() -> bool + Send + 'static,
    then: impl FnOnce(Request, Option<bool>) + 'static,
) {
    job::block(request);
    let waiting = request.as_ptr();
    let held = Rc::clone(&zone);
    let start = move || {
        let finish = move |result: Option<bool>| {
            leave(&held);
            // SAFETY: blocked above, and resumed only here.
            unsafe { job::resume(waiting, move |request| then(request, result)) };
            admit(&held);
        };
        job::spawn_or(threads, work, finish);
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

/// Other workers wake nobody here, so the queue is looked at again when all the room is theirs.
fn look_again(zone: &Rc<Zone>) {
    let own_will_end = own(zone).is_some_and(|[_, running]| running.load(Ordering::Relaxed) > 0);
    if own_will_end || LOOKING.replace(true) {
        return;
    }
    let zone = Rc::clone(zone);
    Timer::once(LOOK_AGAIN, move || {
        LOOKING.set(false);
        admit(&zone);
    });
}

/// Forgets what a process that had our place before was running.
pub fn reset(zone: &Zone) {
    if let Some([process, running]) = own(zone) {
        running.store(0, Ordering::Relaxed);
        process.store(std::process::id(), Ordering::Relaxed);
    }
}

fn enter(zone: &Zone) -> bool {
    let (Some(counts), Some([_, own])) = (zone.hash_counts(), own(zone)) else {
        return true;
    };
    own.fetch_add(1, Ordering::AcqRel);
    let total: u32 = counts
        .iter()
        .map(|[process, running]| alive(process, running))
        .sum();
    let room = total <= cores();
    if !room {
        own.fetch_sub(1, Ordering::AcqRel);
    }
    room
}

fn leave(zone: &Zone) {
    if let Some([_, running]) = own(zone) {
        running.fetch_sub(1, Ordering::AcqRel);
    }
}

fn own(zone: &Zone) -> Option<&[AtomicU32; 2]> {
    // SAFETY: written by nginx before the worker starts.
    let slot = usize::try_from(unsafe { ffi::ngx_process_slot }).unwrap_or(0);
    zone.hash_counts()
        .map(|counts| &counts[slot % counts.len()])
}

/// What a process runs; one that is gone runs nothing, whatever it left.
fn alive(process: &AtomicU32, running: &AtomicU32) -> u32 {
    let count = running.load(Ordering::Acquire);
    let id = process.load(Ordering::Relaxed);
    if count == 0 || id == std::process::id() {
        return count;
    }
    // SAFETY: signal 0 only asks whether the process is there.
    let gone = unsafe { libc::kill(id.cast_signed(), 0) } == -1
        && std::io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH);
    if gone {
        running.store(0, Ordering::Release);
        return 0;
    }
    count
}

fn cores() -> u32 {
    // SAFETY: written by nginx at its start.
    u32::try_from(unsafe { ffi::ngx_ncpu }).unwrap_or(1).max(1)
}
