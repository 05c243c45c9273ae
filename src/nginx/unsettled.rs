//! Attempts whose password is on its way to a thread and back. A visitor may go meanwhile, as browsers
//! do with every page that is left before it is there, and then nobody settles the attempt. What was
//! not found wrong was no failure, and is taken back.

use std::rc::Rc;

use super::{wait, zone::Zone};
use crate::{portal::Login, users::regulation::Reservation};

/// An attempt that is reserved and not settled yet. Dropped, it is taken back.
pub struct Unsettled {
    zone: Rc<Zone>,
    reservation: Option<Reservation>,
}

impl Unsettled {
    /// That of `login`.
    pub fn of(login: &Login, zone: &Rc<Zone>) -> Self {
        Unsettled {
            zone: Rc::clone(zone),
            reservation: login.reservation(),
        }
    }

    /// The password was checked, if there is an outcome: a wrong one counts, whoever waits for it.
    pub fn checked(&mut self, matched: Option<bool>) {
        if matched == Some(false) {
            self.reservation = None;
        }
    }

    /// Somebody is there to settle it.
    pub fn settle(mut self) {
        self.reservation = None;
    }
}

impl Drop for Unsettled {
    fn drop(&mut self) {
        if let Some(reservation) = self.reservation.take()
            && !wait::is_over()
        {
            self.zone
                .with_attempts(|attempts| attempts.withdraw(&reservation));
        }
    }
}
