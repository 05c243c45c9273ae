//! The glue to nginx, and the only room with `unsafe`.
//!
//! A stranger reads in the order in which nginx calls: [`module`] is what nginx finds in the shared
//! object, [`directives`] and [`conf`] are what the administrator wrote, [`setup`] hooks the
//! handlers in. A request then meets [`clean`], [`access`] (with [`facts`] and [`identify`]) and
//! [`reply`], or, in the portal's location, [`portal`] (with [`body`] and [`job`]). [`zone`] is the
//! shared memory, [`snapshot`] the users file as this worker knows it, [`variables`] what the
//! administrator can print.
//!
//! Every function that nginx calls goes through [`entry::guard`]; a [`request::Request`] lives no
//! longer than the callback that made it.

mod access;
mod body;
mod checks;
mod clean;
mod conf;
mod directives;
mod entry;
mod facts;
mod ffi;
mod guard_cookie;
mod hashing;
mod headers;
mod identify;
mod job;
mod log;
mod module;
mod permissions;
mod portal;
mod reply;
mod request;
mod server_names;
mod setup;
mod snapshot;
mod state;
mod timer;
mod variables;
mod zone;

/// Unix seconds, as nginx last looked at the clock.
fn now() -> u64 {
    // SAFETY: nginx keeps the cached time from before any module runs.
    unsafe { u64::try_from((*ffi::ngx_cached_time).sec).unwrap_or(0) }
}
