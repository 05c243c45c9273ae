//! Who had second factors in Authelia signs in with them after the import: nobody enrols again.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ngx_http_auth_gate_module::factors::totp::{Key, Parameters, Secret};
use ngx_http_auth_gate_module::store::Factors;
use ngx_http_auth_gate_module::store::import::read;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::browser::*;
use crate::second::{factored, one_factor};
use crate::site::*;

const RP_ID: &str = "auth.example.com";
const AUTHELIAS_KEY: &[u8] = b"golden-storage-encryption-key-of-some-length";
const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

/// A site into whose store the recorded one of that schema was taken.
fn moved_in(schema: u32) -> Site {
    let site = factored();
    let path = format!("tests/storage/schema-{schema}.sqlite3");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let found = read(&path, AUTHELIAS_KEY).unwrap();
    let random = &mut |bytes: &mut [u8]| getrandom::fill(bytes).unwrap();
    site.office.store().import(&found, NOW, random).unwrap();
    site
}

fn level(site: &mut Site, browser: &mut Browser) -> Value {
    let state = browser.send(site, Ask::new("GET", "/api/state"));
    let state: Value = serde_json::from_slice(&state.body).unwrap();
    state["data"]["authentication_level"].clone()
}

#[test]
fn codes_of_every_imported_app_sign_in() {
    for schema in [24, 26] {
        let mut site = moved_in(schema);
        for (user, algorithm, digits, period) in [
            ("alice", "SHA1", 6, 30),
            ("bob", "SHA512", 8, 60),
            ("carol", "SHA256", 6, 30),
        ] {
            let key = Key {
                secret: Secret::parse(SECRET).unwrap(),
                parameters: Parameters::parse(algorithm, digits, period).unwrap(),
            };
            let mut browser = one_factor(&mut site, user);
            let body = json!({"token": key.code(site.now).expose_secret()}).to_string();
            let answer = browser.send(&mut site, Ask::json("/api/secondfactor/totp", &body));
            assert_eq!(answer.status, 200, "{schema} {user}: {}", text(&answer));
            assert_eq!(level(&mut site, &mut browser), 2, "{schema} {user}");
        }
    }
}

#[test]
fn the_imported_key_signs_in() {
    let key: Value =
        serde_json::from_slice(include_bytes!("../storage/webauthn-key.json")).unwrap();
    let id = key["credential_id"].as_str().unwrap();
    let id_bytes = URL_SAFE_NO_PAD.decode(id).unwrap();
    let private = key["private_scalar_hex"].as_str().unwrap().as_bytes();
    let private = data_encoding::HEXLOWER.decode(private).unwrap();
    for schema in [24, 26] {
        let mut site = moved_in(schema);
        let kept = site.office.store().credential(RP_ID, &id_bytes);
        // COSE of a P-256 key: five fixed pairs, the coordinates behind their lengths.
        let cose = kept.unwrap().unwrap().credential.public_key;
        let public = [&[4], &cose[10..42], &cose[45..77]].concat();
        let (algorithm, random) = (&ECDSA_P256_SHA256_ASN1_SIGNING, SystemRandom::new());
        let pair =
            EcdsaKeyPair::from_private_key_and_public_key(algorithm, &private, &public, &random)
                .unwrap();

        let mut browser = one_factor(&mut site, "erin");
        let asked = browser.send(&mut site, Ask::new("GET", "/api/secondfactor/webauthn"));
        let asked: Value = serde_json::from_slice(&asked.body).unwrap();
        let challenge = &asked["data"]["publicKey"]["challenge"];
        let client = json!({
            "type": "webauthn.get", "challenge": challenge, "origin": "https://auth.example.com", "crossOrigin": false,
        });
        let client = client.to_string();
        let data = [&Sha256::digest(RP_ID)[..], &[1], &2_u32.to_be_bytes()].concat();
        let signed = [&data[..], &Sha256::digest(&client)[..]].concat();
        let signature = pair.sign(&random, &signed).unwrap();
        let text_of = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let body = json!({"response": {
            "id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {},
            "response": {
                "clientDataJSON": text_of(client.as_bytes()),
                "authenticatorData": text_of(&data),
                "signature": text_of(signature.as_ref()),
                "userHandle": key["user_handle"],
            },
        }});
        let ask = Ask::json("/api/secondfactor/webauthn", &body.to_string());
        let answer = browser.send(&mut site, ask);
        assert_eq!(answer.status, 200, "{schema}: {}", text(&answer));
        assert_eq!(level(&mut site, &mut browser), 2, "{schema}");
    }
}
