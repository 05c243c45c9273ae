//! Security keys and passkeys: what is asked, and whether the answer counts.

use crate::factors::webauthn::{
    AssertionResponse, Challenge, Descriptor, PublicKeyOptions, Settings,
};
use crate::portal::answer::Answer;
use crate::portal::api;
use crate::portal::csrf;
use crate::portal::errand::Cost;
use crate::portal::login::Door;
use crate::portal::onward::Wish;
use crate::portal::request::Request;
use crate::portal::settings::Domain;
use crate::portal::ticket::Ticket;
use crate::portal::visitor::Visitor;
use crate::portal::world::World;
use crate::portal::{Portal, Step};
use crate::store::{Credential, Factors, SecondFactor, StoreError};

use super::verdict::{Reply, Whose, judge};
use super::{FORM, NOT_PROVEN, View};

/// Seconds that an answer may be under way, beyond those that the browser waits.
const GRACE: u64 = 30;

/// Seconds that a challenge is good for.
pub(super) fn lifespan(settings: &Settings) -> u64 {
    u64::from(settings.timeout).div_ceil(1000) + GRACE
}

impl Portal {
    /// What the visitor's keys are asked, as the API says it.
    pub(in crate::portal) fn key_options(
        &self,
        domain: &Domain,
        request: &Request<'_>,
        visitor: Visitor,
        world: &mut dyn World,
    ) -> Step {
        let Some((settings, party)) = self.keys(domain) else {
            return Step::Answer(Answer::text(404));
        };
        let (settings, party) = (settings.clone(), party.clone());
        let challenge = Challenge::new(world.random());
        let bound = &visitor.key.0;
        let seconds = lifespan(&settings);
        let ticket = (world.keys(), challenge.bytes());
        let cookie = Ticket::Assertion.issue(ticket.0, bound, ticket.1, request.now, seconds);
        let (user, rp_id) = (visitor.name, party.id().to_owned());
        Step::attempt(
            Cost::Waits,
            Door::Api,
            move |office| Ok(keys_of(office.factors()?, &user, &rp_id)?),
            move |_, _, keys, _| {
                if keys.is_empty() {
                    return Step::Answer(api::refused(403, NOT_PROVEN));
                }
                let u2f = keys.iter().any(|key| key.credential.legacy);
                let known = keys.into_iter().map(descriptor).collect();
                let options =
                    PublicKeyOptions::second_factor(&settings, &party, &challenge, known, u2f);
                let mut answer = api::tell(options);
                answer.cookies.push(cookie);
                Step::Answer(answer)
            },
        )
    }

    /// The form with a key's answer as it comes back.
    pub(super) fn key_form(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        world: &mut dyn World,
    ) -> Step {
        let (mut form, visitor, wish) = match self.factor_form(request, domain, true, world) {
            Ok(sent) => sent,
            Err(answer) => return Step::Answer(*answer),
        };
        let t = request.messages();
        let view = View::new(Some(SecondFactor::Webauthn), wish);
        if !csrf::verify_session(world.keys(), FORM, &visitor.key, &form.take("token")) {
            let view = view.alarmed(403, t.form_expired);
            return self.show_factor(request, domain, visitor, view, world);
        }
        let Ok(response) = AssertionResponse::parse(form.take("response").as_bytes()) else {
            let view = view.failed(400, t.second.key_failed);
            return self.show_factor(request, domain, visitor, view, world);
        };
        self.try_key(
            request,
            domain,
            (visitor, Door::Page, view.wish),
            response,
            world,
        )
    }

    /// Checks the answer of one of the visitor's keys.
    pub(in crate::portal) fn try_key(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        who: (Visitor, Door, Wish),
        response: AssertionResponse,
        world: &mut dyn World,
    ) -> Step {
        let Some((settings, party)) = self.keys(domain) else {
            return Step::Answer(self.refuse(request, 404));
        };
        let (settings, party) = (settings.clone(), party.clone());
        let attempt = match self.take_on(request, who, SecondFactor::Webauthn, world) {
            Ok(attempt) => attempt,
            Err(answer) => return Step::Answer(*answer),
        };
        let (cookies, now) = (&request.headers.cookies, request.now);
        let bound = &attempt.visitor.key.0;
        let ticket = Ticket::Assertion.find(world.keys(), bound, cookies, now);
        let Some((challenge, ends)) = ticket.and_then(challenge) else {
            let why = "no challenge was given to this browser, or it has ended".to_owned();
            return self.settle_factor(request, attempt, Err(why), world);
        };
        let (whose, counts) = (Whose::User(attempt.visitor.name.clone()), attempt.counts());
        let reply = Reply {
            response,
            challenge,
            ends,
        };
        Step::counted(
            Cost::Waits,
            attempt.door,
            attempt.reservation,
            move |office| judge(office, (&settings, &party), &whose, &reply, counts, now),
            move |portal, request, verdict, world| {
                portal.settle_factor(request, attempt, verdict.proof, world)
            },
        )
    }
}

/// The challenge in a ticket, and its end.
pub(super) fn challenge((payload, ends): (Vec<u8>, u64)) -> Option<(Challenge, u64)> {
    Some((Challenge::new(payload.try_into().ok()?), ends))
}

/// A user's keys that know us as `party`.
fn keys_of(factors: &dyn Factors, user: &str, party: &str) -> Result<Vec<Credential>, StoreError> {
    let mut keys = factors.credentials(user)?;
    keys.retain(|key| key.credential.rp_id == party);
    Ok(keys)
}

fn descriptor(key: Credential) -> Descriptor {
    let transports = key.credential.transports.split(',');
    let transports = transports
        .filter(|word| !word.is_empty())
        .map(str::to_owned);
    Descriptor::new(key.credential.credential_id, transports.collect())
}
