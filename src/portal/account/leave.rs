//! Leave to change factors or the password. Whoever finds an unlocked computer has the session, but
//! not the mailbox: so a one-time code is mailed first, and with it comes a ticket for some minutes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::portal::answer::Answer;
use crate::portal::errand::{Cost, Office, Outage};
use crate::portal::event::Event;
use crate::portal::login::Door;
use crate::portal::request::Request;
use crate::portal::second::Known;
use crate::portal::ticket::Ticket;
use crate::portal::visitor::Visitor;
use crate::portal::world::{Limited, World};
use crate::portal::{Portal, Step};
use crate::store::{NewCode, Purpose};
use crate::users::regulation::FLOOR_FORM;

/// What codes are made of: capitals and digits that nobody takes for another, 32 of them.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// Longest code that is made.
const LONGEST: usize = 64;

/// What somebody without leave has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::portal) enum Lack {
    /// Prove a second factor.
    SecondFactor,
    /// Give back a mailed code.
    Code,
}

/// The user has no e-mail address, so that no code can be sent.
pub(in crate::portal) struct NoAddress;

impl Portal {
    /// Goes on with `then` if the visitor may change things, and says otherwise what is lacking.
    pub(in crate::portal) fn with_leave(
        &self,
        request: &Request<'_>,
        visitor: Visitor,
        door: Door,
        world: &mut dyn World,
        then: impl FnOnce(&Portal, &Request<'_>, Visitor, &mut dyn World) -> Step + 'static,
    ) -> Step {
        let told = move |portal: &Portal,
                         request: &Request<'_>,
                         visitor: Visitor,
                         lack: Option<Lack>,
                         world: &mut dyn World| match lack {
            None => then(portal, request, visitor, world),
            Some(lack) => Step::Answer(match door {
                Door::Api => crate::portal::api::lacking(lack),
                Door::Page => portal.to_leave(request),
            }),
        };
        self.lack(request, visitor, door, world, told)
    }

    /// Goes on with what the visitor lacks to change things.
    pub(in crate::portal) fn lack(
        &self,
        request: &Request<'_>,
        visitor: Visitor,
        door: Door,
        world: &mut dyn World,
        then: impl FnOnce(&Portal, &Request<'_>, Visitor, Option<Lack>, &mut dyn World) -> Step
        + 'static,
    ) -> Step {
        let elevation = &self.settings.account.elevation;
        if elevation.skip_second_factor && visitor.level > 1 {
            return then(self, request, visitor, None, world);
        }
        let by_code = |request: &Request<'_>, visitor: &Visitor, world: &mut dyn World| {
            let ends = leave_ends(request, visitor, world);
            ends.is_none().then_some(Lack::Code)
        };
        if !elevation.require_second_factor || visitor.level > 1 {
            let lack = by_code(request, &visitor, world);
            return then(self, request, visitor, lack, world);
        }
        let second = &self.settings.second;
        let (totp, keys) = (second.totp.is_some(), second.webauthn.is_some());
        let user = visitor.name.clone();
        // A key of another cookie domain counts, too: whoever has only the password and the mail is
        // not to add a second factor beside it.
        let work = move |office: &mut dyn Office| -> Result<bool, Outage> {
            let enrolled = office.factors()?.enrolled(&user)?;
            Ok((totp && enrolled.totp) || (keys && enrolled.webauthn))
        };
        Step::attempt(
            Cost::Waits,
            door,
            work,
            move |portal, request, has_one, world| {
                let lack = match has_one {
                    true => Some(Lack::SecondFactor),
                    false => by_code(request, &visitor, world),
                };
                then(portal, request, visitor, lack, world)
            },
        )
    }

    /// Goes on with what the visitor has enrolled and can prove here.
    pub(in crate::portal) fn known(
        &self,
        request: &Request<'_>,
        visitor: Visitor,
        door: Door,
        then: impl FnOnce(&Portal, &Request<'_>, Visitor, Known, &mut dyn World) -> Step + 'static,
    ) -> Step {
        let Some((_, domain)) = self.settings.domain_of(request.host_name()) else {
            return Step::Answer(self.foreign_host(request));
        };
        let (user, offered) = (visitor.name.clone(), self.offered(domain));
        let party = self.keys(domain).map(|(_, party)| party.id().to_owned());
        Step::attempt(
            Cost::Waits,
            door,
            move |office| Known::look_up(office, &user, offered, party.as_deref()),
            move |portal, request, known, world| then(portal, request, visitor, known, world),
        )
    }

    /// Mails a code to the visitor, and goes on with the random name by which it is revoked.
    pub(in crate::portal) fn send_code(
        &self,
        request: &Request<'_>,
        visitor: Visitor,
        door: Door,
        world: &mut dyn World,
        then: impl FnOnce(&Portal, &Request<'_>, Visitor, Result<String, NoAddress>) -> Answer + 'static,
    ) -> Step {
        let limit = world.limit(Limited::ElevationStart, request.address, request.now);
        if let Err(busy) = limit {
            return Step::Answer(self.too_many(request, door, busy));
        }
        let user = world.directory().user(&visitor.name);
        let Some(letters) = user.and_then(|user| self.letters(user, request)) else {
            return Step::Answer(then(self, request, visitor, Err(NoAddress)));
        };
        let elevation = &self.settings.account.elevation;
        let length = elevation.characters.clamp(1, LONGEST);
        let (now, address) = (request.now, request.address);
        let expires = now.saturating_add(elevation.code_lifespan);
        let name = visitor.name.clone();
        let work = move |office: &mut dyn Office| -> Result<String, Outage> {
            let mut id = [0; 16];
            office.random(&mut id);
            let code = draw(office, length);
            let new = NewCode {
                id,
                user: &name,
                purpose: Purpose::Elevation,
                code: code.as_bytes(),
                address,
                expires,
            };
            let issued = office.factors()?.issue_code(&new, now)?;
            let id = URL_SAFE_NO_PAD.encode(id);
            // Who has several good codes in the mailbox needs no further one.
            if issued {
                office.send(&letters.code(&code, &id))?;
            }
            Ok(id)
        };
        Step::attempt(Cost::Waits, door, work, move |portal, request, id, _| {
            Step::Answer(then(portal, request, visitor, Ok(id)))
        })
    }

    /// Takes a mailed code back. `then` gets whether it was right; the answer it gives carries the
    /// leave. Somebody banned is told the same as somebody wrong, and no sooner.
    pub(in crate::portal) fn take_code(
        &self,
        request: &Request<'_>,
        visitor: Visitor,
        code: &str,
        door: Door,
        world: &mut dyn World,
        then: impl FnOnce(&Portal, &Request<'_>, &Visitor, bool, &mut dyn World) -> Answer + 'static,
    ) -> Step {
        let limit = world.limit(Limited::ElevationFinish, request.address, request.now);
        if let Err(busy) = limit {
            return Step::Answer(self.too_many(request, door, busy));
        }
        let code = tidy(code);
        let reservation = world.reserve_factor(&visitor.name, request.address, request.now);
        let (false, Ok(reservation)) = (code.is_empty(), reservation) else {
            let answer = then(self, request, &visitor, false, world);
            return Step::Answer(no_leave(answer, &visitor, world));
        };
        let (user, now) = (visitor.name.clone(), request.now);
        let work = move |office: &mut dyn Office| -> Result<bool, Outage> {
            let factors = office.factors()?;
            let owner = factors.redeem_code(Purpose::Elevation, Some(&user), &code, now)?;
            Ok(owner.is_some())
        };
        Step::counted(
            Cost::Waits,
            door,
            Some(reservation),
            work,
            move |portal, request, right, world| {
                world.settle(&reservation, right);
                let answer = then(portal, request, &visitor, right, world);
                Step::Answer(match right {
                    true => portal.give_leave(request, &visitor, answer, world),
                    false => no_leave(answer, &visitor, world),
                })
            },
        )
    }

    /// Ends a mailed code by its random name. `then` gets whether it was good.
    pub(in crate::portal) fn revoke_code(
        &self,
        request: &Request<'_>,
        id: &str,
        door: Door,
        world: &mut dyn World,
        then: impl FnOnce(&Portal, &Request<'_>, bool, &mut dyn World) -> Step + 'static,
    ) -> Step {
        let limit = world.limit(Limited::ElevationFinish, request.address, request.now);
        if let Err(busy) = limit {
            return Step::Answer(self.too_many(request, door, busy));
        }
        let mut bytes = [0; 18];
        let length = URL_SAFE_NO_PAD.decode_slice(id, &mut bytes).ok();
        let id = length.and_then(|length| bytes[..length].try_into().ok());
        let Some(id) = id else {
            return then(self, request, false, world);
        };
        let now = request.now;
        Step::attempt(
            Cost::Waits,
            door,
            move |office| Ok(office.factors()?.revoke_code(&id, now)?),
            then,
        )
    }

    fn give_leave(
        &self,
        request: &Request<'_>,
        visitor: &Visitor,
        mut answer: Answer,
        world: &mut dyn World,
    ) -> Answer {
        let (keys, bound) = (world.keys(), &visitor.key.0);
        let lifespan = self.settings.account.elevation.lifespan;
        let ticket = Ticket::Elevation.issue(keys, bound, b"", request.now, lifespan);
        answer.cookies.push(ticket);
        answer.event = Some(Event::Leave(visitor.name.clone()));
        answer
    }
}

/// An answer to a wrong code, or to somebody banned: neither sooner nor later.
fn no_leave(answer: Answer, visitor: &Visitor, world: &mut dyn World) -> Answer {
    Answer {
        hold: world.hold(FLOOR_FORM),
        event: Some(Event::NoLeave(visitor.name.clone())),
        ..answer
    }
}

/// When the visitor's leave by a code ends (Unix seconds), if there is one.
pub(in crate::portal) fn leave_ends(
    request: &Request<'_>,
    visitor: &Visitor,
    world: &dyn World,
) -> Option<u64> {
    let (cookies, bound) = (&request.headers.cookies, &visitor.key.0);
    let found = Ticket::Elevation.find(world.keys(), bound, cookies, request.now);
    found.map(|(_, ends)| ends)
}

/// A code of `length` characters; every one of the 32 is as likely as the others.
fn draw(office: &dyn Office, length: usize) -> String {
    let mut bytes = [0; LONGEST];
    office.random(&mut bytes[..length]);
    let letter = |byte: &u8| char::from(ALPHABET[usize::from(byte & 31)]);
    bytes[..length].iter().map(letter).collect()
}

/// A code as somebody typed it, in the form it was made; empty when it can be none.
fn tidy(typed: &str) -> Vec<u8> {
    if typed.len() > 4 * LONGEST {
        return Vec::new();
    }
    let letters = typed.bytes().filter(|b| !matches!(b, b' ' | b'-' | b'\t'));
    letters.map(|b| b.to_ascii_uppercase()).collect()
}
