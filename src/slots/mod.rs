//! Fixed slots over plain bytes: the shape of everything that shared memory holds.
//!
//! A [`Table`] lives in a slice that several processes share and somebody else locks. Any of them
//! may be killed at any store, after which the lock is given to the next; so
//!
//! * a dirty mark is set before the first store of an operation and taken away after the last. Who
//!   opens a dirty table rebuilds every link from the slots;
//! * every slot carries a checksum over its contents. A new record counts from the store of its
//!   checksum on; a changed one is written beside the table first (the journal) and copied then.
//!   So a kill loses at most the record that was being inserted;
//! * nothing that is read is trusted: indices are checked, walks are bounded, and what does not
//!   fit together makes the table rebuild itself.
//!
//! Lookup, insertion, change and removal take a bounded number of steps; only a rebuild walks
//! through all slots. When the table is full, the record that expired first makes room, and if none
//! has expired the least recently used one. Expiries stand in a heap (eight bytes a slot): a list
//! in order of use cannot tell which of its records are dead, because lifetimes differ.
#![forbid(unsafe_code)]

mod cells;
mod deadlines;
mod layout;
mod memory;
mod plan;
mod recovery;
mod table;
mod text;

pub use layout::{Layout, ZoneTooSmall};
pub use memory::Memory;
pub use plan::{Shape, TooSmall, Victim};
pub use recovery::Opened;
pub use table::{Entry, Inserted, KEY_LENGTH, Key, Stats, Table};
pub use text::{Text, TooLong};

#[cfg(test)]
mod tests;
