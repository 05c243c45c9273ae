//! What the gate knows of a request while it lives.
//!
//! Internal redirects and named locations clear the contexts of all modules, so the state hangs on
//! a cleanup record of the pool and is found there by the address of its handler, as nginx's realip
//! module does it. The context is a short cut.

use std::{
    cell::{Cell, OnceCell},
    ffi::c_void,
    ptr::NonNull,
    sync::Arc,
};

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
pub type Step = Box<dyn FnOnce(Request<'_>)>;

/// What the gate knows of one request, its subrequests included.
///
/// Shared, never borrowed mutably: nginx calls back into us while a handler of ours runs (variables,
/// filters, the log), and each of them finds this same state.
#[derive(Default)]
pub struct State {
    /// Who the visitor is, once it was looked up; `None` inside is nobody that we know.
    pub visitor: OnceCell<Option<SignedIn>>,
    /// What was decided at the last guarded location.
    pub outcome: Cell<Option<Outcome>>,
    /// What the request waits to do.
    pub next: Cell<Option<Step>>,
    /// The `Cookie` headers as they came, from before our cookie was taken out of them.
    cookies: Cell<[Option<(*const u8, usize)>; MAX_COOKIE_HEADERS]>,
    /// The headers that were added for the backend.
    own_headers: Cell<[Option<NonNull<ngx_table_elt_t>>; MAX_OWN_HEADERS]>,
}

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
    pub fn of(request: Request<'_>) -> Option<&State> {
        match Self::find(request) {
            Some(state) => Some(state),
            None => Self::make(request),
        }
    }

    /// The state of `request` if any handler of ours saw it.
    pub fn find(request: Request<'_>) -> Option<&State> {
        // SAFETY: contexts are ours at our index; a cleanup record with our handler carries our state,
        // and lives as long as the pool. Only shared references are ever made of it.
        unsafe {
            let ctx = context(request);
            if let Some(state) = ctx.cast::<State>().as_ref() {
                return Some(state);
            }
            let mut cleanup = (*request.raw().pool).cleanup;
            while let Some(record) = cleanup.as_ref() {
                if record
                    .handler
                    .is_some_and(|handler| handler as usize == drop_state as *const () as usize)
                {
                    set_context(request, record.data);
                    return record.data.cast::<State>().as_ref();
                }
                cleanup = record.next;
            }
            None
        }
    }

    fn make(request: Request<'_>) -> Option<&State> {
        // SAFETY: the pool gives a block of the size asked for, aligned for any nginx type; it is
        // written before the handler that drops it is set.
        unsafe {
            let record =
                ffi::ngx_pool_cleanup_add(request.raw().pool, size_of::<State>()).as_mut()?;
            let state = record.data.cast::<State>();
            state.write(State::default());
            record.handler = Some(drop_state);
            set_context(request, state.cast());
            state.as_ref()
        }
    }

    /// The session of the visitor, if one was found.
    pub fn session(&self) -> Option<&SignedIn> {
        self.visitor.get()?.as_ref()
    }

    /// Keeps a `Cookie` header of the request; those beyond the bound are as if they were not sent.
    pub fn keep_cookie(&self, header: &[u8]) {
        let mut cookies = self.cookies.get();
        if let Some(place) = cookies.iter_mut().find(|place| place.is_none()) {
            *place = Some((header.as_ptr(), header.len()));
        }
        self.cookies.set(cookies);
    }

    /// The `Cookie` headers as they came.
    pub fn cookies<'r>(&self, _alive: Request<'r>) -> impl Iterator<Item = &'r [u8]> + use<'r> {
        // SAFETY: the bytes belong to the header buffers of the request, which the argument proves alive;
        // taking a cookie out writes a new buffer and leaves the old one.
        let bytes = |(data, length)| unsafe { std::slice::from_raw_parts(data, length) };
        self.cookies.get().into_iter().flatten().map(bytes)
    }

    /// Whether `element` is a header that we added.
    pub fn owns(&self, element: NonNull<ngx_table_elt_t>) -> bool {
        self.own_headers.get().contains(&Some(element))
    }

    /// Whether our headers were added already.
    pub fn has_headers(&self) -> bool {
        self.own_headers.get()[0].is_some()
    }

    /// Whether there is room to remember another header.
    pub fn can_remember_header(&self) -> bool {
        self.own_headers.get().contains(&None)
    }

    /// Remembers a header that we added, so that the cleaner spares it.
    pub fn remember_header(&self, element: NonNull<ngx_table_elt_t>) {
        let mut own = self.own_headers.get();
        if let Some(place) = own.iter_mut().find(|place| place.is_none()) {
            *place = Some(element);
        }
        self.own_headers.set(own);
    }
}

const _: () = assert!(
    align_of::<State>() <= ffi::NGX_ALIGNMENT,
    "a pool aligns no better"
);

unsafe fn context(request: Request<'_>) -> *mut c_void {
    // SAFETY: every request has one context for each module.
    unsafe { *request.raw().ctx.add(ngx_http_auth_gate_module.ctx_index) }
}

unsafe fn set_context(request: Request<'_>, state: *mut c_void) {
    // SAFETY: as `context`.
    unsafe { *request.raw().ctx.add(ngx_http_auth_gate_module.ctx_index) = state }
}

unsafe extern "C" fn drop_state(data: *mut c_void) {
    entry::guard("request cleanup", (), || {
        // SAFETY: the pool calls this once, with the block that `make` filled.
        unsafe { data.cast::<State>().drop_in_place() }
    });
}
