//! The API of keys: all of a user, one, and one that is being registered.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::portal::account::{Ceremony, Kind, Refused, answering, tidy_name, without, words};
use crate::portal::answer::Answer;
use crate::portal::api::objects::{fine, object, rfc3339};
use crate::portal::api::{OPERATION_FAILED, refused, tell};
use crate::portal::errand::{Cost, Office, Outage};
use crate::portal::login::Door;
use crate::portal::request::Request;
use crate::portal::settings::Domain;
use crate::portal::ticket::Ticket;
use crate::portal::visitor::Visitor;
use crate::portal::world::World;
use crate::portal::{Portal, Step};
use crate::store::Credential;

use super::{Place, name_in};

const NO_KEY: &str = "Unable to register your security key.";
const SAME_NAME: &str =
    "Another one of your security keys is already registered with that display name.";

#[derive(Deserialize)]
struct NameBody {
    description: String,
}

/// A key as Authelia describes one.
#[derive(Serialize)]
struct KeyInfo {
    id: i64,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<String>,
    rpid: String,
    username: String,
    description: String,
    kid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    aaguid: Option<String>,
    attestation_type: String,
    attestation_format: String,
    attachment: String,
    transports: Vec<String>,
    sign_count: u32,
    clone_warning: bool,
    legacy: bool,
    discoverable: bool,
    present: bool,
    verified: bool,
    backup_eligible: bool,
    backup_state: bool,
    public_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    attestation: Option<String>,
}

impl Portal {
    /// Keys: all of them, one, and one that is being registered.
    pub(super) fn keys_api(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        place: Place,
        visitor: Visitor,
        world: &mut dyn World,
    ) -> Step {
        let Some(ceremony) = self.ceremony(domain) else {
            return Step::Answer(Answer::text(404));
        };
        match place {
            Place::Credentials => list_keys(visitor, ceremony.party.id()),
            Place::CredentialRegister => self.register_api(request, ceremony, visitor, world),
            _ => self.key_api_of(request, visitor, world),
        }
    }

    fn register_api(
        &self,
        request: &Request<'_>,
        ceremony: Ceremony,
        visitor: Visitor,
        world: &mut dyn World,
    ) -> Step {
        let name = object::<NameBody>(request).and_then(|body| tidy_name(&body.description));
        let (method, body) = (request.method.to_vec(), request.body.to_vec());
        self.with_leave(
            request,
            visitor,
            Door::Api,
            world,
            move |portal, request, visitor, world| match (method.as_slice(), name) {
                (b"DELETE", _) => {
                    let answer = Answer::json(200, &fine());
                    Step::Answer(without(answer, Ticket::Registration))
                }
                (b"PUT", Some(name)) => {
                    portal.begin_key(visitor, ceremony, name, Door::Api, world, asked)
                }
                (b"POST", _) => {
                    let then = answering(|outcome| match outcome {
                        Ok(()) => Answer::json(201, &fine()),
                        Err(_) => refused(403, NO_KEY),
                    });
                    portal.finish_key(request, (visitor, Door::Api), &ceremony, &body, world, then)
                }
                _ => Step::Answer(refused(400, NO_KEY)),
            },
        )
    }

    fn key_api_of(&self, request: &Request<'_>, visitor: Visitor, world: &mut dyn World) -> Step {
        let id = name_in(request.path, "/api/secondfactor/webauthn/credential/");
        let id = id.and_then(|id| id.parse::<i64>().ok());
        let name = object::<NameBody>(request).map(|body| body.description);
        let removes = request.method == b"DELETE";
        self.with_leave(
            request,
            visitor,
            Door::Api,
            world,
            move |portal, request, visitor, world| {
                let then = answering(|outcome| match outcome {
                    Ok(()) => Answer::json(200, &fine()),
                    Err(Refused::NameTaken) => refused(409, OPERATION_FAILED),
                    Err(_) => refused(403, OPERATION_FAILED),
                });
                match (id, name) {
                    (Some(id), _) if removes => {
                        let device = (Kind::Key, id);
                        portal.remove_device(request, visitor, device, Door::Api, world, then)
                    }
                    (Some(id), Some(name)) => {
                        portal.rename_device(visitor, (Kind::Key, id), &name, Door::Api, then)
                    }
                    _ => Step::Answer(refused(400, OPERATION_FAILED)),
                }
            },
        )
    }
}

/// What the browser is to be asked, or why not.
fn asked(
    _: &Portal,
    _: &Request<'_>,
    _: &Visitor,
    begun: Result<(Value, String), Refused>,
    _: &mut dyn World,
) -> Step {
    Step::Answer(match begun {
        Ok((options, ticket)) => {
            let mut answer = tell(options);
            answer.cookies.push(ticket);
            answer
        }
        Err(Refused::NameTaken) => refused(409, SAME_NAME),
        Err(_) => refused(403, NO_KEY),
    })
}

/// The keys of the visitor for one relying party; `null` where there are none, as Authelia says it.
fn list_keys(visitor: Visitor, party: &str) -> Step {
    let party = party.to_owned();
    let work = move |office: &mut dyn Office| -> Result<Vec<Credential>, Outage> {
        let mut keys = office.factors()?.credentials(&visitor.name)?;
        keys.retain(|key| key.credential.rp_id == party);
        Ok(keys)
    };
    Step::attempt(Cost::Waits, Door::Api, work, |_, _, keys, _| {
        let keys: Vec<_> = keys.into_iter().map(KeyInfo::of).collect();
        Step::Answer(tell((!keys.is_empty()).then_some(keys)))
    })
}

impl KeyInfo {
    fn of(key: Credential) -> Self {
        let found = key.credential;
        KeyInfo {
            id: key.id,
            created_at: rfc3339(key.created),
            last_used_at: key.last_used.map(rfc3339),
            rpid: found.rp_id,
            username: found.user,
            description: found.name,
            kid: STANDARD.encode(found.credential_id),
            aaguid: found.aaguid,
            attestation_type: found.attestation_type,
            attestation_format: found.attestation_format,
            attachment: found.attachment,
            transports: words(&found.transports),
            sign_count: found.sign_count,
            clone_warning: found.clone_warning,
            legacy: found.legacy,
            discoverable: found.discoverable,
            present: found.present,
            verified: found.verified,
            backup_eligible: found.backup_eligible,
            backup_state: found.backup_state,
            public_key: STANDARD.encode(found.public_key),
            attestation: found.attestation.map(|bytes| STANDARD.encode(bytes)),
        }
    }
}
