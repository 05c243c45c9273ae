//! The API of app passwords, which is ours: Authelia has none.

use serde::{Deserialize, Serialize};

use crate::portal::account::{BadWish, Kept, Made, Refused, Wanted, answering};
use crate::portal::answer::Answer;
use crate::portal::api::objects::{data, fine, object, rfc3339};
use crate::portal::api::{OPERATION_FAILED, refused, tell};
use crate::portal::login::Door;
use crate::portal::request::Request;
use crate::portal::visitor::Visitor;
use crate::portal::world::World;
use crate::portal::{Portal, Step};
use crate::users::app_password::{HostScope, Id};

use super::{Place, name_in};

const BAD_NAME: &str = "The name has 1 to 64 characters, none of them a control character.";
const BAD_HOSTS: &str =
    "A host is a name such as dav.example.com, or *.example.com for all below it; at most 16.";
const BAD_LIFETIME: &str = "The seconds in expires_in are 0, more than app_passwords.maximum_lifetime allows, or more than a hundred years.";
const SAME_NAME: &str = "Another one of your app passwords has that name.";
const TOO_MANY: &str = "You have as many app passwords as one may have.";

#[derive(Deserialize)]
struct WantedBody {
    name: String,
    #[serde(default)]
    hosts: Vec<String>,
    /// Seconds.
    #[serde(default)]
    expires_in: Option<u64>,
}

#[derive(Serialize)]
struct Info {
    id: String,
    name: String,
    hosts: Vec<String>,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    /// Only for one that was just made.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl Portal {
    /// App passwords: all of them, a new one, and the end of one.
    pub(super) fn app_passwords_api(
        &self,
        request: &Request<'_>,
        place: Place,
        visitor: Visitor,
        world: &mut dyn World,
    ) -> Step {
        if self.settings.account.app_passwords.is_none() {
            return Step::Answer(Answer::text(404));
        }
        match (place, request.method) {
            (Place::AppPassword, _) => self.revoke_app_password_api(request, visitor, world),
            (_, b"POST") => self.make_app_password_api(request, visitor, world),
            _ => self.list_app_passwords(visitor, Door::Api, |_, _, _, found, _| {
                Step::Answer(tell(found.iter().map(Info::of).collect::<Vec<_>>()))
            }),
        }
    }

    fn make_app_password_api(
        &self,
        request: &Request<'_>,
        visitor: Visitor,
        world: &mut dyn World,
    ) -> Step {
        let limits = self
            .settings
            .account
            .app_passwords
            .clone()
            .unwrap_or_default();
        let wanted = object::<WantedBody>(request).map(|body| {
            let hosts = HostScope::of(body.hosts.iter().map(String::as_str));
            Wanted::read((&body.name, hosts, body.expires_in), &limits)
        });
        self.with_leave(
            request,
            visitor,
            Door::Api,
            world,
            move |portal, request, visitor, world| match wanted {
                None => Step::Answer(refused(400, OPERATION_FAILED)),
                Some(Err(all)) => Step::Answer(refused(400, said(&all))),
                Some(Ok(wanted)) => portal.make_app_password(
                    request,
                    visitor,
                    wanted,
                    Door::Api,
                    world,
                    |_, _, _, outcome, _| {
                        Step::Answer(match outcome {
                            Ok(made) => Answer::json(201, &data(Info::of_new(made))),
                            Err(Refused::NameTaken) => refused(409, SAME_NAME),
                            Err(Refused::TooMany) => refused(409, TOO_MANY),
                            Err(_) => refused(403, OPERATION_FAILED),
                        })
                    },
                ),
            },
        )
    }

    fn revoke_app_password_api(
        &self,
        request: &Request<'_>,
        visitor: Visitor,
        world: &mut dyn World,
    ) -> Step {
        let id = name_in(request.path, "/api/user/app-passwords/").and_then(Id::read);
        let Some(id) = id else {
            return Step::Answer(refused(404, OPERATION_FAILED));
        };
        let then = answering(|outcome| match outcome {
            Ok(()) => Answer::json(200, &fine()),
            Err(_) => refused(404, OPERATION_FAILED),
        });
        self.revoke_app_password(request, visitor, id, Door::Api, world, then)
    }
}

/// The first thing that is wrong with a wish.
fn said(all: &[BadWish]) -> &'static str {
    match all.first() {
        Some(BadWish::Name) => BAD_NAME,
        Some(BadWish::Hosts(_)) => BAD_HOSTS,
        Some(BadWish::Lifetime) => BAD_LIFETIME,
        None => OPERATION_FAILED,
    }
}

impl Info {
    fn new(id: Id, name: &str, hosts: &HostScope, created: u64, expires: Option<u64>) -> Self {
        Info {
            id: id.to_string(),
            name: name.to_owned(),
            hosts: hosts.words().collect(),
            created_at: rfc3339(created),
            last_used_at: None,
            expires_at: expires.map(rfc3339),
            token: None,
        }
    }

    fn of(kept: &Kept) -> Self {
        let grant = &kept.grant;
        Info {
            last_used_at: kept.last_used.map(rfc3339),
            ..Info::new(
                kept.id,
                &kept.name,
                &grant.hosts,
                kept.created,
                grant.expires,
            )
        }
    }

    fn of_new(made: Made) -> Self {
        Info {
            token: Some(made.token.to_string()),
            ..Info::new(made.id, &made.name, &made.hosts, made.created, made.expires)
        }
    }
}
