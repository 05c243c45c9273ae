//! What a worker hears from the store and from other machines, and what it does about it.

use std::{cell::RefCell, collections::VecDeque};

use super::{Desk, orders, tries, visit::Brought};
use crate::{
    session::Key,
    store::{Ban, Order, Orders, SessionKey, Try},
};

/// Orders that are carried out in one go; the rest waits for the next, a moment later.
const AT_ONCE: usize = 256;

/// What came and what of it is still to be done.
pub struct Intake {
    desk: Desk,
    waiting: RefCell<VecDeque<Order>>,
}

impl Intake {
    /// Nothing has come yet.
    pub fn new(desk: Desk) -> Self {
        let waiting = RefCell::default();
        Intake { desk, waiting }
    }

    /// Takes what a visit has brought, orders apart.
    pub fn take(&self, brought: Brought) {
        let zone = &self.desk.zone;
        if let Some(secret) = brought.secret {
            zone.settle_secret(&secret);
            zone.set_keys(&secret);
        }
        self.end(&brought.over);
        if let Some((bans, failures)) = brought.restored {
            self.restore(&bans, &failures);
        }
        if let Some(orders) = brought.orders {
            zone.hear();
            self.queue(orders);
        }
    }

    /// Lets orders wait for their turn.
    pub fn queue(&self, orders: Orders) {
        if orders.missed {
            self.desk.zone.rewind(orders.next);
            self.desk.zone.want_recheck();
        }
        self.waiting.borrow_mut().extend(orders.orders);
    }

    /// Carries out those whose turn it is.
    pub fn follow(&self) {
        for _ in 0..AT_ONCE {
            let next = self.waiting.borrow_mut().pop_front();
            let Some(order) = next else { return };
            orders::carry_out(&self.desk, order);
        }
    }

    fn end(&self, over: &[SessionKey]) {
        if over.is_empty() {
            return;
        }
        if let Some(mut sessions) = self.desk.zone.sessions() {
            over.iter().for_each(|key| sessions.bury(&Key(*key)));
        }
    }

    /// Counts in a new zone what was counted before. All workers bring it, and the first does.
    fn restore(&self, bans: &[Ban], failures: &[Try]) {
        let zone = &self.desk.zone;
        if !zone.has_failures(crate::nginx::now()) {
            return;
        }
        failures
            .iter()
            .for_each(|tried| tries::count(&self.desk, tried));
        // The last word counts there, so of several bans of one target the longest goes last.
        bans.iter().rev().for_each(|ban| orders::ban(zone, ban));
    }
}
