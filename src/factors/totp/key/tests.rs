use proptest::prelude::*;

use super::super::Digits;
use super::*;

fn key(algorithm: Algorithm, digits: Digits, secret: &[u8]) -> Key {
    Key {
        secret: Secret::new(secret.to_vec()).unwrap(),
        parameters: Parameters::new(algorithm, digits, 30).unwrap(),
    }
}

fn six() -> Key {
    key(Algorithm::Sha1, Digits::Six, b"12345678901234567890")
}

#[test]
fn the_vectors_of_rfc_6238() {
    let vectors = [
        (59, "94287082", "46119246", "90693936"),
        (1_111_111_109, "07081804", "68084774", "25091201"),
        (1_111_111_111, "14050471", "67062674", "99943326"),
        (1_234_567_890, "89005924", "91819424", "93441116"),
        (2_000_000_000, "69279037", "90698825", "38618901"),
        (20_000_000_000, "65353130", "77737706", "47863826"),
    ];
    let seed: Vec<u8> = b"1234567890".repeat(7);
    let sha1 = key(Algorithm::Sha1, Digits::Eight, &seed[..20]);
    let sha256 = key(Algorithm::Sha256, Digits::Eight, &seed[..32]);
    let sha512 = key(Algorithm::Sha512, Digits::Eight, &seed[..64]);
    for (now, one, two, three) in vectors {
        for (key, code) in [(&sha1, one), (&sha256, two), (&sha512, three)] {
            assert_eq!(key.code(now).expose_secret(), code);
            assert_eq!(key.check(code, 0, now), Some(Step(now / 30)));
        }
    }
}

#[test]
fn a61_a_code_tells_its_step_within_the_skew_and_nowhere_else() {
    let now = 1_111_111_111;
    let step = now / 30;
    let code = six().code(now);
    let code = code.expose_secret();
    let check = |skew, off: i64| six().check(code, skew, now.saturating_add_signed(30 * off));
    for off in -1..=1 {
        assert_eq!(check(1, off), Some(Step(step)), "{off}");
    }
    for off in [-3, -2, 2, 3] {
        assert_eq!(check(1, off), None, "{off}");
    }
    assert_eq!(check(0, 1), None);
    assert_eq!(check(0, -1), None);
    assert_eq!(check(2, -2), Some(Step(step)));
}

#[test]
fn a61_only_all_digits_of_it_are_a_code() {
    let now = 59;
    assert_eq!(six().code(now).expose_secret(), "287082");
    assert_eq!(six().check("287082", 1, now), Some(Step(1)));
    assert_eq!(six().check(" 287 082 ", 1, now), Some(Step(1)));
    let wrong = [
        "",
        "28708",
        "2870820",
        "0287082",
        "94287082",
        "+287082",
        "-87082",
        "287083",
        "28708a",
        "٢٨٧٠٨٢",
        "287082\0",
        "287082\n",
        "abcdef",
        "287082287082",
    ];
    for code in wrong {
        assert_eq!(six().check(code, 1, now), None, "{code:?}");
    }
    let long = format!("{}287082", " ".repeat(30));
    assert_eq!(six().check(&long, 1, now), None);
}

#[test]
fn the_beginning_and_the_end_of_time() {
    for now in [0, 29, u64::MAX - 1, u64::MAX] {
        let code = six().code(now);
        assert_eq!(
            six().check(code.expose_secret(), 255, now),
            Some(Step(now / 30))
        );
    }
}

#[test]
fn the_address_is_the_one_authelia_answered() {
    let base32 = "7YCVADG6VL7HP4ZGGUKSYOB2DXTAJ5NCRRLZYE3DD5POVFDWT4UA";
    let key = Key {
        secret: Secret::parse(base32).unwrap(),
        parameters: Parameters::default(),
    };
    assert_eq!(
        key.uri("Authelia", "erin").expose_secret(),
        "otpauth://totp/Authelia:erin?algorithm=SHA1&digits=6&issuer=Authelia&period=30&secret=7YCVADG6VL7HP4ZGGUKSYOB2DXTAJ5NCRRLZYE3DD5POVFDWT4UA"
    );
    assert!(!format!("{key:?} {:?}", key.uri("Authelia", "erin")).contains("7YCV"));
}

proptest! {
    #[test]
    fn no_code_is_anything_but_right_or_wrong(code in ".{0,40}", skew: u8, now: u64) {
        if let Some(Step(step)) = six().check(&code, skew.min(5), now) {
            prop_assert!(step.abs_diff(now / 30) <= u64::from(skew));
        }
    }

    #[test]
    fn what_an_app_shows_is_right(secret in proptest::collection::vec(any::<u8>(), 1..64), now in 0..1_u64 << 40) {
        for algorithm in [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512] {
            let key = key(algorithm, Digits::Eight, &secret);
            prop_assert_eq!(key.check(key.code(now).expose_secret(), 1, now), Some(Step(now / 30)));
        }
    }
}
