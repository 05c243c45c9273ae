//! Enrolling an app that makes one-time codes. Its secret waits in a ticket, beside the name it is to
//! have, until a first code shows that the app has it.

use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use crate::factors::totp::{self, Key, Parameters, Secret, Settings};
use crate::portal::answer::Answer;
use crate::portal::errand::{Office, Outage};
use crate::portal::login::Door;
use crate::portal::request::Request;
use crate::portal::second::end_of_code;
use crate::portal::ticket::Ticket;
use crate::portal::visitor::Visitor;
use crate::portal::world::World;
use crate::portal::{Portal, Step};
use crate::store::{Algorithm, NewTotp};

use super::change::{Change, Kind};
use super::devices::{Answering, Refused, names, refused};

/// Seconds in which the first code has to come; Authelia's.
const WAITS: u64 = 600;

/// An app that is being enrolled.
pub(in crate::portal) struct Pending {
    /// What the user calls it; empty where nobody was asked.
    pub(in crate::portal) name: String,
    pub(in crate::portal) key: Key,
}

impl Pending {
    /// A new secret for an app of that name.
    pub(in crate::portal) fn new(
        settings: &Settings,
        name: &str,
        parameters: Parameters,
        world: &mut dyn World,
    ) -> Option<Self> {
        let mut bytes = Vec::new();
        while bytes.len() < settings.secret_size {
            bytes.extend(world.random());
        }
        bytes.truncate(settings.secret_size);
        let secret = Secret::new(bytes).ok()?;
        let name = name.to_owned();
        let key = Key { secret, parameters };
        Some(Pending { name, key })
    }

    /// By what the store knows that its ticket was used.
    fn mark(&self) -> [u8; 32] {
        Sha256::new_with_prefix("enrolment of a one-time code")
            .chain_update(self.key.secret.base32().expose_secret())
            .finalize()
            .into()
    }

    /// The ticket that keeps it.
    pub(in crate::portal) fn keep(
        &self,
        request: &Request<'_>,
        visitor: &Visitor,
        world: &dyn World,
    ) -> String {
        let parameters = &self.key.parameters;
        let text = [
            parameters.algorithm().word(),
            &parameters.digits().number().to_string(),
            &parameters.period().to_string(),
            self.key.secret.base32().expose_secret(),
            &self.name,
        ]
        .join("\n");
        let (keys, bound) = (world.keys(), &visitor.key.0);
        Ticket::Totp.issue(keys, bound, text.as_bytes(), request.now, WAITS)
    }

    /// The one that the visitor's ticket keeps.
    pub(in crate::portal) fn find(
        request: &Request<'_>,
        visitor: &Visitor,
        world: &dyn World,
    ) -> Option<Self> {
        let (keys, bound) = (world.keys(), &visitor.key.0);
        let cookies = &request.headers.cookies;
        let (payload, _) = Ticket::Totp.find(keys, bound, cookies, request.now)?;
        let text = String::from_utf8(payload).ok()?;
        let mut lines = text.splitn(5, '\n');
        let mut next = || lines.next();
        let (algorithm, digits, period) = (next()?, next()?, next()?);
        let parameters =
            Parameters::parse(algorithm, digits.parse().ok()?, period.parse().ok()?).ok()?;
        let secret = Secret::parse(next()?).ok()?;
        let name = next()?.to_owned();
        let key = Key { secret, parameters };
        Some(Pending { name, key })
    }
}

impl Portal {
    /// Keeps the app that waits for its first code, if this is one.
    pub(in crate::portal) fn finish_totp(
        &self,
        request: &Request<'_>,
        (visitor, door): (Visitor, Door),
        settings: &Settings,
        code: &str,
        world: &mut dyn World,
        then: impl Answering,
    ) -> Step {
        let Some(pending) = Pending::find(request, &visitor, world) else {
            return then(self, request, &visitor, Err(Refused::Over), world);
        };
        let (now, skew) = (request.now, settings.skew);
        let Some(step) = pending.key.check(code, skew, now) else {
            return then(self, request, &visitor, Err(Refused::Wrong), world);
        };
        let until = end_of_code(step, &pending.key, skew);
        let (user, issuer) = (visitor.name.clone(), settings.issuer.clone());
        let fallback = request.messages().account.totp;
        let mark = pending.mark();
        let work = move |office: &mut dyn Office| -> Result<Result<Change, Refused>, Outage> {
            let name = match pending.name.as_str() {
                "" => free_name(office, &user, Kind::Totp, fallback)?,
                name => name.to_owned(),
            };
            let new = new_device(&user, &name, issuer, &pending.key);
            let factors = office.factors()?;
            let random = &mut |bytes: &mut [u8]| office.random(bytes);
            let id = match factors.add_totp(&new, now, random) {
                Ok(id) => id,
                Err(error) => return Ok(Err(refused(error)?)),
            };
            // A ticket that was copied must not bring back a device that was removed meanwhile.
            if !factors.spend_challenge(&mark, now.saturating_add(WAITS), now)? {
                factors.remove_totp(&user, id)?;
                return Ok(Err(Refused::Over));
            }
            // The code has shown that the app works; it is not to sign anybody in besides.
            factors.spend_step(&user, id, step.0, until, now)?;
            Ok(Ok(Change::Add(Kind::Totp, name)))
        };
        let then = move |portal: &Portal,
                         request: &Request<'_>,
                         visitor: &Visitor,
                         outcome: Result<(), Refused>,
                         world: &mut dyn World| {
            let step = then(portal, request, visitor, outcome, world);
            with_cookie(step, outcome.is_ok(), Ticket::Totp)
        };
        self.change_devices(request, visitor, door, world, work, then)
    }
}

/// Takes the ticket back once it has served.
pub(super) fn with_cookie(step: Step, served: bool, ticket: Ticket) -> Step {
    match step {
        Step::Answer(mut answer) if served => {
            answer.cookies.push(ticket.take_back());
            Step::Answer(answer)
        }
        step => step,
    }
}

/// An answer that takes a waiting ticket back.
pub(in crate::portal) fn without(mut answer: Answer, ticket: Ticket) -> Answer {
    answer.cookies.push(ticket.take_back());
    answer
}

/// `wish`, or with a number behind it where the user has a device of that name.
pub(super) fn free_name(
    office: &dyn Office,
    user: &str,
    kind: Kind,
    wish: &str,
) -> Result<String, Outage> {
    let taken = names(office.factors()?, user, kind)?;
    let is_free = |name: &String| taken.iter().all(|(_, known)| known != name);
    let numbered = (2..).map(|number| format!("{wish} {number}"));
    let mut names = std::iter::once(wish.to_owned()).chain(numbered);
    // Of more names than there are devices one is free.
    Ok(names.find(is_free).unwrap_or_default())
}

fn new_device(user: &str, name: &str, issuer: String, key: &Key) -> NewTotp {
    let parameters = &key.parameters;
    NewTotp {
        user: user.to_owned(),
        name: name.to_owned(),
        issuer,
        algorithm: match parameters.algorithm() {
            totp::Algorithm::Sha1 => Algorithm::Sha1,
            totp::Algorithm::Sha256 => Algorithm::Sha256,
            totp::Algorithm::Sha512 => Algorithm::Sha512,
        },
        digits: parameters.digits().number(),
        period: parameters.period(),
        secret: key.secret.bytes(),
    }
}
