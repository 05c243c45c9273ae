//! One attempt at a second factor, from the leave to make it to its answer. Wrong, used up and
//! banned look alike.

use crate::portal::answer::Answer;
use crate::portal::api;
use crate::portal::event::{Aim, Event, Failure, Method, Why};
use crate::portal::login::Door;
use crate::portal::onward::Wish;
use crate::portal::request::Request;
use crate::portal::sessions;
use crate::portal::ticket::Ticket;
use crate::portal::visitor::Visitor;
use crate::portal::world::{Limited, World};
use crate::portal::{Portal, Step};
use crate::session::Methods;
use crate::store::SecondFactor;
use crate::users::regulation::Reservation;

use super::{NOT_PROVEN, View};

/// An attempt at a second factor whose answer is being checked.
#[must_use = "an attempt that is neither settled nor withdrawn counts as a failure"]
pub(super) struct Attempt {
    pub(super) visitor: Visitor,
    pub(super) door: Door,
    pub(super) wish: Wish,
    factor: SecondFactor,
    /// `None` while the user or the address is banned.
    pub(super) reservation: Option<Reservation>,
}

/// What a check came to: what was proven, or why nothing was.
pub(super) type Proof = Result<Methods, String>;

impl Attempt {
    /// Whether a right answer would count. If not, nothing may be used up for it.
    pub(super) fn counts(&self) -> bool {
        self.reservation.is_some()
    }
}

impl Portal {
    /// Takes on an attempt; otherwise the answer.
    pub(super) fn take_on(
        &self,
        request: &Request<'_>,
        (visitor, door, wish): (Visitor, Door, Wish),
        factor: SecondFactor,
        world: &mut dyn World,
    ) -> Result<Attempt, Box<Answer>> {
        let (address, now) = (request.address, request.now);
        if let Err(busy) = world.limit(Limited::SecondFactor, address, now) {
            return Err(Box::new(self.too_many(request, door, busy)));
        }
        let reservation = world.reserve_factor(&visitor.name, address, now).ok();
        Ok(Attempt {
            visitor,
            door,
            wish,
            factor,
            reservation,
        })
    }

    /// Ends an attempt: a session under a new id, or the one answer to every failure.
    pub(super) fn settle_factor(
        &self,
        request: &Request<'_>,
        attempt: Attempt,
        proof: Proof,
        world: &mut dyn World,
    ) -> Step {
        let Some(reservation) = &attempt.reservation else {
            return self.factor_not_proven(request, attempt, Why::Banned, world);
        };
        world.settle(reservation, proof.is_ok());
        match proof {
            Ok(methods) => Step::Answer(self.factor_proven(request, attempt, methods, world)),
            Err(why) => self.factor_not_proven(request, attempt, Why::Says(why), world),
        }
    }

    fn factor_proven(
        &self,
        request: &Request<'_>,
        attempt: Attempt,
        methods: Methods,
        world: &mut dyn World,
    ) -> Answer {
        let Some((_, domain)) = self.settings.domain_of(request.host_name()) else {
            return self.foreign_host(request);
        };
        let visitor = attempt.visitor;
        let risen = sessions::step_up(request, domain, &visitor.key, methods, world);
        let Some(cookie) = risen else {
            return self.session_lost(
                request,
                &visitor.name,
                (Aim::StepUp, method(attempt.factor)),
            );
        };
        let mut answer = match attempt.door {
            Door::Api => api::signed_in(&attempt.wish.proven(&self.settings, domain)),
            Door::Page => self.on_page(request, domain, &attempt.wish),
        };
        answer.cookies.push(cookie);
        if attempt.factor == SecondFactor::Webauthn {
            answer.cookies.push(Ticket::Assertion.take_back());
        }
        answer.event = Some(Event::Prove(visitor.name, method(attempt.factor)));
        answer
    }

    fn factor_not_proven(
        &self,
        request: &Request<'_>,
        attempt: Attempt,
        why: Why,
        world: &mut dyn World,
    ) -> Step {
        let event = Some(Event::Fail(Failure {
            aim: Aim::StepUp,
            method: method(attempt.factor),
            user: Some(attempt.visitor.name.clone()),
            why,
            address: None,
        }));
        let domain = self.settings.domain_of(request.host_name());
        let (Door::Page, Some((_, domain))) = (attempt.door, domain) else {
            let answer = api::refused(403, NOT_PROVEN);
            return Step::Answer(Answer { event, ..answer });
        };
        let t = &request.messages().second;
        let view = View {
            status: 401,
            error: Some(match attempt.factor {
                SecondFactor::Totp => t.code_wrong,
                SecondFactor::Webauthn => t.key_failed,
            }),
            event,
            ..View::new(Some(attempt.factor), attempt.wish)
        };
        self.show_factor(request, domain, attempt.visitor, view, world)
    }
}

fn method(factor: SecondFactor) -> Method {
    match factor {
        SecondFactor::Totp => Method::Totp,
        SecondFactor::Webauthn => Method::Webauthn,
    }
}
