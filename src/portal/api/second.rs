//! The API of second factors: state, codes, assertions, passkeys, the preferred method.

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
    /// One-time codes.
    Totp,
    /// Keys as a second factor.
    Webauthn,
    /// Passkeys instead of a name and a password.
    Passkey,
    /// The preferred method.
    Method,
}

const ROUTES: [Route; 4] = [
    route(
        "/api/secondfactor/totp",
        super::Place::Second(Place::Totp),
        "DELETE, GET, OPTIONS, POST",
    ),
    route(
        "/api/secondfactor/webauthn",
        super::Place::Second(Place::Webauthn),
        "GET, OPTIONS, POST",
    ),
    route(
        "/api/firstfactor/passkey",
        super::Place::Second(Place::Passkey),
        "GET, OPTIONS, POST",
    ),
    route(
        "/api/user/info/2fa_method",
        super::Place::Second(Place::Method),
        "OPTIONS, POST",
    ),
];

/// The route of `path`, if it is one of these.
pub(super) fn route_of(path: &str) -> Option<Route> {
    ROUTES.iter().find(|route| route.path == path).copied()
}

impl Portal {
    /// Answers a request to one of these places. It is not foreign, and its method is allowed.
    pub(super) fn second_api(
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
