//! The authorization endpoints: another proxy asks over HTTP for the decision that the gate makes
//! by itself, and passes the answer on. What was asked for is read by `asked`, who asks is found by
//! `who`, and `reply` words the decision. They open nothing in this nginx: all that comes of them
//! is their answer, and that is about whoever asks.

mod asked;
mod authentik;
pub(super) mod credential;
mod endpoint;
mod fault;
mod portal;
mod reply;
mod who;

use crate::access::{Decision, Guard, Level, Rules};
use crate::session::Realm;

use super::answer::{Answer, Judged};
use super::app_password::{Check, Checked, Presented};
use super::errand::Cost;
use super::event::{Aim, Event, Failure, Method, Misask, Why};
use super::in_header::{self, Asker, NameAndPassword};
use super::leave_everywhere::{Leaving, Place};
use super::login::{Door, Login};
use super::request::Request;
use super::settings::Domain;
use super::world::World;
use super::{Portal, Step};

pub(super) use authentik::endpoints as endpoints_of_authentik;
pub use endpoint::{
    CredentialHeader, Endpoint, Implementation, Schemes, Strategy, may_be_endpoint,
};

use asked::Asked;
use credential::Given;
use endpoint::Dialect;
use fault::Fault;
use who::{Verified, Who};

/// A request that was read, and where it belongs.
struct Question<'p, 'q> {
    asked: Asked<'q>,
    domain: &'p Domain,
    /// The host as rules see it.
    host: String,
    /// The portal's address.
    portal: Option<String>,
    /// Whether there are app passwords.
    app_passwords: bool,
}

impl Portal {
    /// The answer of an endpoint; `None` where none is asked for.
    pub(super) fn endpoint(&self, request: &Request<'_>, world: &mut dyn World) -> Option<Step> {
        let endpoint = self.asked_endpoint(request)?;
        Some(self.ask(request, endpoint, None, world))
    }

    /// The answer where an endpoint is asked in a way that it does not take, and where nothing but
    /// endpoints is served and none is asked for.
    pub(super) fn no_endpoint(&self, request: &Request<'_>) -> Option<Answer> {
        let only = request.doorway.as_ref()?.only;
        match self.asked_endpoint(request) {
            Some(endpoint) if endpoint.takes(request.method) => None,
            Some(_) => Some(Answer::text(405).with("Allow", "GET, HEAD")),
            None if self.leaving(request).is_some() => None,
            None => only.then(|| Answer::text(404)),
        }
    }

    /// Whether `request` is about another that a proxy has: its own host and scheme say nothing then.
    pub fn is_question(&self, request: &Request<'_>) -> bool {
        let proxied = |leaving: &Leaving<'_>| leaving.place == Place::Proxied;
        self.asked_endpoint(request).is_some()
            || self.leaving(request).as_ref().is_some_and(proxied)
    }

    /// The cookie domain whose session says who makes `request`: that of the address which an
    /// endpoint is asked about, whatever scheme it is asked over; elsewhere that of the host, over
    /// https. `None`: no cookie counts.
    pub fn realm_of(&self, request: &Request<'_>) -> Option<&Realm> {
        let only = request.doorway.as_ref().is_some_and(|doorway| doorway.only);
        let domain = match self.asked_endpoint(request) {
            Some(endpoint) if !endpoint.looks_at_cookies(request) => return None,
            Some(endpoint) => self.question(request, endpoint).ok()?.domain,
            None if only => self.leaving(request)?.domain,
            None if !request.is_https() => return None,
            None => self.settings.domain_of(request.host_name())?.1,
        };
        Some(&domain.realm)
    }

    /// The answer while nobody can say whose the cookie is that came along: what is open to everybody
    /// stays so at the endpoints, and `retry_after` seconds later another try makes sense.
    pub fn unknown(&self, request: &Request<'_>, rules: &Rules, retry_after: u64) -> Answer {
        let Some(endpoint) = self.asked_endpoint(request) else {
            return self.refusal(super::reader(request), 503, Some(retry_after));
        };
        let question = match self.question(request, endpoint) {
            Ok(question) => question,
            Err(fault) => return endpoint.bad(&fault, request),
        };
        let open = question.asked.object().ok().and_then(|object| {
            let verdict = Guard::default().judge(rules, &object, None, Level::None);
            (verdict.decision == Decision::Allow).then_some(verdict)
        });
        match open {
            Some(verdict) => endpoint
                .leave(request, &question, None)
                .judged(Judged::Verdict(verdict)),
            None => {
                let answer = self.refusal(super::reader(request), 503, Some(retry_after));
                answer.judged(Judged::Unavailable)
            }
        }
    }

    /// The answer once the credential in a header was checked and found to be that of `user`, or nobody's.
    pub(super) fn ask_again(
        &self,
        request: &Request<'_>,
        user: Option<String>,
        world: &mut dyn World,
    ) -> Answer {
        let verified = user.map_or(Verified::Wrong, Verified::Right);
        let endpoint = self.asked_endpoint(request);
        match endpoint.map(|endpoint| self.ask(request, endpoint, Some(verified), world)) {
            Some(Step::Answer(answer)) => answer,
            // One request has one credential to check.
            _ => Answer::text(500),
        }
    }

    fn asked_endpoint(&self, request: &Request<'_>) -> Option<&Endpoint> {
        let doorway = request.doorway.as_ref().filter(|it| !it.here.sign_out)?;
        let path = doorway.path(request.base)?;
        self.settings
            .endpoints
            .iter()
            .find(|endpoint| endpoint.serves(path))
    }

    fn ask(
        &self,
        request: &Request<'_>,
        endpoint: &Endpoint,
        verified: Option<Verified>,
        world: &mut dyn World,
    ) -> Step {
        let question = match self.question(request, endpoint) {
            Ok(question) => question,
            Err(fault) => return Step::Answer(endpoint.bad(&fault, request)),
        };
        match endpoint.who(request, &question, verified, world) {
            Who::Check(Given::Password(pair), header) => {
                let lasts = endpoint.remembers(header);
                self.check_password(request, &question, (pair, lasts), world)
            }
            Who::Check(Given::App(presented), _) => {
                check_app_password(request, &question, presented, world)
            }
            Who::Found(found) => Step::Answer(endpoint.answer(request, &question, &found, world)),
        }
    }

    /// Has a password checked that is remembered for so long if it is right, unless it was a moment ago.
    fn check_password(
        &self,
        request: &Request<'_>,
        question: &Question<'_, '_>,
        (pair, lasts): (NameAndPassword, u64),
        world: &mut dyn World,
    ) -> Step {
        let asker = Asker {
            domain: &question.domain.realm.domain,
            address: question.asked.address,
            now: request.now,
            lasts,
        };
        if let Some(user) = in_header::recall(&pair, &asker, world) {
            return Step::Answer(Answer {
                event: Some(Event::Pass(Method::Basic)),
                ..self.ask_again(request, Some(user.name), world)
            });
        }
        match in_header::begin(pair, &asker, world) {
            Ok(mut verify) => {
                verify.login.at_endpoint = Some(asker.address);
                Step::Verify(Box::new(verify))
            }
            Err(busy) => {
                let login = Login::unreadable(Door::Api);
                let mut answer = self.turn_away(request, &login, busy, world);
                put_off(&mut answer);
                Step::Answer(answer)
            }
        }
    }

    fn question<'p, 'q>(
        &'p self,
        request: &'q Request<'q>,
        endpoint: &Endpoint,
    ) -> Result<Question<'p, 'q>, Fault> {
        let doorway = request.doorway.as_ref().ok_or(Fault::NoRequest)?;
        let asked = Asked::read(request, doorway, endpoint)?;
        let object = asked.object()?;
        let host = object.host();
        let domain = self.settings.domains.iter().find(|d| d.realm.covers(host));
        let domain = domain.ok_or_else(|| Fault::Outside(asked.sources.host, host.to_owned()))?;
        let portal = portal::address(request, doorway, endpoint, domain)?;
        let host = host.to_owned();
        drop(object);
        Ok(Question {
            asked,
            domain,
            host,
            portal,
            app_passwords: self.settings.account.app_passwords.is_some(),
        })
    }
}

impl Endpoint {
    fn bad(&self, fault: &Fault, request: &Request<'_>) -> Answer {
        // Who is no proxy of ours may ask anything, and that is no news.
        let ours = request.doorway.as_ref().is_some_and(|d| d.trusted);
        let status = match self.implementation {
            Implementation::Legacy => 401,
            _ => 400,
        };
        let mut answer = Answer::text(status).judged(Judged::Error);
        answer.event = Some(Event::Misask(Misask {
            endpoint: self.path.clone(),
            sentence: fault.to_string(),
            setup: ours && fault.is_of_setup(),
        }));
        answer
    }
}

/// Has an app password looked up, for the host that is asked about; then the question is asked again.
fn check_app_password(
    request: &Request<'_>,
    question: &Question<'_, '_>,
    presented: Presented,
    world: &mut dyn World,
) -> Step {
    let Ok(object) = question.asked.object() else {
        return Step::Answer(Answer::text(500));
    };
    let from = (question.asked.address, request.now);
    let Check { work, attempt } = Check::begin(presented, object.host(), from, world);
    Step::errand(Cost::Waits, work, |portal, request, looked, world| {
        Step::Answer(match attempt.end(looked, world) {
            Checked::Right(user) => Answer {
                event: Some(Event::Pass(Method::AppPassword)),
                ..portal.ask_again(request, Some(user), world)
            },
            Checked::Wrong { failure, hold } => Answer {
                event: Some(Event::Fail(failure)),
                hold,
                ..portal.ask_again(request, None, world)
            },
            Checked::Unknown(outage) => Answer {
                judged: Some(Judged::Unavailable),
                ..portal.outage(request, Door::Page, outage)
            },
        })
    })
}

/// What the log says of a password in a header that was wrong.
pub(super) fn failure(login: &Login, banned: bool) -> Event {
    Event::Fail(Failure {
        aim: Aim::SignIn,
        method: Method::Basic,
        user: Some(login.typed.clone()),
        why: if banned { Why::Banned } else { Why::Wrong },
        address: login.at_endpoint,
    })
}

/// Makes `answer` that to a question whose password nobody can check now.
pub(super) fn put_off(answer: &mut Answer) {
    answer.event = Some(Event::TurnAway(Method::Basic));
    answer.judged = Some(Judged::Unavailable);
}
