//! The second factors of a user as things with names: kept, renamed, removed.

use crate::portal::answer::Answer;
use crate::portal::errand::{Cost, Office, Outage};
use crate::portal::event::Event;
use crate::portal::login::Door;
use crate::portal::request::Request;
use crate::portal::visitor::Visitor;
use crate::portal::world::World;
use crate::portal::{Portal, Step};
use crate::store::{Factors, StoreError, is_good_name};

use super::change::{Change, Kind};
use super::letters::{Letters, Told};

/// Why a device was not kept, renamed or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::portal) enum Refused {
    /// Nothing waits for that: it took too long, or another session began it.
    Over,
    /// The code, or the answer of the key, is wrong.
    Wrong,
    /// The user has a device of that name.
    NameTaken,
    /// The name is empty or too long.
    BadName,
    /// The user has as many devices as one may have.
    TooMany,
    /// The key is registered already, by this user or another.
    KeyTaken,
    /// The user has no such device.
    Gone,
}

/// What a change of devices came to: the change and whether word of it was sent, or why it was not
/// made.
pub(in crate::portal) type Outcome = Result<(Change, Told), Refused>;

/// How a flow answers once it is known what a change came to.
pub(in crate::portal) trait Answering:
    FnOnce(&Portal, &Request<'_>, &Visitor, Result<(), Refused>, &mut dyn World) -> Step + 'static
{
}

impl<F> Answering for F where
    F: FnOnce(&Portal, &Request<'_>, &Visitor, Result<(), Refused>, &mut dyn World) -> Step
        + 'static
{
}

/// Answers with what `answer` makes of the outcome alone.
pub(in crate::portal) fn answering(
    answer: impl FnOnce(Result<(), Refused>) -> Answer + 'static,
) -> impl Answering {
    move |_: &Portal, _: &Request<'_>, _: &Visitor, outcome, _: &mut dyn World| {
        Step::Answer(answer(outcome))
    }
}

impl Portal {
    /// Makes a change of devices where that may block. `work` makes it; then the user is told.
    pub(super) fn change_devices(
        &self,
        request: &Request<'_>,
        visitor: Visitor,
        door: Door,
        world: &mut dyn World,
        work: impl FnOnce(&mut dyn Office) -> Result<Result<Change, Refused>, Outage> + Send + 'static,
        then: impl Answering,
    ) -> Step {
        let user = world.directory().user(&visitor.name);
        let letters = user.and_then(|user| self.letters(user, request));
        let work = move |office: &mut dyn Office| -> Result<Outcome, Outage> {
            Ok(work(office)?.map(|change| {
                // Here and not later: whoever made the change may be gone by then, on purpose.
                let told = Letters::tell(letters.as_ref(), &change, office);
                (change, told)
            }))
        };
        Step::attempt(
            Cost::Waits,
            door,
            work,
            move |portal, request, outcome, world| match outcome {
                Err(refused) => then(portal, request, &visitor, Err(refused), world),
                Ok((change, told)) => {
                    let user = visitor.name.clone();
                    match then(portal, request, &visitor, Ok(()), world) {
                        Step::Answer(answer) => Step::Answer(Answer {
                            event: Some(Event::Change(user, change, told)),
                            ..answer
                        }),
                        step => step,
                    }
                }
            },
        )
    }

    /// Gives a device of the visitor another name.
    pub(in crate::portal) fn rename_device(
        &self,
        visitor: Visitor,
        (kind, id): (Kind, i64),
        name: &str,
        door: Door,
        then: impl Answering,
    ) -> Step {
        let (user, name) = (visitor.name.clone(), tidy_name(name));
        let work = move |office: &mut dyn Office| -> Result<Result<(), Refused>, Outage> {
            let factors = office.factors()?;
            let renamed = match (kind, name) {
                (_, None) => return Ok(Err(Refused::BadName)),
                (Kind::Totp, Some(name)) => factors.rename_totp(&user, id, &name),
                (Kind::Key, Some(name)) => factors.rename_credential(&user, id, &name),
            };
            Ok(match renamed {
                Ok(true) => Ok(()),
                Ok(false) => Err(Refused::Gone),
                Err(error) => Err(refused(error)?),
            })
        };
        Step::attempt(
            Cost::Waits,
            door,
            work,
            move |portal, request, outcome, world| then(portal, request, &visitor, outcome, world),
        )
    }

    /// Removes a device of the visitor.
    pub(in crate::portal) fn remove_device(
        &self,
        request: &Request<'_>,
        visitor: Visitor,
        (kind, id): (Kind, i64),
        door: Door,
        world: &mut dyn World,
        then: impl Answering,
    ) -> Step {
        let user = visitor.name.clone();
        let work = move |office: &mut dyn Office| -> Result<Result<Change, Refused>, Outage> {
            let factors = office.factors()?;
            let name = names(factors, &user, kind)?;
            let Some((_, name)) = name.into_iter().find(|(number, _)| *number == id) else {
                return Ok(Err(Refused::Gone));
            };
            let removed = match kind {
                Kind::Totp => factors.remove_totp(&user, id)?,
                Kind::Key => factors.remove_credential(&user, id)?,
            };
            Ok(removed
                .then_some(Change::Remove(kind, name))
                .ok_or(Refused::Gone))
        };
        self.change_devices(request, visitor, door, world, work, then)
    }

    /// Removes all TOTP devices of the visitor: Authelia's API knows only one.
    pub(in crate::portal) fn remove_all_totp(
        &self,
        request: &Request<'_>,
        visitor: Visitor,
        door: Door,
        world: &mut dyn World,
        then: impl Answering,
    ) -> Step {
        let user = visitor.name.clone();
        let work = move |office: &mut dyn Office| -> Result<Result<Change, Refused>, Outage> {
            let factors = office.factors()?;
            let mut removed = Vec::new();
            for (id, name) in names(factors, &user, Kind::Totp)? {
                if factors.remove_totp(&user, id)? {
                    removed.push(name);
                }
            }
            Ok(match removed.is_empty() {
                true => Err(Refused::Gone),
                false => Ok(Change::Remove(Kind::Totp, removed.join(", "))),
            })
        };
        self.change_devices(request, visitor, door, world, work, then)
    }
}

/// Numbers and names of the devices of one kind.
pub(super) fn names(
    factors: &dyn Factors,
    user: &str,
    kind: Kind,
) -> Result<Vec<(i64, String)>, Outage> {
    Ok(match kind {
        Kind::Totp => {
            let devices = factors.totp_devices(user)?.into_iter();
            devices.map(|found| (found.id, found.device.name)).collect()
        }
        Kind::Key => {
            let keys = factors.credentials(user)?.into_iter();
            keys.map(|found| (found.id, found.credential.name))
                .collect()
        }
    })
}

/// What a user is told of an error, if it is one that he can do something about.
pub(super) fn refused(error: StoreError) -> Result<Refused, Outage> {
    match error {
        StoreError::NameTaken => Ok(Refused::NameTaken),
        StoreError::BadName => Ok(Refused::BadName),
        StoreError::TooMany | StoreError::TooManyAppPasswords => Ok(Refused::TooMany),
        StoreError::CredentialTaken => Ok(Refused::KeyTaken),
        error => Err(error.into()),
    }
}

/// A name for a device as it was typed, if it can be one.
pub(in crate::portal) fn tidy_name(name: &str) -> Option<String> {
    let name = name.trim();
    is_good_name(name).then(|| name.to_owned())
}
