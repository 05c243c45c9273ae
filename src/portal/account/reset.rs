//! The way back in for who has lost the password: a link by mail, good once. Whether there is such
//! a user is told to nobody, neither by the answer nor by the time it takes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::portal::answer::Answer;
use crate::portal::csrf::Nonce;
use crate::portal::errand::{Aside, Cost, Office, Outage};
use crate::portal::event::Event;
use crate::portal::login::Door;
use crate::portal::request::Request;
use crate::portal::settings::Reset;
use crate::portal::ticket::Ticket;
use crate::portal::world::{Limited, World};
use crate::portal::{Portal, Step};
use crate::store::{NewCode, Purpose};
use crate::users::regulation::FLOOR_FORM;

use super::password::{Holder, Replying, Typed, Unchanged};

/// Seconds to think of a password once the link was opened by a program.
const THINKS: u64 = 600;

/// Longest thing that is looked at as a link's token; ours have 43 characters.
const LONGEST: usize = 64;

impl Portal {
    /// Seconds that a link is good for, where there are links.
    pub(in crate::portal) fn link_lifespan(&self) -> Option<u64> {
        match self.settings.account.reset {
            Some(Reset::Link { lifespan }) => Some(lifespan),
            Some(Reset::Elsewhere(_)) | None => None,
        }
    }

    /// Mails a link to whoever is meant by `typed`. `answer` is what everybody gets to see.
    pub(in crate::portal) fn ask_reset(
        &self,
        request: &Request<'_>,
        typed: String,
        lifespan: u64,
        (door, answer): (Door, Answer),
        world: &mut dyn World,
    ) -> Step {
        let limit = world.limit(Limited::ResetStart, request.address, request.now);
        if let Err(busy) = limit {
            return Step::Answer(self.too_many(request, door, busy));
        }
        let answer = Answer {
            hold: world.hold(FLOOR_FORM),
            event: Some(Event::AskReset(typed.clone())),
            ..answer
        };
        let found = world.directory().find(&typed);
        let Some((user, letters)) =
            found.and_then(|user| Some((user.name.clone(), self.letters(user, request)?)))
        else {
            return Step::Answer(answer);
        };
        let (now, address) = (request.now, request.address);
        let mail = move |office: &mut dyn Office| -> Result<(), Outage> {
            let (mut id, mut token) = ([0; 16], [0; 32]);
            office.random(&mut id);
            office.random(&mut token);
            let token = URL_SAFE_NO_PAD.encode(token);
            let new = NewCode {
                id,
                user: &user,
                purpose: Purpose::PasswordReset,
                code: token.as_bytes(),
                address,
                expires: now.saturating_add(lifespan),
            };
            // Who has several good links in the mailbox needs no further one.
            match office.factors()?.issue_code(&new, now)? {
                true => office.send(&letters.reset(&token)),
                false => Ok(()),
            }
        };
        Step::Aside(Box::new(Aside {
            work: Box::new(move |office| {
                let failed = mail(office).err();
                failed.map(|Outage(sentence)| Event::Outage(sentence))
            }),
            answer,
        }))
    }

    /// Goes on with the user of a link that is still good; it stays so.
    pub(super) fn look_at_link(
        &self,
        request: &Request<'_>,
        token: &str,
        door: Door,
        world: &mut dyn World,
        then: impl FnOnce(&Portal, &Request<'_>, Option<Holder>, &mut dyn World) -> Step + 'static,
    ) -> Step {
        self.with_link(request, token, (door, false), world, then)
    }

    /// Uses up a link. `then` gets its user.
    pub(super) fn use_link(
        &self,
        request: &Request<'_>,
        token: &str,
        door: Door,
        world: &mut dyn World,
        then: impl FnOnce(&Portal, &Request<'_>, Option<Holder>, &mut dyn World) -> Step + 'static,
    ) -> Step {
        self.with_link(request, token, (door, true), world, then)
    }

    /// Ends a link. `then` gets whether it was good.
    pub(in crate::portal) fn end_link(
        &self,
        request: &Request<'_>,
        token: &str,
        door: Door,
        world: &mut dyn World,
        then: impl FnOnce(&Portal, &Request<'_>, bool, &mut dyn World) -> Step + 'static,
    ) -> Step {
        self.use_link(
            request,
            token,
            door,
            world,
            |portal, request, holder, world| then(portal, request, holder.is_some(), world),
        )
    }

    fn with_link(
        &self,
        request: &Request<'_>,
        token: &str,
        (door, for_good): (Door, bool),
        world: &mut dyn World,
        then: impl FnOnce(&Portal, &Request<'_>, Option<Holder>, &mut dyn World) -> Step + 'static,
    ) -> Step {
        let limit = world.limit(Limited::ResetFinish, request.address, request.now);
        if let Err(busy) = limit {
            return Step::Answer(self.too_many(request, door, busy));
        }
        if token.is_empty() || token.len() > LONGEST {
            return then(self, request, None, world);
        }
        let (token, now) = (token.as_bytes().to_vec(), request.now);
        let link = token.clone();
        let work = move |office: &mut dyn Office| -> Result<Option<String>, Outage> {
            let (factors, purpose) = (office.factors()?, Purpose::PasswordReset);
            Ok(match for_good {
                true => factors.redeem_code(purpose, None, &token, now)?,
                false => factors.code_owner(purpose, &token, now)?,
            })
        };
        Step::attempt(
            Cost::Waits,
            door,
            work,
            move |portal, request, owner, world| {
                let user = owner.and_then(|owner| world.directory().user(&owner));
                let holder = user.map(|user| Holder {
                    user: user.name.clone(),
                    fingerprint: user.password.fingerprint(),
                    link: (!for_good).then_some(link),
                });
                then(portal, request, holder, world)
            },
        )
    }

    /// Uses up a link and gives this browser leave to set a password: for the API, which does the
    /// two one after the other. `then` gets whether the link was good.
    pub(in crate::portal) fn trade_link(
        &self,
        request: &Request<'_>,
        token: &str,
        world: &mut dyn World,
        then: impl FnOnce(bool) -> Answer + 'static,
    ) -> Step {
        self.use_link(
            request,
            token,
            Door::Api,
            world,
            |_, request, holder, world| {
                let mut answer = then(holder.is_some());
                if let Some(holder) = holder {
                    let sent = Nonce::sent(&request.headers.cookies).next();
                    let nonce = sent.unwrap_or_else(|| {
                        let nonce = Nonce::new(world.random());
                        answer.cookies.push(nonce.cookie());
                        nonce
                    });
                    let payload =
                        [&holder.fingerprint.to_be_bytes(), holder.user.as_bytes()].concat();
                    let (keys, bound) = (world.keys(), nonce.bytes());
                    let ticket = Ticket::Reset.issue(keys, bound, &payload, request.now, THINKS);
                    answer.cookies.push(ticket);
                }
                Step::Answer(answer)
            },
        )
    }

    /// Sets the password of the user whom this browser has leave for.
    pub(in crate::portal) fn reset_password(
        &self,
        request: &Request<'_>,
        new: Typed,
        world: &mut dyn World,
        then: impl Replying,
    ) -> Step {
        let limit = world.limit(Limited::ResetFinish, request.address, request.now);
        if let Err(busy) = limit {
            return Step::Answer(self.too_many(request, Door::Api, busy));
        }
        let Some(holder) = holder(request, world) else {
            return Step::Answer(then(self, request, Err(Unchanged::Over), world));
        };
        self.set_password(request, holder, new, Door::Api, world, then)
    }
}

/// Whom the ticket of this browser gives leave for.
fn holder(request: &Request<'_>, world: &dyn World) -> Option<Holder> {
    let cookies = &request.headers.cookies;
    let (payload, _) = Nonce::sent(cookies)
        .find_map(|nonce| Ticket::Reset.find(world.keys(), nonce.bytes(), cookies, request.now))?;
    let (fingerprint, user) = payload.split_first_chunk()?;
    Some(Holder {
        user: String::from_utf8(user.to_vec()).ok()?,
        fingerprint: u64::from_be_bytes(*fingerprint),
        link: None,
    })
}
