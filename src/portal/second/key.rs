//! Security keys and passkeys: what is asked, and whether the answer counts.

use zeroize::Zeroizing;

use crate::factors::webauthn::{
    Asked, AssertionResponse, Challenge, Descriptor, Owner, PublicKeyOptions, Refusal,
    RelyingParty, Settings, Stored, UserHandle,
};
use crate::portal::answer::Answer;
use crate::portal::api;
use crate::portal::csrf;
use crate::portal::errand::{Cost, Office, Outage};
use crate::portal::form::Form;
use crate::portal::login::Door;
use crate::portal::onward::Wish;
use crate::portal::request::Request;
use crate::portal::settings::Domain;
use crate::portal::ticket::Ticket;
use crate::portal::visitor::Visitor;
use crate::portal::world::World;
use crate::portal::{Portal, Step};
use crate::session::Methods;
use crate::store::{Assertion, Credential, Factors, SecondFactor};

use super::proof::Proof;
use super::{FORM, NOT_PROVEN, View};

/// Seconds that an answer may be under way, beyond those that the browser waits.
const GRACE: u64 = 30;

/// Whose key is to answer.
pub(super) enum Whose {
    /// That of a user who is known already.
    User(String),
    /// Anybody's who has a passkey.
    Anybody,
}

/// A browser's answer, and what it was asked.
pub(super) struct Reply {
    pub(super) response: AssertionResponse,
    pub(super) challenge: Challenge,
    /// When the challenge ends.
    pub(super) ends: u64,
}

/// Whom an answer is about, as far as that is known, and what it proves.
pub(super) struct Verdict {
    pub(super) user: Option<String>,
    pub(super) proof: Proof,
}

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
        let mut form = match Form::read(request) {
            Ok(form) => form,
            Err(status) => return Step::Answer(self.refuse(request, status)),
        };
        let wish = Wish::of_form(&mut form);
        let visitor = match self.guest(request, domain, &wish, true, world) {
            Ok(visitor) => visitor,
            Err(elsewhere) => return Step::Answer(elsewhere),
        };
        let t = request.messages();
        let view = View::new(Some(SecondFactor::Webauthn), wish);
        if !csrf::verify_session(world.keys(), FORM, &visitor.key, &form.take("token")) {
            let (status, alert) = (403, Some(t.form_expired));
            let view = View {
                status,
                alert,
                ..view
            };
            return self.show(request, domain, visitor, view, world);
        }
        let Ok(response) = AssertionResponse::parse(form.take("response").as_bytes()) else {
            let (status, error) = (400, Some(t.second.key_failed));
            let view = View {
                status,
                error,
                ..view
            };
            return self.show(request, domain, visitor, view, world);
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
            Err(answer) => return Step::Answer(answer),
        };
        let (cookies, now) = (&request.headers.cookies, request.now);
        let bound = &attempt.visitor.key.0;
        let ticket = Ticket::Assertion.find(world.keys(), bound, cookies, now);
        let Some((challenge, ends)) = ticket.and_then(challenge) else {
            let why = "no challenge was given to this browser, or it has ended".to_owned();
            return self.settle(request, attempt, Err(why), world);
        };
        let (whose, counts) = (Whose::User(attempt.visitor.name.clone()), attempt.counts());
        let reply = Reply {
            response,
            challenge,
            ends,
        };
        Step::attempt(
            Cost::Waits,
            attempt.door,
            move |office| judge(office, (&settings, &party), &whose, &reply, counts, now),
            move |portal, request, verdict, world| {
                portal.settle(request, attempt, verdict.proof, world)
            },
        )
    }
}

/// The challenge in a ticket, and its end.
pub(super) fn challenge((payload, ends): (Vec<u8>, u64)) -> Option<(Challenge, u64)> {
    Some((Challenge::new(payload.try_into().ok()?), ends))
}

/// What a reply proves; if it `counts`, its challenge is used up and its use remembered.
pub(super) fn judge(
    office: &dyn Office,
    (settings, party): (&Settings, &RelyingParty),
    whose: &Whose,
    reply: &Reply,
    counts: bool,
    now: u64,
) -> Result<Verdict, Outage> {
    let factors = office.factors()?;
    let Some((user, handle)) = owner(office, party, whose, &reply.response)? else {
        let proof = Err("no user has that handle".to_owned());
        return Ok(Verdict { user: None, proof });
    };
    let found = factors.credential(party.id(), reply.response.credential())?;
    let found = found.filter(|found| found.credential.user == user);
    let proof = match found {
        None => Err("the key is not registered for this user".to_owned()),
        Some(found) => {
            let asked = Asked {
                party,
                challenge: &reply.challenge,
                verification: settings.user_verification,
                owner: match whose {
                    Whose::User(_) => Owner::User(&handle),
                    Whose::Anybody => Owner::Anybody,
                },
            };
            let upgrade = settings.passkey_upgrade && matches!(whose, Whose::Anybody);
            check(
                factors,
                (&found, &handle),
                &asked,
                reply,
                (counts, upgrade),
                now,
            )?
        }
    };
    let user = Some(user);
    Ok(Verdict { user, proof })
}

fn check(
    factors: &dyn Factors,
    (found, handle): (&Credential, &UserHandle),
    asked: &Asked<'_>,
    reply: &Reply,
    (counts, upgrade): (bool, bool),
    now: u64,
) -> Result<Proof, Outage> {
    let key = &found.credential;
    let stored = Stored {
        id: &key.credential_id,
        owner: handle,
        public_key: &key.public_key,
        sign_count: key.sign_count,
        backup_eligible: key.backup_eligible,
        u2f: key.legacy,
    };
    let asserted = reply.response.verify(asked, &stored);
    if !counts {
        return Ok(Err("banned after too many failures".to_owned()));
    }
    let mut used = Assertion {
        id: found.id,
        found: key.sign_count,
        sign_count: key.sign_count,
        clone_warning: false,
        present: key.present,
        verified: key.verified,
        backup_state: key.backup_state,
        discoverable: upgrade,
    };
    let asserted = match asserted {
        Ok(asserted) => asserted,
        Err(refusal) => {
            if refusal == Refusal::Cloned {
                used.clone_warning = true;
                used.discoverable = false;
                factors.note_assertion(&used, now)?;
            }
            return Ok(Err(refusal.to_string()));
        }
    };
    used.sign_count = asserted.sign_count;
    used.present = asserted.flags.present;
    used.verified = asserted.flags.verified;
    used.backup_state = asserted.flags.backup_state;
    if !factors.spend_challenge(reply.challenge.bytes(), reply.ends, now)? {
        return Ok(Err("the challenge was answered before".to_owned()));
    }
    if !factors.note_assertion(&used, now)? {
        return Ok(Err(
            "the key was removed or used elsewhere meanwhile".to_owned()
        ));
    }
    Ok(Ok(match asserted.flags.verified {
        true => Methods::WEBAUTHN.with(Methods::USER_VERIFIED),
        false => Methods::WEBAUTHN,
    }))
}

/// The user whose key is to answer, and what authenticators call that user.
fn owner(
    office: &dyn Office,
    party: &RelyingParty,
    whose: &Whose,
    response: &AssertionResponse,
) -> Result<Option<(String, UserHandle)>, Outage> {
    let factors = office.factors()?;
    match whose {
        Whose::User(user) => {
            let mut random = Zeroizing::new([0; 48]);
            office.random(&mut *random);
            let fresh = UserHandle::new(*random);
            let mut bytes = [0; 64];
            bytes.copy_from_slice(fresh.bytes());
            let handle = factors.user_handle(party.id(), user, &bytes)?;
            Ok(UserHandle::parse(&handle).map(|handle| (user.clone(), handle)))
        }
        Whose::Anybody => match response.user_handle() {
            None => Ok(None),
            Some(handle) => {
                let user = factors.user_of_handle(party.id(), handle.bytes())?;
                Ok(user.map(|user| (user, handle.clone())))
            }
        },
    }
}

/// A user's keys that know us as `party`.
fn keys_of(
    factors: &dyn Factors,
    user: &str,
    party: &str,
) -> Result<Vec<Credential>, crate::store::StoreError> {
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
