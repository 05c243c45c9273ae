//! What a client sends under our names goes, before anybody can read it: identity headers in every
//! spelling, the session cookie, and the cookies of the portal.
//!
//! Runs first in the server-rewrite, rewrite and preaccess phases. The first two are before
//! `set $u $http_remote_user` and its like; preaccess is also reached by subrequests and named
//! locations, which rewrite phases may not see again, and there a subrequest to a guarded location
//! is judged as well, because the access phase skips subrequests.

use std::ptr::NonNull;

use super::{
    access,
    conf::{IdentityHeaders, Loaded},
    doors, entry,
    ffi::{self, AGAIN, DECLINED, ngx_http_request_t, ngx_int_t, ngx_table_elt_t},
    headers::{self, Extent, NoMemory},
    identity,
    request::{Request, bytes, text},
    state::{Cleaned, State},
};
use crate::{
    config::Sessions,
    session::{self, PORTAL_PREFIX, Stripped, Which},
    users::HeaderNames,
};

const FAILED: ngx_int_t = ffi::NGX_HTTP_INTERNAL_SERVER_ERROR as ngx_int_t;

/// Server-rewrite phase. Locations are not known yet: where one of this server lets the client's
/// headers through, the rewrite phase decides.
pub unsafe extern "C" fn server_rewrite(r: *mut ngx_http_request_t) -> ngx_int_t {
    entry::guard("header cleaner", FAILED, || {
        // SAFETY: `r` is the request of this callback.
        let Some(request) = (unsafe { Request::from_callback(r) }) else {
            return DECLINED;
        };
        if doors::has_left(request) {
            return ffi::NGX_HTTP_BAD_REQUEST as ngx_int_t;
        }
        let server = request.server();
        if !server.guards {
            return DECLINED;
        }
        code(clean(request, !server.lets_headers_through))
    })
}

/// Rewrite phase.
pub unsafe extern "C" fn rewrite(r: *mut ngx_http_request_t) -> ngx_int_t {
    entry::guard("header cleaner", FAILED, || {
        // SAFETY: `r` is the request of this callback.
        let Some(request) = (unsafe { Request::from_callback(r) }) else {
            return DECLINED;
        };
        code(clean_here(request))
    })
}

/// Preaccess phase.
pub unsafe extern "C" fn preaccess(r: *mut ngx_http_request_t) -> ngx_int_t {
    entry::guard("header cleaner", FAILED, || {
        // SAFETY: `r` is the request of this callback.
        let Some(request) = (unsafe { Request::from_callback(r) }) else {
            return DECLINED;
        };
        if clean_here(request).is_err() {
            return FAILED;
        }
        let location = request.location();
        if !location.is_guarded() {
            return DECLINED;
        }
        if request.is_subrequest() {
            return access::judge_subrequest(request);
        }
        if request.satisfies_any() {
            // An `allow` that comes first ends the access phase before us; who is signed in is
            // still told to the backend.
            return identify_ahead(request);
        }
        DECLINED
    })
}

fn identify_ahead(request: Request<'_>) -> ngx_int_t {
    let Some(state) = State::of(request) else {
        return FAILED;
    };
    if access::waits_for_session(request, state) {
        return AGAIN;
    }
    code(identity::add(request, state))
}

fn clean_here(request: Request<'_>) -> Result<(), NoMemory> {
    if !request.server().guards {
        return Ok(());
    }
    clean(
        request,
        request.location().identity_headers() != IdentityHeaders::OFF,
    )
}

/// One walk over the headers where there is nothing to take out, none where an earlier phase has
/// left them as they are.
fn clean(request: Request<'_>, identity: bool) -> Result<(), NoMemory> {
    let Some(loaded) = &request.whole().loaded else {
        return Ok(());
    };
    let cleaned = || Cleaned {
        extent: Extent::of(request),
        identity,
    };
    if State::find(request).is_some_and(|state| state.is_cleaned(cleaned())) {
        return Ok(());
    }
    clean_all(request, identity, loaded)?;
    if let Some(state) = State::find(request) {
        state.set_cleaned(cleaned());
    }
    Ok(())
}

fn clean_all(request: Request<'_>, identity: bool, loaded: &Loaded) -> Result<(), NoMemory> {
    let directory = loaded.snapshot.borrow();
    let is_forged = |element| identity && is_identity(request, element, directory.header_names());
    let mut goes = false;
    for element in request.headers() {
        goes |= if is_cookie(element) {
            take_cookies(request, element, &loaded.config.session)?
        } else {
            is_forged(element)
        };
    }
    if !goes {
        return Ok(());
    }
    headers::remove(request, |element| {
        if is_cookie(element) {
            value(element).is_empty()
        } else {
            is_forged(element)
        }
    })
}

/// Whether a header bears one of `names` and is not one that we added.
fn is_identity(
    request: Request<'_>,
    element: NonNull<ngx_table_elt_t>,
    names: &HeaderNames,
) -> bool {
    // SAFETY: elements of a live list are readable.
    let name = bytes(unsafe { &element.as_ref().key });
    names.contains(name) && !State::find(request).is_some_and(|state| state.owns(element))
}

/// Takes our cookies out of a `Cookie` header and keeps the header as it was; whether nothing is
/// left of it.
fn take_cookies(
    request: Request<'_>,
    element: NonNull<ngx_table_elt_t>,
    sessions: &Sessions,
) -> Result<bool, NoMemory> {
    let before = value(element);
    let mut after = without(request, before, Which::Beginning(PORTAL_PREFIX))?;
    for cookie in &sessions.cookies {
        after = without(request, after, Which::Named(cookie.realm.cookie.name()))?;
    }
    if after.len() == before.len() {
        return Ok(false);
    }
    State::of(request).ok_or(NoMemory)?.keep_cookie(before);
    // SAFETY: the element belongs to the live list; only its value is replaced, nginx's own
    // pointers to it stay right.
    unsafe { (*element.as_ptr()).value = text(after) };
    Ok(after.is_empty())
}

/// `header` without such cookies; shorter in any case where there was one.
fn without<'r>(
    request: Request<'r>,
    header: &'r [u8],
    which: Which<'_>,
) -> Result<&'r [u8], NoMemory> {
    if !session::carries(header, which) {
        return Ok(header);
    }
    let rest = request.zeroed(header.len()).ok_or(NoMemory)?;
    Ok(match session::strip_to(header, which, rest) {
        Stripped::Unchanged => header,
        Stripped::Empty => &[],
        Stripped::Rest(rest) => rest,
    })
}

fn is_cookie(element: NonNull<ngx_table_elt_t>) -> bool {
    // SAFETY: elements of a live list are readable.
    bytes(unsafe { &element.as_ref().key }).eq_ignore_ascii_case(b"cookie")
}

fn value<'a>(element: NonNull<ngx_table_elt_t>) -> &'a [u8] {
    // SAFETY: elements of a live list are readable, their bytes live in the request's memory.
    bytes(unsafe { &element.as_ref().value })
}

fn code(result: Result<(), NoMemory>) -> ngx_int_t {
    if result.is_ok() { DECLINED } else { FAILED }
}
