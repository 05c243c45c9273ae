//! Work that may block or burn time, on nginx's own threads.
//!
//! The closure touches only what it owns: no request, no pool, no log. Its result comes back on the
//! event loop. A request that waits is marked as blocked, so that nginx keeps it until then, and an
//! exiting worker waits for it.

use std::{ffi::c_void, ptr::null_mut};

use super::{
    entry,
    ffi::{self, ngx_event_t, ngx_http_request_t, ngx_log_t, ngx_thread_pool_t, ngx_thread_task_t},
    log,
    request::Request,
    state::State,
};

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
}

/// Runs `work` on a thread and `then` with its result on the loop. When the thread or the queue
/// fails, `then` is dropped.
pub fn spawn<T: Send + 'static>(
    threads: Threads,
    work: impl FnOnce() -> T + Send + 'static,
    then: impl FnOnce(T) + 'static,
) {
    let then = move |done: Option<Done>| {
        if let Some(value) = done.and_then(|done| done.downcast::<T>().ok()) {
            then(*value);
        }
    };
    post(
        threads,
        Box::new(move || Box::new(work()) as Done),
        Box::new(then),
        false,
    );
}

/// As [`spawn`] for work that a request waits for: an exiting worker waits with it, and `then` is
/// called in any case, with `None` when the thread or the queue failed.
pub fn spawn_or<T: Send + 'static>(
    threads: Threads,
    work: impl FnOnce() -> T + Send + 'static,
    then: impl FnOnce(Option<T>) + 'static,
) {
    let then = move |done: Option<Done>| {
        then(
            done.and_then(|done| done.downcast::<T>().ok())
                .map(|value| *value),
        )
    };
    post(
        threads,
        Box::new(move || Box::new(work()) as Done),
        Box::new(then),
        true,
    );
}

/// Marks a request as waiting for something else than its connection.
pub fn block(request: Request) {
    let raw = request.raw_mut();
    raw.set_blocked(raw.blocked() + 1);
    raw.set_aio(1);
    raw.read_event_handler = Some(ffi::ngx_http_test_reading);
    raw.write_event_handler = Some(continue_request);
}

/// Ends the wait and lets the request go on with `step`, unless the visitor has gone.
///
/// # Safety
///
/// `r` was blocked by [`block`] and not resumed since.
pub unsafe fn resume(r: *mut ngx_http_request_t, step: impl FnOnce(Request) + 'static) {
    // SAFETY: the caller's promise: nginx keeps a blocked request.
    let Some(request) = (unsafe { Request::from_callback(r) }) else {
        return;
    };
    let raw = request.raw_mut();
    raw.set_blocked(raw.blocked() - 1);
    raw.set_aio(0);
    let (connection, handler) = (raw.connection, raw.write_event_handler);
    if let Some(state) = State::of(request) {
        state.next = Some(Box::new(step));
    }
    // SAFETY: nginx's own way to go on: the handler is ours, or the one that ends an aborted
    // request; the request may be gone afterwards, its connection is not before the posted ones ran.
    unsafe {
        if let Some(handler) = handler {
            handler(r);
        }
        ffi::ngx_http_run_posted_requests(connection);
    }
}

/// Lets the request go on with `step` after `delay` milliseconds, by a timer.
pub fn later(request: Request, delay: usize, step: impl FnOnce(Request) + 'static) {
    let Some(state) = State::of(request) else {
        return;
    };
    state.next = Some(Box::new(step));
    let raw = request.raw_mut();
    raw.read_event_handler = Some(ffi::ngx_http_test_reading);
    raw.write_event_handler = Some(continue_request);
    // SAFETY: as nginx's limit_req does it: the write event of the connection carries the delay.
    unsafe {
        let write = (*raw.connection).write;
        (*write).set_delayed(1);
        ffi::ngx_add_timer(write, delay);
    }
}

/// The request's write handler while it waits.
unsafe extern "C" fn continue_request(r: *mut ngx_http_request_t) {
    entry::guard("resumed request", (), || {
        // SAFETY: `r` is the request of this callback.
        let Some(request) = (unsafe { Request::from_callback(r) }) else {
            return;
        };
        // SAFETY: a live request has its connection and that its write event.
        let delayed = unsafe {
            let write = (*request.raw().connection).write;
            (*write).delayed() == 1 && ffi::ngx_handle_write_event(write, 0) == ffi::OK
        };
        if delayed {
            return;
        }
        if let Some(step) = State::find(request).and_then(|state| state.next.take()) {
            step(request);
        }
    });
}

fn post(
    threads: Threads,
    work: Box<dyn FnOnce() -> Done + Send>,
    then: Box<dyn FnOnce(Option<Done>)>,
    holds_exit: bool,
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
        if ffi::ngx_thread_task_post(threads.0, task) != ffi::OK {
            finish(job);
            return;
        }
        if holds_exit {
            ffi::ngx_add_timer(&raw mut (*task).event, HOLD);
        }
    }
}

/// On a thread of the pool.
unsafe extern "C" fn run(data: *mut c_void, _: *mut ngx_log_t) {
    entry::guard("work on a thread", (), || {
        // SAFETY: `data` is the box of `post`; between post and completion only this thread touches
        // `work` and `done`.
        let job = unsafe { &mut *data.cast::<Job>() };
        if let Some(work) = job.work.take() {
            job.done = Some(work());
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
