//! Work that waits for disk or network, on nginx's own threads.
//!
//! Only so many errands of a worker run at once, so that they leave threads to passwords and files;
//! the rest wait in a queue up to a bound, and beyond that nothing is begun. Letters that no request
//! waits for have a line of their own: while a mail server does not answer, second factors go on. So
//! do sessions that are brought back.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    thread::LocalKey,
};

use super::{
    job::{self, AtExit, Threads},
    wait::Waiting,
};

/// Errands that run at once in one worker. With those aside and recalls they leave a quarter of the
/// threads that nginx has unless told.
const RUNNING: usize = 12;

/// Errands that wait in one worker.
const QUEUE: usize = 256;

/// Errands that no request waits for and that run at once in one worker.
const RUNNING_ASIDE: usize = 4;

/// Such errands that wait in one worker.
const QUEUE_ASIDE: usize = 256;

/// Sessions that are brought back at once in one worker.
const RUNNING_RECALLS: usize = 8;

/// Sessions that wait for that in one worker.
const QUEUE_RECALLS: usize = 1024;

/// A queue and those who have come to its front.
struct Line {
    waiting: RefCell<VecDeque<Box<dyn FnOnce()>>>,
    /// How many run.
    busy: Cell<usize>,
    most: usize,
    longest: usize,
}

thread_local! {
    /// Of this worker; the loop is its only thread that comes here.
    static WAITED_FOR: Line = const { Line::new(RUNNING, QUEUE) };
    /// Likewise.
    static RECALLS: Line = const { Line::new(RUNNING_RECALLS, QUEUE_RECALLS) };
    /// Likewise.
    static ASIDE: Line = const { Line::new(RUNNING_ASIDE, QUEUE_ASIDE) };
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
    run_while(Waiting::has_gone, waiting, threads, work, then);
}

/// The same for work that is done whether its visitor stays or not.
pub fn run_anyway<T: Send + 'static>(
    waiting: Waiting,
    threads: Threads,
    work: impl FnOnce() -> T + Send + 'static,
    then: impl FnOnce(Waiting, Option<T>) + 'static,
) {
    run_while(|_| false, waiting, threads, work, then);
}

fn run_while<T: Send + 'static>(
    is_idle: fn(&Waiting) -> bool,
    waiting: Waiting,
    threads: Threads,
    work: impl FnOnce() -> T + Send + 'static,
    then: impl FnOnce(Waiting, Option<T>) + 'static,
) {
    if WAITED_FOR.with(Line::is_full) {
        return then(waiting, None);
    }
    enqueue(&WAITED_FOR, move || {
        if !is_idle(&waiting) {
            start(&WAITED_FOR, threads, work, |result| {
                then(waiting, result);
            });
        }
    });
}

/// The same for what brings a session back, for which requests may wait or not.
pub fn run_recall<T: Send + 'static>(
    threads: Threads,
    work: impl FnOnce() -> T + Send + 'static,
    then: impl FnOnce(Option<T>) + 'static,
) {
    run_in(&RECALLS, threads, work, then);
}

/// The same for work that no request waits for.
pub fn run_aside<T: Send + 'static>(
    threads: Threads,
    work: impl FnOnce() -> T + Send + 'static,
    then: impl FnOnce(Option<T>) + 'static,
) {
    run_in(&ASIDE, threads, work, then);
}

fn run_in<T: Send + 'static>(
    line: &'static LocalKey<Line>,
    threads: Threads,
    work: impl FnOnce() -> T + Send + 'static,
    then: impl FnOnce(Option<T>) + 'static,
) {
    if line.with(Line::is_full) {
        return then(None);
    }
    enqueue(line, move || start(line, threads, work, then));
}

/// How many errands of this worker run and wait, and how many of those wait that no request waits for.
pub fn load() -> (usize, usize, usize) {
    let waiting = |line: &Line| line.waiting.borrow().len();
    let running = WAITED_FOR.with(|line| line.busy.get()) + ASIDE.with(|line| line.busy.get());
    (running, WAITED_FOR.with(waiting), ASIDE.with(waiting))
}

impl Line {
    const fn new(most: usize, longest: usize) -> Self {
        Line {
            waiting: RefCell::new(VecDeque::new()),
            busy: Cell::new(0),
            most,
            longest,
        }
    }

    fn is_full(&self) -> bool {
        self.waiting.borrow().len() >= self.longest
    }

    /// The next that may run.
    fn next(&self) -> Option<Box<dyn FnOnce()>> {
        let has_room = self.busy.get() < self.most;
        has_room.then(|| self.waiting.borrow_mut().pop_front())?
    }
}

fn enqueue(line: &'static LocalKey<Line>, start: impl FnOnce() + 'static) {
    line.with(|line| line.waiting.borrow_mut().push_back(Box::new(start)));
    admit(line);
}

fn start<T: Send + 'static>(
    line: &'static LocalKey<Line>,
    threads: Threads,
    work: impl FnOnce() -> T + Send + 'static,
    then: impl FnOnce(Option<T>) + 'static,
) {
    line.with(|line| line.busy.set(line.busy.get() + 1));
    job::spawn(threads, AtExit::Wait, work, move |result| {
        line.with(|line| line.busy.set(line.busy.get() - 1));
        // First, so that who goes on finds the line as it is.
        admit(line);
        then(result);
    });
}

/// Starts as many of those that wait as may run.
fn admit(line: &'static LocalKey<Line>) {
    while let Some(start) = line.with(Line::next) {
        start();
    }
}
