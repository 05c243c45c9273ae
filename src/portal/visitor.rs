//! Who is at the door: the session that a browser presents, if it still lasts and its user exists.

use crate::access::Subject;
use crate::session::{Key, Methods, Record, carries, clear_cookie, needs_touch, standing, tokens};
use crate::users::User;

use super::request::Request;
use super::settings::Domain;
use super::world::World;

/// A signed-in visitor.
#[derive(Clone)]
pub(super) struct Visitor {
    pub(super) key: Key,
    pub(super) level: u8,
    pub(super) factor_knowledge: bool,
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) emails: Vec<String>,
    pub(super) groups: Vec<String>,
}

impl Visitor {
    /// The first presented session that stands.
    pub(super) fn find(
        request: &Request<'_>,
        domain: &Domain,
        world: &mut dyn World,
    ) -> Option<Self> {
        let keys = presented(request, domain, world);
        keys.into_iter().find_map(|key| {
            let record = world.session(&key)?;
            standing(&record, &domain.realm, request.now).ok()?;
            let user = world
                .directory()
                .holder(record.user.as_str(), record.password)?;
            Some(Self::new(key, &record, user, domain))
        })
    }

    /// Notes that the visitor's session was used, as the gate does it.
    pub(super) fn use_session(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        world: &mut dyn World,
    ) {
        let Some(record) = world.session(&self.key) else {
            return;
        };
        if needs_touch(&record, request.now) {
            let used = Record {
                last_activity: request.now,
                ..record
            };
            world.touch(&self.key, &domain.realm, &record, &used);
        }
    }

    /// The visitor as the rules see one.
    pub(super) fn subject(&self) -> Subject<'_> {
        Subject {
            user: &self.name,
            groups: &self.groups,
        }
    }

    fn new(key: Key, record: &Record, user: &User, domain: &Domain) -> Self {
        Visitor {
            key,
            level: record.methods.level(domain.realm.passkey_is_two),
            factor_knowledge: record.methods.holds(Methods::PASSWORD),
            name: user.name.clone(),
            display_name: display_name(user).to_owned(),
            emails: user.emails.clone(),
            groups: user.groups.clone(),
        }
    }
}

/// The name to show of a user.
pub(super) fn display_name(user: &User) -> &str {
    if user.display_name.is_empty() {
        &user.name
    } else {
        &user.display_name
    }
}

/// Whether the browser sent anything under the name of our cookie.
pub(super) fn has_cookie(request: &Request<'_>, domain: &Domain) -> bool {
    let mut headers = request.headers.cookies.iter();
    headers.any(|header| carries(header, domain.realm.cookie.name()))
}

/// Ends every session that the browser presents, and says how to clear its cookie.
pub(super) fn end_all(
    request: &Request<'_>,
    domain: &Domain,
    world: &mut dyn World,
) -> Option<String> {
    for key in presented(request, domain, world) {
        world.end(&key);
    }
    clear(request, domain)
}

/// Ends every session that the browser presents and that has not ended yet.
pub(super) fn end_rest(request: &Request<'_>, domain: &Domain, world: &mut dyn World) {
    for key in presented(request, domain, world) {
        if world.session(&key).is_some() {
            world.end(&key);
        }
    }
}

/// How to clear the browser's cookie, if it has one.
pub(super) fn clear(request: &Request<'_>, domain: &Domain) -> Option<String> {
    has_cookie(request, domain).then(|| clear_cookie(&domain.realm.cookie))
}

/// The keys of all tokens in the request that we made for this cookie domain.
fn presented(request: &Request<'_>, domain: &Domain, world: &mut dyn World) -> Vec<Key> {
    let headers = request.headers.cookies.iter().copied();
    tokens(
        headers,
        domain.realm.cookie.name(),
        world.keys(),
        &domain.realm.domain,
    )
    .map(|token| token.key())
    .collect()
}
