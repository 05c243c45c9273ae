//! Requests that came with the same name and password from the same address while these are being
//! checked. A browser or a program sends several at once, and each would be an attempt that counts as
//! failed until it is through: so the first is checked, and the others wait for what comes of it.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
};

use super::{timer::Timer, wait};

/// Requests of one worker that may wait for the check of another.
const MOST: usize = 1024;

/// What tells one credential from another.
pub type Name = [u8; 32];

/// A request that waits; called with `None` where the check has ended without telling, because the
/// visitor has gone whose it was.
pub type Waiter<T> = Box<dyn FnOnce(Option<T>)>;

/// The checks that are under way in one worker, each with those who wait for it.
pub struct Checks<T: 'static>(RefCell<HashMap<Name, Vec<Waiter<T>>>>);

/// A check that is under way. Whoever drops it untold lets those go on who wait.
pub struct Check<T: Clone + 'static> {
    name: Name,
    told: Option<T>,
    checks: &'static std::thread::LocalKey<Checks<T>>,
}

impl<T> Default for Checks<T> {
    fn default() -> Self {
        Checks(RefCell::default())
    }
}

impl<T> Checks<T> {
    /// Whether such a check is under way and another request can wait for it.
    pub fn has_room(&self, name: &Name) -> bool {
        let checks = self.0.borrow();
        let waiting: usize = checks.values().map(Vec::len).sum();
        checks.contains_key(name) && waiting < MOST
    }

    /// Lets a request wait for it.
    pub fn wait(&self, name: &Name, waiter: Waiter<T>) {
        let mut checks = self.0.borrow_mut();
        checks.entry(*name).or_default().push(waiter);
    }
}

impl<T: Clone + 'static> Check<T> {
    /// Begins a check, for which others may wait.
    pub fn begin(name: Name, checks: &'static std::thread::LocalKey<Checks<T>>) -> Self {
        checks.with(|checks| _ = checks.0.borrow_mut().entry(name).or_default());
        let told = None;
        Check { name, told, checks }
    }

    /// Tells those who wait what came of it.
    pub fn tell(mut self, what: T) {
        self.told = Some(what);
    }
}

impl<T: Clone + 'static> Drop for Check<T> {
    /// Whoever waits goes on a moment later, and not inside of a request that is about to go its way:
    /// another's may bring it to its end.
    fn drop(&mut self) {
        if wait::is_over() {
            return;
        }
        let waiters = self.checks.with(|checks| {
            let mut checks = checks.0.borrow_mut();
            checks.remove(&self.name)
        });
        let waiters = waiters.unwrap_or_default();
        if waiters.is_empty() {
            return;
        }
        let (waiters, told) = (Cell::new(waiters), self.told.take());
        Timer::once(1, move || {
            for waiter in waiters.take() {
                waiter(told.clone());
            }
        });
    }
}
