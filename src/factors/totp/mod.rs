//! One-time codes by time (RFC 6238).
//!
//! A code is right for one [`Step`] of time. That it works once is up to the caller, who keeps the
//! steps that were used, by device, where all workers see them.

mod key;
mod secret;
mod settings;
mod uri;

pub use key::{Key, Step};
pub use secret::{BadSecret, Secret};
pub use settings::{
    Algorithm, BadParameters, Digits, Offer, Parameters, SHORTEST_PERIOD, SHORTEST_SECRET, Settings,
};
