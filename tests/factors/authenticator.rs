//! An authenticator in software with the browser around it, which does as it is told, wrong things
//! included.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ciborium::{Value, cbor};
use ngx_http_auth_gate_module::factors::webauthn::{
    Algorithm, Asked, Asserted, AssertionResponse, Challenge, Owner, Refusal, Registered,
    RegistrationResponse, RelyingParty, Settings, Stored, UserHandle, UserVerification,
};
use serde_json::json;
use sha2::{Digest, Sha256};
use url::Url;

use crate::signer::{Signer, encode};

pub const CHALLENGE: [u8; 32] = [9; 32];
pub const UP: u8 = 1;
pub const UV: u8 = 4;
pub const BE: u8 = 8;
pub const BS: u8 = 16;
pub const AT: u8 = 64;
pub const ED: u8 = 128;

/// Everything that goes into one answer. Change what you like.
pub struct Ceremony {
    pub signer: Signer,
    pub id: Vec<u8>,
    /// What the browser calls the credential.
    pub said_id: Vec<u8>,
    pub client_data: serde_json::Value,
    pub rp_id: &'static str,
    pub flags: u8,
    pub count: u32,
    pub model: [u8; 16],
    pub cose: Vec<u8>,
    /// Behind the credential, or behind the counter.
    pub extensions: Vec<u8>,
    pub format: &'static str,
    /// `None`: what the format wants.
    pub statement: Option<Value>,
    pub user_handle: Option<Vec<u8>>,
    /// Done to the signature.
    pub spoil: fn(&mut Vec<u8>),
}

pub fn encode64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub fn party() -> RelyingParty {
    RelyingParty::new(&Url::parse("https://auth.example.com/").unwrap()).unwrap()
}

pub fn handle() -> UserHandle {
    UserHandle::new([3; 48])
}

impl Ceremony {
    /// A registration as it should be.
    pub fn create(algorithm: Algorithm) -> Ceremony {
        let signer = Signer::new(algorithm, 7);
        Ceremony {
            cose: signer.cose(),
            signer,
            id: vec![5; 32],
            said_id: vec![5; 32],
            client_data: client_data("webauthn.create"),
            rp_id: "auth.example.com",
            flags: UP | AT,
            count: 0,
            model: [0; 16],
            extensions: Vec::new(),
            format: "none",
            statement: None,
            user_handle: None,
            spoil: |_| (),
        }
    }

    /// A sign-in as it should be.
    pub fn get(algorithm: Algorithm) -> Ceremony {
        Ceremony {
            client_data: client_data("webauthn.get"),
            flags: UP,
            count: 1,
            user_handle: Some(handle().bytes().to_vec()),
            ..Ceremony::create(algorithm)
        }
    }

    pub fn authenticator_data(&self) -> Vec<u8> {
        let mut data = Sha256::digest(self.rp_id).to_vec();
        data.push(self.flags);
        data.extend(self.count.to_be_bytes());
        if self.flags & AT != 0 {
            data.extend(self.model);
            data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
            data.extend(&self.id);
            data.extend(&self.cose);
        }
        data.extend(&self.extensions);
        data
    }

    fn signature(&self, data: &[u8]) -> Vec<u8> {
        let client_data = self.client_data.to_string();
        let signed = [data, &Sha256::digest(client_data)].concat();
        let mut signature = self.signer.sign(&signed);
        (self.spoil)(&mut signature);
        signature
    }

    pub fn object(&self) -> Vec<u8> {
        let data = self.authenticator_data();
        let statement = match (&self.statement, self.format) {
            (Some(statement), _) => statement.clone(),
            (None, "packed") => {
                let alg = self.signer.algorithm().number();
                let sig = Value::Bytes(self.signature(&data));
                cbor!({"alg" => alg, "sig" => sig}).unwrap()
            }
            (None, _) => Value::Map(Vec::new()),
        };
        let data = Value::Bytes(data);
        encode(&cbor!({"fmt" => self.format, "attStmt" => statement, "authData" => data}).unwrap())
    }

    pub fn registration(&self) -> Vec<u8> {
        self.registration_of(&self.object())
    }

    pub fn registration_of(&self, object: &[u8]) -> Vec<u8> {
        let id = encode64(&self.said_id);
        json!({
            "id": id, "rawId": id, "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {"credProps": {"rk": true}},
            "response": {
                "clientDataJSON": encode64(self.client_data.to_string().as_bytes()),
                "attestationObject": encode64(object),
                "transports": ["internal", "hybrid", "internal", "<b>"],
                "publicKeyAlgorithm": -7
            }
        })
        .to_string()
        .into_bytes()
    }

    pub fn assertion(&self) -> Vec<u8> {
        let id = encode64(&self.said_id);
        let data = self.authenticator_data();
        json!({
            "id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {"appid": true},
            "response": {
                "clientDataJSON": encode64(self.client_data.to_string().as_bytes()),
                "authenticatorData": encode64(&data),
                "signature": encode64(&self.signature(&data)),
                "userHandle": self.user_handle.as_deref().map(encode64)
            }
        })
        .to_string()
        .into_bytes()
    }

    pub fn register(&self) -> Result<Registered, Refusal> {
        self.register_by(&Settings::default())
    }

    pub fn register_by(&self, settings: &Settings) -> Result<Registered, Refusal> {
        register(&self.registration(), settings)
    }

    /// Signs in to what `change` makes of the credential as it should be stored.
    pub fn sign_in_to(&self, change: impl FnOnce(&mut Stored<'_>)) -> Result<Asserted, Refusal> {
        let (owner, cose) = (handle(), Signer::new(self.signer.algorithm(), 7).cose());
        let mut stored = stored(&owner, &cose);
        change(&mut stored);
        sign_in(&self.assertion(), &stored, Owner::User(&handle()))
    }

    pub fn sign_in(&self) -> Result<Asserted, Refusal> {
        self.sign_in_to(|_| ())
    }
}

/// The credential of these ceremonies, as it should be stored.
pub fn stored<'a>(owner: &'a UserHandle, public_key: &'a [u8]) -> Stored<'a> {
    Stored {
        id: &[5; 32],
        owner,
        public_key,
        sign_count: 0,
        backup_eligible: false,
        u2f: false,
    }
}

pub fn register(json: &[u8], settings: &Settings) -> Result<Registered, Refusal> {
    RegistrationResponse::parse(json)?.verify(settings, &party(), &Challenge::new(CHALLENGE))
}

pub fn sign_in(json: &[u8], stored: &Stored<'_>, owner: Owner<'_>) -> Result<Asserted, Refusal> {
    let asked = Asked {
        party: &party(),
        challenge: &Challenge::new(CHALLENGE),
        verification: UserVerification::Preferred,
        owner,
    };
    AssertionResponse::parse(json)?.verify(&asked, stored)
}

fn client_data(kind: &str) -> serde_json::Value {
    json!({"type": kind, "challenge": encode64(&CHALLENGE), "origin": "https://auth.example.com", "crossOrigin": false, "other_keys_can_be_added_here": "do not compare"})
}
