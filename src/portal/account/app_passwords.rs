//! App passwords in the hands of their users: listed, made, revoked. Whoever makes one needs leave, as
//! for a second factor; to revoke one nobody does, because it only takes away.

use zeroize::Zeroizing;

use crate::portal::app_password::{grant, kept};
use crate::portal::errand::{Cost, Office, Outage};
use crate::portal::login::Door;
use crate::portal::request::Request;
use crate::portal::settings::AppPasswords;
use crate::portal::visitor::Visitor;
use crate::portal::world::World;
use crate::portal::{Portal, Step};
use crate::store::AppPassword;
use crate::users::app_password::{BadHost, Grant, HostScope, Id, LONGEST_LIFE, Token};

use super::change::Change;
use super::devices::{Answering, Refused, refused, tidy_name};

/// An app password that is to be made.
pub(in crate::portal) struct Wanted {
    name: String,
    hosts: HostScope,
    /// Seconds that it is good for; `None`: without end.
    lifetime: Option<u64>,
}

/// What is wrong with what was asked for.
#[derive(Debug)]
pub(in crate::portal) enum BadWish {
    Name,
    Hosts(BadHost),
    Lifetime,
}

/// One that was made: the only time that it can be shown.
pub(in crate::portal) struct Made {
    pub(in crate::portal) id: Id,
    pub(in crate::portal) name: String,
    pub(in crate::portal) hosts: HostScope,
    pub(in crate::portal) created: u64,
    pub(in crate::portal) expires: Option<u64>,
    pub(in crate::portal) token: Zeroizing<String>,
}

/// One of a user's.
pub(in crate::portal) struct Kept {
    pub(in crate::portal) id: Id,
    pub(in crate::portal) name: String,
    pub(in crate::portal) grant: Grant,
    pub(in crate::portal) created: u64,
    pub(in crate::portal) last_used: Option<u64>,
}

impl Wanted {
    /// Reads what a user asks for: a name, hosts, and seconds; or gives all that is wrong with it.
    pub(in crate::portal) fn read(
        (name, hosts, lifetime): (&str, Result<HostScope, BadHost>, Option<u64>),
        limits: &AppPasswords,
    ) -> Result<Wanted, Vec<BadWish>> {
        let fits = match (lifetime, limits.maximum_lifetime) {
            (None, limit) => limit.is_none(),
            (Some(seconds), limit) => {
                (1..=limit.unwrap_or(LONGEST_LIFE).min(LONGEST_LIFE)).contains(&seconds)
            }
        };
        match (tidy_name(name), hosts, fits) {
            (Some(name), Ok(hosts), true) => Ok(Wanted {
                name,
                hosts,
                lifetime,
            }),
            (name, hosts, fits) => {
                let bad = [
                    name.is_none().then_some(BadWish::Name),
                    hosts.err().map(BadWish::Hosts),
                    (!fits).then_some(BadWish::Lifetime),
                ];
                Err(bad.into_iter().flatten().collect())
            }
        }
    }
}

impl Portal {
    /// Goes on with the app passwords of the visitor, oldest first.
    pub(in crate::portal) fn list_app_passwords(
        &self,
        visitor: Visitor,
        door: Door,
        then: impl FnOnce(&Portal, &Request<'_>, &Visitor, Vec<Kept>, &mut dyn World) -> Step + 'static,
    ) -> Step {
        let user = visitor.name.clone();
        let work = move |office: &mut dyn Office| -> Result<Vec<Kept>, Outage> {
            let found = office.app_passwords()?.app_passwords(&user)?;
            found.into_iter().map(Kept::of).collect()
        };
        Step::attempt(
            Cost::Waits,
            door,
            work,
            move |portal, request, found, world| then(portal, request, &visitor, found, world),
        )
    }

    /// Makes an app password for the visitor, who must have leave for it.
    pub(in crate::portal) fn make_app_password(
        &self,
        request: &Request<'_>,
        visitor: Visitor,
        wanted: Wanted,
        door: Door,
        world: &mut dyn World,
        then: impl FnOnce(
            &Portal,
            &Request<'_>,
            &Visitor,
            Result<Made, Refused>,
            &mut dyn World,
        ) -> Step
        + 'static,
    ) -> Step {
        let random = Zeroizing::new(world.random());
        let token = Token::new(random.first_chunk().expect("32 bytes hold 30"));
        let names = (visitor.name.clone(), wanted.name.clone());
        let new = kept(&token, names, &wanted.hosts, (request.now, wanted.lifetime));
        let made = Made {
            id: token.id(),
            name: wanted.name,
            hosts: wanted.hosts,
            created: new.created,
            expires: new.expires,
            token: token.reveal(),
        };
        let work = move |office: &mut dyn Office| -> Result<Result<Change, Refused>, Outage> {
            let random = &mut |bytes: &mut [u8]| office.random(bytes);
            Ok(
                match office.app_passwords()?.add_app_password(&new, random) {
                    Ok(()) => Ok(Change::AddAppPassword(new.name)),
                    Err(error) => Err(refused(error)?),
                },
            )
        };
        self.change_devices(
            request,
            visitor,
            door,
            world,
            work,
            move |portal: &Portal,
                  request: &Request<'_>,
                  visitor: &Visitor,
                  outcome: Result<(), Refused>,
                  world: &mut dyn World| {
                then(portal, request, visitor, outcome.map(|()| made), world)
            },
        )
    }

    /// Revokes an app password of the visitor.
    pub(in crate::portal) fn revoke_app_password(
        &self,
        request: &Request<'_>,
        visitor: Visitor,
        id: Id,
        door: Door,
        world: &mut dyn World,
        then: impl Answering,
    ) -> Step {
        let user = visitor.name.clone();
        let work = move |office: &mut dyn Office| -> Result<Result<Change, Refused>, Outage> {
            let name = office
                .app_passwords()?
                .remove_app_password(&user, id.bytes())?;
            Ok(name.map(Change::RevokeAppPassword).ok_or(Refused::Gone))
        };
        self.change_devices(request, visitor, door, world, work, then)
    }
}

impl Kept {
    fn of(kept: AppPassword) -> Result<Kept, Outage> {
        let (id, grant) = grant(&kept)?;
        Ok(Kept {
            id,
            name: kept.name,
            grant,
            created: kept.created,
            last_used: kept.last_used,
        })
    }
}
