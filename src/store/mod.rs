//! What outlives the processes: second factors, preferred methods, app passwords, one-time codes,
//! sessions, failed attempts and bans.
//!
//! Blocking: whoever calls this runs it where waiting is allowed. Knows no nginx and no request;
//! the clock and random bytes are arguments (`now` is Unix seconds). A store is never opened before
//! a fork: an open SQLite file must not cross one.
//!
//! [`Factors`], [`AppPasswords`] and [`Ledger`] are all that the rest of the gate asks of a store. [`Sqlite`] is the
//! embedded one, [`Redis`] a ledger that several machines share.
//! Secrets and public keys are sealed under a [`StorageKey`], each bound to its row, so that a
//! store that was read gives nothing away and one that was changed is found out.
#![forbid(unsafe_code)]

mod app_passwords;
mod error;
mod factors;
pub mod import;
mod ledger;
mod model;
mod redis;
mod seal;
mod sqlite;

pub use app_passwords::AppPasswords;
pub use error::StoreError;
pub use factors::{Factors, Random};
pub use ledger::{
    Ban, BannedBy, Command, Event, Ledger, LedgerSession, MAX_RECORD, Mark, Order, Orders,
    SessionKey, Target, TriedAt, Try,
};
pub use model::{
    Algorithm, AppPassword, Assertion, Credential, Enrolled, MAX_CODES, MAX_DEVICES, MAX_NAME,
    NewCode, NewCredential, NewTotp, Purpose, SecondFactor, TotpDevice, is_good_name,
};
#[doc(hidden)]
pub use redis::read_anything;
pub use redis::{
    Redis, RedisLayout, RedisSentinels, RedisServer, RedisSettings, RedisTls, RedisTlsVersion,
    RedisTrouble,
};
pub use seal::StorageKey;
pub use sqlite::{Contents, Sqlite, State, check, inspect};
