use ngx_http_auth_gate_module::users::PasswordHash;

use super::fixture::{configuration, run, run_with_input};

fn verifies(hash: &str, password: &str) -> bool {
    PasswordHash::parse(hash).is_ok_and(|hash| hash.verify(password.as_bytes()))
}

#[test]
fn the_first_line_of_the_input_is_the_password() {
    for (input, password) in [
        ("päss wörd\nmore\n", "päss wörd"),
        ("word", "word"),
        ("word\r\n", "word"),
        (" word \n", " word "),
    ] {
        let ran = run_with_input(&["hash-password", "--memory", "1024"], input.as_bytes());
        assert_eq!((ran.status, ran.err.as_str()), (0, ""));
        assert!(
            ran.out.starts_with("$argon2id$v=19$m=1024,t=3,p=4$"),
            "{}",
            ran.out
        );
        assert!(verifies(ran.out.trim_end(), password), "{input:?}");
    }
}

#[test]
fn two_hashes_of_one_password_differ() {
    let hash = || run_with_input(&["hash-password", "--memory", "1024"], b"word").out;
    assert_ne!(hash(), hash());
}

#[test]
fn the_configuration_says_how_unless_an_option_does() {
    let file = configuration("hash-config", |text| text);
    let ran = run_with_input(&["hash-password", "--config", &file], b"word");
    assert!(
        ran.out.starts_with("$argon2id$v=19$m=1024,t=1,p=1$"),
        "{ran:?}"
    );
    let ran = run_with_input(
        &["hash-password", "--config", &file, "--iterations", "2"],
        b"word",
    );
    assert!(
        ran.out.starts_with("$argon2id$v=19$m=1024,t=2,p=1$"),
        "{ran:?}"
    );
    let ran = run_with_input(
        &[
            "hash-password",
            "--config",
            &file,
            "--algorithm",
            "sha2crypt",
            "--iterations",
            "1000",
        ],
        b"word",
    );
    assert!(ran.out.starts_with("$6$rounds=1000$"), "{ran:?}");
    assert!(verifies(ran.out.trim_end(), "word"));
}

#[test]
fn every_algorithm_can_be_asked_for() {
    for (arguments, start) in [
        (
            &[
                "--algorithm",
                "argon2",
                "--variant",
                "argon2i",
                "--memory",
                "1024",
            ][..],
            "$argon2i$",
        ),
        (
            &["--algorithm", "scrypt", "--iterations", "10"],
            "$scrypt$ln=10,r=8,p=1$",
        ),
        (
            &[
                "--algorithm",
                "scrypt",
                "--variant",
                "yescrypt",
                "--iterations",
                "10",
            ],
            "$y$",
        ),
        (
            &[
                "--algorithm",
                "pbkdf2",
                "--variant",
                "sha256",
                "--iterations",
                "100000",
            ],
            "$pbkdf2-sha256$100000$",
        ),
        (
            &[
                "--algorithm",
                "sha2crypt",
                "--variant",
                "sha256",
                "--iterations",
                "1000",
            ],
            "$5$rounds=1000$",
        ),
        (&["--algorithm", "bcrypt", "--cost", "10"], "$2b$10$"),
        (
            &[
                "--algorithm",
                "bcrypt",
                "--variant",
                "sha256",
                "--cost",
                "10",
            ],
            "$bcrypt-sha256$v=2,t=2b,r=10$",
        ),
    ] {
        let ran = run_with_input(&[&["hash-password"], arguments].concat(), b"word");
        assert!(ran.out.starts_with(start), "{arguments:?}: {ran:?}");
        assert!(verifies(ran.out.trim_end(), "word"), "{arguments:?}");
    }
}

#[test]
fn a_password_is_made_up_on_request() {
    let made = |arguments: &[&str]| {
        let ran = run(&[
            &["hash-password", "--memory", "1024", "--random"],
            arguments,
        ]
        .concat());
        assert_eq!(ran.status, 0, "{ran:?}");
        let value = |name: &str| {
            ran.out
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap()
                .trim()
                .to_owned()
        };
        let (password, hash) = (value("Password:"), value("Hash:"));
        assert!(verifies(&hash, &password));
        password
    };
    let (first, second) = (made(&[]), made(&[]));
    assert_eq!(first.len(), 24);
    assert_ne!(first, second);
    assert_eq!(made(&["--length", "72"]).len(), 72);
}

#[test]
fn what_cannot_be_hashed_is_refused_with_the_reason() {
    let long = "x".repeat(73);
    let longer = "x".repeat(1100);
    for (arguments, input, says) in [
        (&[][..], "", "empty"),
        (&[], "\n", "empty"),
        (&[], longer.as_str(), "bytes"),
        (&["--algorithm", "bcrypt", "--cost", "10"], &long, "72"),
        (
            &["--algorithm", "md5"],
            "word",
            "algorithm: `md5` is not known",
        ),
        (
            &["--algorithm", "bcrypt", "--memory", "10"],
            "word",
            "--memory",
        ),
        (&["--memory", "1"], "word", "argon2.memory: is 1"),
        (&["--memory", "999999999"], "word", "argon2.memory"),
        (&["--config", "/nonexistent"], "word", "/nonexistent"),
    ] {
        let ran = run_with_input(&[&["hash-password"], arguments].concat(), input.as_bytes());
        assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{arguments:?}");
        assert!(ran.err.contains(says), "{arguments:?}: {}", ran.err);
    }
}
