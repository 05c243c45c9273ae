//! App passwords as credentials: the one check that the authorization endpoints and the gate share.
//!
//! Three steps, so that whoever asks can wait in its own way: [`Presented`] is read from a header,
//! [`Check::begin`] gives the work for a thread (one read of the store, and once in an hour of use a
//! write), [`Attempt::end`] judges what it came to. No session comes of it, and no second factor.

use std::net::IpAddr;

use crate::store;
use crate::users::app_password::{Grant, HostScope, Id, Refusal, Token, Verifier};
use crate::users::regulation::FLOOR_BASIC;

use super::errand::{Office, Outage};
use super::event::{Aim, Failure, Method, Why};
use super::world::World;

/// Seconds of use for which the store is written once: a busy program does not cost the disk a write
/// for each request.
const NOTED: u64 = 60 * 60;

/// A credential in the form of an app password. No ordinary password has that form, so this is never
/// checked as one.
pub struct Presented {
    token: Token,
    /// The name that stood before it, as it was typed; a bare token has none.
    typed: Option<String>,
}

/// A check that was begun.
pub struct Check {
    /// What is to be done where it may block.
    pub work: Work,
    /// What to hand its outcome to.
    pub attempt: Attempt,
}

/// The part of a check for a thread.
pub type Work = Box<dyn FnOnce(&mut dyn Office) -> Looked + Send>;

/// What a look into the store came to; only [`Attempt::end`] can read it.
pub struct Looked(Result<Found, Outage>);

/// Somebody who has presented an app password. Nothing is counted against anybody before it is ended.
pub struct Attempt {
    typed: Option<String>,
    /// Canonical name of the one who was typed, if there is such a user.
    user: Option<String>,
    address: IpAddr,
    now: u64,
}

/// What an app password came to.
#[derive(Debug)]
pub enum Checked {
    /// It is this user's (canonical name), who exists and is not banned: level 1.
    Right(String),
    /// It opens nothing: to be answered as a wrong password is.
    Wrong {
        /// What is to be told of it.
        failure: Failure,
        /// Milliseconds after the arrival of the request before which it is not answered.
        hold: u64,
    },
    /// Nobody can say: to be answered with 503, and never a pass. Without an outage there was no thread.
    Unknown(Option<Outage>),
}

/// What is in the store.
enum Found {
    /// The app password is good, and this user's.
    Right(String),
    /// There is none, or its secret or its user is another.
    Wrong,
    /// It is this user's but not good here and now.
    Refused(String, Refusal),
    /// The address or the user was banned before anybody looked.
    Banned,
}

impl Presented {
    /// A name and what stands in the place of a password, if that has the form of an app password.
    pub fn basic(name: &str, password: &str) -> Option<Presented> {
        Some(Presented {
            token: Token::read(password)?,
            typed: Some(name.to_owned()),
        })
    }

    /// What follows the word `Bearer`, if it has the form of an app password.
    pub fn bearer(token: &str) -> Option<Presented> {
        Some(Presented {
            token: Token::read(token)?,
            typed: None,
        })
    }
}

impl Check {
    /// Begins to check what was presented for `host` (as rules see it: lower case, without port) from
    /// an address, which failures are held against, at a time (Unix seconds).
    pub fn begin(
        presented: Presented,
        host: &str,
        (address, now): (IpAddr, u64),
        world: &mut dyn World,
    ) -> Check {
        let Presented { token, typed } = presented;
        let known = |typed: &str| Some(world.directory().find(typed)?.name.clone());
        let user = typed.as_deref().and_then(known);
        let banned = world.is_banned(user.as_deref(), address, now);
        let attempt = Attempt {
            typed,
            user,
            address,
            now,
        };
        let (host, whose) = (host.to_owned(), attempt.whose());
        let work = move |office: &mut dyn Office| match banned {
            true => Looked(Ok(Found::Banned)),
            false => Looked(look(office, &token, &host, whose, now)),
        };
        Check {
            work: Box::new(work),
            attempt,
        }
    }
}

/// Whose an app password has to be.
enum Whose {
    Anybodys,
    Users(String),
    /// The one who was named does not exist.
    Nobodys,
}

impl Attempt {
    fn whose(&self) -> Whose {
        match (&self.typed, &self.user) {
            (None, _) => Whose::Anybodys,
            (Some(_), Some(user)) => Whose::Users(user.clone()),
            (Some(_), None) => Whose::Nobodys,
        }
    }

    /// Ends the attempt with what the work came to; `None`: it could not be run.
    ///
    /// A failure is counted against the address, and against the user whose name was typed. Whose secret
    /// was right but is over, or opens another host, has guessed nothing: that is told and not counted,
    /// so that a forgotten program does not shut its user out. A success forgives nothing: else one that
    /// asks all day would do so for somebody who tries passwords.
    pub fn end(self, looked: Option<Looked>, world: &mut dyn World) -> Checked {
        let found = match looked {
            Some(Looked(Ok(found))) => found,
            Some(Looked(Err(outage))) => return Checked::Unknown(Some(outage)),
            None => return Checked::Unknown(None),
        };
        match found {
            Found::Right(user) => {
                if world.directory().user(&user).is_none() {
                    let why = Why::Says("the user of the app password is gone or disabled".into());
                    self.fail(Some(user), why, world)
                } else if world.is_banned(Some(&user), self.address, self.now) {
                    self.fail(Some(user), Why::Banned, world)
                } else {
                    Checked::Right(user)
                }
            }
            Found::Refused(user, refusal) => {
                self.fail(Some(user), Why::Says(refusal.to_string()), world)
            }
            Found::Banned => self.fail(None, Why::Banned, world),
            Found::Wrong => {
                let user = self.user.as_deref();
                let why = match world.reserve(user, self.address, self.now) {
                    Ok(reservation) => {
                        world.settle(&reservation, false);
                        Why::Wrong
                    }
                    Err(_) => Why::Banned,
                };
                self.fail(None, why, world)
            }
        }
    }

    fn fail(self, user: Option<String>, why: Why, world: &mut dyn World) -> Checked {
        let failure = Failure {
            aim: Aim::SignIn,
            method: Method::AppPassword,
            user: user.or(self.typed),
            why,
            address: Some(self.address),
        };
        let hold = world.hold(FLOOR_BASIC);
        Checked::Wrong { failure, hold }
    }
}

fn look(
    office: &mut dyn Office,
    token: &Token,
    host: &str,
    whose: Whose,
    now: u64,
) -> Result<Found, Outage> {
    let store = office.app_passwords()?;
    let Some(kept) = store.app_password(token.id().bytes())? else {
        return Ok(Found::Wrong);
    };
    let belongs = match whose {
        Whose::Anybodys => true,
        Whose::Users(user) => user == kept.user,
        Whose::Nobodys => false,
    };
    match grant(&kept)?.1.check(token, host, now) {
        Err(Refusal::Wrong) => return Ok(Found::Wrong),
        _ if !belongs => return Ok(Found::Wrong),
        Err(refusal) => return Ok(Found::Refused(kept.user, refusal)),
        Ok(()) => {}
    }
    if kept
        .last_used
        .is_none_or(|used| used.saturating_add(NOTED) <= now)
    {
        // Whether that can be written decides nothing: the user sees an older time of use.
        let _ = store.note_app_password(&kept.id, now);
    }
    Ok(Found::Right(kept.user))
}

/// What a store keeps of a new token of `user`, under `name`, for these hosts: made at a time (Unix
/// seconds), and good for so many seconds, or for ever.
pub fn kept(
    token: &Token,
    (user, name): (String, String),
    hosts: &HostScope,
    (now, lifetime): (u64, Option<u64>),
) -> store::AppPassword {
    store::AppPassword {
        id: token.id().bytes().into(),
        user,
        name,
        verifier: token.verifier().bytes().into(),
        hosts: hosts.words().collect(),
        created: now,
        expires: lifetime.map(|seconds| now.saturating_add(seconds)),
        last_used: None,
    }
}

/// Id and grant of what a store has kept.
pub(super) fn grant(kept: &store::AppPassword) -> Result<(Id, Grant), Outage> {
    let parse = || {
        let grant = Grant {
            verifier: Verifier::from_bytes(&kept.verifier)?,
            hosts: HostScope::read(&kept.hosts.join(" ")).ok()?,
            expires: kept.expires,
        };
        Some((Id::from_bytes(&kept.id)?, grant))
    };
    parse().ok_or_else(|| {
        Outage("an app password in the store is damaged; restore a copy of the file".into())
    })
}
