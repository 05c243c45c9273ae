use super::super::tests::{PASSWORD, parameters, recorded};
use super::super::{PasswordHash, encoding};
use super::*;

fn keys(change: impl FnOnce(&mut HashOptions)) -> Vec<&'static str> {
    parameters(change)
        .expect_err("must be refused")
        .into_iter()
        .map(|error| error.key)
        .collect()
}

#[test]
fn new_hashes_of_every_kind_are_read_again() {
    for (algorithm, variant) in [
        ("argon2", "argon2id"),
        ("argon2", "i"),
        ("argon2", "argon2d"),
        ("scrypt", "scrypt"),
        ("scrypt", "yescrypt"),
        ("pbkdf2", "sha1"),
        ("pbkdf2", "sha512"),
        ("sha2crypt", "sha256"),
        ("sha2crypt", "sha512"),
        ("bcrypt", "standard"),
        ("bcrypt", "sha256"),
    ] {
        let made = parameters(|options| {
            options.algorithm = Some(algorithm.into());
            let variant = Some(variant.to_owned());
            match algorithm {
                "argon2" => {
                    options.argon2 = AlgorithmOptions {
                        variant,
                        memory: Some(1024),
                        ..Default::default()
                    }
                }
                "scrypt" => {
                    options.scrypt = AlgorithmOptions {
                        variant,
                        iterations: Some(10),
                        ..Default::default()
                    }
                }
                "pbkdf2" => {
                    options.pbkdf2 = AlgorithmOptions {
                        variant,
                        iterations: Some(100_000),
                        ..Default::default()
                    }
                }
                "sha2crypt" => {
                    options.sha2crypt = AlgorithmOptions {
                        variant,
                        salt_length: Some(5),
                        ..Default::default()
                    }
                }
                _ => {
                    options.bcrypt = AlgorithmOptions {
                        variant,
                        cost: Some(10),
                        ..Default::default()
                    }
                }
            }
        })
        .unwrap();
        let text = made.hash(PASSWORD, &vec![0xc5; made.salt_len()]).unwrap();
        let hash = PasswordHash::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert!(hash.verify(PASSWORD) && !hash.verify(b"other"), "{text}");
    }
}

#[test]
fn new_hashes_equal_those_of_authelia_with_the_same_salt() {
    use base64::Engine;
    let argon2 = parameters(|options| {
        options.argon2 = AlgorithmOptions {
            memory: Some(1024),
            iterations: Some(1),
            parallelism: Some(1),
            ..Default::default()
        };
    })
    .unwrap();
    let (_, text) = recorded()
        .find(|(form, _)| *form == "argon2/argon2id")
        .unwrap();
    let salt = encoding::STANDARD
        .decode(text.split('$').nth(4).unwrap())
        .unwrap();
    assert_eq!(argon2.hash(PASSWORD, &salt).as_deref(), Ok(text));

    let pbkdf2 = parameters(|options| {
        options.algorithm = Some("pbkdf2".into());
        options.pbkdf2.iterations = Some(100_000);
    })
    .unwrap();
    let (_, text) = recorded()
        .find(|(form, _)| *form == "pbkdf2/sha512")
        .unwrap();
    let salt = encoding::ADAPTED
        .decode(text.split('$').nth(3).unwrap())
        .unwrap();
    assert_eq!(pbkdf2.hash(PASSWORD, &salt).as_deref(), Ok(text));
}

#[test]
fn defaults_are_authelias() {
    let default = HashParameters::default();
    assert_eq!(
        HashParameters::new(HashOptions::default()),
        Ok(default.clone())
    );
    assert_eq!(default.salt_len(), 16);
    let text = default.hash(b"x", &[1; 16]).unwrap();
    assert!(
        text.starts_with("$argon2id$v=19$m=65536,t=3,p=4$"),
        "{text}"
    );
    assert_eq!(PasswordHash::default_decoy().memory(), 64 << 20);
}

#[test]
fn the_default_iterations_of_pbkdf2_follow_the_variant() {
    for (variant, iterations) in [
        ("sha1", 1_600_000),
        ("sha224", 900_000),
        ("sha384", 280_000),
    ] {
        let made = parameters(|options| {
            options.algorithm = Some("pbkdf2".into());
            options.pbkdf2.variant = Some(variant.into());
            options.pbkdf2.iterations = Some(0);
        });
        let text = made.unwrap().hash(b"x", &[1; 16]).unwrap();
        assert!(text.contains(&format!("${iterations}$")), "{text}");
    }
}

#[test]
fn old_keys_count_where_the_new_ones_are_silent() {
    let argon2 = parameters(|options| {
        options.algorithm = Some("argon2id".into());
        options.argon2.iterations = Some(2);
        options.legacy = AlgorithmOptions {
            iterations: Some(9),
            memory: Some(1),
            parallelism: Some(1),
            key_length: Some(24),
            salt_length: Some(10),
            ..Default::default()
        };
    })
    .unwrap();
    let text = argon2.hash(b"x", &[1; 10]).unwrap();
    assert!(text.starts_with("$argon2id$v=19$m=1024,t=2,p=1$"), "{text}");
    let sha512 = parameters(|options| {
        options.algorithm = Some("sha512".into());
        options.legacy.iterations = Some(6000);
        options.legacy.salt_length = Some(64);
    });
    assert!(
        sha512
            .unwrap()
            .hash(b"x", &[1; 16])
            .unwrap()
            .starts_with("$6$rounds=6000$")
    );
}

#[test]
fn bad_parameters_name_their_keys() {
    assert_eq!(
        keys(|options| options.algorithm = Some("md5".into())),
        ["algorithm"]
    );
    assert_eq!(
        keys(|options| options.argon2.memory = Some(-1)),
        ["argon2.memory"]
    );
    assert_eq!(
        keys(|options| options.argon2.memory = Some(64 << 20)),
        ["argon2.memory"]
    );
    assert_eq!(
        keys(|options| options.argon2.memory = Some(31)),
        ["argon2.memory"]
    );
    assert_eq!(
        keys(|options| options.argon2.iterations = Some(100_000)),
        ["argon2.iterations"]
    );
    let all = keys(|options| {
        options.argon2.variant = Some("argon2x".into());
        options.scrypt.iterations = Some(59);
        options.pbkdf2.iterations = Some(99_999);
        options.sha2crypt.salt_length = Some(17);
        options.bcrypt.cost = Some(9);
    });
    let expected = [
        "argon2.variant",
        "scrypt.iterations",
        "pbkdf2.iterations",
        "sha2crypt.salt_length",
        "bcrypt.cost",
    ];
    assert_eq!(all, expected);
    let scrypt = |ln, p, variant: &str| {
        let variant = Some(variant.to_owned());
        keys(|options| {
            options.algorithm = Some("scrypt".into());
            options.scrypt = AlgorithmOptions {
                variant,
                iterations: Some(ln),
                parallelism: Some(p),
                ..Default::default()
            };
        })
    };
    assert_eq!(scrypt(30, 1, "scrypt"), ["scrypt.iterations"]);
    assert_eq!(scrypt(12, 2, "yescrypt"), ["scrypt.parallelism"]);
}
