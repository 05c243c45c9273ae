//! Work that may block or burn time, on nginx's own threads.
//!
//! The closure touches only what it owns: no request, no pool, no log. Its result comes back on the
//! event loop.

use std::{cell::Cell, ffi::c_void, ptr::null_mut};

use super::{
    entry,
    ffi::{self, ngx_event_t, ngx_log_t, ngx_thread_pool_t, ngx_thread_task_t},
    log,
};

thread_local! {
    /// Whether this process has its threads. In single-process mode a reload brings a configuration
    /// whose pool nobody starts.
    static STARTED: Cell<*mut ngx_thread_pool_t> = const { Cell::new(null_mut()) };
}

/// Milliseconds for which an exiting worker waits for a piece of work, again and again.
const HOLD: usize = 60_000;

/// nginx's default thread pool.
#[derive(Clone, Copy, Debug)]
pub struct Threads(*mut ngx_thread_pool_t);

/// A task of nginx with what it runs and what follows. The first words stand where nginx's debug
/// log looks for a file descriptor.
#[repr(C)]
struct Job {
    identity: [usize; 4],
    task: ngx_thread_task_t,
    /// Taken by the thread; leaves the second half for the loop.
    work: Option<Box<dyn FnOnce() -> Done + Send>>,
    /// What is to be done with the result; loop only, therefore not `Send`.
    then: Option<Box<dyn FnOnce(Option<Done>)>>,
    done: Option<Done>,
}

type Done = Box<dyn std::any::Any + Send>;

impl Threads {
    /// The pool that nginx makes for `thread_pool default` or, without one, on our behalf.
    pub fn add(cf: *mut ffi::ngx_conf_t) -> Option<Self> {
        // SAFETY: `cf` is live while nginx reads its configuration; null names the default pool.
        let pool = unsafe { ffi::ngx_thread_pool_add(cf, null_mut()) };
        (!pool.is_null()).then_some(Threads(pool))
    }

    /// Says that nginx has started these threads in this process.
    pub fn have_started(self) {
        STARTED.set(self.0);
    }

    /// Whether work can be given to them.
    pub fn are_running(self) -> bool {
        STARTED.get() == self.0
    }
}

/// Whether an exiting worker waits for a piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtExit {
    /// It waits: somebody waits for the answer.
    Wait,
    /// It does not.
    Leave,
}

/// Runs `work` on a thread and then, in any case, `then` on the loop: with the result, or with
/// `None` when the thread or the queue failed.
pub fn spawn<T: Send + 'static>(
    threads: Threads,
    at_exit: AtExit,
    work: impl FnOnce() -> T + Send + 'static,
    then: impl FnOnce(Option<T>) + 'static,
) {
    let then = move |done: Option<Done>| {
        then(
            done.and_then(|done| done.downcast::<T>().ok())
                .map(|value| *value),
        );
    };
    let work = move || Box::new(work()) as Done;
    post(threads, Box::new(work), Box::new(then), at_exit);
}

fn post(
    threads: Threads,
    work: Box<dyn FnOnce() -> Done + Send>,
    then: Box<dyn FnOnce(Option<Done>)>,
    at_exit: AtExit,
) {
    // SAFETY: a task of zeros is what `ngx_thread_task_alloc` gives.
    let task = unsafe { std::mem::zeroed() };
    let job = Box::into_raw(Box::new(Job {
        identity: [usize::MAX; 4],
        task,
        work: Some(work),
        then: Some(then),
        done: None,
    }));
    // SAFETY: the box was just made; it is given back in `complete`, or here when nobody took it.
    unsafe {
        let task = &raw mut (*job).task;
        (*task).ctx = job.cast();
        (*task).handler = Some(run);
        (*task).event.data = job.cast::<c_void>();
        (*task).event.handler = Some(complete);
        (*task).event.log = log::cycle_log();
        if !threads.are_running() || ffi::ngx_thread_task_post(threads.0, task) != ffi::OK {
            finish(job);
            return;
        }
        if at_exit == AtExit::Wait {
            ffi::ngx_add_timer(&raw mut (*task).event, HOLD);
        }
    }
}

/// On a thread of the pool.
unsafe extern "C" fn run(data: *mut c_void, _: *mut ngx_log_t) {
    entry::guard("work on a thread", (), || {
        let job = data.cast::<Job>();
        // SAFETY: `data` is the box of `post`. Between post and completion only this thread touches
        // `work` and `done`; the loop may touch the task's event meanwhile, so no reference is made
        // to the whole.
        let (work, done) = unsafe { (&mut (*job).work, &mut (*job).done) };
        if let Some(work) = work.take() {
            *done = Some(work());
        }
    });
}

/// On the loop: when the work is done, or when the timer that holds an exiting worker fires.
unsafe extern "C" fn complete(event: *mut ngx_event_t) {
    entry::guard("completion of work", (), || {
        // SAFETY: `data` is the box of `post`, alive until `finish`.
        unsafe {
            if (*event).complete() == 0 {
                (*event).set_timedout(0);
                ffi::ngx_add_timer(event, HOLD);
                return;
            }
            if (*event).timer_set() == 1 {
                ffi::ngx_del_timer(event);
            }
            finish((*event).data.cast::<Job>());
        }
    });
}

unsafe fn finish(job: *mut Job) {
    // SAFETY: the caller has the box and nobody else will touch it.
    let job = *unsafe { Box::from_raw(job) };
    let Job { then, done, .. } = job;
    if let Some(then) = then {
        then(done);
    }
}
