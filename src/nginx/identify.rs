//! From the cookie to the user of a session that holds.

use std::sync::Arc;

use super::{
    conf::Loaded,
    request::Request,
    state::{SignedIn, State, Visitor},
    zone::Zone,
};
use crate::{
    config::CookieDomain,
    session::{self, Key, Keys, Record},
};

/// A session younger than this whose user is unknown is not ended: the user may have been added a
/// moment ago, and this worker may not have read the users file yet.
const SETTLING: u64 = 5;

/// Who the visitor is; looked up once for each request.
pub fn visitor(request: Request, state: &mut State) -> Visitor {
    if let Some(visitor) = &state.visitor {
        return visitor.clone();
    }
    let visitor = look_up(request, state).map_or(Visitor::Anonymous, |session| {
        Visitor::SignedIn(Arc::new(session))
    });
    state.visitor = Some(visitor.clone());
    visitor
}

fn look_up(request: Request, state: &State) -> Option<SignedIn> {
    let whole = request.whole();
    let loaded = whole.loaded.as_ref()?;
    let host = std::str::from_utf8(request.host()).ok()?;
    let (_, domain) = loaded.config.session.domain_of(host)?;
    let keys = whole.zone.keys()?;
    let (key, record) = session(request, state, &whole.zone, keys, domain)?;
    still_holds(&whole.zone, loaded, domain, key, record)
}

/// The record of the first cookie whose MAC is right and whose session is known.
fn session(
    request: Request,
    state: &State,
    zone: &Zone,
    keys: &Keys,
    domain: &CookieDomain,
) -> Option<(Key, Record)> {
    session::tokens(
        state.cookies(request),
        domain.cookie.name(),
        keys,
        &domain.domain,
    )
    .map(|token| token.key())
    .find_map(|key| Some((key, zone.sessions()?.lookup(&key)?)))
}

fn still_holds(
    zone: &Zone,
    loaded: &Loaded,
    domain: &CookieDomain,
    key: Key,
    record: Record,
) -> Option<SignedIn> {
    let now = super::now();
    if record.domain != session::domain_id(&domain.domain) {
        return None;
    }
    if session::check(&record, &domain.lifetimes, now).is_err() {
        zone.sessions()?.remove(&key);
        return None;
    }
    let directory = loaded.snapshot.directory();
    if directory.user(record.user.as_str()).is_none() {
        if now.saturating_sub(record.created) > SETTLING {
            zone.sessions()?.remove(&key);
        }
        return None;
    }
    if session::needs_touch(&record, now) {
        let used = Record {
            last_activity: now,
            ..record
        };
        zone.sessions()?
            .touch(&key, domain.lifetimes.ends(&used), now);
    }
    Some(SignedIn { record, directory })
}
