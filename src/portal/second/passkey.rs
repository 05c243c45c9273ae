//! Signing in with a passkey alone: the browser says whose it is, and nobody types a name.

use crate::factors::webauthn::{AssertionResponse, Challenge, PublicKeyOptions};
use crate::portal::answer::Answer;
use crate::portal::api;
use crate::portal::csrf::Nonce;
use crate::portal::errand::Cost;
use crate::portal::event::{Aim, Event, Failure, Method, Why};
use crate::portal::form::Form;
use crate::portal::login::Door;
use crate::portal::onward::Wish;
use crate::portal::request::Request;
use crate::portal::sessions::{self, SignIn};
use crate::portal::settings::Domain;
use crate::portal::ticket::Ticket;
use crate::portal::world::{Limited, World};
use crate::portal::{Portal, Step};
use crate::users::regulation::FLOOR_FORM;

use super::NOT_PROVEN;
use super::key::{challenge, lifespan};
use super::verdict::{Reply, Verdict, Whose, judge};

/// What somebody hands in to sign in with a passkey.
pub(in crate::portal) struct PasskeyAnswer {
    pub(in crate::portal) response: AssertionResponse,
    pub(in crate::portal) remember: bool,
    pub(in crate::portal) wish: Wish,
}

/// An attempt to sign in with a passkey.
struct Attempt {
    door: Door,
    remember: bool,
    wish: Wish,
}

impl Portal {
    /// What any passkey is asked, as the API says it.
    pub(in crate::portal) fn passkey_options(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        world: &mut dyn World,
    ) -> Answer {
        let Some((settings, party)) = self.passkeys(domain) else {
            return Answer::text(404);
        };
        let sent = Nonce::sent(&request.headers.cookies).next();
        let fresh = sent.is_none();
        let nonce = sent.unwrap_or_else(|| Nonce::new(world.random()));
        let challenge = Challenge::new(world.random());
        let mut answer = api::tell(PublicKeyOptions::passkey(settings, party, &challenge));
        answer.cookies.extend(fresh.then(|| nonce.cookie()));
        answer.cookies.push(Ticket::Passkey.issue(
            world.keys(),
            nonce.bytes(),
            challenge.bytes(),
            request.now,
            lifespan(settings),
        ));
        answer
    }

    /// The form of the login page with a passkey's answer.
    pub(super) fn passkey_form(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        world: &mut dyn World,
    ) -> Step {
        if self.passkeys(domain).is_none() {
            return Step::Answer(self.refuse(request, 404));
        }
        let mut form = match Form::read(request) {
            Ok(form) => form,
            Err(status) => return Step::Answer(self.refuse(request, status)),
        };
        let wish = Wish::of_form(&mut form);
        let remember = !form.take("remember").is_empty();
        if let Some(alert) = self.doubt(request, &form.take("token"), world) {
            return Step::Answer(self.login_again(request, 403, (&wish, remember), alert, world));
        }
        let Ok(response) = AssertionResponse::parse(form.take("response").as_bytes()) else {
            let alert = request.messages().second.passkey_failed;
            return Step::Answer(self.login_again(request, 400, (&wish, remember), alert, world));
        };
        let answer = PasskeyAnswer {
            response,
            remember,
            wish,
        };
        self.try_passkey(request, domain, Door::Page, answer, world)
    }

    /// Checks a passkey's answer.
    pub(in crate::portal) fn try_passkey(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        door: Door,
        answer: PasskeyAnswer,
        world: &mut dyn World,
    ) -> Step {
        let Some((settings, party)) = self.passkeys(domain) else {
            return Step::Answer(self.refuse(request, 404));
        };
        let (settings, party) = (settings.clone(), party.clone());
        if let Err(busy) = world.limit(Limited::SecondFactor, request.address, request.now) {
            return Step::Answer(self.too_many(request, door, busy));
        }
        let attempt = Attempt {
            door,
            remember: answer.remember,
            wish: answer.wish,
        };
        let (cookies, now) = (&request.headers.cookies, request.now);
        let ticket = Nonce::sent(cookies)
            .find_map(|nonce| Ticket::Passkey.find(world.keys(), nonce.bytes(), cookies, now));
        let Some((challenge, ends)) = ticket.and_then(challenge) else {
            let why = "no challenge was given to this browser, or it has ended".to_owned();
            let (user, proof) = (None, Err(why));
            return Step::Answer(self.end_passkey(
                request,
                attempt,
                Verdict { user, proof },
                world,
            ));
        };
        let reply = Reply {
            response: answer.response,
            challenge,
            ends,
        };
        Step::attempt(
            Cost::Waits,
            door,
            move |office| {
                judge(
                    office,
                    (&settings, &party),
                    &Whose::Anybody,
                    &reply,
                    true,
                    now,
                )
            },
            move |portal, request, verdict, world| {
                Step::Answer(portal.end_passkey(request, attempt, verdict, world))
            },
        )
    }

    /// Ends an attempt. It is counted like one with a password, but here, where it is known whose
    /// it is: nobody guesses signatures in parallel.
    fn end_passkey(
        &self,
        request: &Request<'_>,
        attempt: Attempt,
        verdict: Verdict,
        world: &mut dyn World,
    ) -> Answer {
        let known = verdict.user.and_then(|name| {
            let user = world.directory().user(&name)?;
            Some((user.name.clone(), user.password.fingerprint()))
        });
        let name = known.as_ref().map(|(name, _)| name.as_str());
        let reservation = world.reserve(name, request.address, request.now).ok();
        let domain = self.settings.domain_of(request.host_name());
        let good = known.is_some() && verdict.proof.is_ok() && domain.is_some();
        if let Some(reservation) = &reservation {
            world.settle(reservation, good);
        }
        match (reservation, known, verdict.proof, domain) {
            (Some(_), Some((user, password)), Ok(methods), Some((_, domain))) => {
                let sign_in = SignIn {
                    user: &user,
                    password,
                    methods,
                    remember: attempt.remember,
                };
                self.let_passkey_in(request, domain, &attempt, &sign_in, world)
            }
            (reservation, known, proof, _) => {
                let why = match (reservation, proof) {
                    (None, _) => Why::Banned,
                    (_, Err(why)) => Why::Says(why),
                    (_, Ok(_)) => Why::Says("no such user".to_owned()),
                };
                let event = Event::Fail(Failure {
                    aim: Aim::SignIn,
                    method: Method::Passkey,
                    user: known.map(|(name, _)| name),
                    why,
                    address: None,
                });
                self.keep_passkey_out(request, &attempt, event, world)
            }
        }
    }

    fn let_passkey_in(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        attempt: &Attempt,
        sign_in: &SignIn<'_>,
        world: &mut dyn World,
    ) -> Answer {
        let onward = match sign_in.methods.level(domain.realm.passkey_is_two) {
            2 => attempt.wish.proven(&self.settings, domain),
            _ => self.onward(request, domain, &attempt.wish, sign_in.user, world),
        };
        let Some(cookie) = sessions::start(request, domain, sign_in, world) else {
            return self.session_lost(request, sign_in.user, (Aim::SignIn, Method::Passkey));
        };
        let mut answer = self.signed_in(request, attempt.door, &attempt.wish, onward);
        answer.cookies.push(cookie);
        answer.cookies.push(Ticket::Passkey.take_back());
        answer.event = Some(Event::SignIn(sign_in.user.to_owned(), Method::Passkey));
        answer
    }

    /// The one answer to every failure.
    fn keep_passkey_out(
        &self,
        request: &Request<'_>,
        attempt: &Attempt,
        event: Event,
        world: &mut dyn World,
    ) -> Answer {
        let answer = match attempt.door {
            Door::Api => api::refused(403, NOT_PROVEN),
            Door::Page => {
                let alert = request.messages().second.passkey_failed;
                self.login_again(
                    request,
                    401,
                    (&attempt.wish, attempt.remember),
                    alert,
                    world,
                )
            }
        };
        Answer {
            hold: world.hold(FLOOR_FORM),
            event: Some(event),
            ..answer
        }
    }
}
