//! What the browser is asked, as JSON for `navigator.credentials`.

use serde::{Serialize, Serializer};

use super::{
    Algorithm, Attachment, Attestation, Challenge, Discoverability, RelyingParty, Settings,
    UserHandle, UserVerification, json,
};

/// The argument of `navigator.credentials.create` and `get`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PublicKeyOptions<T> {
    /// The options.
    pub public_key: T,
}

/// A credential that the browser is told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Descriptor {
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(serialize_with = "json::base64url")]
    id: Vec<u8>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    transports: Vec<String>,
}

/// Who enrols.
#[derive(Clone, Debug)]
pub struct Enrolment<'a> {
    /// The user's name.
    pub name: &'a str,
    /// The name people know the user by.
    pub display_name: &'a str,
    /// What authenticators call the user.
    pub handle: &'a UserHandle,
    /// The user's credentials with this relying party: the same authenticator is not enrolled
    /// twice.
    pub existing: Vec<Descriptor>,
}

/// Options for a new credential.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreationOptions<'a> {
    rp: Party<'a>,
    user: User<'a>,
    challenge: &'a Challenge,
    pub_key_cred_params: [Parameter; Algorithm::ALL.len()],
    timeout: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exclude_credentials: Vec<Descriptor>,
    authenticator_selection: Selection,
    attestation: Attestation,
    extensions: CreationExtensions,
}

/// Options for a signature.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestOptions<'a> {
    challenge: &'a Challenge,
    timeout: u32,
    rp_id: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allow_credentials: Vec<Descriptor>,
    user_verification: UserVerification,
    #[serde(skip_serializing_if = "Option::is_none")]
    extensions: Option<RequestExtensions<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Kind {
    #[serde(rename = "public-key")]
    PublicKey,
}

#[derive(Debug, Serialize)]
struct Party<'a> {
    name: &'a str,
    id: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct User<'a> {
    name: &'a str,
    display_name: &'a str,
    id: &'a UserHandle,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Parameter {
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(serialize_with = "number")]
    alg: Algorithm,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Selection {
    #[serde(skip_serializing_if = "Option::is_none")]
    authenticator_attachment: Option<Attachment>,
    require_resident_key: bool,
    resident_key: Discoverability,
    user_verification: UserVerification,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CreationExtensions {
    cred_props: bool,
}

#[derive(Debug, Serialize)]
struct RequestExtensions<'a> {
    appid: &'a str,
}

impl Descriptor {
    /// The credential `id`, reached by `transports` (words of WebAuthn).
    pub fn new(id: Vec<u8>, transports: Vec<String>) -> Descriptor {
        Descriptor {
            kind: Kind::PublicKey,
            id,
            transports,
        }
    }
}

impl<'a> PublicKeyOptions<CreationOptions<'a>> {
    /// Asks for a new credential.
    pub fn create(
        settings: &'a Settings,
        party: &'a RelyingParty,
        challenge: &'a Challenge,
        who: Enrolment<'a>,
    ) -> Self {
        let public_key = CreationOptions {
            rp: Party {
                name: &settings.display_name,
                id: party.id(),
            },
            user: User {
                name: who.name,
                display_name: who.display_name,
                id: who.handle,
            },
            challenge,
            pub_key_cred_params: Algorithm::ALL.map(|alg| Parameter {
                kind: Kind::PublicKey,
                alg,
            }),
            timeout: settings.timeout,
            exclude_credentials: who.existing,
            authenticator_selection: Selection {
                authenticator_attachment: settings.attachment,
                require_resident_key: settings.discoverability == Discoverability::Required,
                resident_key: settings.discoverability,
                user_verification: settings.user_verification,
            },
            attestation: settings.attestation,
            extensions: CreationExtensions { cred_props: true },
        };
        PublicKeyOptions { public_key }
    }
}

impl<'a> PublicKeyOptions<RequestOptions<'a>> {
    /// Asks for a signature by one of `credentials`, the user's second factors. `u2f`: some of
    /// them are older than WebAuthn and know the portal under its old id.
    pub fn second_factor(
        settings: &'a Settings,
        party: &'a RelyingParty,
        challenge: &'a Challenge,
        credentials: Vec<Descriptor>,
        u2f: bool,
    ) -> Self {
        let mut options = Self::passkey(settings, party, challenge);
        options.public_key.allow_credentials = credentials;
        options.public_key.extensions = u2f.then(|| RequestExtensions {
            appid: party.app_id(),
        });
        options
    }

    /// Asks for a signature by any passkey, whoever it belongs to.
    pub fn passkey(
        settings: &'a Settings,
        party: &'a RelyingParty,
        challenge: &'a Challenge,
    ) -> Self {
        let public_key = RequestOptions {
            challenge,
            timeout: settings.timeout,
            rp_id: party.id(),
            allow_credentials: Vec::new(),
            user_verification: settings.user_verification,
            extensions: None,
        };
        PublicKeyOptions { public_key }
    }
}

fn number<S: Serializer>(algorithm: &Algorithm, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(algorithm.number())
}
