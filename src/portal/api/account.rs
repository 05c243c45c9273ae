//! The API by which users change their factors and password: elevation, enrolment, credentials,
//! change and reset of the password.

mod app_passwords;
mod keys;
mod password;
mod totp;

use serde::{Deserialize, Serialize};

use crate::portal::account::Lack;
use crate::portal::account::leave_ends;
use crate::portal::answer::Answer;
use crate::portal::login::Door;
use crate::portal::request::Request;
use crate::portal::settings::Domain;
use crate::portal::visitor::Visitor;
use crate::portal::world::World;
use crate::portal::{Portal, Step};

use super::objects::{Success, fine, object};
use super::{OPERATION_FAILED, Route, refused, route, tell};

/// What stands behind a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Leave to change something, by a mailed code.
    Elevation,
    /// One mailed code, by its random name.
    Code,
    /// All TOTP devices of a user. Its path is among those of second factors.
    Totp,
    /// A TOTP device that is being enrolled.
    TotpRegister,
    /// All keys of a user.
    Credentials,
    /// A key that is being registered.
    CredentialRegister,
    /// One key, by its number.
    Credential,
    /// All app passwords of a user.
    AppPasswords,
    /// One app password, by its id.
    AppPassword,
    /// The password, by who knows the old one.
    ChangePassword,
    /// A link by mail to set a new password.
    ResetStart,
    /// Opening it.
    ResetFinish,
    /// The new password, or the end of a link.
    Reset,
}

const ROUTES: [Route; 9] = [
    route(
        "/api/user/session/elevation",
        super::Place::Account(Place::Elevation),
        "GET, OPTIONS, POST, PUT",
    ),
    route(
        "/api/secondfactor/totp/register",
        super::Place::Account(Place::TotpRegister),
        "DELETE, GET, OPTIONS, POST, PUT",
    ),
    route(
        "/api/secondfactor/webauthn/credentials",
        super::Place::Account(Place::Credentials),
        "GET, OPTIONS",
    ),
    route(
        "/api/secondfactor/webauthn/credential/register",
        super::Place::Account(Place::CredentialRegister),
        "DELETE, OPTIONS, POST, PUT",
    ),
    route(
        "/api/user/app-passwords",
        super::Place::Account(Place::AppPasswords),
        "GET, OPTIONS, POST",
    ),
    route(
        "/api/change-password",
        super::Place::Account(Place::ChangePassword),
        "OPTIONS, POST",
    ),
    route(
        "/api/reset-password/identity/start",
        super::Place::Account(Place::ResetStart),
        "OPTIONS, POST",
    ),
    route(
        "/api/reset-password/identity/finish",
        super::Place::Account(Place::ResetFinish),
        "OPTIONS, POST",
    ),
    route(
        "/api/reset-password",
        super::Place::Account(Place::Reset),
        "DELETE, OPTIONS, POST",
    ),
];

/// Places with a name or a number behind their path.
const NAMED: [Route; 3] = [
    route(
        "/api/user/app-passwords/",
        super::Place::Account(Place::AppPassword),
        "DELETE, OPTIONS",
    ),
    route(
        "/api/user/session/elevation/",
        super::Place::Account(Place::Code),
        "DELETE, OPTIONS",
    ),
    route(
        "/api/secondfactor/webauthn/credential/",
        super::Place::Account(Place::Credential),
        "DELETE, OPTIONS, PUT",
    ),
];

#[derive(Serialize)]
struct Elevation {
    require_second_factor: bool,
    skip_second_factor: bool,
    can_skip_second_factor: bool,
    factor_knowledge: bool,
    elevated: bool,
    expires: u64,
}

#[derive(Serialize)]
struct Lacking {
    elevation: bool,
    first_factor: bool,
    second_factor: bool,
}

#[derive(Serialize)]
struct Mailed {
    delete_id: String,
}

#[derive(Deserialize)]
struct CodeBody {
    otc: String,
}

/// The route of `path`, if it is one of these.
pub(super) fn route_of(path: &str) -> Option<Route> {
    let fixed = ROUTES.iter().find(|route| route.path == path);
    let named = || {
        let below = |route: &&Route| name_in(path, route.path).is_some();
        NAMED.iter().find(below)
    };
    fixed.or_else(named).copied()
}

/// What stands behind `above` in a path, if it is one name.
fn name_in<'p>(path: &'p str, above: &str) -> Option<&'p str> {
    let name = path.strip_prefix(above)?;
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

/// The answer to somebody without leave.
pub(in crate::portal) fn lacking(lack: Lack) -> Answer {
    let lacking = Lacking {
        elevation: lack == Lack::Code,
        first_factor: false,
        second_factor: lack == Lack::SecondFactor,
    };
    let body = Success {
        status: "KO",
        data: Some(lacking),
    };
    Answer::json(403, &body)
}

impl Portal {
    /// Answers a request to one of these places. It is not foreign, and its method is allowed.
    pub(super) fn account_api(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        place: Place,
        world: &mut dyn World,
    ) -> Step {
        match place {
            Place::Code => return self.revoke_code_api(request, world),
            Place::ResetStart | Place::ResetFinish | Place::Reset => {
                return self.reset_api(request, place, world);
            }
            _ => {}
        }
        let Some(visitor) = Visitor::find(request, domain, world) else {
            return Step::Answer(Answer::text(403));
        };
        match place {
            Place::Elevation => self.elevation_api(request, visitor, world),
            Place::AppPasswords | Place::AppPassword => {
                self.app_passwords_api(request, place, visitor, world)
            }
            Place::ChangePassword => self.change_password_api(request, visitor, world),
            Place::Totp | Place::TotpRegister => self.totp_api(request, place, visitor, world),
            _ => self.keys_api(request, domain, place, visitor, world),
        }
    }

    fn elevation_api(
        &self,
        request: &Request<'_>,
        visitor: Visitor,
        world: &mut dyn World,
    ) -> Step {
        match request.method {
            b"GET" => self.elevation_state(request, visitor, world),
            b"POST" => self.send_code(
                request,
                visitor,
                Door::Api,
                world,
                |_, _, _, sent| match sent {
                    Ok(delete_id) => tell(Mailed { delete_id }),
                    Err(_) => refused(403, OPERATION_FAILED),
                },
            ),
            _ => match object::<CodeBody>(request) {
                None => Step::Answer(refused(400, OPERATION_FAILED)),
                Some(body) => {
                    let then = |_: &Portal,
                                _: &Request<'_>,
                                _: &Visitor,
                                right: bool,
                                _: &mut dyn World| match right {
                        true => Answer::json(200, &fine()),
                        false => refused(403, OPERATION_FAILED),
                    };
                    self.take_code(request, visitor, &body.otc, Door::Api, world, then)
                }
            },
        }
    }

    fn elevation_state(
        &self,
        request: &Request<'_>,
        visitor: Visitor,
        world: &mut dyn World,
    ) -> Step {
        let elevation = &self.settings.account.elevation;
        let ends = leave_ends(request, &visitor, world);
        let state = Elevation {
            require_second_factor: elevation.require_second_factor,
            skip_second_factor: elevation.skip_second_factor && visitor.level > 1,
            can_skip_second_factor: false,
            factor_knowledge: visitor.factor_knowledge,
            elevated: ends.is_some(),
            expires: ends.map_or(0, |ends| ends.saturating_sub(request.now)),
        };
        if !elevation.skip_second_factor || visitor.level > 1 {
            return Step::Answer(tell(state));
        }
        self.known(request, visitor, Door::Api, move |_, _, _, known, _| {
            Step::Answer(tell(Elevation {
                can_skip_second_factor: known.ways.any(),
                ..state
            }))
        })
    }

    /// The link in a mail, without a session: whoever has the mail may end the code.
    fn revoke_code_api(&self, request: &Request<'_>, world: &mut dyn World) -> Step {
        let id = name_in(request.path, "/api/user/session/elevation/").unwrap_or_default();
        self.revoke_code(request, id, Door::Api, world, |_, _, ended, _| {
            Step::Answer(match ended {
                true => Answer::json(200, &fine()),
                false => refused(403, OPERATION_FAILED),
            })
        })
    }
}
