//! Signing in with a name and a password: find the user, ask whether another attempt is allowed,
//! have the password checked, start a session. Every failure takes the same way and the same time.

use std::net::IpAddr;

use zeroize::Zeroizing;

use crate::session::{Key, Methods};
use crate::users::regulation::{FLOOR_FORM, Reservation};
use crate::users::{PasswordHash, User};

use super::answer::Answer;
use super::doors;
use super::event::{Event, Failure, Method, Why};
use super::in_header;
use super::onward::{Onward, Wish};
use super::remembered::Note;
use super::request::Request;
use super::sessions::{self, SignIn};
use super::settings::Domain;
use super::world::{Busy, World};
use super::{Portal, Step};

/// What somebody typed to sign in.
pub(super) struct Credentials {
    pub(super) username: String,
    pub(super) password: Zeroizing<String>,
    pub(super) remember: bool,
    pub(super) wish: Wish,
    /// The session that the password is added to, after a passkey; its user is named, not searched.
    pub(super) session: Option<Key>,
}

/// How the attempt came in, and so how it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    Page,
    Api,
}

/// A password check that the glue runs on a thread.
pub struct Verify {
    /// The hash to check against.
    pub hash: PasswordHash,
    /// What was typed.
    pub password: Zeroizing<Vec<u8>>,
    /// Where it stood in a header: what tells it and who sends it from any other, in this process.
    pub name: Option<[u8; 32]>,
    /// What to hand to [`Portal::finish`] with the outcome, or to [`Portal::turn_away`].
    pub login: Login,
}

/// An attempt to sign in whose password is being checked.
///
/// Dropping it unfinished leaves the attempt counted as a failure.
#[must_use = "an attempt that is not finished counts as a failure"]
pub struct Login {
    pub(super) door: Door,
    pub(super) typed: String,
    pub(super) remember: bool,
    pub(super) wish: Wish,
    /// The session that the password is added to.
    pub(super) session: Option<Key>,
    /// The visitor's address, if the password stood in a header at an authorization endpoint: no
    /// session comes of it.
    pub(super) at_endpoint: Option<IpAddr>,
    /// Who it is, if there is such a user.
    pub(super) user: Option<Known>,
    /// `None` when the address or the user is banned.
    pub(super) reservation: Option<Reservation>,
    /// Where the password stood in a header and is to be remembered if it is right.
    pub(super) note: Option<Note>,
}

/// A user whom somebody wants to sign in as, or has shown to be.
#[derive(Clone, Debug)]
pub struct Known {
    /// Canonical name.
    pub name: String,
    /// Fingerprint of the hash that the password is checked against.
    pub password: u64,
}

impl From<&User> for Known {
    fn from(user: &User) -> Self {
        Known {
            name: user.name.clone(),
            password: user.password.fingerprint(),
        }
    }
}

impl Login {
    /// The visitor's address, if the password stood in a header at an authorization endpoint.
    pub fn at_endpoint(&self) -> Option<IpAddr> {
        self.at_endpoint
    }

    /// What is counted of the attempt until it is settled; `None` when the address or the user is banned.
    pub fn reservation(&self) -> Option<Reservation> {
        self.reservation
    }
}

impl Portal {
    /// Begins an attempt, if another password can be checked.
    pub(super) fn begin(
        &self,
        request: &Request<'_>,
        door: Door,
        typed: Credentials,
        world: &mut dyn World,
    ) -> Step {
        if let Err(busy) = world.admit() {
            let login = Login {
                typed: typed.username,
                remember: typed.remember,
                wish: typed.wish,
                session: typed.session,
                ..Login::unreadable(door)
            };
            return Step::Answer(self.turn_away(request, &login, busy, world));
        }
        let from = (request.address, request.now);
        Step::Verify(Box::new(Verify::reserve(door, typed, from, world)))
    }

    /// Ends an attempt. `matched` is what the check said, `elapsed` how many milliseconds have
    /// passed since the request arrived.
    pub fn finish(
        &self,
        request: &Request<'_>,
        mut login: Login,
        matched: bool,
        elapsed: u64,
        world: &mut dyn World,
    ) -> Answer {
        if login.at_endpoint.is_some() {
            let settled = in_header::settle(login, matched, elapsed, request.now, world);
            let user = settled.user.map(|user| user.name);
            return Answer {
                event: Some(settled.event),
                hold: settled.hold,
                ..self.ask_again(request, user, world)
            };
        }
        let banned = login.is_banned();
        let user = login.settle(matched, world);
        let domain = self.settings.domain_of(request.host_name());
        match (user, domain) {
            (Some(user), Some((_, domain))) => {
                world.record_success(elapsed);
                self.sign_in(request, domain, &login, user, world)
            }
            _ => self.fail(request, login, banned, world),
        }
    }

    /// Answers an attempt whose password nobody could check: 503 with `Retry-After`. For the glue,
    /// when a check that was admitted cannot be run after all; the glue takes the attempt back.
    pub fn turn_away(
        &self,
        request: &Request<'_>,
        login: &Login,
        busy: Busy,
        world: &mut dyn World,
    ) -> Answer {
        let answer = match login.door {
            Door::Api => self.refuse(request, 503),
            Door::Page if login.session.is_some() => {
                self.password_again(request, login, 503, world)
            }
            Door::Page => self.login_busy(request, login, world),
        };
        let mut answer = answer.with("Retry-After", busy.retry_after.to_string());
        answer.event = Some(Event::TurnAway(Method::Password));
        if login.at_endpoint.is_some() {
            doors::put_off(&mut answer);
        }
        answer
    }

    /// The one answer to every failure.
    pub(super) fn fail(
        &self,
        request: &Request<'_>,
        login: Login,
        banned: bool,
        world: &mut dyn World,
    ) -> Answer {
        let mut answer = match login.door {
            Door::Api => super::api::failure(401),
            Door::Page if login.session.is_some() => {
                self.password_again(request, &login, 401, world)
            }
            Door::Page => self.login_failed(request, &login, world),
        };
        answer.hold = world.hold(FLOOR_FORM);
        answer.event = Some(Event::Fail(Failure {
            aim: login.aim(),
            method: Method::Password,
            user: Some(login.typed),
            why: if banned { Why::Banned } else { Why::Wrong },
            address: None,
        }));
        answer
    }

    fn sign_in(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        login: &Login,
        user: Known,
        world: &mut dyn World,
    ) -> Answer {
        let (onward, cookie) = match &login.session {
            Some(key) => (
                login.wish.proven(&self.settings, domain),
                sessions::step_up(request, domain, key, Methods::PASSWORD, world),
            ),
            None => {
                let sign_in = SignIn {
                    user: &user.name,
                    password: user.password,
                    methods: Methods::PASSWORD,
                    remember: login.remember,
                };
                (
                    self.onward(request, domain, &login.wish, &user.name, world),
                    sessions::start(request, domain, &sign_in, world),
                )
            }
        };
        let Some(cookie) = cookie else {
            return self.session_lost(request, &user.name, (login.aim(), Method::Password));
        };
        let mut answer = self.signed_in(request, login.door, &login.wish, onward);
        answer.cookies.push(cookie);
        answer.event = Some(match login.session {
            Some(_) => Event::Prove(user.name, Method::Password),
            None => Event::SignIn(user.name, Method::Password),
        });
        answer
    }

    /// What somebody is told who has signed in, but for the cookie.
    pub(super) fn signed_in(
        &self,
        request: &Request<'_>,
        door: Door,
        wish: &Wish,
        onward: Onward,
    ) -> Answer {
        match door {
            Door::Api => super::api::signed_in(&onward),
            Door::Page => Answer::redirect(match onward {
                Onward::Go(address) => address,
                Onward::ProveMore => request.location(&format!("/2fa{}", wish.query())),
                Onward::Stay => request.location("/"),
            }),
        }
    }

    /// Where a user goes who has proven one factor.
    pub(super) fn onward(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        wish: &Wish,
        user: &str,
        world: &dyn World,
    ) -> Onward {
        let groups = world
            .directory()
            .user(user)
            .map_or(&[][..], |user| &user.groups);
        let subject = crate::access::Subject { user, groups };
        wish.onward(
            &self.settings,
            domain,
            world.rules(),
            &subject,
            request.address,
        )
    }
}
