//! What is counted and measured of the gate, and the text in which Prometheus reads it.
//!
//! A [`Counter`] says what happened, under words that no visitor chooses; [`Counts`] are the counts, in
//! memory that several processes share; a [`Reading`] is one look at them. Pure: who has the memory
//! hands it in, and nothing here knows nginx, a clock, or what the other rooms do.
#![forbid(unsafe_code)]

mod catalogue;
mod counts;
mod exposition;
mod family;
mod reading;
mod words;

pub use catalogue::{Counter, Duration};
pub use counts::{BYTES, Counts};
pub use exposition::{Exposition, Kind};
pub use reading::{Hashes, Reading, TableFigures};
pub use words::{
    Banned, BannedFor, Decided, Ended, Fetched, Hashed, Level, Method, Operation, Ordered, Outcome,
    Store, Table, Wanted,
};
