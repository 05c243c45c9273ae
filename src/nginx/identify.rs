//! From the cookie to the user of a session that holds.

use super::{
    conf::Loaded,
    request::Request,
    state::{SignedIn, State},
    zone::Zone,
};
use crate::session::{self, Fallen, Key, Realm, Record};

/// A session younger than this whose user is unknown, or has another password, is not ended: the
/// users file may have changed a moment ago, and this worker may not have read it yet.
const SETTLING: u64 = 5;

/// The session of the visitor, if it holds; looked up once for each request.
pub fn visitor<'s>(request: Request<'_>, state: &'s State) -> Option<&'s SignedIn> {
    let found = || look_up(request, state);
    state.visitor.get_or_init(found).as_ref()
}

/// The first cookie whose MAC is right and whose session stands.
fn look_up(request: Request<'_>, state: &State) -> Option<SignedIn> {
    let whole = request.whole();
    let loaded = whole.loaded.as_ref()?;
    let host = std::str::from_utf8(request.host()).ok()?;
    let (_, domain) = loaded.config.session.domain_of(host)?;
    let (keys, realm) = (whole.zone.keys()?, &domain.realm);
    session::tokens(
        state.cookies(request),
        realm.cookie.name(),
        keys,
        &realm.domain,
    )
    .map(|token| token.key())
    .find_map(|key| {
        let record = whole.zone.sessions()?.lookup(&key)?;
        still_holds(&whole.zone, loaded, realm, key, record)
    })
}

fn still_holds(
    zone: &Zone,
    loaded: &Loaded,
    realm: &Realm,
    key: Key,
    record: Record,
) -> Option<SignedIn> {
    let now = super::now();
    let directory = loaded.snapshot.directory();
    let over = match session::standing(&record, realm, now) {
        Ok(()) => directory
            .holder(record.user.as_str(), record.password)
            .is_none()
            .then(|| now.saturating_sub(record.created) > SETTLING),
        Err(Fallen::Foreign) => Some(false),
        Err(Fallen::Over(_)) => Some(true),
    };
    if let Some(ends) = over {
        if ends {
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
            .touch(&key, realm.lifetimes.ends(&used), now);
    }
    Some(SignedIn { record, directory })
}
