//! The glue to nginx, and the only room with `unsafe`.
//!
//! A stranger reads in the order in which nginx calls: [`module`] is what nginx finds in the shared
//! object, [`directives`] (with [`requirements`]) and [`conf`] are what the administrator wrote, [`load`]
//! reads the YAML, [`setup`] hooks the handlers in, [`checks`] and [`surroundings`] look at the whole,
//! [`worker`] starts what runs beside requests. A request then
//! meets [`clean`], [`access`] (with [`facts`], [`identify`], and [`credentials`] that [`passwords`] has
//! checked, equal ones once ([`shared_check`]), or [`look_up`] has found) and [`reply`], or, in the portal's
//! location, [`portal`] and [`flow`] (with [`body`], [`world`] and the [`ending`]), whose steps wait ([`wait`]) for
//! [`hashing`] ([`hash_thread`]), for [`errands`] in the [`office`] or for a [`sweep`], on threads
//! ([`job`]) and [`timer`]s. What outlives the process is the business of [`durable`]: it brings back
//! sessions that the zone lacks, and writes down what happens to them. What comes back passes [`guard_cookie`]. [`zone`] is
//! the shared memory (with [`marks`]), [`snapshot`] the users file as this worker knows
//! it, [`variables`] what the administrator can print. What happens is told to the log by [`audit`], counted by [`meters`], and told to others by
//! [`scrape`]; [`watched`] measures the store.
//!
//! Every function that nginx calls goes through [`entry::guard`]; a [`request::Request`] lives no
//! longer than the callback that made it.

mod access;
mod asked_password;
mod attributes;
mod audit;
mod backend;
mod block;
mod body;
mod checks;
mod clean;
mod conf;
mod credentials;
mod directive;
mod directives;
mod doors;
mod durable;
mod ending;
mod entry;
mod errands;
mod facts;
mod ffi;
mod flow;
mod guard_cookie;
mod hash_thread;
mod hashing;
mod headers;
mod identify;
mod identity;
mod job;
mod load;
mod log;
mod look_up;
mod marks;
mod meters;
mod module;
mod office;
mod passwords;
mod permissions;
mod portal;
mod presented;
mod reply;
mod request;
mod requirements;
mod scrape;
mod second_look;
mod server_names;
mod sessions;
mod setup;
mod shared_check;
mod signals;
mod snapshot;
mod state;
mod surroundings;
mod sweep;
mod timer;
mod unsettled;
mod variables;
mod visit;
mod wait;
mod worker;
mod world;
mod zone;

/// Unix seconds, as nginx last looked at the clock.
fn now() -> u64 {
    // SAFETY: nginx keeps the cached time from before any module runs.
    unsafe { u64::try_from((*ffi::ngx_cached_time).sec).unwrap_or(0) }
}

/// Milliseconds of a clock that nobody sets, as nginx last looked at it.
fn milliseconds() -> u64 {
    // SAFETY: as above; the loop is the only one to write it.
    unsafe { ffi::ngx_current_msec as u64 }
}
