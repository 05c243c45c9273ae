//! A new password: in place of the old one, or by the leave of a mailed link. Here it is judged;
//! [`super::new_password`] makes it the user's.

use zeroize::Zeroizing;

use crate::portal::answer::Answer;
use crate::portal::errand::{Cost, Office, Outage};
use crate::portal::login::Door;
use crate::portal::request::Request;
use crate::portal::visitor::{Visitor, display_name};
use crate::portal::world::{Busy, World};
use crate::portal::{Portal, Step};
use crate::users::{User, Weakness};

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

    /// Too many passwords are being checked.
    pub(super) fn crowded(&self, request: &Request<'_>, door: Door, busy: Busy) -> Answer {
        let answer = match door {
            Door::Page => self.refuse(request, 503),
            Door::Api => crate::portal::api::unavailable(request),
        };
        answer.with("Retry-After", busy.retry_after.to_string())
    }
}

/// What everybody knows of a user, and what is no good in a password therefore.
fn words_of(user: &User) -> Vec<String> {
    let mut words = vec![user.name.clone(), display_name(user).to_owned()];
    words.extend(user.emails.iter().cloned());
    words
}
