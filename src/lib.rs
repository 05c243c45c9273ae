//! Auth Gate: single sign-on inside nginx.
//!
//! The path of a protected request, one direction:
//! `nginx/clean` takes the client's identity headers out, `nginx/access` is entered in the access
//! phase, `nginx/facts` collects what nginx knows as an [`access::Object`], `nginx/credentials` reads
//! a password in a header and `nginx/passwords` has it checked, else `session::cookie` finds the token,
//! `nginx/zone` looks it up in shared memory and `session::lifetime` says whether it still holds,
//! `users::Directory` says who that is today, [`access::Rules`] find the requirement,
//! [`access::decide`] compares, and `nginx/reply` turns the decision into headers or an answer.
//!
//! The path of a login: `nginx/portal`, `nginx/body`, `nginx/flow`, which goes from step to step of
//! the state machine [`portal`]: a password check or an errand to the [`store`], to [`mail`] or to
//! [`users_file`] on `nginx/job`, then a new record in `nginx/zone`, then `nginx/reply`.
//!
//! [`factors`] checks what comes after the password or in its place, one-time codes and WebAuthn;
//! [`store`] keeps what outlives the processes, second factors above all; [`metrics`] counts what
//! happens.

pub mod access;
pub mod config;
pub mod factors;
pub mod files;
pub mod mail;
pub mod metrics;
pub mod portal;
pub mod session;
pub mod slots;
pub mod store;
pub mod users;
pub mod users_file;

#[cfg(feature = "module")]
mod nginx;
