//! A new credential: the browser's answer, and what of it is kept.

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::authenticator::AuthenticatorData;
use super::cbor::Map;
use super::client_data::{self, Ceremony};
use super::{
    Aaguid, Attachment, Challenge, Flags, PublicKey, Refusal, RelyingParty, Settings, Statement,
    attestation, json,
};

/// Longest answer that is read, in bytes of JSON.
const LONGEST: usize = 64 << 10;

/// Longest attestation object, in bytes. Those with certificates have up to about 10,000.
const LONGEST_OBJECT: usize = 32 << 10;

/// How an authenticator can be reached.
const TRANSPORTS: [&str; 7] = [
    "usb",
    "nfc",
    "ble",
    "internal",
    "hybrid",
    "cable",
    "smart-card",
];

/// A browser's answer to [`CreationOptions`](super::CreationOptions), not yet checked.
#[derive(Clone, Debug)]
pub struct RegistrationResponse {
    id: Vec<u8>,
    client_data: Vec<u8>,
    object: Vec<u8>,
    transports: Vec<String>,
    attachment: Option<Attachment>,
    discoverable: bool,
}

/// A credential as it is to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Its id, 1 to 1023 bytes. No other credential may have it: refuse the registration if one
    /// of anybody does.
    pub id: Vec<u8>,
    /// The key as COSE, byte for byte as it came.
    pub public_key: Vec<u8>,
    /// The model it claims to be.
    pub model: Aaguid,
    /// The signature counter.
    pub sign_count: u32,
    /// What the authenticator said about this touch.
    pub flags: Flags,
    /// Whether it is a passkey, as far as the browser knows.
    pub discoverable: bool,
    /// How it is connected, as far as the browser knows.
    pub attachment: Option<Attachment>,
    /// How it can be reached; words of WebAuthn, each once.
    pub transports: Vec<String>,
    /// The format of the attestation statement.
    pub format: String,
    /// What is known of the statement.
    pub statement: Statement,
    /// The client data, for a later check of the statement.
    pub client_data: Vec<u8>,
    /// The attestation object, for the same.
    pub object: Vec<u8>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Form {
    id: String,
    raw_id: String,
    #[serde(rename = "type")]
    kind: String,
    response: FormResponse,
    authenticator_attachment: Option<String>,
    #[serde(default)]
    client_extension_results: FormExtensions,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FormResponse {
    #[serde(rename = "clientDataJSON")]
    client_data_json: String,
    attestation_object: String,
    #[serde(default)]
    transports: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FormExtensions {
    cred_props: Option<CredProps>,
}

#[derive(Deserialize)]
struct CredProps {
    rk: Option<bool>,
}

impl RegistrationResponse {
    /// Reads the JSON of a `PublicKeyCredential`.
    ///
    /// # Errors
    /// [`Refusal::Form`].
    pub fn parse(bytes: &[u8]) -> Result<RegistrationResponse, Refusal> {
        Self::from_form(json::read(bytes, LONGEST)?).ok_or(Refusal::Form)
    }

    fn from_form(form: Form) -> Option<RegistrationResponse> {
        let id = json::id_of(&form.id, &form.raw_id)?;
        let response = form.response;
        let props = form.client_extension_results.cred_props;
        let transports = response.transports.unwrap_or_default();
        let attachment = form.authenticator_attachment.as_deref();
        (form.kind == "public-key").then_some(RegistrationResponse {
            id,
            client_data: json::decode(&response.client_data_json, client_data::LONGEST)?,
            object: json::decode(&response.attestation_object, LONGEST_OBJECT)?,
            transports: known(&transports),
            attachment: attachment.and_then(Attachment::from_word),
            discoverable: props.and_then(|props| props.rk) == Some(true),
        })
    }

    /// The credential, if this answers `challenge` to `party` as `settings` ask for it.
    ///
    /// # Errors
    /// Why it does not.
    pub fn verify(
        self,
        settings: &Settings,
        party: &RelyingParty,
        challenge: &Challenge,
    ) -> Result<Registered, Refusal> {
        client_data::check(&self.client_data, Ceremony::Create, challenge, party)?;
        let mut object = Map::whole(&self.object).map_err(|_| Refusal::AuthenticatorData)?;
        let statement = object.take_map("attStmt").ok_or(Refusal::Statement)?;
        let format = object.find("fmt").and_then(|format| format.as_text());
        let format = format.ok_or(Refusal::Statement)?;
        let signed = object.bytes("authData").ok_or(Refusal::AuthenticatorData)?;
        let data = AuthenticatorData::parse(signed)?;
        data.check(party, false, settings.user_verification)?;
        let credential = data.credential.ok_or(Refusal::AuthenticatorData)?;
        if credential.id != self.id {
            return Err(Refusal::Credential);
        }
        let key = PublicKey::parse(credential.public_key)?;
        let signed = [signed, &Sha256::digest(&self.client_data)].concat();
        let statement = attestation::check(format, &statement, &key, &signed)?;
        if statement == Statement::Unverified && !settings.accept_unverified {
            return Err(Refusal::Unverified);
        }
        filter(settings, credential.model, data.flags)?;
        Ok(Registered {
            id: credential.id.to_vec(),
            public_key: credential.public_key.to_vec(),
            model: credential.model,
            sign_count: data.sign_count,
            flags: data.flags,
            discoverable: self.discoverable,
            attachment: self.attachment,
            transports: self.transports,
            format: format.to_owned(),
            statement,
            client_data: self.client_data,
            object: self.object,
        })
    }
}

fn filter(settings: &Settings, model: Aaguid, flags: Flags) -> Result<(), Refusal> {
    let filtering = &settings.filtering;
    if filtering.prohibit_backup_eligibility && flags.backup_eligible {
        return Err(Refusal::BackupForbidden);
    }
    if !filtering.allows(model) {
        return Err(Refusal::Model);
    }
    Ok(())
}

/// Those words that WebAuthn knows, each once: they are stored and given to the browser again.
fn known(transports: &[String]) -> Vec<String> {
    TRANSPORTS
        .into_iter()
        .filter(|known| transports.iter().any(|word| word == known))
        .map(str::to_owned)
        .collect()
}
