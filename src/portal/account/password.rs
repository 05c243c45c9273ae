//! A new password: in place of the old one, or by the leave of a mailed link.
//!
//! Whoever sets one is told nothing before the users file has it, and every worker has read the
//! file before the browser goes on. Sessions end by themselves, because they carry the fingerprint
//! of the password; they are taken out of the table besides.

use zeroize::Zeroizing;

use crate::portal::answer::{Answer, Event};
use crate::portal::errand::{Cost, NotChanged, Office, Outage};
use crate::portal::login::Door;
use crate::portal::request::Request;
use crate::portal::sessions;
use crate::portal::ticket::Ticket;
use crate::portal::visitor::{Visitor, display_name};
use crate::portal::world::{Busy, World};
use crate::portal::{Portal, Step};
use crate::store::Purpose;
use crate::users::{User, Weakness};

use super::change::Change;
use super::leave::leave_ends;
use super::letters::{Letters, Told};

/// Milliseconds in which every worker has read a changed users file. A worker that has not would take
/// the new session for one of a user with another password, and the old password for the right one.
const SPREADS: u64 = 1000;

/// A password as it was typed.
pub(in crate::portal) type Typed = Zeroizing<String>;

/// Why a password was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::portal) enum Unchanged {
    /// The old one is wrong, or nobody may try now.
    Wrong,
    /// The new one is too weak.
    Weak(Weakness),
    /// The new one is the old one.
    Same,
    /// The user, or what he has in hand, is no longer what it was.
    Over,
}

/// How a flow answers once it is known what became of a password.
pub(in crate::portal) trait Replying:
    FnOnce(&Portal, &Request<'_>, Result<(), Unchanged>, &mut dyn World) -> Answer + 'static
{
}

impl<F> Replying for F where
    F: FnOnce(&Portal, &Request<'_>, Result<(), Unchanged>, &mut dyn World) -> Answer + 'static
{
}

/// The user whose password is to be set, and what it was when he was given leave.
pub(super) struct Holder {
    pub(super) user: String,
    pub(super) fingerprint: u64,
    /// The mailed link, where it is used up only now.
    pub(super) link: Option<Vec<u8>>,
}

/// What came of the work on the users file.
type Set = Result<(u64, Told), Unchanged>;

impl Portal {
    /// Changes the password of the visitor, who knows the old one.
    pub(in crate::portal) fn change_password(
        &self,
        visitor: Visitor,
        (old, new): (Typed, Typed),
        door: Door,
        world: &mut dyn World,
        request: &Request<'_>,
        then: impl Replying,
    ) -> Step {
        let Some(user) = world.directory().user(&visitor.name) else {
            return Step::Answer(then(self, request, Err(Unchanged::Over), world));
        };
        if *old == *new {
            return Step::Answer(then(self, request, Err(Unchanged::Same), world));
        }
        let words = words_of(user);
        self.judge(
            new,
            words,
            door,
            move |portal, request, judged, world| match judged {
                Err(weak) => Step::Answer(then(portal, request, Err(weak), world)),
                Ok(new) => portal.replace(request, visitor, (old, new), door, world, then),
            },
        )
    }

    /// Sets the password of somebody who has leave by a mailed link.
    pub(super) fn set_password(
        &self,
        request: &Request<'_>,
        holder: Holder,
        new: Typed,
        door: Door,
        world: &mut dyn World,
        then: impl Replying,
    ) -> Step {
        let found = world.directory().holder(&holder.user, holder.fingerprint);
        let Some(words) = found.map(|user| words_of(user)) else {
            return Step::Answer(then(self, request, Err(Unchanged::Over), world));
        };
        self.judge(
            new,
            words,
            door,
            move |portal, request, judged, world| match judged {
                Err(weak) => Step::Answer(then(portal, request, Err(weak), world)),
                Ok(new) => portal.put(request, holder, new, door, world, then),
            },
        )
    }

    /// Has a new password judged, which may take a while, before anything is counted for it.
    fn judge(
        &self,
        new: Typed,
        words: Vec<String>,
        door: Door,
        then: impl FnOnce(&Portal, &Request<'_>, Result<Typed, Unchanged>, &mut dyn World) -> Step
        + 'static,
    ) -> Step {
        let policy = self.settings.account.policy.clone();
        let work = move |_: &mut dyn Office| -> Result<Result<Typed, Unchanged>, Outage> {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let judged = policy.check(&new, &words).map_err(Unchanged::Weak);
            Ok(judged.map(|()| new))
        };
        Step::attempt(Cost::Waits, door, work, then)
    }

    fn replace(
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
        let letters = self.letters(user, request);
        let (hash, fingerprint) = (user.password.clone(), user.password.fingerprint());
        // As a wrong password at the login, this one counts, and somebody banned has one checked that
        // nothing matches.
        let reservation = world.reserve(Some(&visitor.name), request.address, request.now);
        let hash = if reservation.is_ok() {
            hash
        } else {
            hash.decoy()
        };
        let (name, now) = (visitor.name.clone(), request.now);
        let work = move |office: &mut dyn Office| -> (bool, Result<Set, Outage>) {
            if !hash.verify(old.as_bytes()) {
                return (false, Ok(Err(Unchanged::Wrong)));
            }
            let set = write(office, (&name, fingerprint), &new, now);
            (
                true,
                set.map(|set| tell(set, letters.as_ref(), &Change::Password, office)),
            )
        };
        Step::errand(Cost::Burns, work, move |portal, request, done, world| {
            let Some((matched, set)) = done else {
                return Step::Answer(portal.outage(request, door, None));
            };
            if let Ok(reservation) = &reservation {
                world.settle(reservation, matched);
            }
            match set {
                Err(outage) => Step::Answer(portal.outage(request, door, Some(outage))),
                Ok(Ok((fingerprint, told))) => {
                    portal.changed(request, visitor, fingerprint, told, world, then)
                }
                Ok(Err(reason)) => {
                    let mut answer = then(portal, request, Err(reason), world);
                    if reason == Unchanged::Wrong {
                        answer.hold = world.hold();
                        answer.event = Some(Event::WrongPassword(visitor.name));
                    }
                    Step::Answer(answer)
                }
            }
        })
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

    fn put(
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
        let user = world.directory().user(&holder.user);
        let letters = user.and_then(|user| self.letters(user, request));
        let (name, now) = (holder.user.clone(), request.now);
        let work = move |office: &mut dyn Office| -> Result<Set, Outage> {
            let Holder {
                user,
                fingerprint,
                link,
            } = holder;
            if let Some(link) = link {
                let purpose = Purpose::PasswordReset;
                let owner = office
                    .factors()?
                    .redeem_code(purpose, Some(&user), &link, now)?;
                if owner.is_none() {
                    return Ok(Err(Unchanged::Over));
                }
            }
            let set = write(office, (&user, fingerprint), &new, now)?;
            Ok(tell(set, letters.as_ref(), &Change::Reset, office))
        };
        Step::attempt(
            Cost::Burns,
            door,
            work,
            move |portal, request, set, world| {
                let told = match set {
                    Err(reason) => {
                        return Step::Answer(then(portal, request, Err(reason), world));
                    }
                    Ok((_, told)) => told,
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

    /// Too many passwords are being checked.
    fn crowded(&self, request: &Request<'_>, door: Door, busy: Busy) -> Answer {
        let answer = match door {
            Door::Page => self.refuse(request, 503),
            Door::Api => crate::portal::api::unavailable(request),
        };
        answer.with("Retry-After", busy.retry_after.to_string())
    }
}

/// Has the users file changed, and gives the fingerprint of the new password. The user's mailed links
/// end first: nobody is to think himself safe whose password an old letter can still replace.
fn write(
    office: &mut dyn Office,
    (user, fingerprint): (&str, u64),
    new: &Typed,
    now: u64,
) -> Result<Result<u64, Unchanged>, Outage> {
    office
        .factors()?
        .revoke_codes(user, Purpose::PasswordReset, now)?;
    match office.change_password(user, fingerprint, new.as_bytes()) {
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

/// What everybody knows of a user, and what is no good in a password therefore.
fn words_of(user: &User) -> Vec<String> {
    let mut words = vec![user.name.clone(), display_name(user).to_owned()];
    words.extend(user.emails.iter().cloned());
    words
}
