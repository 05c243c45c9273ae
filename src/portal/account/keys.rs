//! Registering a security key or passkey. The challenge waits in a ticket, beside the name that the
//! key is to have.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::factors::webauthn::{
    Challenge, Descriptor, Enrolment, PublicKeyOptions, Registered, RegistrationResponse,
    RelyingParty, Settings, UserHandle,
};
use crate::portal::errand::{Cost, Office, Outage};
use crate::portal::event::Event;
use crate::portal::login::Door;
use crate::portal::request::Request;
use crate::portal::settings::Domain;
use crate::portal::ticket::Ticket;
use crate::portal::visitor::Visitor;
use crate::portal::world::World;
use crate::portal::{Portal, Step};
use crate::store::{Credential, NewCredential};

use super::change::{Change, Kind};
use super::devices::{Answering, Refused, refused};
use super::totp::with_cookie;

/// Seconds beyond what the browser waits, for the way here.
const GRACE: u64 = 60;

/// Bytes of a challenge.
const CHALLENGE: usize = 32;

/// What a registration needs of the configuration.
#[derive(Clone)]
pub(in crate::portal) struct Ceremony {
    pub(in crate::portal) settings: Settings,
    pub(in crate::portal) party: RelyingParty,
}

/// What is kept of an attestation, as Authelia keeps it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    client_data_hash: String,
    object: String,
}

impl Ceremony {
    /// Seconds that a challenge is good for.
    fn lasts(&self) -> u64 {
        u64::from(self.settings.timeout) / 1000 + GRACE
    }
}

impl Portal {
    /// What a registration at `domain` needs; `None` where keys are off.
    pub(in crate::portal) fn ceremony(&self, domain: &Domain) -> Option<Ceremony> {
        let (settings, party) = self.keys(domain)?;
        Some(Ceremony {
            settings: settings.clone(),
            party: party.clone(),
        })
    }

    /// Begins to register a key called `name`. `then` gets what the browser is to be asked, and the
    /// ticket.
    pub(in crate::portal) fn begin_key(
        &self,
        visitor: Visitor,
        ceremony: Ceremony,
        name: String,
        door: Door,
        world: &mut dyn World,
        then: impl FnOnce(
            &Portal,
            &Request<'_>,
            &Visitor,
            Result<(Value, String), Refused>,
            &mut dyn World,
        ) -> Step
        + 'static,
    ) -> Step {
        let challenge = Challenge::new(world.random());
        let (user, rp_id) = (visitor.name.clone(), ceremony.party.id().to_owned());
        let work = move |office: &mut dyn Office| -> Result<(Vec<u8>, Vec<Credential>), Outage> {
            let mut fresh = [0; 48];
            office.random(&mut fresh);
            let fresh = UserHandle::new(fresh);
            let fresh = fresh.bytes().try_into().unwrap_or(&[0; 64]);
            let factors = office.factors()?;
            let handle = factors.user_handle(&rp_id, &user, fresh)?;
            let mut existing = factors.credentials(&user)?;
            existing.retain(|known| known.credential.rp_id == rp_id);
            Ok((handle, existing))
        };
        Step::attempt(
            Cost::Waits,
            door,
            work,
            move |portal, request, (handle, existing), world| {
                let same = |known: &Credential| {
                    known.credential.name.to_lowercase() == name.to_lowercase()
                };
                if existing.iter().any(same) {
                    return then(portal, request, &visitor, Err(Refused::NameTaken), world);
                }
                let Some(handle) = UserHandle::parse(&handle) else {
                    let outage = Outage("the user handle in the store is damaged".to_owned());
                    return Step::Answer(portal.outage(request, door, Some(outage)));
                };
                let who = Enrolment {
                    name: &visitor.name,
                    display_name: &visitor.display_name,
                    handle: &handle,
                    existing: existing.iter().map(descriptor).collect(),
                };
                let Ceremony { settings, party } = &ceremony;
                let options = PublicKeyOptions::create(settings, party, &challenge, who);
                // A value of strings, numbers and lists always has a JSON form.
                let options = serde_json::to_value(&options).unwrap_or_default();
                let payload = [&challenge.bytes()[..], name.as_bytes()].concat();
                let (keys, bound) = (world.keys(), &visitor.key.0);
                let ticket = Ticket::Registration.issue(
                    keys,
                    bound,
                    &payload,
                    request.now,
                    ceremony.lasts(),
                );
                then(portal, request, &visitor, Ok((options, ticket)), world)
            },
        )
    }

    /// Keeps the key that the visitor's ticket waits for, if `answer` (JSON of the browser) is its.
    pub(in crate::portal) fn finish_key(
        &self,
        request: &Request<'_>,
        (visitor, door): (Visitor, Door),
        ceremony: &Ceremony,
        answer: &[u8],
        world: &mut dyn World,
        then: impl Answering,
    ) -> Step {
        let Some((challenge, name, ends)) = waiting(request, &visitor, world) else {
            return then(self, request, &visitor, Err(Refused::Over), world);
        };
        let registered = RegistrationResponse::parse(answer)
            .and_then(|answer| answer.verify(&ceremony.settings, &ceremony.party, &challenge));
        let registered = match registered {
            Ok(registered) => registered,
            Err(why) => {
                let mut step = then(self, request, &visitor, Err(Refused::Wrong), world);
                if let Step::Answer(answer) = &mut step {
                    let why = why.to_string();
                    answer.event = Some(Event::NoKey(visitor.name, why));
                }
                return step;
            }
        };
        let new = new_credential(&visitor, &name, ceremony.party.id(), registered);
        let now = request.now;
        let work = move |office: &mut dyn Office| -> Result<Result<Change, Refused>, Outage> {
            let factors = office.factors()?;
            if !factors.spend_challenge(challenge.bytes(), ends, now)? {
                return Ok(Err(Refused::Over));
            }
            let random = &mut |bytes: &mut [u8]| office.random(bytes);
            Ok(match factors.add_credential(&new, now, random) {
                Ok(_) => Ok(Change::Add(Kind::Key, name)),
                Err(error) => Err(refused(error)?),
            })
        };
        let then = move |portal: &Portal,
                         request: &Request<'_>,
                         visitor: &Visitor,
                         outcome: Result<(), Refused>,
                         world: &mut dyn World| {
            let step = then(portal, request, visitor, outcome, world);
            with_cookie(step, outcome.is_ok(), Ticket::Registration)
        };
        self.change_devices(request, visitor, door, world, work, then)
    }
}

/// Challenge, name and end of the registration that the visitor's ticket keeps.
fn waiting(
    request: &Request<'_>,
    visitor: &Visitor,
    world: &dyn World,
) -> Option<(Challenge, String, u64)> {
    let (cookies, bound) = (&request.headers.cookies, &visitor.key.0);
    let found = Ticket::Registration.find(world.keys(), bound, cookies, request.now);
    let (payload, ends) = found?;
    let (challenge, name) = payload.split_first_chunk::<CHALLENGE>()?;
    let name = String::from_utf8(name.to_vec()).ok()?;
    Some((Challenge::new(*challenge), name, ends))
}

fn descriptor(known: &Credential) -> Descriptor {
    Descriptor::new(
        known.credential.credential_id.clone(),
        words(&known.credential.transports),
    )
}

/// What a list separated by commas holds.
pub(in crate::portal) fn words(list: &str) -> Vec<String> {
    let words = list.split(',').filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

fn new_credential(
    visitor: &Visitor,
    name: &str,
    rp_id: &str,
    registered: Registered,
) -> NewCredential {
    let kept = Kept {
        client_data: STANDARD.encode(&registered.client_data),
        client_data_hash: STANDARD.encode(Sha256::digest(&registered.client_data)),
        object: STANDARD.encode(&registered.object),
    };
    NewCredential {
        user: visitor.name.clone(),
        name: name.to_owned(),
        rp_id: rp_id.to_owned(),
        credential_id: registered.id,
        public_key: registered.public_key,
        aaguid: (!registered.model.is_zero()).then(|| registered.model.to_string()),
        attestation_format: registered.format,
        attestation_type: registered.statement.word().to_owned(),
        attestation: serde_json::to_vec(&kept).ok(),
        attachment: registered
            .attachment
            .map_or_else(String::new, |attachment| attachment.word().to_owned()),
        transports: registered.transports.join(","),
        sign_count: registered.sign_count,
        clone_warning: false,
        legacy: false,
        discoverable: registered.discoverable,
        present: registered.flags.present,
        verified: registered.flags.verified,
        backup_eligible: registered.flags.backup_eligible,
        backup_state: registered.flags.backup_state,
    }
}
