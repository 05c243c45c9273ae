//! Requests that wait: for a thread, or for their time to be answered.
//!
//! A request that waits for a thread is marked as blocked, so that nginx keeps it whatever its
//! client does; one that waits for a time sits behind the timer of its connection, as nginx's own
//! limit_req does it. Either way it goes on with a step, and a step that panics ends in a 500.

use std::cell::{Cell, RefCell};

use super::{
    entry,
    ffi::{self, NGX_HTTP_INTERNAL_SERVER_ERROR, ngx_http_request_t, ngx_int_t},
    request::Request,
    state::{State, Step},
};

const FAILED: ngx_int_t = NGX_HTTP_INTERNAL_SERVER_ERROR as ngx_int_t;

thread_local! {
    /// The requests whose steps run, innermost last, and whether each has been ended. The step of
    /// a request may run inside that of another one, or of the same one.
    static RUNNING: RefCell<Vec<(*mut ngx_http_request_t, bool)>> =
        const { RefCell::new(Vec::new()) };
    /// Whether this worker has come to its end.
    static OVER: Cell<bool> = const { Cell::new(false) };
}

/// The worker ends. Where it was told to stop at once requests may wait, and nginx frees what they
/// stand on before our queues are dropped: none of them goes on.
pub fn abandon_all() {
    OVER.set(true);
}

/// Whether this worker has come to its end.
pub fn is_over() -> bool {
    OVER.get()
}

/// Ends the request with `code`, as nginx's finalization reads it. Nothing may touch the request
/// afterwards.
pub fn end(request: Request<'_>, code: ngx_int_t) {
    let r = request.as_ptr();
    RUNNING.with_borrow_mut(|running| {
        let own = running.iter_mut().filter(|(whose, _)| *whose == r);
        own.for_each(|(_, ended)| *ended = true);
    });
    // SAFETY: the request is live; this is its end.
    unsafe { ffi::ngx_http_finalize_request(r, code) };
}

/// Runs a step that is to end the request or to let it wait; when it panics before that, the
/// request ends in a 500.
///
/// # Safety
///
/// `r` is the request of the running callback.
pub unsafe fn guard(
    callback: &'static str,
    r: *mut ngx_http_request_t,
    step: impl FnOnce(Request<'_>),
) {
    RUNNING.with_borrow_mut(|running| running.push((r, false)));
    // SAFETY: the caller's promise.
    let request = unsafe { Request::from_callback(r) };
    let whole = entry::guard(callback, false, || {
        request.map(step);
        true
    });
    let own = RUNNING.with_borrow_mut(Vec::pop);
    if !whole && own.is_some_and(|(_, ended)| !ended) {
        // SAFETY: nobody has ended the request, so it is live. Its steps that run around this one
        // learn of the end.
        if let Some(request) = unsafe { Request::from_callback(r) } {
            end(request, FAILED);
        }
    }
}

/// A request that waits for something else than its connection. nginx keeps it until it is resumed,
/// whatever its client does.
#[must_use = "a request that is never resumed stays for ever"]
pub struct Waiting(*mut ngx_http_request_t);

impl Waiting {
    /// Lets `request` wait.
    pub fn start(request: Request<'_>) -> Self {
        let raw = request.raw_mut();
        raw.set_blocked(raw.blocked() + 1);
        raw.set_aio(1);
        raw.read_event_handler = Some(ffi::ngx_http_test_reading);
        raw.write_event_handler = Some(go_on);
        Waiting(request.as_ptr())
    }

    /// Whether the visitor has gone, so that nobody waits for an answer.
    pub fn has_gone(&self) -> bool {
        // SAFETY: nginx keeps a blocked request, and puts its own handler in the place of ours when
        // it is to end.
        let handler = unsafe { (*self.0).write_event_handler };
        handler.is_none_or(|handler| handler as usize != go_on as *const () as usize)
    }

    /// Ends the wait and lets the request go on with `step`, unless the visitor has gone.
    pub fn resume(self, step: impl FnOnce(Request<'_>) + 'static) {
        let r = self.0;
        // Its drop would resume it once more.
        std::mem::forget(self);
        // SAFETY: blocked by `start`, and whoever had the right to resume it has given it up here.
        unsafe { resume(r, Some(Box::new(step))) };
    }
}

impl Drop for Waiting {
    /// Whoever drops the wait has no answer: the request ends in a 500 if its visitor is still there.
    fn drop(&mut self) {
        // SAFETY: blocked by `start` and not resumed since, because that consumes the value.
        unsafe { resume(self.0, None) };
    }
}

/// # Safety
///
/// `r` was blocked by [`Waiting::start`] and not resumed since.
unsafe fn resume(r: *mut ngx_http_request_t, step: Option<Step>) {
    if OVER.get() {
        return;
    }
    // SAFETY: the caller's promise: nginx keeps a blocked request.
    let Some(request) = (unsafe { Request::from_callback(r) }) else {
        return;
    };
    let raw = request.raw_mut();
    raw.set_blocked(raw.blocked() - 1);
    raw.set_aio(0);
    let (connection, handler) = (raw.connection, raw.write_event_handler);
    if let Some(state) = State::of(request) {
        state.next.set(step);
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

/// Goes on with the phases of nginx where a handler of ours has let the request wait.
pub fn run_phases(request: Request<'_>) {
    let raw = request.raw_mut();
    raw.read_event_handler = Some(ffi::ngx_http_block_reading);
    raw.write_event_handler = Some(ffi::ngx_http_core_run_phases);
    // SAFETY: the request is live and waits in a phase whose handler gave AGAIN.
    unsafe { ffi::ngx_http_core_run_phases(request.as_ptr()) };
}

/// Lets the request go on with `step` after `delay` milliseconds, by a timer.
pub fn later(request: Request<'_>, delay: usize, step: impl FnOnce(Request<'_>) + 'static) {
    let Some(state) = State::of(request) else {
        return end(request, FAILED);
    };
    state.next.set(Some(Box::new(step)));
    let raw = request.raw_mut();
    raw.read_event_handler = Some(ffi::ngx_http_test_reading);
    raw.write_event_handler = Some(go_on);
    // SAFETY: a live request has its connection with both events.
    let watched = unsafe {
        let (read, write) = ((*raw.connection).read, (*raw.connection).write);
        let watched = ffi::ngx_handle_read_event(read, 0) == ffi::OK;
        (*write).set_delayed(1);
        ffi::ngx_add_timer(write, delay);
        watched
    };
    if !watched {
        end(request, FAILED);
    }
}

/// The request's write handler while it waits.
unsafe extern "C" fn go_on(r: *mut ngx_http_request_t) {
    let step = |request: Request<'_>| {
        // SAFETY: a live request has its connection and that its write event.
        let (delayed, watched) = unsafe {
            let write = (*request.raw().connection).write;
            let delayed = (*write).delayed() == 1;
            (
                delayed,
                !delayed || ffi::ngx_handle_write_event(write, 0) == ffi::OK,
            )
        };
        if !watched {
            return end(request, FAILED);
        }
        if delayed {
            return;
        }
        let Some(state) = State::find(request) else {
            return end(request, FAILED);
        };
        let waits = request.raw().blocked() > 0;
        match state.next.take() {
            Some(step) => step(request),
            // The socket is writable while a thread works.
            None if waits => {}
            None => end(request, FAILED),
        }
    };
    // SAFETY: `r` is the request of this callback.
    unsafe { guard("resumed request", r, step) };
}
