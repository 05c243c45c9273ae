//! The API by which users change their factors and password: elevation, enrolment, credentials,
//! change and reset of the password.

use crate::portal::answer::Answer;
use crate::portal::request::Request;
use crate::portal::settings::Domain;
use crate::portal::visitor::Visitor;
use crate::portal::world::World;
use crate::portal::{Portal, Step};

use super::{Route, route};

/// What stands behind a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Leave to change something, by a mailed code.
    Elevation,
    /// All TOTP devices of a user. Its path is among those of second factors.
    Totp,
    /// A TOTP device that is being enrolled.
    TotpRegister,
    /// All keys of a user.
    Credentials,
    /// A key that is being registered.
    CredentialRegister,
    /// The password, by who knows the old one.
    ChangePassword,
}

const ROUTES: [Route; 5] = [
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
        "/api/change-password",
        super::Place::Account(Place::ChangePassword),
        "OPTIONS, POST",
    ),
];

/// The route of `path`, if it is one of these.
pub(super) fn route_of(path: &str) -> Option<Route> {
    ROUTES.iter().find(|route| route.path == path).copied()
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
        let visitor = Visitor::find(request, domain, world);
        Step::Answer(match (place, visitor) {
            (_, None) => Answer::text(403),
            (_, Some(_)) => Answer::text(404),
        })
    }
}
