//! Where sessions begin: at a sign-in, and again with a new id when somebody has proven more.

use crate::session::{Device, Key, Methods, Name, Record, Token, set_cookie, standing};

use super::request::Request;
use super::settings::Domain;
use super::visitor;
use super::world::World;

/// Who has signed in, and how.
pub(super) struct SignIn<'a> {
    /// Canonical name.
    pub(super) user: &'a str,
    /// Fingerprint of the password hash that the user has.
    pub(super) password: u64,
    /// What was proven.
    pub(super) methods: Methods,
    /// Whether "remember me" was ticked.
    pub(super) remember: bool,
}

/// Starts a session under a new id and ends those under ids that the browser had before. Gives
/// its `Set-Cookie`; `None` when it could not be kept.
pub(super) fn start(
    request: &Request<'_>,
    domain: &Domain,
    sign_in: &SignIn<'_>,
    world: &mut dyn World,
) -> Option<String> {
    let record = Record {
        user: Name::new(sign_in.user).ok()?,
        domain: domain.realm.id,
        password: sign_in.password,
        methods: sign_in.methods,
        remember: sign_in.remember && domain.realm.lifetimes.remember_me.is_some(),
        created: request.now,
        last_activity: request.now,
        address: request.address,
        device: Device::of(request.headers.user_agent),
    };
    Some(keep(request, domain, &record, None, world)?.1)
}

/// Gives the session under `key` a new id, with `more` among what was proven; it ends when it would
/// have ended. Gives the `Set-Cookie`; `None` when the session no longer stands (its user has
/// changed, it was ended, another request was faster) or could not be kept.
pub(super) fn step_up(
    request: &Request<'_>,
    domain: &Domain,
    key: &Key,
    more: Methods,
    world: &mut dyn World,
) -> Option<String> {
    let record = world.session(key)?;
    standing(&record, &domain.realm, request.now).ok()?;
    world
        .directory()
        .holder(record.user.as_str(), record.password)?;
    let record = Record {
        methods: record.methods.with(more),
        last_activity: request.now,
        ..record
    };
    let (_, cookie) = keep(request, domain, &record, Some(key), world)?;
    world.end(key);
    Some(cookie)
}

/// Gives the session under `key` a new id after its user has been given another password, whose
/// fingerprint this is; it ends when it would have ended. `None` when it no longer stands or could
/// not be kept.
pub(super) fn renew(
    request: &Request<'_>,
    domain: &Domain,
    key: &Key,
    password: u64,
    world: &mut dyn World,
) -> Option<(Key, String)> {
    let record = world.session(key)?;
    standing(&record, &domain.realm, request.now).ok()?;
    let record = Record {
        password,
        last_activity: request.now,
        ..record
    };
    let renewed = keep(request, domain, &record, Some(key), world)?;
    world.end(key);
    Some(renewed)
}

fn keep(
    request: &Request<'_>,
    domain: &Domain,
    record: &Record,
    replaces: Option<&Key>,
    world: &mut dyn World,
) -> Option<(Key, String)> {
    let token = Token::new(world.random());
    let ends = domain.realm.lifetimes.ends(record);
    if !world.start(&token.key(), record, replaces, ends, request.now) {
        return None;
    }
    visitor::end_all(request, domain, world);
    let value = token.seal(world.keys(), &domain.realm.domain);
    let max_age = domain.realm.lifetimes.max_age(record.remember);
    let cookie = set_cookie(&domain.realm.cookie, &value, Some(max_age));
    Some((token.key(), cookie))
}
