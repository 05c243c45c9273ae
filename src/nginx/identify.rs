//! From the cookie to the user of a session that holds.

use std::sync::Arc;

use super::{
    conf::Loaded,
    facts, ledger,
    request::Request,
    state::{SignedIn, State},
    zone::Zone,
};
use crate::{
    access::Level,
    session::{self, Fallen, Key, Realm, Record},
};

/// A session whose user is unknown, or has another password, opens nothing. It is ended for good only
/// when it and the users file have been as they are for so many seconds: this worker may not have
/// read a change yet that another has, and a file may be read while somebody still writes it.
const SETTLING: u64 = 5;

/// The session of the visitor, if it holds; looked up once for each request.
pub fn visitor<'s>(request: Request<'_>, state: &'s State) -> Option<&'s SignedIn> {
    let found = || {
        let loaded = request.whole().loaded.as_ref()?;
        // A cookie that came over plain http is nobody's, nor one for a host that is not this server's.
        if !matches!(&*facts::scheme(request), b"https" | b"wss")
            || facts::check_host(request).is_err()
        {
            return None;
        }
        let host = std::str::from_utf8(request.host()).ok()?;
        let (_, domain) = loaded.config.session.domain_of(host)?;
        look_up(request, state, loaded, &domain.realm)
    };
    state.visitor.get_or_init(found).as_ref()
}

/// The same for a request that was found to be one for a host of `realm`, over TLS.
pub fn visitor_of<'s>(
    request: Request<'_>,
    state: &'s State,
    loaded: &Loaded,
    realm: &Realm,
) -> Option<&'s SignedIn> {
    let found = || look_up(request, state, loaded, realm);
    state.visitor.get_or_init(found).as_ref()
}

/// The first cookie whose MAC is right and whose session stands.
fn look_up(
    request: Request<'_>,
    state: &State,
    loaded: &Loaded,
    realm: &Realm,
) -> Option<SignedIn> {
    let whole = request.whole();
    let keys = whole.zone.keys()?;
    let mut presented = whole
        .zone
        .proven()
        .keys(state.cookies(request), realm, keys);
    presented.find_map(|key| {
        let record = whole.zone.sessions()?.lookup(&key)?;
        still_holds(&whole.zone, loaded, realm, &key, &record)
    })
}

fn still_holds(
    zone: &Zone,
    loaded: &Loaded,
    realm: &Realm,
    key: &Key,
    record: &Record,
) -> Option<SignedIn> {
    let now = super::now();
    let directory = loaded.snapshot.borrow();
    match session::standing(record, realm, now) {
        Ok(()) => {}
        Err(Fallen::Foreign) => return None,
        Err(Fallen::Over(_)) => {
            zone.sessions()?.remove(key);
            return None;
        }
    }
    let Some(user) = directory.holder(record.user.as_str(), record.password) else {
        let settled = |since: u64| now.saturating_sub(since) > SETTLING;
        if settled(record.created) && settled(loaded.snapshot.since()) {
            zone.sessions()?.remove(key);
        }
        return None;
    };
    if session::needs_touch(record, now) {
        let used = Record {
            last_activity: now,
            ..*record
        };
        zone.sessions()?
            .touch(key, realm.lifetimes.ends(&used), now);
        ledger::used(key, record, &used);
    }
    let level = match record.methods.level(realm.passkey_is_two) {
        0 => Level::None,
        1 => Level::OneFactor,
        _ => Level::TwoFactor,
    };
    let user = Arc::clone(user);
    Some(SignedIn { user, level })
}
