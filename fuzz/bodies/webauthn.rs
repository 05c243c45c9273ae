//! What the fuzz target does with its input; the plain tests replay the corpus through it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ngx_http_auth_gate_module::factors::webauthn::{
    Asked, AssertionResponse, Challenge, Owner, PublicKey, RegistrationResponse, RelyingParty,
    Settings, Stored, UserHandle, UserVerification,
};
use url::Url;

/// Reads `data`. The first byte tells as what: an answer of a browser as JSON, an attestation
/// object, or authenticator data, a signature and a key, the first two behind a byte of length.
pub fn run(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else {
        return;
    };
    match kind % 4 {
        0 => register(data),
        1 => register(registration(data).as_bytes()),
        2 => sign_in(data, &[]),
        _ => {
            let (authenticator, rest) = part(data);
            let (signature, key) = part(rest);
            sign_in(assertion(authenticator, signature).as_bytes(), key);
        }
    }
}

fn part(data: &[u8]) -> (&[u8], &[u8]) {
    match data.split_first() {
        Some((length, rest)) => rest.split_at(rest.len().min(usize::from(*length))),
        None => (&[], &[]),
    }
}

fn party() -> RelyingParty {
    let portal = Url::parse("https://auth.example.com").expect("an address");
    RelyingParty::new(&portal).expect("a portal")
}

fn register(json: &[u8]) {
    let Ok(response) = RegistrationResponse::parse(json) else {
        return;
    };
    let verified = response.verify(&Settings::default(), &party(), &Challenge::new([0; 32]));
    if let Ok(registered) = verified {
        assert!((1..=1023).contains(&registered.id.len()));
        assert!(registered.flags.present);
        assert!(PublicKey::parse(&registered.public_key).is_ok());
        assert!(registered.transports.len() <= 7);
    }
}

fn sign_in(json: &[u8], key: &[u8]) {
    let Ok(response) = AssertionResponse::parse(json) else {
        return;
    };
    let owner = UserHandle::new([0; 48]);
    let asked = Asked {
        party: &party(),
        challenge: &Challenge::new([0; 32]),
        verification: UserVerification::Preferred,
        owner: Owner::User(&owner),
    };
    let stored = Stored {
        id: response.credential(),
        owner: &owner,
        public_key: key,
        sign_count: 0,
        backup_eligible: false,
        u2f: true,
    };
    if let Ok(asserted) = response.verify(&asked, &stored) {
        assert!(asserted.flags.present && !asserted.flags.backup_eligible);
    }
}

fn client_data(kind: &str) -> String {
    let challenge = URL_SAFE_NO_PAD.encode([0; 32]);
    let json = format!(
        r#"{{"type":"{kind}","challenge":"{challenge}","origin":"https://auth.example.com"}}"#
    );
    URL_SAFE_NO_PAD.encode(json)
}

fn registration(object: &[u8]) -> String {
    format!(
        r#"{{"id":"BQUF","rawId":"BQUF","type":"public-key","response":{{"clientDataJSON":"{}","attestationObject":"{}"}}}}"#,
        client_data("webauthn.create"),
        URL_SAFE_NO_PAD.encode(object)
    )
}

fn assertion(authenticator: &[u8], signature: &[u8]) -> String {
    format!(
        r#"{{"id":"BQUF","rawId":"BQUF","type":"public-key","response":{{"clientDataJSON":"{}","authenticatorData":"{}","signature":"{}"}}}}"#,
        client_data("webauthn.get"),
        URL_SAFE_NO_PAD.encode(authenticator),
        URL_SAFE_NO_PAD.encode(signature)
    )
}
