//! No application behind the gate may set a cookie of the gate: it could sign a visitor out, or in as
//! somebody else, or hand him a step of its own flow. A header filter takes such `Set-Cookie` headers out of what comes back.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{
    backend, entry,
    ffi::{self, ERROR, ngx_http_request_t, ngx_int_t},
    log::Level,
    request::{Headers, Request, bytes},
};
use crate::session::{self, PORTAL_PREFIX, Which};

type Filter = unsafe extern "C" fn(*mut ngx_http_request_t) -> ngx_int_t;

/// The filter that was at the top before ours.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Puts the filter before all others, so that it sees what the application sent and not what the
/// administrator adds.
pub fn register() -> Result<(), ()> {
    // SAFETY: while the configuration is read, nobody else touches the chain of filters.
    unsafe {
        let top = ffi::ngx_http_top_header_filter.ok_or(())?;
        if top as usize != filter as Filter as usize {
            NEXT.store(top as usize, Ordering::Relaxed);
            ffi::ngx_http_top_header_filter = Some(filter);
        }
    }
    Ok(())
}

unsafe extern "C" fn filter(r: *mut ngx_http_request_t) -> ngx_int_t {
    let cleaned = entry::guard("header filter", false, || {
        // SAFETY: `r` is the request of this callback.
        if let Some(request) = unsafe { Request::from_callback(r) } {
            backend::refuse_without(request);
            clean(request);
        }
        true
    });
    match NEXT.load(Ordering::Relaxed) {
        next if next == 0 || !cleaned => ERROR,
        // SAFETY: the address was taken from nginx's own chain, whose filters have this type.
        next => unsafe { std::mem::transmute::<usize, Filter>(next)(r) },
    }
}

fn clean(request: Request<'_>) {
    // A server that guards nothing may stand in front of another gate, whose cookie it passes on.
    if !request.server().guards || request.location().answers() {
        return;
    }
    let Some(loaded) = &request.whole().loaded else {
        return;
    };
    let sessions = &loaded.config.session;
    for mut element in Headers::of(&request.raw().headers_out.headers) {
        // SAFETY: elements of a live list; nginx does not send one whose hash is 0.
        let element = unsafe { element.as_mut() };
        if element.hash == 0 || !bytes(&element.key).eq_ignore_ascii_case(b"set-cookie") {
            continue;
        }
        let sets = |which| session::sets(bytes(&element.value), which);
        let mut names = sessions
            .cookies
            .iter()
            .map(|cookie| cookie.realm.cookie.name());
        if sets(Which::Beginning(PORTAL_PREFIX)) || names.any(|name| sets(Which::Named(name))) {
            element.hash = 0;
            request.log(
                Level::Warn,
                format_args!("auth_gate: the application tried to set a cookie of the gate"),
            );
        }
    }
}
