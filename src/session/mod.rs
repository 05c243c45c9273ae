//! Sessions: token and cookie, the record, how long it lasts, and the table that holds records.
//!
//! Pure: `now` and random bytes are arguments, memory is a slice that somebody else locks. Knows
//! nothing of nginx, of rules or of the users file: a record names its user, and who that is today
//! is asked elsewhere.
#![forbid(unsafe_code)]

mod cookie;
mod device;
mod lifetime;
mod proven;
mod realm;
mod record;
mod table;
mod token;

pub use cookie::{
    BadCookie, CookieSpec, CrossSite, MAX_CANDIDATES, PORTAL_PREFIX, Stripped, Which, carries,
    clear_cookie, set_cookie, sets, strip_to, tokens, values,
};
pub use device::{Browser, Device, System};
pub use lifetime::{Ended, Lifetimes, SKEW, check, needs_touch};
pub use proven::Proven;
pub use realm::{Fallen, Realm, is_inside, standing};
pub use record::{Methods, NAME_LENGTH, Name, RECORD_LENGTH, Record, domain_id};
pub use table::{Refused, Session, Table};
pub use token::{COOKIE_LENGTH, Key, Keys, Token};
