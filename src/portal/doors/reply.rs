//! The decision in the words of the endpoint that was asked.

use crate::access::{
    Ask, Challenge, Decision, Guard, Level, Object, Requirement, Subject, Verdict, original_url,
    portal_url,
};
use crate::portal::answer::{Answer, Judged};
use crate::portal::in_header::{self, Scheme};
use crate::portal::request::Request;
use crate::portal::world::World;
use crate::users::{HeaderSet, User, replacement};

use super::authentik::{self, Known};
use super::who::Found;
use super::{Dialect, Endpoint, Implementation, Question, Strategy};

impl Endpoint {
    /// Judges the question for whom was found, and words the answer.
    pub(super) fn answer(
        &self,
        request: &Request<'_>,
        question: &Question<'_, '_>,
        found: &Found,
        world: &dyn World,
    ) -> Answer {
        let Ok(object) = question.asked.object() else {
            return Answer::text(500);
        };
        let name = found.user.as_deref();
        let user = name.and_then(|name| world.directory().user(name));
        let subject = user.map(|user| Subject {
            user: &user.name,
            groups: &user.groups,
        });
        let level = user.map_or(Level::None, |_| found.level);
        let guard = Guard::default();
        let verdict = guard.judge(world.rules(), &object, subject.as_ref(), level);
        let asks = found.wrong && verdict.requirement != Requirement::Bypass;
        let decision = match verdict.decision {
            _ if asks => Decision::Challenge,
            decision => decision,
        };
        let answer = match (decision, found.last) {
            (Decision::Allow, _) => {
                let known = user.map(|user| Known::new(user, world.lasting_keys()));
                self.leave(request, question, known.as_ref())
            }
            (Decision::Forbid, _) => Answer::text(403),
            (Decision::Challenge, Strategy::Header(..)) => self.ask_for_credential(found.last),
            (Decision::Challenge, Strategy::CookieSession) => {
                self.send_to_portal(request, question, &object)
            }
        };
        answer.judged(Judged::Verdict(Verdict {
            decision,
            ..verdict
        }))
    }

    /// Leave to go on, and who it is.
    pub(super) fn leave(
        &self,
        request: &Request<'_>,
        question: &Question<'_, '_>,
        known: Option<&Known<'_>>,
    ) -> Answer {
        match self.dialect {
            Dialect::Authelia => allow(known.map(|known| known.user)),
            Dialect::Authentik => authentik::allow(request, question, known),
        }
    }

    fn send_to_portal(
        &self,
        request: &Request<'_>,
        question: &Question<'_, '_>,
        object: &Object<'_>,
    ) -> Answer {
        let Some(portal) = &question.portal else {
            return Answer::text(401);
        };
        let first = |name| request.doorway.as_ref()?.values(name).next();
        let ask = Ask {
            method: object.method(),
            accept: request.headers.accept,
            requested_with: first("X-Requested-With"),
            fetch_mode: request.headers.sec_fetch_mode,
            upgrade: first("Upgrade"),
        };
        let status = match (self.implementation, self.dialect, ask.challenge()) {
            (Implementation::AuthRequest, ..) => 401,
            // authentik sends everybody, and its proxies may not pass on what a visitor accepts.
            (_, Dialect::Authentik, _) => 302,
            (_, _, Challenge::Unauthorized) => 401,
            (_, _, Challenge::Redirect) => 302,
            (_, _, Challenge::SeeOther) => 303,
        };
        let back = original_url(object, &question.asked.host());
        Answer::link(status, portal_url(portal, &back, object.method()))
    }

    /// Asks for a credential in the header that was looked at.
    fn ask_for_credential(&self, strategy: Strategy) -> Answer {
        let Strategy::Header(header, schemes) = strategy else {
            return Answer::text(401);
        };
        let scheme = schemes.first().unwrap_or(Scheme::Basic);
        in_header::challenge(header, scheme, false)
    }
}

/// Leave to go on, and who it is. Only the headers of the set go out, though one of the user's own
/// may replace its value: others may hold what is meant for one application and no browser.
fn allow(user: Option<&User>) -> Answer {
    let mut answer = Answer::leave();
    let Some(user) = user else { return answer };
    for (place, name) in HeaderSet::Remote.names().iter().enumerate() {
        let own = || HeaderSet::Remote.own_value(user, place).unwrap_or_default();
        let value = replacement(Some(user), name).unwrap_or_else(own);
        answer = answer.with(*name, value.to_owned());
    }
    answer
}
