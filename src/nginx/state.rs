//! What the gate knows of a request while it lives.
//!
//! Internal redirects and named locations clear the contexts of all modules, so the state hangs on
//! a cleanup record of the pool and is found there by the address of its handler, as nginx's realip
//! module does it. The context is a short cut.

use std::{
    cell::{Cell, OnceCell, RefCell},
    ffi::c_void,
    ptr::NonNull,
    sync::Arc,
};

use super::{
    credentials::{Place, Shown, Worth},
    entry,
    ffi::{self, ngx_table_elt_t},
    headers::{Extent, NoMemory},
    module::ngx_http_auth_gate_module,
    request::Request,
};
use crate::{
    access::{Level, Verdict},
    portal::in_header::Scheme,
    session::Key,
    users::User,
};

/// `Cookie` headers that are kept; a browser sends one.
pub const MAX_COOKIE_HEADERS: usize = 4;

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
    /// The credentials in headers, once they were looked at.
    shown: [OnceCell<Shown>; 2],
    /// What says who the visitor is at the guarded location that was reached last.
    by: Cell<By>,
    /// What said so when the headers for the backend were added.
    told: Cell<By>,
    /// Sessions that the store was asked for, so that each is asked for once.
    recalled: RefCell<Vec<Key>>,
    /// Whether who the visitor is cannot be found out, because the store is out.
    unknown: Cell<bool>,
    /// What was decided at the last guarded location.
    pub outcome: Cell<Option<Outcome>>,
    /// Whether `$auth_gate_backend` was asked for and is nothing.
    pub lacks_backend: Cell<bool>,
    /// What the request waits to do.
    pub next: Cell<Option<Step>>,
    /// The `Cookie` headers as they came, from before our cookie was taken out of them.
    cookies: [Cell<Option<(*const u8, usize)>>; MAX_COOKIE_HEADERS],
    /// The headers that were added for the backend.
    own_headers: Cell<Option<NonNull<OwnHeader>>>,
    /// The list of headers as the cleaner left it.
    cleaned: Cell<Option<Cleaned>>,
}

/// What says who a visitor is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// The session cookie.
    #[default]
    Cookie,
    /// The credential in that header.
    Header(Place),
}

/// What the headers for the backend say of the visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// There are none yet.
    Nothing,
    /// What is so at the location reached.
    AsNow,
    /// What was so at another location, where something else said who he is.
    Otherwise,
}

/// A header that was added for the backend, and the one before it. Lives in the request's pool.
#[derive(Clone, Copy)]
struct OwnHeader {
    element: NonNull<ngx_table_elt_t>,
    before: Option<NonNull<OwnHeader>>,
}

/// A list of headers that holds nothing any more that has to go.
#[derive(Clone, Copy, PartialEq)]
pub struct Cleaned {
    /// The list.
    pub extent: Extent,
    /// Whether identity headers were looked for as well.
    pub identity: bool,
}

/// Who holds a session that stands.
#[derive(Clone)]
pub struct SignedIn {
    /// The user as he was when the request came.
    pub user: Arc<User>,
    /// What the session has proven.
    pub level: Level,
}

/// What was decided, for the log and the variables.
#[derive(Clone, Copy)]
pub enum Outcome {
    /// A verdict of the rules or of the location.
    Judged(Verdict),
    /// The request could not be judged.
    Error,
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

    /// Who the visitor is at the guarded location that was reached last, if that was found out.
    pub fn session(&self) -> Option<&SignedIn> {
        match self.by.get() {
            By::Cookie => self.visitor.get()?.as_ref(),
            By::Header(place) => match &self.shown(place)?.worth {
                Worth::Right(signed_in) => Some(signed_in),
                Worth::Wrong | Worth::Unchecked(_) => None,
            },
        }
    }

    /// The credential in a header, if it was looked at.
    pub fn shown(&self, place: Place) -> Option<&Shown> {
        self.shown[place as usize].get()
    }

    /// Says what it is worth, for the rest of the request.
    pub fn set_shown(&self, place: Place, scheme: Scheme, worth: Worth) -> &Shown {
        self.shown[place as usize].get_or_init(|| Shown { scheme, worth })
    }

    /// What says who the visitor is.
    pub fn by(&self) -> By {
        self.by.get()
    }

    /// Says what does at the location reached.
    pub fn set_by(&self, by: By) {
        self.by.set(by);
    }

    /// Remembers that the store was asked for a session; `known`: whether it had an answer.
    pub fn note_recall(&self, key: Key, known: bool) {
        self.recalled.borrow_mut().push(key);
        if !known {
            self.unknown.set(true);
        }
    }

    /// Whether the store was asked for a session.
    pub fn was_asked(&self, key: &Key) -> bool {
        self.recalled.borrow().contains(key)
    }

    /// Says that who the visitor is cannot be found out.
    pub fn set_unknown(&self) {
        self.unknown.set(true);
    }

    /// Whether that is so.
    pub fn is_unknown(&self) -> bool {
        self.unknown.get()
    }

    /// Keeps a `Cookie` header of the request; those beyond the bound are as if they were not sent.
    pub fn keep_cookie(&self, header: &[u8]) {
        if let Some(place) = self.cookies.iter().find(|place| place.get().is_none()) {
            place.set(Some((header.as_ptr(), header.len())));
        }
    }

    /// The `Cookie` headers as they came.
    pub fn cookies<'r>(&self, _alive: Request<'r>) -> impl Iterator<Item = &'r [u8]> + use<'r> {
        // SAFETY: the bytes belong to the header buffers of the request, which the argument proves alive;
        // taking a cookie out writes a new buffer and leaves the old one.
        let bytes = |(data, length)| unsafe { std::slice::from_raw_parts(data, length) };
        self.cookies
            .clone()
            .into_iter()
            .filter_map(Cell::into_inner)
            .map(bytes)
    }

    /// Whether `element` is a header that we added.
    pub fn owns(&self, element: NonNull<ngx_table_elt_t>) -> bool {
        let mut own = self.own_headers.get();
        while let Some(header) = own {
            // SAFETY: made by `remember_header` in the pool that this state lives in, never changed.
            let header = unsafe { header.as_ref() };
            if header.element == element {
                return true;
            }
            own = header.before;
        }
        false
    }

    /// What our headers say of the visitor, if they were added already.
    pub fn told(&self) -> Told {
        match self.own_headers.get() {
            None => Told::Nothing,
            Some(_) if self.told.get() == self.by.get() => Told::AsNow,
            Some(_) => Told::Otherwise,
        }
    }

    /// Our headers were taken out again.
    pub fn forget_headers(&self) {
        self.own_headers.set(None);
    }

    /// Remembers a header that we added, so that the cleaner spares it.
    pub fn remember_header(
        &self,
        request: Request<'_>,
        element: NonNull<ngx_table_elt_t>,
    ) -> Result<(), NoMemory> {
        let before = self.own_headers.get();
        self.told.set(self.by.get());
        let header = request.place(OwnHeader { element, before });
        self.own_headers.set(Some(header.ok_or(NoMemory)?));
        Ok(())
    }

    /// Remembers what the cleaner has gone through.
    pub fn set_cleaned(&self, cleaned: Cleaned) {
        self.cleaned.set(Some(cleaned));
    }

    /// Whether the cleaner has gone through just that: no header came since.
    pub fn is_cleaned(&self, cleaned: Cleaned) -> bool {
        self.cleaned.get() == Some(cleaned)
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
