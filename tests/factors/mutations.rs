//! Right answers with bytes changed at random: never a panic, and never anything proven that the
//! authenticator did not sign.

use ngx_http_auth_gate_module::factors::webauthn::{Algorithm, Owner, PublicKey, Settings};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::authenticator::{Ceremony, encode64, handle, register, sign_in, stored};

fn change(bytes: &mut Vec<u8>, changes: &[(Index, u8, u8)]) {
    for (at, how, byte) in changes {
        if bytes.is_empty() {
            return;
        }
        let at = at.index(bytes.len());
        match how % 4 {
            0 => bytes[at] = *byte,
            1 => bytes.insert(at, *byte),
            2 => drop(bytes.remove(at)),
            _ => bytes.truncate(at),
        }
    }
}

fn changes() -> impl Strategy<Value = Vec<(Index, u8, u8)>> {
    proptest::collection::vec(any::<(Index, u8, u8)>(), 1..6)
}

proptest! {
    #[test]
    fn a_registration_of_changed_cbor(changes in changes()) {
        let ceremony = Ceremony::create(Algorithm::EdDsa);
        let mut object = ceremony.object();
        change(&mut object, &changes);
        if let Ok(registered) = register(&ceremony.registration_of(&object), &Settings::default()) {
            prop_assert!(PublicKey::parse(&registered.public_key).is_ok());
            prop_assert_eq!(registered.id, ceremony.said_id);
        }
    }

    #[test]
    fn a_self_signed_registration_of_changed_cbor_is_the_same_or_refused(changes in changes()) {
        let mut ceremony = Ceremony::create(Algorithm::Es256);
        ceremony.format = "packed";
        let right = ceremony.register().unwrap();
        let mut object = ceremony.object();
        change(&mut object, &changes);
        let strict = Settings { accept_unverified: false, ..Settings::default() };
        if let Ok(registered) = register(&ceremony.registration_of(&object), &strict) {
            prop_assert_eq!(registered.public_key, right.public_key);
        }
    }

    #[test]
    fn changed_json(changes in changes(), create: bool) {
        let ceremony = match create {
            true => Ceremony::create(Algorithm::Es256),
            false => Ceremony::get(Algorithm::Es256),
        };
        let mut json = if create { ceremony.registration() } else { ceremony.assertion() };
        change(&mut json, &changes);
        let (owner, cose) = (handle(), ceremony.signer.cose());
        let stored = stored(&owner, &cose);
        // What is outside of the signature may differ, what is inside may not.
        match create {
            true => drop(register(&json, &Settings::default())),
            false => if let Ok(asserted) = sign_in(&json, &stored, Owner::User(&owner)) {
                prop_assert_eq!(asserted.sign_count, 1);
            },
        }
    }

    #[test]
    fn a_sign_in_of_changed_authenticator_data_is_refused(changes in changes()) {
        let ceremony = Ceremony::get(Algorithm::EdDsa);
        let (right, mut data) = (ceremony.authenticator_data(), ceremony.authenticator_data());
        change(&mut data, &changes);
        let json = String::from_utf8(ceremony.assertion()).unwrap();
        let changed = json.replace(&encode64(&right), &encode64(&data));
        let (owner, cose) = (handle(), ceremony.signer.cose());
        let stored = stored(&owner, &cose);
        let signed_in = sign_in(changed.as_bytes(), &stored, Owner::User(&owner));
        prop_assert_eq!(signed_in.is_ok(), data == right);
    }

    #[test]
    fn no_key_at_all(bytes in proptest::collection::vec(any::<u8>(), 0..200), signature in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(key) = PublicKey::parse(&bytes) {
            prop_assert!(!key.verify(b"message", &signature));
        }
    }
}
