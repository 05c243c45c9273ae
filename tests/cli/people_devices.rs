//! `auth-gate user totp` and `user webauthn`: second factors of users.

use ngx_http_auth_gate_module::factors::totp::{Key, Parameters, Secret};
use ngx_http_auth_gate_module::store::{Factors, NewCredential};

use super::people::{now, site};

#[test]
fn a_totp_device_that_is_added_makes_the_codes_that_count() {
    let site = site("people_totp");
    assert_eq!(
        site.well(&["user", "totp", "list"]),
        "there are no TOTP devices\n"
    );
    assert!(!site.file.exists(), "looking makes no storage");
    let out = site.well(&["user", "totp", "add", "--user", "john", "--name", "Phone"]);
    let line = |begin: &str| {
        let found = out.lines().find_map(|line| line.strip_prefix(begin));
        found.unwrap_or_else(|| panic!("{begin} is not in {out}"))
    };
    let base32 = line("key:     ");
    let uri = line("address: ");
    assert!(uri.starts_with("otpauth://totp/Authelia:john?"), "{uri}");
    assert!(uri.contains(&format!("secret={base32}")), "{uri}");
    assert!(out.contains('█') && out.contains('▀'), "no QR code: {out}");

    let devices = site.store().totp_devices("john").unwrap();
    let key = |secret| Key {
        secret,
        parameters: Parameters::default(),
    };
    use secrecy::ExposeSecret;
    let shown = key(Secret::parse(base32).unwrap());
    let kept = devices[0].device.secret.expose_secret().to_vec();
    let kept = key(Secret::new(kept).unwrap());
    let at = 1_800_000_000;
    assert!(kept.check(shown.code(at).expose_secret(), 0, at).is_some());

    let listed = site.well(&["user", "totp", "list"]);
    assert!(listed.contains("john  1   Phone"), "{listed}");
    assert!(!listed.contains(base32));
    let listed = site.json(&["user", "totp", "list", "--user", "john"]);
    assert_eq!(listed[0]["name"], "Phone");
    assert_eq!(listed[0]["algorithm"], "SHA1");
    assert_eq!(listed[0]["last_used"], serde_json::Value::Null);
}

#[test]
fn devices_get_a_free_name_and_go_by_name_number_or_all_at_once() {
    let site = site("people_totp_remove");
    let add = ["user", "totp", "add", "--user", "john"];
    (0..4).for_each(|_| _ = site.well(&add));
    let names = || -> Vec<String> {
        let devices = site.json(&["user", "totp", "list"]);
        let names = devices.as_array().unwrap().iter();
        names
            .map(|device| device["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let app = |number| format!("Authenticator app {number}");
    assert_eq!(
        names(),
        ["Authenticator app".into(), app(2), app(3), app(4)]
    );
    let remove = |more: &[&str]| {
        let arguments = ["user", "totp", "remove", "--user", "john"];
        [&arguments[..], more].concat().join("\n")
    };
    let run = |arguments: String| site.run(&arguments.split('\n').collect::<Vec<_>>());
    assert_eq!(run(remove(&["--name", "Authenticator app 3"])).status, 0);
    assert_eq!(run(remove(&["--id", "1"])).status, 0);
    assert_eq!(names(), [app(2), app(4)]);
    let err = run(remove(&["--name", "Phone"])).err;
    assert!(err.contains("john has no such TOTP device"), "{err}");
    let out = run(remove(&["--all"])).out;
    assert_eq!(
        out,
        "removed 2 TOTP devices of john: Authenticator app 2, Authenticator app 4\n"
    );
    assert!(names().is_empty());
    let err = site.bad(&[&add[..], &["--name", "two\nlines"]].concat());
    assert!(err.contains("a device's name has 1 to 64"), "{err}");
}

#[test]
fn security_keys_are_listed_and_removed_and_added_in_the_browser() {
    let site = site("people_webauthn");
    let key = NewCredential {
        user: "john".into(),
        name: "Blue key".into(),
        rp_id: "auth.example.com".into(),
        credential_id: vec![1; 16],
        public_key: vec![2; 77],
        aaguid: None,
        attestation_format: "none".into(),
        attestation_type: "none".into(),
        attestation: None,
        attachment: "cross-platform".into(),
        transports: "usb".into(),
        sign_count: 1,
        clone_warning: false,
        legacy: false,
        discoverable: true,
        present: true,
        verified: true,
        backup_eligible: false,
        backup_state: false,
    };
    let random = &mut |bytes: &mut [u8]| getrandom::fill(bytes).unwrap();
    site.store().add_credential(&key, now(), random).unwrap();
    let listed = site.well(&["user", "webauthn", "list", "--user", "john"]);
    assert!(listed.contains("Blue key"), "{listed}");
    let listed = site.json(&["user", "webauthn", "list"]);
    assert_eq!(listed[0]["rp_id"], "auth.example.com");
    let added = site.well(&["user", "webauthn", "add", "--user", "john"]);
    assert!(
        added.contains("\n  https://auth.example.com/settings/two-factor\n"),
        "{added}"
    );
    let remove = ["user", "webauthn", "remove", "--user", "john"];
    site.well(&[&remove[..], &["--name", "Blue key"]].concat());
    assert_eq!(
        site.well(&["user", "webauthn", "list"]),
        "there are no security keys\n"
    );
}
