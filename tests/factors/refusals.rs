//! What must be refused, each thing alone in an answer that is right otherwise.

use ngx_http_auth_gate_module::factors::webauthn::{
    Algorithm, BadKey, Owner, Refusal, Settings, Stored, UserHandle, UserVerification,
};
use serde_json::json;

use crate::authenticator::{AT, BE, BS, Ceremony, ED, UP, UV, handle, sign_in, stored};
use crate::signer::Signer;

type Change = fn(&mut Ceremony);

/// The registration and the sign-in that `change` spoils, which are right without it.
fn both(change: Change) -> (Option<Refusal>, Option<Refusal>) {
    let mut registration = Ceremony::create(Algorithm::Es256);
    let mut assertion = Ceremony::get(Algorithm::Es256);
    assert!(registration.register().is_ok() && assertion.sign_in().is_ok());
    change(&mut registration);
    change(&mut assertion);
    (registration.register().err(), assertion.sign_in().err())
}

#[test]
fn client_data_of_another_question_or_another_site() {
    let changes: [(Change, Refusal); 16] = [
        (
            |c| c.client_data["challenge"] = json!(""),
            Refusal::Challenge,
        ),
        (
            |c| c.client_data["challenge"] = json!("CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQo"),
            Refusal::Challenge,
        ),
        (
            |c| c.client_data["challenge"] = json!("CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQ"),
            Refusal::Challenge,
        ),
        (
            |c| c.client_data["origin"] = json!("https://evil.test"),
            Refusal::Origin,
        ),
        (
            |c| c.client_data["origin"] = json!("http://auth.example.com"),
            Refusal::Origin,
        ),
        (
            |c| c.client_data["origin"] = json!("https://auth.example.com:444"),
            Refusal::Origin,
        ),
        (
            |c| c.client_data["origin"] = json!("https://x.auth.example.com"),
            Refusal::Origin,
        ),
        (
            |c| c.client_data["crossOrigin"] = json!(true),
            Refusal::CrossOrigin,
        ),
        (
            |c| c.client_data["topOrigin"] = json!("https://evil.test"),
            Refusal::CrossOrigin,
        ),
        (
            |c| c.client_data["type"] = json!("payment.get"),
            Refusal::Ceremony,
        ),
        (|c| c.client_data["type"] = json!(""), Refusal::Ceremony),
        (|c| c.client_data["type"] = json!(7), Refusal::ClientData),
        (|c| c.client_data = json!({}), Refusal::ClientData),
        (|c| c.client_data = json!([1]), Refusal::ClientData),
        (|c| c.rp_id = "example.com", Refusal::RelyingParty),
        // The id of U2F is for keys from then only.
        (
            |c| c.rp_id = "https://auth.example.com",
            Refusal::RelyingParty,
        ),
    ];
    for (at, (change, refusal)) in changes.into_iter().enumerate() {
        assert_eq!(both(change), (Some(refusal), Some(refusal)), "{at}");
    }
}

#[test]
fn an_answer_to_the_other_question() {
    let kinds = both(|c| {
        c.client_data["type"] = match c.client_data["type"].as_str() {
            Some("webauthn.get") => json!("webauthn.create"),
            _ => json!("webauthn.get"),
        }
    });
    assert_eq!(kinds, (Some(Refusal::Ceremony), Some(Refusal::Ceremony)));
}

#[test]
fn authenticator_data_that_are_not_what_they_say() {
    let changes: [(Change, Refusal); 7] = [
        (|c| c.flags &= !UP, Refusal::Presence),
        (|c| c.flags |= BS, Refusal::Backup),
        (|c| c.extensions = vec![0], Refusal::AuthenticatorData),
        (|c| c.flags |= ED, Refusal::AuthenticatorData),
        (
            |c| {
                c.flags |= ED;
                c.extensions = vec![0xa0, 0];
            },
            Refusal::AuthenticatorData,
        ),
        (
            |c| {
                c.flags |= ED;
                c.extensions = vec![0x80];
            },
            Refusal::AuthenticatorData,
        ),
        (|c| c.flags ^= AT, Refusal::AuthenticatorData),
    ];
    for (at, (change, refusal)) in changes.into_iter().enumerate() {
        let (registration, assertion) = both(change);
        assert_eq!(registration, Some(refusal), "{at}");
        // A credential in a sign-in is odd, but it is signed and says what it is.
        let expected = (at != 6).then_some(refusal);
        assert_eq!(assertion, expected, "{at}");
    }
    let (registration, assertion) = both(|c| {
        c.flags |= ED;
        c.extensions = vec![0xa1, 0x61, 0x61, 0x01];
    });
    assert_eq!((registration, assertion), (None, None));
}

#[test]
fn a_user_who_had_to_be_verified() {
    let settings = Settings {
        user_verification: UserVerification::Required,
        ..Settings::default()
    };
    let mut ceremony = Ceremony::create(Algorithm::Es256);
    assert_eq!(ceremony.register_by(&settings), Err(Refusal::Verification));
    ceremony.flags |= UV;
    assert!(ceremony.register_by(&settings).unwrap().flags.verified);
}

#[test]
fn a_credential_that_is_not_the_one() {
    let mut registration = Ceremony::create(Algorithm::Es256);
    registration.said_id = vec![6; 32];
    assert_eq!(registration.register(), Err(Refusal::Credential));

    let assertion = Ceremony::get(Algorithm::Es256);
    let other = Signer::new(Algorithm::Es256, 8).cose();
    assert_eq!(
        assertion.sign_in_to(|stored| stored.id = &[6; 32]),
        Err(Refusal::Credential)
    );
    let owner = handle();
    let by = |key| {
        sign_in(
            &assertion.assertion(),
            &stored(&owner, key),
            Owner::User(&owner),
        )
    };
    assert_eq!(by(&other), Err(Refusal::Signature));
    assert_eq!(by(&other[1..]), Err(Refusal::Key(BadKey::Form)));
}

#[test]
fn somebody_elses_credential() {
    let mut assertion = Ceremony::get(Algorithm::Es256);
    let (alice, mallory) = (handle(), UserHandle::new([4; 48]));
    let cose = assertion.signer.cose();
    let answer =
        |c: &Ceremony, owner, expected| sign_in(&c.assertion(), &stored(owner, &cose), expected);
    // Mallory's credential for alice, by whatever it says.
    for said in [Some(&alice), Some(&mallory), None] {
        assertion.user_handle = said.map(|said| said.bytes().to_vec());
        assert_eq!(
            answer(&assertion, &mallory, Owner::User(&alice)),
            Err(Refusal::Owner)
        );
    }
    // A second factor may be silent about its owner, but must not name another.
    assertion.user_handle = None;
    assert!(answer(&assertion, &alice, Owner::User(&alice)).is_ok());
    assertion.user_handle = Some(mallory.bytes().to_vec());
    assert_eq!(
        answer(&assertion, &alice, Owner::User(&alice)),
        Err(Refusal::Owner)
    );
    // A passkey must name its owner.
    assert_eq!(
        answer(&assertion, &alice, Owner::Anybody),
        Err(Refusal::Owner)
    );
    assertion.user_handle = None;
    assert_eq!(
        answer(&assertion, &alice, Owner::Anybody),
        Err(Refusal::Owner)
    );
    assertion.user_handle = Some(Vec::new());
    assert_eq!(
        answer(&assertion, &alice, Owner::Anybody),
        Err(Refusal::Owner)
    );
    assertion.user_handle = Some(vec![1; 65]);
    assert_eq!(
        answer(&assertion, &alice, Owner::Anybody),
        Err(Refusal::Form)
    );
}

#[test]
fn a_counter_that_does_not_advance() {
    let at = |count, stored_count| {
        let mut ceremony = Ceremony::get(Algorithm::Es256);
        ceremony.count = count;
        ceremony
            .sign_in_to(|stored| stored.sign_count = stored_count)
            .map(|asserted| asserted.sign_count)
    };
    assert_eq!(at(0, 0), Ok(0));
    assert_eq!(at(8, 7), Ok(8));
    assert_eq!(at(u32::MAX, 7), Ok(u32::MAX));
    for (count, stored) in [(7, 7), (6, 7), (0, 7), (1, u32::MAX)] {
        assert_eq!(at(count, stored), Err(Refusal::Cloned));
    }
    // A wrong signature is a wrong signature first: nobody marks other people's keys.
    let mut ceremony = Ceremony::get(Algorithm::Es256);
    ceremony.spoil = |signature| *signature.last_mut().unwrap() ^= 1;
    assert_eq!(
        ceremony.sign_in_to(|stored| stored.sign_count = 9),
        Err(Refusal::Signature)
    );
}

#[test]
fn backup_flags_that_changed() {
    let mut ceremony = Ceremony::get(Algorithm::Es256);
    ceremony.flags |= BE | BS;
    assert_eq!(ceremony.sign_in(), Err(Refusal::Backup));
    let asserted = ceremony.sign_in_to(|stored| stored.backup_eligible = true);
    assert!(asserted.unwrap().flags.backup_state);
    ceremony.flags = UP;
    assert_eq!(
        ceremony.sign_in_to(|stored| stored.backup_eligible = true),
        Err(Refusal::Backup)
    );
}

#[test]
fn keys_from_before_webauthn() {
    let mut ceremony = Ceremony::get(Algorithm::Es256);
    ceremony.rp_id = "https://auth.example.com";
    let cose = ceremony.signer.cose();
    // Such stores hold the bare point: 04, x, y.
    let point = [&[4], &cose[10..42], &cose[45..]].concat();
    let old = |stored: &mut Stored<'_>| stored.u2f = true;
    assert!(ceremony.sign_in_to(old).is_ok());
    let owner = handle();
    let bare = Stored {
        u2f: true,
        ..stored(&owner, &point)
    };
    assert!(sign_in(&ceremony.assertion(), &bare, Owner::User(&owner)).is_ok());
}
