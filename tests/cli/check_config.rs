use super::fixture::{configuration, run};

#[test]
fn a_good_configuration_is_summed_up_in_one_line() {
    let file = configuration("config-good", |text| text);
    let ran = run(&["check-config", &file]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert_eq!(ran.out.lines().count(), 1);
    for part in [
        &file,
        "6 rules",
        "2 users",
        "users.yml",
        "example.com at https://auth.example.com",
    ] {
        assert!(ran.out.contains(part), "{part} is not in {}", ran.out);
    }
}

#[test]
fn every_mistake_is_told_with_file_line_and_key() {
    let file = configuration("config-bad", |text| {
        text.replace("default_policy: deny", "default_policy: maybe")
            .replace("policy: bypass", "policy: bypas")
    });
    let ran = run(&["check-config", &file]);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""));
    for start in [
        format!("{file}:2: access_control.default_policy: "),
        format!("{file}:8: access_control.rules#1.policy: "),
    ] {
        assert!(
            ran.err.lines().any(|line| line.starts_with(&start)),
            "{start} is not in {}",
            ran.err
        );
    }
    assert!(ran.err.ends_with("has 2 errors\n"), "{}", ran.err);
}

#[test]
fn mistakes_in_the_users_file_are_told_with_its_name() {
    let file = configuration("config-users", |text| text);
    let users = file.replace("configuration.yml", "users.yml");
    let text = std::fs::read_to_string(&users).unwrap();
    std::fs::write(
        &users,
        text.replacen("$argon2id$v=19$m=1024", "$argon2id$v=19$m=99999999", 1),
    )
    .unwrap();
    let ran = run(&["check-config", &file]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.err
            .starts_with(&format!("{users}:4: users.john.password: ")),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("MiB"), "{}", ran.err);
}

#[test]
fn warnings_do_not_fail_the_check() {
    let file = configuration("config-warning", |text| {
        format!("{text}telemetry:\n  metrics:\n    enabled: true\n")
    });
    let ran = run(&["check-config", &file]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(
        ran.err.lines().any(
            |line| line.starts_with(&format!("warning: {file}:")) && line.contains("telemetry")
        )
    );
    assert!(ran.out.contains("2 warnings"), "{}", ran.out);
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    let ran = run(&["check-config", "/nonexistent/configuration.yml"]);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""));
    assert!(
        ran.err.starts_with("/nonexistent/configuration.yml: "),
        "{}",
        ran.err
    );
}
