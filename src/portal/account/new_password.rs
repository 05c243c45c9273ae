//! A password that was found good becomes the user's: hashed where a core may be burnt, and then
//! written where one may wait, so that no slow mail or disk holds a place for a hash.
//!
//! Whoever sets one is told nothing before the users file has it, and every worker has read the
//! file before the browser goes on. Sessions end by themselves, because they carry the fingerprint
//! of the password; they are taken out of the table besides.

use crate::portal::answer::Answer;
use crate::portal::errand::{Cost, NotChanged, Office, Outage};
use crate::portal::event::Event;
use crate::portal::login::Door;
use crate::portal::request::Request;
use crate::portal::sessions;
use crate::portal::ticket::Ticket;
use crate::portal::visitor::Visitor;
use crate::portal::world::World;
use crate::portal::{Portal, Step};
use crate::store::Purpose;
use crate::users::regulation::FLOOR_FORM;

use super::change::Change;
use super::leave::leave_ends;
use super::letters::{Letters, Told};
use super::password::{Holder, Replying, Typed, Unchanged};

/// Milliseconds in which every worker has read a changed users file. A worker that has not would take
/// the new session for one of a user with another password, and the old password for the right one.
const SPREADS: u64 = 1000;

/// A user, and the fingerprint of the password that he is to have still.
type Owner = (String, u64);

/// What came of the work on the users file: the fingerprint of the new password, and whether word of
/// it was sent.
type Set = Result<(u64, Told), Unchanged>;

impl Portal {
    /// Puts `new` in place of the visitor's password if that is `old`.
    pub(super) fn replace(
        &self,
        request: &Request<'_>,
        visitor: Visitor,
        (old, new): (Typed, Typed),
        door: Door,
        world: &mut dyn World,
        then: impl Replying,
    ) -> Step {
        if let Err(busy) = world.admit() {
            return Step::Answer(self.crowded(request, door, busy));
        }
        let Some(user) = world.directory().user(&visitor.name) else {
            return Step::Answer(then(self, request, Err(Unchanged::Over), world));
        };
        let (known, owner) = (
            user.password.clone(),
            (user.name.clone(), user.password.fingerprint()),
        );
        // As a wrong password at the login, this one counts, and somebody banned has one checked that
        // nothing matches.
        let reservation = world.reserve(Some(&visitor.name), request.address, request.now);
        let known = if reservation.is_ok() {
            known
        } else {
            known.decoy()
        };
        let work = move |office: &mut dyn Office| -> Result<Option<String>, Outage> {
            let right = known.verify(old.as_bytes());
            right
                .then(|| office.hash_password(new.as_bytes()))
                .transpose()
        };
        let reservation = reservation.ok();
        Step::counted(
            Cost::Burns,
            door,
            reservation,
            work,
            move |portal, request, hash, world| {
                if let Some(reservation) = &reservation {
                    world.settle(reservation, hash.is_some());
                }
                if let Some(hash) = hash {
                    return portal.write_change(request, (visitor, owner), hash, door, world, then);
                }
                let answer = then(portal, request, Err(Unchanged::Wrong), world);
                Step::Answer(Answer {
                    hold: world.hold(FLOOR_FORM),
                    event: Some(Event::WrongPassword(visitor.name)),
                    ..answer
                })
            },
        )
    }

    fn write_change(
        &self,
        request: &Request<'_>,
        (visitor, owner): (Visitor, Owner),
        hash: String,
        door: Door,
        world: &mut dyn World,
        then: impl Replying,
    ) -> Step {
        let user = world.directory().user(&visitor.name);
        let letters = user.and_then(|user| self.letters(user, request));
        let now = request.now;
        let work = move |office: &mut dyn Office| -> Result<Set, Outage> {
            let set = write(office, &owner, &hash, now)?;
            Ok(tell(set, letters.as_ref(), &Change::Password, office))
        };
        Step::attempt(
            Cost::Waits,
            door,
            work,
            move |portal, request, set, world| match set {
                Ok((fingerprint, told)) => {
                    portal.changed(request, visitor, fingerprint, told, world, then)
                }
                Err(reason) => Step::Answer(then(portal, request, Err(reason), world)),
            },
        )
    }

    /// The visitor goes on under a new id; everybody else who was signed in as him is out.
    fn changed(
        &self,
        request: &Request<'_>,
        visitor: Visitor,
        fingerprint: u64,
        told: Told,
        world: &mut dyn World,
        then: impl Replying,
    ) -> Step {
        let user = visitor.name.clone();
        let event = Event::Change(user.clone(), Change::Password, told);
        let leave = leave_ends(request, &visitor, world);
        let domain = self.settings.domain_of(request.host_name());
        let renewed = domain.and_then(|(_, domain)| {
            sessions::renew(request, domain, &visitor.key, fingerprint, world)
        });
        let key = renewed.as_ref().map(|(key, _)| *key);
        Step::sweep(&user, Some(key), move |portal, request, _, world| {
            let mut answer = then(portal, request, Ok(()), world);
            if let Some((key, cookie)) = renewed {
                answer.cookies.push(cookie);
                let rest = leave.map(|ends| ends.saturating_sub(request.now));
                if let Some(rest) = rest.filter(|rest| *rest > 0) {
                    let ticket = Ticket::Elevation;
                    let now = request.now;
                    answer
                        .cookies
                        .push(ticket.issue(world.keys(), &key.0, b"", now, rest));
                }
            }
            Step::Answer(Answer {
                rest: SPREADS,
                event: Some(event),
                ..answer
            })
        })
    }

    /// Sets the password of somebody who has leave for it.
    pub(super) fn put(
        &self,
        request: &Request<'_>,
        holder: Holder,
        new: Typed,
        door: Door,
        world: &mut dyn World,
        then: impl Replying,
    ) -> Step {
        if let Err(busy) = world.admit() {
            return Step::Answer(self.crowded(request, door, busy));
        }
        Step::attempt(
            Cost::Burns,
            door,
            move |office| office.hash_password(new.as_bytes()),
            move |portal, request, hash, world| {
                portal.write_reset(request, holder, hash, door, world, then)
            },
        )
    }

    fn write_reset(
        &self,
        request: &Request<'_>,
        holder: Holder,
        hash: String,
        door: Door,
        world: &mut dyn World,
        then: impl Replying,
    ) -> Step {
        let user = world.directory().user(&holder.user);
        let letters = user.and_then(|user| self.letters(user, request));
        let (name, now) = (holder.user.clone(), request.now);
        let work = move |office: &mut dyn Office| -> Result<Set, Outage> {
            if !redeem(office, &holder, now)? {
                return Ok(Err(Unchanged::Over));
            }
            let owner = (holder.user, holder.fingerprint);
            let set = write(office, &owner, &hash, now)?;
            Ok(tell(set, letters.as_ref(), &Change::Reset, office))
        };
        Step::attempt(
            Cost::Waits,
            door,
            work,
            move |portal, request, set, world| {
                let told = match set {
                    Ok((_, told)) => told,
                    Err(reason) => return Step::Answer(then(portal, request, Err(reason), world)),
                };
                let user = name.clone();
                Step::sweep(&user, Some(None), move |portal, request, _, world| {
                    Step::Answer(Answer {
                        rest: SPREADS,
                        event: Some(Event::Change(name, Change::Reset, told)),
                        ..then(portal, request, Ok(()), world)
                    })
                })
            },
        )
    }
}

/// Uses up the link that the leave came by, if it is not used up yet. `false`: it is good no more.
fn redeem(office: &dyn Office, holder: &Holder, now: u64) -> Result<bool, Outage> {
    let Some(link) = &holder.link else {
        return Ok(true);
    };
    let (factors, user) = (office.factors()?, Some(&*holder.user));
    let owner = factors.redeem_code(Purpose::PasswordReset, user, link, now)?;
    Ok(owner.is_some())
}

/// Has the users file changed, and gives the fingerprint of the new password. The user's mailed links
/// end first: nobody is to think himself safe whose password an old letter can still replace.
fn write(
    office: &mut dyn Office,
    (user, fingerprint): &Owner,
    hash: &str,
    now: u64,
) -> Result<Result<u64, Unchanged>, Outage> {
    office
        .factors()?
        .revoke_codes(user, Purpose::PasswordReset, now)?;
    match office.change_password(user, *fingerprint, hash) {
        Ok(fingerprint) => Ok(Ok(fingerprint)),
        Err(NotChanged::Stale) => Ok(Err(Unchanged::Over)),
        Err(NotChanged::Outage(outage)) => Err(outage),
    }
}

/// Tells the user of what was done. Here and not later: whoever did it may be gone by then, on
/// purpose.
fn tell(
    set: Result<u64, Unchanged>,
    letters: Option<&Letters>,
    change: &Change,
    office: &mut dyn Office,
) -> Set {
    set.map(|fingerprint| (fingerprint, Letters::tell(letters, change, office)))
}
