use super::fixture::run;

#[test]
fn the_help_names_every_command() {
    let help = run(&["--help"]);
    assert_eq!(help.status, 0);
    for command in [
        "init",
        "check-config",
        "check-policy",
        "hash-password",
        "certificate",
        "storage",
        "user",
        "session",
        "ban",
        "generate",
    ] {
        assert!(help.out.contains(command), "{}", help.out);
        let more = run(&["help", command]);
        assert_eq!(more.status, 0);
        assert!(more.out.contains("Example"), "{command} has no example");
    }
}

#[test]
fn a_command_that_is_misunderstood_ends_with_2() {
    for arguments in [
        &[][..],
        &["check"],
        &["check-config"],
        &["check-config", "a", "b"],
        &["check-policy", "--config", "x"],
        &["check-policy", "--config", "x", "--url", "wiki.example.com"],
        &[
            "check-policy",
            "--config",
            "x",
            "--url",
            "https://a/",
            "--ip",
            "10.0.0",
        ],
        &[
            "check-policy",
            "--config",
            "x",
            "--url",
            "https://a/",
            "--format",
            "xml",
        ],
        &["hash-password", "secret"],
        &["hash-password", "--password", "secret"],
        &["hash-password", "--length", "30"],
        &["certificate", "--dir", "x"],
        &["certificate", "--host", "a", "--dir", "x", "--days", "0"],
    ] {
        let ran = run(arguments);
        assert_eq!(
            (ran.status, ran.out.as_str()),
            (2, ""),
            "{arguments:?}: {}",
            ran.err
        );
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    assert_eq!(
        run(&["--version"]).out,
        concat!("auth-gate ", env!("CARGO_PKG_VERSION"), "\n")
    );
}
