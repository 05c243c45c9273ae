use super::*;

/// The same password in every form that Authelia's command line makes.
const RECORDED: &str = include_str!("../../../tests/recorded/hashes.tsv");
pub(super) const PASSWORD: &[u8] = "correct horse ü 7".as_bytes();

pub(super) fn recorded() -> impl Iterator<Item = (&'static str, &'static str)> {
    RECORDED.lines().filter_map(|line| line.split_once('\t'))
}

fn refusal(text: &str) -> String {
    PasswordHash::parse(text).expect_err(text).to_string()
}

pub(super) fn parameters(
    change: impl FnOnce(&mut HashOptions),
) -> Result<HashParameters, Vec<ParameterError>> {
    let mut options = HashOptions::default();
    change(&mut options);
    HashParameters::new(options)
}

#[test]
fn every_recorded_hash_verifies_and_refuses() {
    assert_eq!(recorded().count(), 16);
    for (form, text) in recorded() {
        let hash = PasswordHash::parse(text).unwrap_or_else(|error| panic!("{form}: {error}"));
        assert!(hash.verify(PASSWORD), "{form}");
        assert!(!hash.verify("correct horse u 7".as_bytes()), "{form}");
        assert!(!hash.decoy().verify(PASSWORD), "{form}");
    }
}

#[test]
fn a_hash_that_was_cut_or_changed_in_one_place_does_not_verify() {
    for (form, text) in recorded().filter(|(form, _)| !form.contains("argon2/default")) {
        for len in [0, 1, 10, text.rfind('$').unwrap() + 4] {
            assert!(
                PasswordHash::parse(&text[..len]).is_err(),
                "{form} cut to {len} was taken"
            );
        }
        let (rest, last) = text.split_at(text.len() - 6);
        let changed = format!(
            "{rest}{}{}",
            if last.starts_with('w') { 'x' } else { 'w' },
            &last[1..]
        );
        assert!(
            PasswordHash::parse(&changed).is_ok_and(|hash| !hash.verify(PASSWORD)),
            "{form}"
        );
    }
}

#[test]
fn storage_prefixes_of_openldap_are_taken_off() {
    let argon2 = "$argon2id$v=19$m=1024,t=1,p=1$AhQkYiTfw1U8C71DDKRMvA$VsUqy8zzmGqUIicz7mGMz9X65zZ8kElo04KyXsbfRhU";
    for prefix in ["{CRYPT}", "{ARGON2}"] {
        assert!(
            PasswordHash::parse(&format!("{prefix}{argon2}"))
                .is_ok_and(|hash| hash.verify(PASSWORD))
        );
    }
    let pbkdf2 =
        "{PBKDF2-SHA256}100000$Goou/YF0PIe.vNatrOTSsA$CSxJtYRMtG8p/IzJfoaP99mmBWrS1eayH76jKiFmKAw";
    assert!(PasswordHash::parse(pbkdf2).is_ok_and(|hash| hash.verify(PASSWORD)));
    assert!(PasswordHash::parse(&format!("{{crypt}}{argon2}")).is_err());
}

#[test]
fn pbkdf2_is_read_in_phc_form() {
    let phc = "$pbkdf2-sha256$i=100000,l=32$Goou/YF0PIe+vNatrOTSsA$CSxJtYRMtG8p/IzJfoaP99mmBWrS1eayH76jKiFmKAw";
    assert!(PasswordHash::parse(phc).is_ok_and(|hash| hash.verify(PASSWORD)));
}

#[test]
fn all_prefixes_of_bcrypt_are_one_algorithm() {
    let rest = "$10$0NXM1tHBpruBhnKqV6coW.fxWlJWxU1CAJu/deIZShHOw87Olkw0.";
    for prefix in ["$2", "$2a", "$2b", "$2x", "$2y"] {
        assert!(
            PasswordHash::parse(&format!("{prefix}{rest}")).is_ok_and(|hash| hash.verify(PASSWORD)),
            "{prefix}"
        );
    }
}

#[test]
fn bcrypt_verifies_the_first_72_bytes_and_makes_no_hash_of_more() {
    let bcrypt = parameters(|options| {
        options.algorithm = Some("bcrypt".into());
        options.bcrypt.cost = Some(10);
    })
    .unwrap();
    let long = [b'x'; 73];
    let hash = PasswordHash::parse(&bcrypt.hash(&long[..72], &[7; 16]).unwrap()).unwrap();
    assert!(hash.verify(&long[..72]));
    assert!(hash.verify(&long));
    assert!(!hash.verify(&long[..71]));
    let refused = bcrypt.hash(&long, &[7; 16]);
    assert_eq!(
        refused,
        Err(HashError::PasswordTooLong { len: 73, max: 72 })
    );
}

#[test]
fn the_empty_password_is_verified_like_any_other() {
    for algorithm in ["bcrypt", "sha2crypt", "pbkdf2"] {
        let made = parameters(|options| options.algorithm = Some(algorithm.into())).unwrap();
        let hash =
            PasswordHash::parse(&made.hash(b"", &vec![3; made.salt_len()]).unwrap()).unwrap();
        assert!(hash.verify(b"") && !hash.verify(b"x"), "{algorithm}");
    }
}

#[test]
fn a_password_beyond_the_limit_never_matches_and_is_never_hashed() {
    let sha2crypt = parameters(|options| options.algorithm = Some("sha2crypt".into())).unwrap();
    let long = vec![b'x'; MAX_PASSWORD + 1];
    assert!(sha2crypt.hash(&long, &[3; 16]).is_err());
    let hash =
        PasswordHash::parse(&sha2crypt.hash(&long[..MAX_PASSWORD], &[3; 16]).unwrap()).unwrap();
    assert!(hash.verify(&long[..MAX_PASSWORD]) && !hash.verify(&long));
}

#[test]
fn readable_passwords_are_refused_and_never_repeated() {
    for text in [
        "secret-word",
        "$secret-word$x",
        "",
        "$",
        "secret$-word",
        "{CRYPT}secret-word",
    ] {
        assert!(!refusal(text).contains("secret"), "{text}");
    }
    assert!(refusal("$plaintext$secret-word").contains("hash-password"));
    assert!(refusal("$base64$c2VjcmV0").contains("hash-password"));
}

#[test]
fn badly_written_hashes_are_refused_with_what_is_wrong() {
    let salt = "AhQkYiTfw1U8C71DDKRMvA";
    let digest = "VsUqy8zzmGqUIicz7mGMz9X65zZ8kElo04KyXsbfRhU";
    for (text, says) in [
        (format!("$argon2id$m=1024,t=1,p=1${salt}${digest}"), "v=19"),
        (
            format!("$argon2id$v=16$m=1024,t=1,p=1${salt}${digest}"),
            "version 19",
        ),
        (
            format!("$argon2id$v=19$m=1024,t=1${salt}${digest}"),
            "m=…,t=…,p=…",
        ),
        (
            format!("$argon2id$v=19$m=1024,t=0,p=1${salt}${digest}"),
            "`t`",
        ),
        (
            format!("$argon2id$v=19$m=64,t=1,p=9${salt}${digest}"),
            "8 times",
        ),
        (
            format!("$argon2id$v=19$m=1024,t=1,p=1$AhQ${digest}"),
            "salt has 2 bytes",
        ),
        (
            format!("$argon2id$v=19$m=1024,t=1,p=1${salt}$"),
            "digest has 0 bytes",
        ),
        (
            format!("$argon2id$v=19$m=1024,t=1,p=1${salt}=${digest}"),
            "salt",
        ),
        (
            format!("$argon2id$v=19$m=1024,t=1,p=1${salt}${digest}\n"),
            "digest",
        ),
        (format!("$scrypt$ln=0,r=8,p=1${salt}${digest}"), "`ln`"),
        (
            format!("$scrypt$ln=58,r=16777216,p=1${salt}${digest}"),
            "too large",
        ),
        (format!("$pbkdf2-sha512$0${salt}${digest}"), "iterations"),
        (
            "$2b$03$0NXM1tHBpruBhnKqV6coW.fxWlJWxU1CAJu/deIZShHOw87Olkw0.".into(),
            "cost",
        ),
        (
            "$2b$10$0NXM1tHBpruBhnKqV6coWü.xWlJWxU1CAJu/deIZShHOw87Olkw0.".into(),
            "53 characters",
        ),
        (
            "$bcrypt-sha256$v=1,t=2b,r=10$Di5oZpkjlH52RjzhmrahT.$gmYvX5ohuUCU/vhazjDEdNbXq.M9Kam"
                .into(),
            "v=2",
        ),
        (format!("$6$rounds=999$aaaa${}", "a".repeat(86)), "rounds"),
        (
            format!("$6$12345678901234567${}", "a".repeat(86)),
            "17 characters",
        ),
        (format!("$6$aaaa${}", "a".repeat(85)), "85 characters"),
        (
            format!("$y$jD5$bXp2iPWgSWHfZwTtI2Puu0${}", "a".repeat(42)),
            "digest",
        ),
        (
            format!("$y$jD5/.$bXp2iPWgSWHfZwTtI2Puu0${}", "a".repeat(43)),
            "setting",
        ),
        ("$argon2x$v=19$m=1024,t=1,p=1$a$b".into(), "not known"),
        ("$1$salt$digest".into(), "not known"),
        ("$pbkdf2-md5$1$a$b".into(), "not known"),
        ("x".repeat(MAX_TEXT + 1), "no password hash"),
    ] {
        assert!(refusal(&text).contains(says), "{text}: {}", refusal(&text));
    }
}

#[test]
fn a_file_cannot_demand_all_memory_or_time() {
    let salt = "AhQkYiTfw1U8C71DDKRMvA";
    let digest = "VsUqy8zzmGqUIicz7mGMz9X65zZ8kElo04KyXsbfRhU";
    let of = |parameters: &str| PasswordHash::parse(&format!("{parameters}${salt}${digest}"));
    assert_eq!(
        of("$argon2id$v=19$m=2097152,t=1,p=4").map(|hash| hash.memory()),
        Ok(2 << 30)
    );
    assert_eq!(
        of("$argon2id$v=19$m=67108864,t=1,p=1").err(),
        Some(HashError::TooMuchMemory { mib: 65536 })
    );
    assert!(matches!(
        of("$argon2id$v=19$m=65536,t=4294967295,p=1"),
        Err(HashError::TooSlow { .. })
    ));
    assert!(matches!(
        of("$scrypt$ln=30,r=8,p=1"),
        Err(HashError::TooMuchMemory { .. })
    ));
    assert!(matches!(
        of("$pbkdf2$2147483647"),
        Err(HashError::TooSlow { .. })
    ));
    assert!(
        PasswordHash::parse("$2b$20$0NXM1tHBpruBhnKqV6coW.fxWlJWxU1CAJu/deIZShHOw87Olkw0.").is_ok()
    );
    let slow = PasswordHash::parse("$2b$31$0NXM1tHBpruBhnKqV6coW.fxWlJWxU1CAJu/deIZShHOw87Olkw0.");
    assert!(matches!(slow, Err(HashError::TooSlow { .. })));
}

#[test]
fn debug_shows_no_digest() {
    let (_, text) = recorded().next().unwrap();
    assert_eq!(
        format!("{:?}", PasswordHash::parse(text).unwrap()),
        "PasswordHash(argon2)"
    );
}
