//! The API by which a password is changed or replaced.

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::portal::account::Unchanged;
use crate::portal::answer::Answer;
use crate::portal::api::objects::{fine, object};
use crate::portal::api::{OPERATION_FAILED, refused};
use crate::portal::login::Door;
use crate::portal::request::Request;
use crate::portal::ticket::Ticket;
use crate::portal::visitor::Visitor;
use crate::portal::world::World;
use crate::portal::{Portal, Step};

use super::Place;

const NOT_CHANGED: &str = "Unable to change your password.";
const NOT_RESET: &str = "Unable to reset your password.";
const WRONG: &str = "Incorrect Password";
const WEAK: &str = "Your supplied password does not meet the password policy requirements.";
/// What Authelia says of a link, without its full stop.
const LINK_FAILED: &str = "Operation failed";

#[derive(Deserialize)]
struct ChangeBody {
    #[serde(default)]
    username: String,
    old_password: String,
    new_password: String,
}

#[derive(Deserialize)]
struct StartBody {
    username: String,
}

#[derive(Deserialize)]
struct TokenBody {
    token: String,
}

#[derive(Deserialize)]
struct PasswordBody {
    password: String,
}

impl Portal {
    pub(super) fn change_password_api(
        &self,
        request: &Request<'_>,
        visitor: Visitor,
        world: &mut dyn World,
    ) -> Step {
        if !self.settings.account.change_password {
            return Step::Answer(Answer::text(404));
        }
        let typed = object::<ChangeBody>(request).map(|body| {
            let passwords = (
                Zeroizing::new(body.old_password),
                Zeroizing::new(body.new_password),
            );
            (body.username, passwords)
        });
        self.with_leave(
            request,
            visitor,
            Door::Api,
            world,
            |portal, request, visitor, world| {
                // It is always the visitor's own: whoever names another did not mean it.
                let own = |name: &str| name.is_empty() || name == visitor.name;
                let Some((_, typed)) = typed.filter(|(name, _)| own(name)) else {
                    return Step::Answer(refused(400, NOT_CHANGED));
                };
                let then = |_: &Portal,
                            _: &Request<'_>,
                            changed: Result<(), Unchanged>,
                            _: &mut dyn World| match changed {
                    Ok(()) => Answer::text(200).bare(),
                    Err(Unchanged::Wrong) => refused(401, WRONG),
                    Err(Unchanged::Weak(_) | Unchanged::Same) => refused(400, WEAK),
                    Err(Unchanged::Over) => refused(403, NOT_CHANGED),
                };
                portal.change_password(visitor, typed, Door::Api, world, request, then)
            },
        )
    }

    pub(super) fn reset_api(
        &self,
        request: &Request<'_>,
        place: Place,
        world: &mut dyn World,
    ) -> Step {
        let Some(lifespan) = self.link_lifespan() else {
            return Step::Answer(Answer::text(404));
        };
        match (place, request.method) {
            (Place::ResetStart, _) => {
                let typed = object::<StartBody>(request).unwrap_or(StartBody {
                    username: String::new(),
                });
                let answer = Answer::json(200, &fine());
                self.ask_reset(
                    request,
                    typed.username,
                    lifespan,
                    (Door::Api, answer),
                    world,
                )
            }
            (Place::ResetFinish, _) => {
                let token = object::<TokenBody>(request).map(|body| body.token);
                let token = token.unwrap_or_default();
                self.trade_link(request, &token, world, |good| match good {
                    true => Answer::json(200, &fine()),
                    false => refused(403, LINK_FAILED),
                })
            }
            (_, b"DELETE") => {
                let token = object::<TokenBody>(request).map(|body| body.token);
                let token = token.unwrap_or_default();
                self.end_link(request, &token, Door::Api, world, |_, _, ended, _| {
                    Step::Answer(match ended {
                        true => Answer::json(200, &fine()),
                        false => refused(403, OPERATION_FAILED),
                    })
                })
            }
            _ => self.new_password_api(request, world),
        }
    }

    fn new_password_api(&self, request: &Request<'_>, world: &mut dyn World) -> Step {
        let Some(body) = object::<PasswordBody>(request) else {
            return Step::Answer(refused(400, NOT_RESET));
        };
        let new = Zeroizing::new(body.password);
        self.reset_password(request, new, world, |_, _, set, _| match set {
            Ok(()) => {
                let mut answer = Answer::text(200).bare();
                answer.cookies.push(Ticket::Reset.take_back());
                answer
            }
            Err(Unchanged::Weak(_) | Unchanged::Same) => refused(400, WEAK),
            Err(Unchanged::Wrong | Unchanged::Over) => refused(403, NOT_RESET),
        })
    }
}
