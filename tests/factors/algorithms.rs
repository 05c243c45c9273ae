//! Every algorithm that is offered registers and signs in, and none takes another's key.

use ngx_http_auth_gate_module::factors::webauthn::{
    Algorithm, Attachment, PublicKey, Refusal, Statement,
};

use crate::authenticator::Ceremony;
use crate::signer::Signer;

fn registers_and_signs_in(algorithm: Algorithm) {
    let mut registration = Ceremony::create(algorithm);
    let registered = registration.register().unwrap();
    assert_eq!(registered.statement, Statement::None);
    assert_eq!(registered.public_key, registration.cose);
    assert_eq!(registered.transports, ["internal", "hybrid"]);
    assert_eq!(registered.attachment, Some(Attachment::Platform));
    assert!(registered.discoverable && registered.flags.present && !registered.flags.verified);
    let key = PublicKey::parse(&registered.public_key).unwrap();
    assert_eq!(key.algorithm(), algorithm);

    registration.format = "packed";
    assert_eq!(
        registration
            .register()
            .map(|registered| registered.statement),
        Ok(Statement::SelfSigned)
    );
    registration.spoil = |signature| *signature.last_mut().unwrap() ^= 1;
    assert_eq!(registration.register(), Err(Refusal::Statement));

    let mut assertion = Ceremony::get(algorithm);
    assert_eq!(assertion.sign_in().unwrap().sign_count, 1);
    assertion.spoil = |signature| *signature.last_mut().unwrap() ^= 1;
    assert_eq!(assertion.sign_in(), Err(Refusal::Signature));
    for spoil in [
        (|signature: &mut Vec<u8>| signature.clear()) as fn(&mut Vec<u8>),
        |signature| {
            signature.pop();
        },
        |signature| signature.push(0),
        |signature| signature.fill(0),
        |signature| signature.resize(1024, 0xff),
    ] {
        assertion.spoil = spoil;
        assert_eq!(assertion.sign_in(), Err(Refusal::Signature));
    }
}

#[test]
fn es256() {
    registers_and_signs_in(Algorithm::Es256);
}

#[test]
fn es384() {
    registers_and_signs_in(Algorithm::Es384);
}

#[test]
fn es512() {
    registers_and_signs_in(Algorithm::Es512);
}

#[test]
fn eddsa() {
    registers_and_signs_in(Algorithm::EdDsa);
}

#[test]
fn rs256() {
    registers_and_signs_in(Algorithm::Rs256);
}

#[test]
fn rs384() {
    registers_and_signs_in(Algorithm::Rs384);
}

#[test]
fn rs512() {
    registers_and_signs_in(Algorithm::Rs512);
}

#[test]
fn ps256() {
    registers_and_signs_in(Algorithm::Ps256);
}

#[test]
fn ps384() {
    registers_and_signs_in(Algorithm::Ps384);
}

#[test]
fn ps512() {
    registers_and_signs_in(Algorithm::Ps512);
}

#[test]
fn a_signature_holds_for_its_key_only() {
    for algorithm in [
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::Es512,
        Algorithm::EdDsa,
    ] {
        let (one, other) = (Signer::new(algorithm, 7), Signer::new(algorithm, 8));
        let signature = one.sign(b"message");
        let verify = |signer: &Signer, message: &[u8]| {
            PublicKey::parse(&signer.cose())
                .unwrap()
                .verify(message, &signature)
        };
        assert!(verify(&one, b"message"));
        assert!(!verify(&one, b"messagf"));
        assert!(!verify(&other, b"message"));
    }
}

#[test]
fn the_two_ways_of_rsa_do_not_mix() {
    let signer = Signer::new(Algorithm::Rs256, 7);
    let signature = signer.sign(b"message");
    let cose = signer.cose();
    assert!(
        PublicKey::parse(&cose)
            .unwrap()
            .verify(b"message", &signature)
    );
    // The same key, said to sign as PS256: -257 is 39 01 00, -37 is 38 24.
    let at = cose
        .windows(3)
        .position(|bytes| bytes == [0x39, 1, 0])
        .unwrap();
    let other = [&cose[..at], &[0x38, 0x24], &cose[at + 3..]].concat();
    let key = PublicKey::parse(&other).unwrap();
    assert_eq!(key.algorithm(), Algorithm::Ps256);
    assert!(!key.verify(b"message", &signature));
}
