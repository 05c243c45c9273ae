//! The API of who is signed in, and which second factor that user prefers.

use serde::Deserialize;

use crate::portal::answer::Answer;
use crate::portal::errand::Cost;
use crate::portal::login::Door;
use crate::portal::request::Request;
use crate::portal::second::Known;
use crate::portal::settings::Domain;
use crate::portal::visitor::Visitor;
use crate::portal::{Portal, Step};
use crate::store::SecondFactor;

use super::objects::{UserInfo, data, fine, object, redact};
use super::{OPERATION_FAILED, refused};

#[derive(Deserialize)]
struct MethodBody {
    method: String,
}

impl Portal {
    /// Who is signed in. POST makes sure that a method is preferred.
    pub(super) fn user_info(&self, domain: &Domain, visitor: Visitor, is_post: bool) -> Step {
        let offered = self.offered(domain);
        if !offered.any() {
            return Step::Answer(info(&visitor, Known::default(), None, is_post));
        }
        let party = self.keys(domain).map(|(_, party)| party.id().to_owned());
        let (user, default) = (visitor.name.clone(), self.settings.second.default);
        Step::attempt(
            Cost::Waits,
            Door::Api,
            move |office| {
                let known = Known::look_up(office, &user, offered, party.as_deref())?;
                if !is_post {
                    return Ok((known, known.preferred));
                }
                let method = known.preferred_or(offered, default);
                if let Some(method) = method.filter(|_| method != known.preferred) {
                    office.factors()?.prefer(&user, method)?;
                }
                Ok((known, method))
            },
            move |_, _, (known, method), _| Step::Answer(info(&visitor, known, method, is_post)),
        )
    }

    /// Remembers the preferred method.
    pub(super) fn prefer_factor(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        visitor: Visitor,
    ) -> Step {
        let offered = self.offered(domain);
        let body = object::<MethodBody>(request);
        let method = body.and_then(|body| SecondFactor::from_word(&body.method));
        let Some(method) = method.filter(|method| offered.has(*method)) else {
            return Step::Answer(refused(200, OPERATION_FAILED));
        };
        Step::attempt(
            Cost::Waits,
            Door::Api,
            move |office| Ok(office.factors()?.prefer(&visitor.name, method)?),
            |_, _, (), _| Step::Answer(Answer::json(200, &fine())),
        )
    }
}

fn info(visitor: &Visitor, known: Known, method: Option<SecondFactor>, is_post: bool) -> Answer {
    let emails = || visitor.emails.iter().map(|email| redact(email)).collect();
    let info = UserInfo {
        display_name: &visitor.display_name,
        emails: (!is_post).then(emails),
        method: method.map_or("", SecondFactor::word),
        has_totp: known.ways.totp,
        has_webauthn: known.ways.webauthn,
        has_duo: false,
    };
    Answer::json(200, &data(info))
}
