//! From the cookie to the user of a session that holds.

use std::sync::Arc;

use super::{
    conf::Loaded,
    durable::{clerk, recall},
    facts,
    request::Request,
    sessions::Kept,
    state::{By, SignedIn, State},
    zone::Zone,
};
use crate::{
    access::Level,
    session::{self, Ended, Fallen, Key, Realm, Record},
};

/// A session whose user is unknown, or has another password, opens nothing. It is ended for good only
/// when it and the users file have been as they are for so many seconds: this worker may not have
/// read a change yet that another has, and a file may be read while somebody still writes it.
const SETTLING: u64 = 5;

/// Who the visitor is.
pub enum Found<V> {
    /// The user of a session that holds, or nobody.
    Known(Option<V>),
    /// The zone does not have the session under this key, but its cookie is right: the store may.
    Missing(Key),
    /// That cannot be found out: the store is out.
    Unknown,
}

/// What one session comes to.
enum Look {
    Holds(SignedIn),
    Fallen,
    /// The zone does not have it, or may have older news of it than the store.
    Missing,
}

/// Who the visitor is at the location reached: by the credential that counts there, else by the session,
/// which is looked up once for each request. For whoever cannot wait: a session that the zone does not
/// have is none.
pub fn visitor<'s>(request: Request<'_>, state: &'s State) -> Option<&'s SignedIn> {
    if state.by() != By::Cookie {
        return state.session();
    }
    if !request.location().credentials().cookie {
        return None;
    }
    // The access phase has found out in most cases, and host and scheme stay what they are.
    if let Some(known) = state.visitor.get() {
        return known.as_ref();
    }
    match realm_of(request) {
        Some((loaded, realm)) => visitor_of(request, state, loaded, realm),
        None => state.visitor.get_or_init(|| None).as_ref(),
    }
}

/// The same for a request that was found to be one for a host of `realm`, over TLS.
pub fn visitor_of<'s>(
    request: Request<'_>,
    state: &'s State,
    loaded: &Loaded,
    realm: &Realm,
) -> Option<&'s SignedIn> {
    match find(request, state, loaded, realm) {
        Found::Known(visitor) => visitor,
        Found::Missing(_) | Found::Unknown => None,
    }
}

/// The domain whose cookie a request is looked through for. `None`: a cookie that came over plain http
/// is nobody's, nor one for a host that is not this server's.
pub fn realm_of(request: Request<'_>) -> Option<(&Loaded, &Realm)> {
    let loaded = request.whole().loaded.as_ref()?;
    if !matches!(&*facts::scheme(request), b"https" | b"wss") || facts::check_host(request).is_err()
    {
        return None;
    }
    let host = std::str::from_utf8(request.host()).ok()?;
    let (_, domain) = loaded.config.session.domain_of(host)?;
    Some((loaded, &domain.realm))
}

/// The first cookie whose MAC is right and whose session stands; who is found, or found to be
/// nobody, stays so for the life of the request.
pub fn find<'s>(
    request: Request<'_>,
    state: &'s State,
    loaded: &Loaded,
    realm: &Realm,
) -> Found<&'s SignedIn> {
    if let Some(known) = state.visitor.get() {
        return Found::Known(known.as_ref());
    }
    let cookies = state.cookies(request);
    match search(request, state, loaded, realm, cookies) {
        Found::Known(visitor) => Found::Known(state.visitor.get_or_init(|| visitor).as_ref()),
        Found::Missing(key) => Found::Missing(key),
        Found::Unknown => Found::Unknown,
    }
}

/// The same among these `Cookie` headers, and nobody remembers who was found: a cookie of another
/// domain than the request's own must not count for the request itself.
pub fn search<'h>(
    request: Request<'h>,
    state: &State,
    loaded: &Loaded,
    realm: &'h Realm,
    cookies: impl Iterator<Item = &'h [u8]> + 'h,
) -> Found<SignedIn> {
    if state.is_unknown() {
        return Found::Unknown;
    }
    let zone = &request.whole().zone;
    let Some(keys) = zone.keys() else {
        return without_keys(state, realm, cookies);
    };
    let now = super::now();
    let mut presented = zone.proven().keys(cookies, realm, keys).peekable();
    if presented.peek().is_some() && loaded.office.is_out_of_grace(zone) {
        state.set_unknown();
        return Found::Unknown;
    }
    let mut missing = None;
    for key in presented {
        match look_at(zone, loaded, realm, &key, now) {
            Look::Holds(visitor) => return Found::Known(Some(visitor)),
            Look::Missing if !state.was_asked(&key) && !recall::is_absent(&key, now) => {
                missing = missing.or(Some(key));
            }
            Look::Missing | Look::Fallen => {}
        }
    }
    match missing {
        Some(key) if loaded.office.archive().is_some() => Found::Missing(key),
        _ => Found::Known(None),
    }
}

/// Before the store has said what the key behind cookies is, nobody can tell a right cookie.
fn without_keys<'h>(
    state: &State,
    realm: &Realm,
    mut cookies: impl Iterator<Item = &'h [u8]>,
) -> Found<SignedIn> {
    if cookies.any(|header| session::carries(header, realm.cookie.name())) {
        state.set_unknown();
        return Found::Unknown;
    }
    Found::Known(None)
}

fn look_at(zone: &Zone, loaded: &Loaded, realm: &Realm, key: &Key, now: u64) -> Look {
    let record = match zone.sessions().map(|mut table| table.look_at(key)) {
        Some(Kept::Alive(record)) => record,
        Some(Kept::Ended) => return Look::Fallen,
        Some(Kept::Nothing) | None => return Look::Missing,
    };
    match session::standing(&record, realm, now) {
        Ok(()) => {}
        Err(Fallen::Foreign) => return Look::Fallen,
        Err(Fallen::Over(why)) => {
            if let Some(mut sessions) = zone.sessions() {
                sessions.drop_quietly(key);
            }
            // Another machine may have seen it used since.
            return match why {
                Ended::Idle => Look::Missing,
                Ended::Expire | Ended::Future => Look::Fallen,
            };
        }
    }
    let directory = loaded.snapshot.borrow();
    let Some(user) = directory.holder(record.user.as_str(), record.password) else {
        end_without_user(zone, loaded, key, &record, now);
        return Look::Fallen;
    };
    if session::needs_touch(&record, now) {
        let used = Record {
            last_activity: now,
            ..record
        };
        touch(zone, key, realm, (&record, &used));
    }
    let level = match record.methods.level(realm.passkey_is_two) {
        0 => Level::None,
        1 => Level::OneFactor,
        _ => Level::TwoFactor,
    };
    let user = Arc::clone(user);
    Look::Holds(SignedIn { user, level })
}

/// A session of `realm` that was as in `before` was used and is as in `after`.
pub fn touch(zone: &Zone, key: &Key, realm: &Realm, (before, after): (&Record, &Record)) {
    if let Some(mut sessions) = zone.sessions() {
        sessions.touch(key, realm.lifetimes.ends(after), after.last_activity);
    }
    clerk::used(key, realm, before, after);
}

/// Where other machines use the same store, each has a users file of its own, and this one's says
/// nothing about what the session opens there.
fn end_without_user(zone: &Zone, loaded: &Loaded, key: &Key, record: &Record, now: u64) {
    let shared = loaded.office.archive().is_some_and(|it| it.is_shared());
    let settled = |since: u64| now.saturating_sub(since) > SETTLING;
    if !shared
        && settled(record.created)
        && settled(loaded.snapshot.since())
        && let Some(mut sessions) = zone.sessions()
    {
        sessions.end(key);
    }
}
