//! What happened in one worker and waits to be written down, up to a bound.

use std::cell::{Cell, RefCell};

use super::visit::Entry;
use crate::nginx::log;

/// Entries that wait in one worker.
const QUEUE: usize = 4096;

/// Entries that one visit writes down, so that it can be done in the time that it has.
const BATCH: usize = 256;

/// The entries, oldest first.
#[derive(Default)]
pub struct Queue {
    entries: RefCell<Vec<Entry>>,
    /// Whether something in the queue is for others to know at once.
    urgent: Cell<bool>,
    /// Whether something was lost, which is said once.
    lost: Cell<bool>,
}

impl Queue {
    /// Puts an entry at the end if there is room. Half of the room is for what is `urgent`.
    pub fn push(&self, urgent: bool, entry: impl FnOnce() -> Entry) {
        // Ends matter more when there is no end of them.
        let room = if urgent { QUEUE } else { QUEUE / 2 };
        let mut entries = self.entries.borrow_mut();
        if entries.len() < room {
            entries.push(entry());
            self.urgent.set(self.urgent.get() || urgent);
        } else if urgent {
            drop(entries);
            self.lose();
        }
    }

    /// Takes what one visit writes down.
    pub fn take_batch(&self) -> Vec<Entry> {
        let mut queue = self.entries.borrow_mut();
        let batch = queue.len().min(BATCH);
        let rest = queue.split_off(batch);
        let entries = std::mem::replace(&mut *queue, rest);
        self.urgent.set(self.urgent.get() && !queue.is_empty());
        entries
    }

    /// What could not be written down waits before what has come since.
    pub fn put_back(&self, mut entries: Vec<Entry>) {
        let mut queue = self.entries.borrow_mut();
        entries.append(&mut queue);
        let too_many = entries.len() > QUEUE;
        entries.truncate(QUEUE);
        self.urgent.set(!entries.is_empty());
        *queue = entries;
        drop(queue);
        if too_many {
            self.lose();
        }
    }

    /// Whether something in it is for others to know at once.
    pub fn is_urgent(&self) -> bool {
        self.urgent.get()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.entries.borrow().is_empty()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.entries.borrow().len()
    }

    fn lose(&self) {
        if !self.lost.replace(true) {
            log::cycle(
                log::Level::Error,
                format_args!(
                    "auth_gate: more happens to sessions than the store takes: what it knows of them, of failed \
                    logins and bans will be incomplete"
                ),
            );
        }
    }
}
