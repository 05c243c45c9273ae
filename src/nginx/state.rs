//! What the gate knows of a request while it lives.
//!
//! Internal redirects and named locations clear the contexts of all modules, so the state hangs on
//! a cleanup record of the pool and is found there by the address of its handler, as nginx's realip
//! module does it. The context is a short cut.

use std::{ffi::c_void, ptr::NonNull, sync::Arc};

use super::{
    entry,
    ffi::{self, ngx_table_elt_t},
    module::ngx_http_auth_gate_module,
    request::Request,
};
use crate::{
    access::{Level, Verdict},
    session::Record,
    users::{Directory, User},
};

/// `Cookie` headers that are kept; a browser sends one.
pub const MAX_COOKIE_HEADERS: usize = 4;

/// Identity headers of ours that a request can carry: the set and the additional ones.
const MAX_OWN_HEADERS: usize = 32;

/// The next step of a request that waits.
pub type Step = Box<dyn FnOnce(Request)>;

/// What the gate knows of one request, its subrequests included.
#[derive(Default)]
pub struct State {
    /// The `Cookie` headers as they came, from before our cookie was taken out of them.
    cookies: [Option<(*const u8, usize)>; MAX_COOKIE_HEADERS],
    /// The visitor's session; `None` when nobody that we know came, or nobody looked yet.
    pub session: Option<SignedIn>,
    /// Whether the session was looked up.
    pub is_known: bool,
    /// What was decided at the last guarded location.
    pub outcome: Option<Outcome>,
    /// What the request waits to do.
    pub next: Option<Step>,
    /// The headers that were added for the backend.
    pub own_headers: OwnHeaders,
}

/// The headers that were added for the backend.
#[derive(Default)]
pub struct OwnHeaders([Option<NonNull<ngx_table_elt_t>>; MAX_OWN_HEADERS]);

/// A session that holds, and the directory in which its user was found.
pub struct SignedIn {
    /// The session.
    pub record: Record,
    /// The users as they were at that moment.
    pub directory: Arc<Directory>,
}

/// What was decided, for the log and the variables.
#[derive(Clone, Copy)]
pub enum Outcome {
    /// A verdict of the rules or of the location.
    Judged(Verdict),
    /// The request could not be judged.
    Error,
}

impl SignedIn {
    /// The user; `None` cannot happen while the directory is the one that was looked in.
    pub fn user(&self) -> Option<&User> {
        self.directory.user(self.record.user.as_str())
    }

    /// What the session has proven.
    pub fn level(&self) -> Level {
        match self.record.level() {
            0 => Level::None,
            1 => Level::OneFactor,
            _ => Level::TwoFactor,
        }
    }
}

impl State {
    /// The state of `request`, made on first use; `None` only when memory is out.
    pub fn of<'a>(request: Request) -> Option<&'a mut State> {
        match Self::find(request) {
            Some(state) => Some(state),
            None => Self::make(request),
        }
    }

    /// The state of `request` if any handler of ours saw it.
    pub fn find<'a>(request: Request) -> Option<&'a mut State> {
        // SAFETY: contexts are ours at our index; a cleanup record with our handler carries our state,
        // and lives as long as the pool. The loop is single-threaded and handlers do not nest.
        unsafe {
            let ctx = context(request);
            if let Some(state) = ctx.cast::<State>().as_mut() {
                return Some(state);
            }
            let mut cleanup = (*request.raw().pool).cleanup;
            while let Some(record) = cleanup.as_ref() {
                if record
                    .handler
                    .is_some_and(|handler| handler as usize == drop_state as *const () as usize)
                {
                    set_context(request, record.data);
                    return record.data.cast::<State>().as_mut();
                }
                cleanup = record.next;
            }
            None
        }
    }

    fn make<'a>(request: Request) -> Option<&'a mut State> {
        // SAFETY: the pool gives a block of the size asked for, aligned for any nginx type; it is
        // written before the handler that drops it is set.
        unsafe {
            let record =
                ffi::ngx_pool_cleanup_add(request.raw().pool, size_of::<State>()).as_mut()?;
            let state = record.data.cast::<State>();
            state.write(State::default());
            record.handler = Some(drop_state);
            set_context(request, state.cast());
            state.as_mut()
        }
    }

    /// Keeps a `Cookie` header of the request; those beyond the bound are as if they were not sent.
    pub fn keep_cookie(&mut self, header: &[u8]) {
        if let Some(place) = self.cookies.iter_mut().find(|place| place.is_none()) {
            *place = Some((header.as_ptr(), header.len()));
        }
    }

    /// The `Cookie` headers as they came.
    pub fn cookies<'a>(&self, _alive: Request) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        // SAFETY: the bytes belong to the header buffers of the request, which the argument proves alive;
        // taking a cookie out writes a new buffer and leaves the old one.
        self.cookies
            .into_iter()
            .flatten()
            .map(|(data, len)| unsafe { std::slice::from_raw_parts(data, len) })
    }
}

impl OwnHeaders {
    /// Whether `element` is one of them.
    pub fn holds(&self, element: NonNull<ngx_table_elt_t>) -> bool {
        self.0.contains(&Some(element))
    }

    /// Whether none were added yet.
    pub fn is_empty(&self) -> bool {
        self.0[0].is_none()
    }

    /// Whether there is no room for another.
    pub fn is_full(&self) -> bool {
        !self.0.contains(&None)
    }

    /// Remembers a header, so that the cleaner spares it.
    pub fn remember(&mut self, element: NonNull<ngx_table_elt_t>) {
        if let Some(own) = self.0.iter_mut().find(|own| own.is_none()) {
            *own = Some(element);
        }
    }
}

const _: () = assert!(
    align_of::<State>() <= ffi::NGX_ALIGNMENT,
    "a pool aligns no better"
);

unsafe fn context(request: Request) -> *mut c_void {
    // SAFETY: every request has one context for each module.
    unsafe { *request.raw().ctx.add(ngx_http_auth_gate_module.ctx_index) }
}

unsafe fn set_context(request: Request, state: *mut c_void) {
    // SAFETY: as `context`.
    unsafe { *request.raw().ctx.add(ngx_http_auth_gate_module.ctx_index) = state }
}

unsafe extern "C" fn drop_state(data: *mut c_void) {
    entry::guard("request cleanup", (), || {
        // SAFETY: the pool calls this once, with the block that `make` filled.
        unsafe { data.cast::<State>().drop_in_place() }
    });
}
