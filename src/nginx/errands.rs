//! Work that waits for disk or network, on nginx's own threads.
//!
//! Only so many errands of a worker run at once, so that a mail server that does not answer leaves
//! threads to passwords and files; the rest wait in a queue up to a bound, and beyond that nothing
//! is begun.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
};

use super::{
    job::{self, AtExit, Threads},
    wait::Waiting,
};

/// Errands that run at once in one worker: half of the threads that nginx has unless told.
const RUNNING: usize = 16;

/// Errands that wait in one worker.
const QUEUE: usize = 256;

thread_local! {
    /// Of this worker; the loop is its only thread that comes here.
    static WAITING: RefCell<VecDeque<Box<dyn FnOnce()>>> = const { RefCell::new(VecDeque::new()) };
    /// How many run.
    static BUSY: Cell<usize> = const { Cell::new(0) };
}

/// Runs `work` on a thread when its turn comes, and `then` on the loop with its result; `None` when
/// neither a place in the queue nor a thread could be had. Work whose visitor has gone before its
/// turn is not done at all.
pub fn run<T: Send + 'static>(
    waiting: Waiting,
    threads: Threads,
    work: impl FnOnce() -> T + Send + 'static,
    then: impl FnOnce(Waiting, Option<T>) + 'static,
) {
    if is_full() {
        return then(waiting, None);
    }
    enqueue(move || {
        if !waiting.has_gone() {
            start(threads, work, |result| then(waiting, result));
        }
    });
}

/// The same for work that no request waits for.
pub fn run_aside<T: Send + 'static>(
    threads: Threads,
    work: impl FnOnce() -> T + Send + 'static,
    then: impl FnOnce(Option<T>) + 'static,
) {
    if is_full() {
        return then(None);
    }
    enqueue(move || start(threads, work, then));
}

fn is_full() -> bool {
    WAITING.with_borrow(|waiting| waiting.len() >= QUEUE)
}

fn enqueue(start: impl FnOnce() + 'static) {
    WAITING.with_borrow_mut(|waiting| waiting.push_back(Box::new(start)));
    admit();
}

fn start<T: Send + 'static>(
    threads: Threads,
    work: impl FnOnce() -> T + Send + 'static,
    then: impl FnOnce(Option<T>) + 'static,
) {
    BUSY.set(BUSY.get() + 1);
    job::spawn(threads, AtExit::Wait, work, move |result| {
        BUSY.set(BUSY.get() - 1);
        then(result);
        admit();
    });
}

/// Starts as many of those that wait as may run.
fn admit() {
    while BUSY.get() < RUNNING {
        match WAITING.with_borrow_mut(VecDeque::pop_front) {
            Some(start) => start(),
            None => return,
        }
    }
}
