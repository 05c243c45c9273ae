//! The session that a request to the portal or to an endpoint presents: whether it has a say in the
//! answer, whether the zone has it, and whether the store can be asked where it has not.

use super::{
    conf::Loaded,
    identify::{self, Found},
    request::Request,
    state::State,
    visit,
};
use crate::{
    portal::{self, Answer, Portal},
    session::{Key, Realm},
};

/// Place whose requests with a body change nothing that is kept.
const HARMLESS: &str = "/api/checks/";

/// What comes of the session that a request presents.
pub enum Presented {
    /// Nothing: it has no say in this answer.
    Nothing(Answer),
    /// The zone has it, or there is none.
    Known,
    /// The store has to be asked for it.
    Missing(Key),
    /// The store is needed and cannot be used.
    Unknown,
}

impl<V> From<Found<V>> for Presented {
    fn from(found: Found<V>) -> Self {
        match found {
            Found::Known(_) => Presented::Known,
            Found::Missing(key) => Presented::Missing(key),
            Found::Unknown => Presented::Unknown,
        }
    }
}

/// Looks for it.
pub fn look(request: Request<'_>, loaded: &Loaded, visit: &portal::Request<'_>) -> Presented {
    let portal = loaded.portal();
    if let Some(answer) = portal.still(visit) {
        return Presented::Nothing(answer);
    }
    let asks = portal.is_question(visit);
    if !asks && writes(&portal, visit) && is_out(request, loaded) {
        // Before a password is checked or a code is used up in vain.
        return Presented::Unknown;
    }
    let Some(realm) = portal.realm_of(visit) else {
        return Presented::Known;
    };
    let Some(state) = State::of(request) else {
        return Presented::Unknown;
    };
    if !asks {
        return identify::find(request, state, loaded, realm).into();
    }
    // It is about whoever is asked about, and says nothing of the request itself.
    let cookies = visit.headers.cookies.iter().copied();
    identify::search(request, state, loaded, realm, cookies).into()
}

/// The cookie domain whose sessions are to end, if somebody wants to sign out.
pub fn left<'l>(request: Request<'_>, loaded: &'l Loaded) -> Option<&'l Realm> {
    let portal = loaded.portal();
    let left = visit::with(request, &[], |visit| {
        let realm = portal.realm_of(visit).filter(|_| portal.wants_out(visit));
        realm.map(|realm| realm.id)
    });
    let cookies = loaded.config.session.cookies.iter();
    cookies
        .map(|cookie| &cookie.realm)
        .find(|realm| Some(realm.id) == left)
}

/// Ends the sessions that are presented though nobody can be asked whether they last: here at once, and
/// in the store when it is back. That a form of ours asked for it cannot be proven without a session;
/// browsers send no cookie with a form of another site.
pub fn end(request: Request<'_>, realm: &Realm) {
    let Some(state) = State::of(request) else {
        return;
    };
    let zone = &request.whole().zone;
    let Some(keys) = zone.keys() else { return };
    for key in zone.proven().keys(state.cookies(request), realm, keys) {
        if let Some(mut sessions) = zone.sessions() {
            sessions.end(&key);
        }
    }
}

/// Whether a request to the portal can only be served by writing to the store of sessions. What only
/// ends some is done here at once.
fn writes(portal: &Portal, visit: &portal::Request<'_>) -> bool {
    matches!(visit.method, b"POST" | b"PUT" | b"DELETE")
        && !visit.path.starts_with(HARMLESS)
        && !portal.wants_out(visit)
}

/// Whether that store is known to be out.
fn is_out(request: Request<'_>, loaded: &Loaded) -> bool {
    let store = loaded.office.sessions_in();
    store.is_some_and(|store| request.whole().zone.lost_since(store).is_some())
}
