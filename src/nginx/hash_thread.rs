//! The thread that a hash runs on: one of its own, because a thread can give up its priority but
//! cannot take it back, and those of nginx's pool have other work as well.

use std::thread;

/// Added to the niceness of the worker: the kernel then gives a hash about a thirtieth of a core
/// that somebody else wants too, and puts it aside at once when the loop wakes up. Not the most
/// that there is, so that a login still ends in seconds on a machine that is busy all over.
const NICENESS: libc::c_int = 15;

/// Runs `work` on a thread that yields to all others and waits for it; `None` when there is no
/// thread to be had, and nothing was run, or when `work` panicked.
pub fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let work = || {
        yield_to_all();
        work()
    };
    let thread = thread::Builder::new().name("auth-gate hash".into());
    thread.spawn(work).ok()?.join().ok()
}

/// On Linux a thread has a niceness of its own, elsewhere the whole process has one.
fn yield_to_all() {
    #[cfg(target_os = "linux")]
    // SAFETY: changes the priority of the thread that calls it. Where that is forbidden, the hash
    // runs with the priority of the worker.
    unsafe {
        libc::nice(NICENESS);
    }
}
