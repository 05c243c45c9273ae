//! A signature by a credential: the browser's answer, and what it proves.

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::authenticator::{self, AuthenticatorData};
use super::client_data::{self, Ceremony};
use super::{
    Challenge, Flags, PublicKey, Refusal, RelyingParty, UserHandle, UserVerification, json,
};

/// Longest answer that is read, in bytes of JSON.
const LONGEST: usize = 32 << 10;

/// Longest signature, in bytes.
const LONGEST_SIGNATURE: usize = 1 << 10;

/// A browser's answer to [`RequestOptions`](super::RequestOptions), not yet checked.
#[derive(Clone, Debug)]
pub struct AssertionResponse {
    id: Vec<u8>,
    client_data: Vec<u8>,
    data: Vec<u8>,
    signature: Vec<u8>,
    user_handle: Option<UserHandle>,
    app_id: bool,
}

/// What was asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// By whom.
    pub party: &'a RelyingParty,
    /// The challenge, which is used up now whatever the outcome is.
    pub challenge: &'a Challenge,
    /// How much the authenticator has to know of its user.
    pub verification: UserVerification,
    /// Of whom.
    pub owner: Owner<'a>,
}

/// Whose credential is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner<'a> {
    /// That of a user who is known already: a second factor.
    User(&'a UserHandle),
    /// Anybody's: a passkey that says itself whom it belongs to.
    Anybody,
}

/// The credential that the answer names, as it was stored for the relying party.
#[derive(Clone, Copy, Debug)]
pub struct Stored<'a> {
    /// Its id.
    pub id: &'a [u8],
    /// The handle of the user it belongs to.
    pub owner: &'a UserHandle,
    /// The key, see [`PublicKey::parse`].
    pub public_key: &'a [u8],
    /// The signature counter.
    pub sign_count: u32,
    /// Whether it was registered as one that can be backed up.
    pub backup_eligible: bool,
    /// Whether it was registered as a U2F key, before WebAuthn.
    pub u2f: bool,
}

/// What a right answer proves, to be stored with the credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asserted {
    /// The new signature counter.
    pub sign_count: u32,
    /// What the authenticator said about this touch. `verified` is what makes a passkey two
    /// factors where the configuration says so.
    pub flags: Flags,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Form {
    id: String,
    raw_id: String,
    #[serde(rename = "type")]
    kind: String,
    response: FormResponse,
    #[serde(default)]
    client_extension_results: FormExtensions,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FormResponse {
    #[serde(rename = "clientDataJSON")]
    client_data_json: String,
    authenticator_data: String,
    signature: String,
    user_handle: Option<String>,
}

#[derive(Default, Deserialize)]
struct FormExtensions {
    appid: Option<bool>,
}

impl AssertionResponse {
    /// Reads the JSON of a `PublicKeyCredential`.
    ///
    /// # Errors
    /// [`Refusal::Form`].
    pub fn parse(bytes: &[u8]) -> Result<AssertionResponse, Refusal> {
        Self::from_form(json::read(bytes, LONGEST)?).ok_or(Refusal::Form)
    }

    fn from_form(form: Form) -> Option<AssertionResponse> {
        let id = json::id_of(&form.id, &form.raw_id)?;
        let response = form.response;
        // Some browsers write an empty one instead of none.
        let handle = response.user_handle.filter(|handle| !handle.is_empty());
        let user_handle = match handle {
            Some(handle) => Some(UserHandle::parse(&json::decode(&handle, 64)?)?),
            None => None,
        };
        (form.kind == "public-key").then_some(AssertionResponse {
            id,
            client_data: json::decode(&response.client_data_json, client_data::LONGEST)?,
            data: json::decode(&response.authenticator_data, authenticator::LONGEST)?,
            signature: json::decode(&response.signature, LONGEST_SIGNATURE)?,
            user_handle,
            app_id: form.client_extension_results.appid == Some(true),
        })
    }

    /// The id of the credential, to look it up.
    pub fn credential(&self) -> &[u8] {
        &self.id
    }

    /// Whom the credential says it belongs to.
    pub fn user_handle(&self) -> Option<&UserHandle> {
        self.user_handle.as_ref()
    }

    /// What this proves, if `credential`, which is what is stored under [`Self::credential`],
    /// made it for what was `asked`.
    ///
    /// # Errors
    /// Why it proves nothing. [`Refusal::Cloned`] comes last: all else was right then.
    pub fn verify(&self, asked: &Asked<'_>, credential: &Stored<'_>) -> Result<Asserted, Refusal> {
        if self.id != credential.id {
            return Err(Refusal::Credential);
        }
        self.check_owner(asked.owner, credential.owner)?;
        client_data::check(
            &self.client_data,
            Ceremony::Get,
            asked.challenge,
            asked.party,
        )?;
        let data = AuthenticatorData::parse(&self.data)?;
        let u2f = credential.u2f && self.app_id;
        data.check(asked.party, u2f, asked.verification)?;
        if data.flags.backup_eligible != credential.backup_eligible {
            return Err(Refusal::Backup);
        }
        let key = PublicKey::parse(credential.public_key)?;
        let signed = [&self.data[..], &Sha256::digest(&self.client_data)].concat();
        if !key.verify(&signed, &self.signature) {
            return Err(Refusal::Signature);
        }
        // An authenticator without a counter always says 0.
        let counts = data.sign_count != 0 || credential.sign_count != 0;
        if counts && data.sign_count <= credential.sign_count {
            return Err(Refusal::Cloned);
        }
        Ok(Asserted {
            sign_count: data.sign_count,
            flags: data.flags,
        })
    }

    fn check_owner(&self, expected: Owner<'_>, owner: &UserHandle) -> Result<(), Refusal> {
        let said = self.user_handle.as_ref();
        let right = match expected {
            Owner::User(user) => user == owner && said.is_none_or(|said| said == owner),
            Owner::Anybody => said == Some(owner),
        };
        right.then_some(()).ok_or(Refusal::Owner)
    }
}
