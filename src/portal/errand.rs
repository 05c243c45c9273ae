//! What a flow cannot do on the event loop: ask the store, send mail, hash a password, write the
//! users file, go through all sessions. A flow says what, and how it goes on with what came of it.

use std::any::Any;

use crate::session::{Key, Session};
use crate::store::{AppPasswords, Factors};

use super::answer::Answer;
use super::event::Event;
use super::letter::Letter;
use super::request::Request;
use super::world::World;
use super::{Portal, Step};

/// What an errand finds where it may block. The glue has the real one, tests have their own.
pub trait Office {
    /// The store.
    ///
    /// # Errors
    /// There is none, or it cannot be reached.
    fn factors(&self) -> Result<&dyn Factors, Outage>;

    /// The same store, for app passwords.
    ///
    /// # Errors
    /// As [`Office::factors`].
    fn app_passwords(&self) -> Result<&dyn AppPasswords, Outage>;

    /// Fills `bytes` from a cryptographic random source.
    fn random(&self, bytes: &mut [u8]);

    /// Sends a letter.
    ///
    /// # Errors
    /// There is no notifier, or it did not take the letter.
    fn send(&mut self, letter: &Letter) -> Result<(), Outage>;

    /// The hash of a new password, as the configuration wants them; it burns a core.
    ///
    /// # Errors
    /// There is no memory for it.
    fn hash_password(&self, password: &[u8]) -> Result<String, Outage>;

    /// Gives `user` (canonical name) the password of `hash` in the users file, if the one he has
    /// still has the fingerprint `current`. Gives the fingerprint of the new one.
    ///
    /// # Errors
    /// What stood in the way; the file is then as it was.
    fn change_password(&mut self, user: &str, current: u64, hash: &str) -> Result<u64, NotChanged>;
}

/// Something outside does not work: a sentence for the administrator, without secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Outage(pub String);

/// Why a password was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotChanged {
    /// The user is gone, disabled, or has another password by now.
    #[error("the user has changed meanwhile")]
    Stale,
    /// The file could not be written.
    #[error(transparent)]
    Outage(#[from] Outage),
}

/// Where an errand is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// It waits for disk or network.
    Waits,
    /// It burns a core, as a password hash does: no more at once than the machine has cores. It must
    /// not wait for anything, or nobody signs in meanwhile.
    Burns,
}

/// What an errand came to; only its own second half can read it.
pub type Done = Box<dyn Any + Send>;

/// The first half of an errand, for a place where it may block.
pub type Work = Box<dyn FnOnce(&mut dyn Office) -> Done + Send>;

type Then<T> = Box<dyn FnOnce(&Portal, &Request<'_>, T, &mut dyn World) -> Step>;

/// Work away from the event loop, and how the flow goes on.
pub struct Errand {
    /// Where it is to be run.
    pub cost: Cost,
    /// The work itself.
    pub work: Work,
    /// What follows on the event loop.
    pub then: Afterwards,
}

/// The second half of an errand, for the event loop.
pub struct Afterwards(Then<Option<Done>>);

/// A walk through the sessions of a user, in portions that do not hold up the event loop.
pub struct Sweep {
    /// Canonical name.
    pub user: String,
    /// Whether they are ended, but for the one under the key, or only listed.
    pub end_all_but: Option<Option<Key>>,
    /// What follows, with the sessions that were found (or ended), newest first.
    pub then: AfterSweep,
}

/// The second half of a sweep.
pub struct AfterSweep(Then<Vec<Session>>);

/// Work that nobody waits for, which says what is to be logged of it.
pub type AsideWork = Box<dyn FnOnce(&mut dyn Office) -> Option<Event> + Send>;

/// An answer, and work that nobody waits for: what the answer says, and when it comes, tells
/// nothing of the work.
pub struct Aside {
    /// The work. It is done whether or not the visitor stays.
    pub work: AsideWork,
    /// The answer.
    pub answer: Answer,
}

impl Step {
    /// Work away from the event loop. `then` gets `None` when it could not be run.
    pub(super) fn errand<T: Send + 'static>(
        cost: Cost,
        work: impl FnOnce(&mut dyn Office) -> T + Send + 'static,
        then: impl FnOnce(&Portal, &Request<'_>, Option<T>, &mut dyn World) -> Step + 'static,
    ) -> Self {
        Step::Errand(Errand {
            cost,
            work: Box::new(move |office| Box::new(work(office)) as Done),
            then: Afterwards(Box::new(move |portal, request, done, world| {
                let done = done.and_then(|done| done.downcast::<T>().ok());
                then(portal, request, done.map(|done| *done), world)
            })),
        })
    }

    /// A walk through the sessions of `user`; see [`Sweep::end_all_but`].
    pub(super) fn sweep(
        user: &str,
        end_all_but: Option<Option<Key>>,
        then: impl FnOnce(&Portal, &Request<'_>, Vec<Session>, &mut dyn World) -> Step + 'static,
    ) -> Self {
        Step::Sweep(Sweep {
            user: user.to_owned(),
            end_all_but,
            then: AfterSweep(Box::new(then)),
        })
    }
}

impl Portal {
    /// Goes on after an errand. `request` has no body any more. `done` is `None` when the errand
    /// could not be run.
    pub fn resume(
        &self,
        request: &Request<'_>,
        then: Afterwards,
        done: Option<Done>,
        world: &mut dyn World,
    ) -> Step {
        (then.0)(self, request, done, world)
    }

    /// Goes on after a sweep. `request` has no body any more.
    pub fn swept(
        &self,
        request: &Request<'_>,
        then: AfterSweep,
        sessions: Vec<Session>,
        world: &mut dyn World,
    ) -> Step {
        (then.0)(self, request, sessions, world)
    }
}
