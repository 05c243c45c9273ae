//! A recorded registration and sign-in of Authelia, and a credential out of its store.

use base64::{Engine, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use ngx_http_auth_gate_module::factors::webauthn::{
    Asked, AssertionResponse, Challenge, Descriptor, Enrolment, Owner, PublicKeyOptions, Refusal,
    RegistrationResponse, Settings, Statement, Stored, UserHandle, UserVerification,
};
use serde_json::{Value, json};

use crate::authenticator::{Ceremony, encode64, party, sign_in};
use crate::signer::Signer;

const RECORDED: &str = include_str!("recorded.jsonl");
const IMPORTED: &str = include_str!("imported-key.json");

fn step(flow: &str, step: u64) -> Value {
    RECORDED
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|line| line["flow"] == flow && line["step"] == step)
        .unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap()
}

fn challenge(options: &Value) -> Challenge {
    Challenge::new(
        bytes(&options["publicKey"]["challenge"])
            .try_into()
            .unwrap(),
    )
}

fn registration_options() -> Value {
    step("webauthn enrolment", 1)["json"]["data"].clone()
}

fn owner() -> UserHandle {
    UserHandle::parse(&bytes(&registration_options()["publicKey"]["user"]["id"])).unwrap()
}

fn stored_key() -> (Vec<u8>, Vec<u8>) {
    let stored = step("webauthn enrolment", 3)["json"]["data"][0].clone();
    let field = |name: &str| STANDARD.decode(stored[name].as_str().unwrap()).unwrap();
    (field("kid"), field("public_key"))
}

#[test]
fn the_options_are_those_that_authelia_answered() {
    let (settings, party, owner) = (Settings::default(), party(), owner());
    let recorded = registration_options();
    let challenge_of = challenge(&recorded);
    let who = |existing| Enrolment {
        name: "erin",
        display_name: "Erin",
        handle: &owner,
        existing,
    };
    let options = PublicKeyOptions::create(&settings, &party, &challenge_of, who(Vec::new()));
    assert_eq!(serde_json::to_value(&options).unwrap(), recorded);

    let recorded = step("webauthn sign in", 2)["json"]["data"].clone();
    let challenge_of = challenge(&recorded);
    let key = Descriptor::new(stored_key().0, vec!["usb".to_owned()]);
    let options =
        PublicKeyOptions::second_factor(&settings, &party, &challenge_of, vec![key.clone()], false);
    assert_eq!(serde_json::to_value(&options).unwrap(), recorded);

    let recorded = step("passkey options", 1)["json"]["data"].clone();
    let challenge_of = challenge(&recorded);
    let options = PublicKeyOptions::passkey(&settings, &party, &challenge_of);
    assert_eq!(serde_json::to_value(&options).unwrap(), recorded);

    let options = PublicKeyOptions::create(&settings, &party, &challenge_of, who(vec![key]));
    let options = serde_json::to_value(&options).unwrap();
    assert_eq!(
        options["publicKey"]["excludeCredentials"],
        json!([{"type": "public-key", "id": encode64(&stored_key().0), "transports": ["usb"]}])
    );
    let u2f = PublicKeyOptions::second_factor(&settings, &party, &challenge_of, vec![], true);
    assert_eq!(
        serde_json::to_value(&u2f).unwrap()["publicKey"]["extensions"],
        json!({"appid": "https://auth.example.com"})
    );
}

#[test]
fn the_recorded_registration_verifies() {
    let answer = step("webauthn enrolment", 2)["body"].to_string();
    let registered = RegistrationResponse::parse(answer.as_bytes())
        .unwrap()
        .verify(
            &Settings::default(),
            &party(),
            &challenge(&registration_options()),
        )
        .unwrap();
    let (id, public_key) = stored_key();
    assert_eq!(registered.id, id);
    assert_eq!(registered.public_key, public_key);
    assert_eq!(registered.transports, ["usb"]);
    assert_eq!(registered.statement, Statement::None);
    assert_eq!(registered.statement.word(), "none");
    assert_eq!((registered.sign_count, registered.discoverable), (0, false));
    assert!(registered.model.is_zero());
}

#[test]
fn the_recorded_sign_in_verifies_and_does_not_do_so_again() {
    let options = step("webauthn sign in", 2)["json"]["data"].clone();
    let answer = step("webauthn sign in", 3)["body"]["response"].to_string();
    let answer = AssertionResponse::parse(answer.as_bytes()).unwrap();
    let ((id, public_key), owner) = (stored_key(), owner());
    assert_eq!(answer.credential(), id);
    assert_eq!(answer.user_handle(), Some(&owner));
    let (party, challenge) = (party(), challenge(&options));
    let asked = |owner| Asked {
        party: &party,
        challenge: &challenge,
        verification: UserVerification::Preferred,
        owner,
    };
    let mut stored = Stored {
        id: &id,
        owner: &owner,
        public_key: &public_key,
        sign_count: 0,
        backup_eligible: false,
        u2f: false,
    };
    for owner in [Owner::User(&owner), Owner::Anybody] {
        let asserted = answer.verify(&asked(owner), &stored).unwrap();
        assert_eq!(asserted.sign_count, 1);
        assert!(!asserted.flags.verified);
    }
    stored.sign_count = 1;
    assert_eq!(
        answer.verify(&asked(Owner::Anybody), &stored),
        Err(Refusal::Cloned)
    );
}

#[test]
fn the_imported_key_signs_in() {
    let key: Value = serde_json::from_str(IMPORTED).unwrap();
    let scalar = key["private_scalar_hex"].as_str().unwrap();
    let scalar: Vec<u8> = (0..32)
        .map(|at| u8::from_str_radix(&scalar[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    let (id, public_key) = stored_key();
    let owner = UserHandle::parse(&bytes(&key["user_handle"])).unwrap();
    let signer = Signer::p256(&scalar);
    assert_eq!(signer.cose(), public_key);
    assert_eq!(bytes(&key["credential_id"]), id);
    let ceremony = Ceremony {
        signer,
        said_id: id.clone(),
        count: 2,
        user_handle: Some(owner.bytes().to_vec()),
        ..Ceremony::get(ngx_http_auth_gate_module::factors::webauthn::Algorithm::Es256)
    };
    let stored = Stored {
        id: &id,
        owner: &owner,
        public_key: &public_key,
        sign_count: u32::try_from(key["sign_count"].as_u64().unwrap()).unwrap(),
        backup_eligible: false,
        u2f: false,
    };
    for expected in [Owner::User(&owner), Owner::Anybody] {
        let asserted = sign_in(&ceremony.assertion(), &stored, expected);
        assert_eq!(asserted.map(|asserted| asserted.sign_count), Ok(2));
    }
}
