//! `auth-gate user app-password`: passwords of programs.

use std::fs;

use ngx_http_auth_gate_module::store::AppPasswords;
use ngx_http_auth_gate_module::users::app_password::Token;

use super::people::site;

#[test]
fn an_app_password_is_made_printed_once_listed_and_revoked() {
    let site = site("people_app_password");
    let list = ["user", "app-password", "list"];
    assert_eq!(site.well(&list), "there are no app passwords\n");
    assert!(!site.file.exists(), "looking makes no storage");
    let add = ["user", "app-password", "add", "--user", "john", "--name"];
    let with = |more: &[&'static str]| [&add[..], more].concat();
    let scope = [
        "Backup",
        "--expires",
        "90d",
        "--host",
        "Dav.example.com",
        "--host",
        "*.b.example.com",
    ];
    let out = site.well(&with(&scope));
    assert!(
        out.starts_with("added \"Backup\" for john; this is shown once:\n\nagp_"),
        "{out}"
    );
    let token = Token::read(out.trim_end().rsplit('\n').next().unwrap()).unwrap();
    let id = token.id().to_string();
    let kept = site
        .store()
        .app_password(token.id().bytes())
        .unwrap()
        .unwrap();
    assert_eq!(kept.verifier, token.verifier().bytes());
    assert_eq!(kept.hosts, ["dav.example.com", "*.b.example.com"]);
    assert_eq!(kept.expires, Some(kept.created + 90 * 86_400));
    site.well(&with(&["Phone"]));

    let listed = site.well(&[&list[..], &["--user", "john"]].concat());
    assert!(listed.contains(&format!("john  {id}  Backup")), "{listed}");
    assert!(!listed.contains(&token.reveal()[20..]), "{listed}");
    let listed = site.json(&list);
    assert_eq!(listed[0]["id"], id);
    assert_eq!(
        (&listed[0]["expired"], &listed[0]["last_used"]),
        (&false.into(), &serde_json::Value::Null)
    );
    assert_eq!(
        (&listed[1]["name"], &listed[1]["expires"]),
        (&"Phone".into(), &serde_json::Value::Null)
    );

    for (more, wrong) in [
        (&["Phone"][..], "of that name already"),
        (&[" Phone "], "of that name already"),
        (&["two\nlines"], "name has 1 to 64 characters"),
        (
            &["x", "--host", "https://a"],
            "--host: \"https://a\" is no host; write",
        ),
        // A variable of a script that is empty must not mean all hosts.
        (&["x", "--host", ""], "--host: \"\" is no host; write"),
        (
            &["x", "--host", "a.example.com", "--host", " "],
            "--host: \" \" is no host; write",
        ),
        (
            &["x", "--expires", "soon"],
            "--expires: `soon` is not a duration",
        ),
        (
            &["x", "--expires", "0"],
            "--expires: leaves no time to use it",
        ),
    ] {
        let err = site.bad(&with(more));
        assert!(err.contains(wrong), "{more:?}: {err}");
    }
    let revoke = ["user", "app-password", "revoke", "--user", "john"];
    let revoke = |more: &[&str]| site.run(&[&revoke[..], more].concat());
    let err = revoke(&["--name", "Tablet"]).err;
    assert!(
        err.contains("john has no such app password; `auth-gate user app-password list"),
        "{err}"
    );
    assert_eq!(
        revoke(&["--id", &id]).out,
        "revoked 1 app password of john: Backup\n"
    );
    assert_eq!(
        revoke(&["--all"]).out,
        "revoked 1 app password of john: Phone\n"
    );
    assert_eq!(site.json(&list), serde_json::json!([]));
}

#[test]
fn an_app_password_keeps_to_the_configuration() {
    let site = site("people_app_password_limits");
    let text = fs::read_to_string(&site.config).unwrap();
    let add = [
        "user",
        "app-password",
        "add",
        "--user",
        "john",
        "--name",
        "x",
    ];
    let set = |section: &str| fs::write(&site.config, format!("{text}{section}")).unwrap();
    let err = site.bad(&[&add[..], &["--expires", "101y"]].concat());
    assert!(err.contains("more than a hundred years"), "{err}");
    set("app_passwords: {maximum_lifetime: 30d}\n");
    for more in [&[][..], &["--expires", "31d"]] {
        let err = site.bad(&[&add[..], more].concat());
        assert!(err.contains("allows no more than 2592000 seconds"), "{err}");
    }
    site.well(&[&add[..], &["--expires", "30d"]].concat());
    set("app_passwords: {disable: true}\n");
    let err = site.bad(&add);
    assert!(err.contains("app_passwords.disable is true"), "{err}");
    let gone = site.well(&["user", "app-password", "revoke", "--user", "john", "--all"]);
    assert_eq!(gone, "revoked 1 app password of john: x\n");
}
