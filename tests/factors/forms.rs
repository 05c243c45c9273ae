//! Bytes that are not what they should be: CBOR, keys, JSON, statements.

use ciborium::{Value, cbor};
use ngx_http_auth_gate_module::factors::webauthn::{
    Aaguid, Algorithm, BadKey, Filtering, PublicKey, Refusal, Settings, Statement,
};

use crate::authenticator::{BE, Ceremony, register};
use crate::signer::{Signer, encode};

#[test]
fn models_and_copies_that_are_not_allowed() {
    let mut ceremony = Ceremony::create(Algorithm::Es256);
    ceremony.model = [7; 16];
    ceremony.flags |= BE;
    let by = |filtering| {
        let settings = Settings {
            filtering,
            ..Settings::default()
        };
        ceremony.register_by(&settings).err()
    };
    let (own, other) = (Aaguid([7; 16]), Aaguid([8; 16]));
    let permitted = |permitted| Filtering {
        permitted,
        ..Filtering::default()
    };
    let prohibited = |prohibited| Filtering {
        prohibited,
        ..Filtering::default()
    };
    assert_eq!(by(permitted(vec![other, own])), None);
    assert_eq!(by(permitted(vec![other])), Some(Refusal::Model));
    assert_eq!(by(prohibited(vec![other])), None);
    assert_eq!(by(prohibited(vec![own])), Some(Refusal::Model));
    let copies = Filtering {
        prohibit_backup_eligibility: true,
        ..Filtering::default()
    };
    assert_eq!(by(copies), Some(Refusal::BackupForbidden));
}

#[test]
fn statements() {
    let with = |format, statement| {
        let mut ceremony = Ceremony::create(Algorithm::Es256);
        (ceremony.format, ceremony.statement) = (format, Some(statement));
        ceremony
    };
    let some =
        || cbor!({"x5c" => [Value::Bytes(vec![0x30])], "sig" => Value::Bytes(vec![1])}).unwrap();
    let strict = Settings {
        accept_unverified: false,
        ..Settings::default()
    };
    for format in [
        "packed",
        "fido-u2f",
        "tpm",
        "apple",
        "android-key",
        "android-safetynet",
    ] {
        let ceremony = with(format, some());
        let registered = ceremony.register().unwrap();
        assert_eq!(registered.statement, Statement::Unverified, "{format}");
        assert_eq!(registered.format, format);
        assert_eq!(ceremony.register_by(&strict), Err(Refusal::Unverified));
        let empty = with(format, Value::Map(Vec::new()));
        assert_eq!(empty.register(), Err(Refusal::Statement), "{format}");
    }
    for (format, statement) in [
        ("none", some()),
        ("", some()),
        ("NONE", Value::Map(Vec::new())),
        ("unheard-of", some()),
        ("none", Value::Null),
        ("packed", cbor!({"alg" => -7}).unwrap()),
        (
            "packed",
            cbor!({"alg" => -8, "sig" => Value::Bytes(vec![1; 64])}).unwrap(),
        ),
    ] {
        assert_eq!(
            with(format, statement).register(),
            Err(Refusal::Statement),
            "{format}"
        );
    }
    assert!(
        Ceremony::create(Algorithm::Es256)
            .register_by(&strict)
            .is_ok()
    );
}

#[test]
fn cbor_that_is_cut_claims_too_much_or_goes_on() {
    let ceremony = Ceremony::create(Algorithm::Es256);
    let object = ceremony.object();
    let of = |object: &[u8]| register(&ceremony.registration_of(object), &Settings::default());
    assert!(of(&object).is_ok());
    for length in 0..object.len() {
        assert!(of(&object[..length]).is_err(), "{length}");
    }
    assert_eq!(
        of(&[&object[..], &[0]].concat()),
        Err(Refusal::AuthenticatorData)
    );
    let twice = [&[0xa4, 0x63, b'f', b'm', b't', 0x60], &object[1..]].concat();
    assert_eq!(of(&twice), Err(Refusal::AuthenticatorData));
    for huge in [
        &[0xbb, 255, 255, 255, 255, 255, 255, 255, 255][..],
        &[
            0xa1, 0x63, b'f', b'm', b't', 0x7b, 255, 255, 255, 255, 255, 255, 255, 255,
        ],
        &[0xa1, 0x00, 0x9a, 255, 255, 255, 255],
    ] {
        assert_eq!(of(huge), Err(Refusal::AuthenticatorData));
    }
    assert_eq!(of(&vec![0x81; 30_000]), Err(Refusal::AuthenticatorData));
    assert_eq!(of(&vec![0xa0; 33 << 10]), Err(Refusal::Form));
}

#[test]
fn keys_that_are_none() {
    let cose = |algorithm| Signer::new(algorithm, 7).cose();
    let ec = |number: i64, kind: i64, curve: i64, x: Vec<u8>, y: Vec<u8>| {
        let (x, y) = (Value::Bytes(x), Value::Bytes(y));
        encode(&cbor!({1 => kind, 3 => number, -1 => curve, -2 => x, -3 => y}).unwrap())
    };
    let rsa = |length: usize, e: Vec<u8>| {
        let (n, e) = (Value::Bytes(vec![0xff; length]), Value::Bytes(e));
        encode(&cbor!({1 => 3, 3 => -257, -1 => n, -2 => e}).unwrap())
    };
    let okp = |x: Vec<u8>| {
        let x = Value::Bytes(x);
        encode(&cbor!({1 => 1, 3 => -8, -1 => 6, -2 => x}).unwrap())
    };
    let good = cose(Algorithm::Es256);
    let (x, y) = (good[10..42].to_vec(), good[45..77].to_vec());
    assert!(PublicKey::parse(&ec(-7, 2, 1, x.clone(), y.clone())).is_ok());
    let e = || vec![1, 0, 1];
    let cases = [
        (ec(-47, 2, 8, x.clone(), y.clone()), BadKey::Algorithm),
        (ec(-65535, 2, 1, x.clone(), y.clone()), BadKey::Algorithm),
        (ec(-7, 1, 1, x.clone(), y.clone()), BadKey::Kind),
        (ec(-7, 2, 2, x.clone(), y.clone()), BadKey::Kind),
        (ec(-35, 2, 1, x.clone(), y.clone()), BadKey::Kind),
        (ec(-7, 2, 1, x.clone(), x.clone()), BadKey::Value),
        (ec(-7, 2, 1, vec![0; 32], vec![0; 32]), BadKey::Value),
        (ec(-7, 2, 1, x[1..].to_vec(), y.clone()), BadKey::Value),
        (
            ec(-7, 2, 1, [&[0], &x[..]].concat(), y.clone()),
            BadKey::Value,
        ),
        (okp(vec![0; 32]), BadKey::Value),
        (okp([&[1][..], &[0; 31]].concat()), BadKey::Value),
        (okp(vec![1; 31]), BadKey::Value),
        (rsa(128, e()), BadKey::Value),
        (rsa(1025, e()), BadKey::Value),
        (rsa(256, vec![]), BadKey::Value),
        (rsa(256, vec![1]), BadKey::Value),
        (rsa(256, vec![0xff; 255]), BadKey::Value),
        (good[..70].to_vec(), BadKey::Form),
        ([&good[..], &[0]].concat(), BadKey::Form),
        (vec![4; 65], BadKey::Value),
        (vec![], BadKey::Form),
        (vec![0xa0], BadKey::Form),
        (vec![0xa1; 4096], BadKey::Form),
    ];
    for (at, (bytes, bad)) in cases.into_iter().enumerate() {
        assert_eq!(PublicKey::parse(&bytes).err(), Some(bad), "{at}");
    }
}

#[test]
fn json_that_is_no_credential() {
    let whole = Ceremony::create(Algorithm::Es256).registration();
    let text = String::from_utf8(whole).unwrap();
    let changed = |from: &str, to: &str| {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        register(changed.as_bytes(), &Settings::default()).err()
    };
    for (from, to) in [
        ("public-key", "password"),
        ("\"rawId\":\"B", "\"rawId\":\"C"),
        ("\"id\":\"B", "\"id\":\"B\",\"id\":\"B"),
        ("\"attestationObject\":\"", "\"attestationObject\":\"*"),
        ("\"clientDataJSON\"", "\"clientData\""),
        ("{", "["),
    ] {
        assert_eq!(changed(from, to), Some(Refusal::Form), "{from}");
    }
    let long = format!("{text}{}", " ".repeat(64 << 10));
    assert_eq!(
        register(long.as_bytes(), &Settings::default()).err(),
        Some(Refusal::Form)
    );
}
