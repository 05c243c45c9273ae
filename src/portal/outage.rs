//! What a visitor is told when something outside does not work, and what the administrator is.

use crate::store::StoreError;
use crate::users::regulation::Reservation;

use super::answer::Answer;
use super::api;
use super::errand::{Cost, Office, Outage};
use super::event::{Aim, Event, Failure, Method, Why};
use super::login::Door;
use super::request::Request;
use super::world::{Busy, World};
use super::{Portal, Step};

/// Seconds after which another try makes sense.
const RETRY_AFTER: u64 = 5;

impl From<StoreError> for Outage {
    fn from(error: StoreError) -> Self {
        Outage(error.to_string())
    }
}

impl Step {
    /// [`Step::errand`] for work that can fail: `then` gets what it came to. An outage, and that
    /// there was no thread, are answered by [`Portal::outage`].
    pub(super) fn attempt<T: Send + 'static>(
        cost: Cost,
        door: Door,
        work: impl FnOnce(&mut dyn Office) -> Result<T, Outage> + Send + 'static,
        then: impl FnOnce(&Portal, &Request<'_>, T, &mut dyn World) -> Step + 'static,
    ) -> Self {
        Self::counted(cost, door, None, work, then)
    }

    /// The same for work that an attempt is counted for: an outage takes `reservation` back, and
    /// `then` settles it.
    pub(super) fn counted<T: Send + 'static>(
        cost: Cost,
        door: Door,
        reservation: Option<Reservation>,
        work: impl FnOnce(&mut dyn Office) -> Result<T, Outage> + Send + 'static,
        then: impl FnOnce(&Portal, &Request<'_>, T, &mut dyn World) -> Step + 'static,
    ) -> Self {
        Step::errand(cost, work, move |portal, request, done, world| {
            let outage = match done {
                Some(Ok(value)) => return then(portal, request, value, world),
                Some(Err(outage)) => Some(outage),
                None => None,
            };
            if let Some(reservation) = &reservation {
                world.withdraw(reservation);
            }
            Step::Answer(portal.outage(request, door, outage))
        })
    }
}

impl Portal {
    /// 503 with `Retry-After`, and a line in the log. Without an `outage` there was no thread.
    pub(super) fn outage(
        &self,
        request: &Request<'_>,
        door: Door,
        outage: Option<Outage>,
    ) -> Answer {
        let answer = match door {
            Door::Page => self.refusal(super::reader(request), 503, Some(RETRY_AFTER)),
            Door::Api => api::unavailable(request).with("Retry-After", RETRY_AFTER.to_string()),
        };
        Answer {
            event: Some(Event::outage(outage)),
            ..answer
        }
    }

    /// 429 with `Retry-After`: the address has made too many requests of a kind.
    pub(super) fn too_many(&self, request: &Request<'_>, door: Door, busy: Busy) -> Answer {
        match door {
            Door::Page => self.refusal(super::reader(request), 429, Some(busy.retry_after)),
            Door::Api => Answer::text(429).with("Retry-After", busy.retry_after.to_string()),
        }
    }

    /// The answer to somebody whose session could not be kept, though what he gave was right.
    pub(super) fn session_lost(
        &self,
        request: &Request<'_>,
        user: &str,
        (aim, method): (Aim, Method),
    ) -> Answer {
        let answer = self.refusal(super::reader(request), 503, Some(RETRY_AFTER));
        Answer {
            event: Some(Event::Fail(Failure {
                aim,
                method,
                user: Some(user.to_owned()),
                why: Why::Lost,
                address: None,
            })),
            ..answer
        }
    }
}
