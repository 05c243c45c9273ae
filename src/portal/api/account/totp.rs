//! The API of TOTP devices: enrolling one, and the end of all.

use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use crate::factors::totp;
use crate::portal::account::{Pending, answering, without};
use crate::portal::answer::Answer;
use crate::portal::api::objects::{fine, object};
use crate::portal::api::{refused, tell};
use crate::portal::login::Door;
use crate::portal::request::Request;
use crate::portal::ticket::Ticket;
use crate::portal::visitor::Visitor;
use crate::portal::world::World;
use crate::portal::{Portal, Step};

use super::Place;

const NO_TOTP: &str = "Unable to set up one-time password.";
const TOTP_STAYS: &str = "Unable to delete one-time password.";

#[derive(Deserialize)]
struct ChoiceBody {
    algorithm: Option<String>,
    length: Option<u64>,
    period: Option<u64>,
}

#[derive(Deserialize)]
struct CodeBody {
    token: String,
}

#[derive(Serialize)]
struct Enrolling<'a> {
    base32_secret: &'a str,
    otpauth_url: &'a str,
}

impl Portal {
    /// TOTP devices: enrolling one, and the end of all.
    pub(super) fn totp_api(
        &self,
        request: &Request<'_>,
        place: Place,
        visitor: Visitor,
        world: &mut dyn World,
    ) -> Step {
        let Some(settings) = self.settings.second.totp.clone() else {
            return Step::Answer(Answer::text(404));
        };
        if place == Place::Totp {
            return self.remove_totp_api(request, visitor, world);
        }
        let choice = object::<ChoiceBody>(request);
        let code = object::<CodeBody>(request);
        let method = request.method.to_vec();
        self.with_leave(
            request,
            visitor,
            Door::Api,
            world,
            move |portal, request, visitor, world| match (method.as_slice(), choice, code) {
                (b"GET", ..) => Step::Answer(tell(settings.offer())),
                (b"DELETE", ..) => Step::Answer(without(Answer::json(200, &fine()), Ticket::Totp)),
                (b"PUT", Some(choice), _) => {
                    Step::Answer(begin_totp(request, &settings, &visitor, &choice, world))
                }
                (b"POST", _, Some(body)) => {
                    let then = answering(|outcome| match outcome {
                        Ok(()) => Answer::json(200, &fine()),
                        Err(_) => refused(403, NO_TOTP),
                    });
                    let code = &body.token;
                    portal.finish_totp(request, (visitor, Door::Api), &settings, code, world, then)
                }
                _ => Step::Answer(refused(400, NO_TOTP)),
            },
        )
    }

    fn remove_totp_api(
        &self,
        request: &Request<'_>,
        visitor: Visitor,
        world: &mut dyn World,
    ) -> Step {
        self.with_leave(
            request,
            visitor,
            Door::Api,
            world,
            |portal, request, visitor, world| {
                let then = answering(|outcome| match outcome {
                    Ok(()) => Answer::json(200, &fine()),
                    Err(_) => refused(403, TOTP_STAYS),
                });
                portal.remove_all_totp(request, visitor, Door::Api, world, then)
            },
        )
    }
}

fn begin_totp(
    request: &Request<'_>,
    settings: &totp::Settings,
    visitor: &Visitor,
    choice: &ChoiceBody,
    world: &mut dyn World,
) -> Answer {
    let ChoiceBody {
        algorithm,
        length,
        period,
    } = choice;
    let parameters = settings.choose(algorithm.as_deref(), *length, *period).ok();
    let pending = parameters.and_then(|parameters| Pending::new(settings, "", parameters, world));
    let Some(pending) = pending else {
        return refused(400, NO_TOTP);
    };
    let address = pending.key.uri(&settings.issuer, &visitor.name);
    let mut answer = tell(Enrolling {
        base32_secret: pending.key.secret.base32().expose_secret(),
        otpauth_url: address.expose_secret(),
    });
    answer.cookies.push(pending.keep(request, visitor, world));
    answer
}
