//! Where the portal is to which a visitor is sent.

use crate::portal::request::{Doorway, Request};
use crate::portal::return_address::ReturnAddress;
use crate::portal::settings::Domain;

use super::asked::{self, QUESTION};
use super::fault::Fault;
use super::{Dialect, Endpoint, Implementation};

const PORTAL: &str = "X-Authelia-URL";

/// The portal's address: what the question names, else what the configuration does. The oldest
/// endpoint knows none but from the question.
pub(super) fn address(
    request: &Request<'_>,
    doorway: &Doorway<'_>,
    endpoint: &Endpoint,
    domain: &Domain,
) -> Result<Option<String>, Fault> {
    let (given, source) = match (endpoint.dialect, endpoint.implementation) {
        (Dialect::Authentik, _) => (None, QUESTION),
        (_, Implementation::AuthRequest | Implementation::ForwardAuth) => {
            (asked::asked_for(request, "authelia_url")?, "authelia_url")
        }
        (_, Implementation::ExtAuthz) => (header(doorway, PORTAL)?, PORTAL),
        (_, Implementation::Legacy) => match asked::asked_for(request, "rd")? {
            Some(portal) => (Some(portal), "rd"),
            None => (header(doorway, PORTAL)?, PORTAL),
        },
    };
    let own = &domain.realm.domain;
    match (given, &domain.login) {
        (Some(given), _) => match ReturnAddress::parse(&given, |host| domain.realm.covers(host)) {
            Ok(_) => Ok(Some(given)),
            Err(_) => Err(Fault::Portal(source, own.clone())),
        },
        (None, _) if endpoint.implementation == Implementation::Legacy => Ok(None),
        (None, Some(login)) => Ok(Some(login.clone())),
        (None, None) => Err(Fault::NoPortal(source, own.clone())),
    }
}

fn header(doorway: &Doorway<'_>, name: &'static str) -> Result<Option<String>, Fault> {
    let value = asked::one(doorway, name)?;
    Ok(value.map(|value| String::from_utf8_lossy(value).into_owned()))
}
