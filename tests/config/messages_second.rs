//! The exact words about second factors, accounts and mail.

use super::fixture::{LEAST, Memory, stored};
use super::messages::{errors, warnings, with};

#[test]
fn factors_and_codes_need_a_store_and_a_notifier() {
    const STORE: &str = "has no effect without storage, where second factors, app passwords and codes are kept; write storage.local.path and storage.encryption_key";
    for section in [
        "totp: {period: 60}",
        "webauthn: {timeout: 60}",
        "default_2fa_method: totp",
        "app_passwords: {maximum_lifetime: 90d}",
        "notifier: {filesystem: {filename: x}}",
        "identity_validation: {elevated_session: {characters: 8}}",
    ] {
        let key = section.split_once(':').expect("a key").0;
        let key = match key {
            "identity_validation" => "identity_validation.elevated_session",
            key => key,
        };
        let expected = format!("configuration.yml:13: {key}: {STORE}");
        warnings(&format!("{LEAST}{section}\n"), &[&expected]);
    }
    let mail = "configuration.yml: notifier: is missing, so that no codes can be mailed: nobody can add a second factor or reset a password without an administrator; write notifier.smtp or notifier.filesystem";
    warnings(&stored(""), &[mail]);
    let notifier = "notifier: {filesystem: {filename: x}}\n";
    let two = stored(notifier).replace("one_factor", "two_factor");
    warnings(&two, &[]);
    warnings(
        &format!("{two}totp: {{disable: true}}\nwebauthn: {{disable: true}}\n"),
        &[
            "configuration.yml:11: access_control.rules#1: asks for a second factor, but totp.disable and webauthn.disable turn all of them off: nobody gets in there",
        ],
    );
    warnings(
        &stored(&format!(
            "{notifier}default_2fa_method: mobile_push\nidentity_validation: {{elevated_session: {{characters: 4}}}}\nwebauthn: {{metadata: {{enabled: true}}}}\ncertificates_directory: /c\n"
        )),
        &[
            "configuration.yml:17: default_2fa_method: has no effect yet: Duo is not built; write totp or webauthn",
            "configuration.yml:18: identity_validation.elevated_session.characters: makes codes that can be guessed; write 6 or more",
            "configuration.yml:19: webauthn.metadata.enabled: wants authenticators verified, for which their makers' certificates are not read here yet: most keys cannot be added; write false to take them unverified",
            "configuration.yml:20: certificates_directory: has no effect: its certificates are for mail servers and Redis, and there is neither notifier.smtp nor session.redis.tls",
        ],
    );
}

#[test]
fn app_passwords_need_time() {
    for (value, message) in [
        (
            "0",
            "leaves no time to use an app password; write for instance `90d`, or take it out for no limit",
        ),
        (
            "-1",
            "leaves no time to use an app password; write for instance `90d`, or take it out for no limit",
        ),
    ] {
        errors(
            &format!("{LEAST}app_passwords: {{maximum_lifetime: {value}}}\n"),
            &[&format!(
                "configuration.yml:13: app_passwords.maximum_lifetime: {message}"
            )],
        );
    }
    errors(
        &format!("{LEAST}app_passwords: {{maximum_lifetime: soon}}\n"),
        &[
            "configuration.yml:13: app_passwords.maximum_lifetime: `soon` is not a duration; write for instance 300, 5m, 1 hour or 1h30m",
        ],
    );
    errors(
        &format!("{LEAST}app_passwords: {{lifetime: 90d}}\n"),
        &["configuration.yml:13: app_passwords.lifetime: is no key known here; take it out"],
    );
}

#[test]
fn second_factors_and_accounts() {
    errors(
        &format!("{LEAST}default_2fa_method: totp\ntotp: {{disable: true, skew: -1}}\n"),
        &[
            "configuration.yml:13: default_2fa_method: names a method that totp.disable turns off; write another one",
            "configuration.yml:14: totp.skew: `-1` cannot be; write a number from 0 to 255",
        ],
    );
    errors(
        &format!("{LEAST}webauthn:\n  filtering:\n    prohibited_aaguids: [x]\n"),
        &[
            "configuration.yml:15: webauthn.filtering.prohibited_aaguids#1: `x` is no AAGUID; write for instance cb69481e-8ff7-4039-93ec-0a2729a154a8",
        ],
    );
    errors(
        &format!(
            "{LEAST}password_policy:\n  standard: {{enabled: true, max_length: 5}}\n  zxcvbn: {{min_score: 5}}\n"
        ),
        &[
            "configuration.yml:14: password_policy.standard.max_length: is below min_length (8), so that no password would do; write more, or 0",
            "configuration.yml:15: password_policy.zxcvbn.min_score: `5` cannot be; write a number from 0 to 4",
        ],
    );
    errors(
        &with(
            "  file:\n",
            "  password_reset: {custom_url: 'ftp://example.com'}\n  file:\n",
        ),
        &[
            "configuration.yml:2: authentication_backend.password_reset.custom_url: must begin with https://; write for instance https://example.com/reset",
        ],
    );
    errors(
        &format!(
            "{LEAST}server:\n  endpoints:\n    rate_limits:\n      reset_password_start:\n        buckets:\n          - {{period: 5, requests: 1}}\n          - {{period: 1m}}\n"
        ),
        &[
            "configuration.yml:18: server.endpoints.rate_limits.reset_password_start.buckets#1: has no period of 10 seconds or more; write for instance `period: 2 minutes`",
            "configuration.yml:19: server.endpoints.rate_limits.reset_password_start.buckets#2: has no requests above 0; write for instance `requests: 20`",
        ],
    );
}

#[test]
fn notifiers() {
    let smtp = |more: &str| format!("{LEAST}notifier:\n  smtp:\n    sender: a@example.com\n{more}");
    let line =
        |key: &str, message: &str| format!("configuration.yml:16: notifier.smtp.{key}: {message}");
    for (more, key, message) in [
        (
            "address: 'smtp://'",
            "address",
            "`smtp://` names no mail server; write for instance submission://mail.example.com:587",
        ),
        (
            "address: smtp://h/path",
            "address",
            "`smtp://h/path` names no mail server; write for instance submission://mail.example.com:587",
        ),
        (
            "address: http://h",
            "address",
            "begins with http://; write smtp://, submission:// or submissions://",
        ),
    ] {
        let expected = line(key, message);
        errors(&smtp(&format!("    {more}\n")), &[&expected]);
    }
    errors(
        &smtp("    address: smtp://h\n    identifier: a b\n    startup_check_address: nobody\n"),
        &[
            "configuration.yml:17: notifier.smtp.identifier: `a b` is no name of a machine; write for instance auth.example.com",
            "configuration.yml:18: notifier.smtp.startup_check_address: is no mail address; write for instance 'Sign-in <sign-in@example.com>'",
        ],
    );
    errors(
        &smtp("    address: smtp://h\n    password: x\n    disable_starttls: true\n"),
        &[
            "configuration.yml:18: notifier.smtp.disable_starttls: would send the password of notifier.smtp where everybody can read it; take this line out, or add `disable_require_tls: true`",
        ],
    );
    errors(
        &format!("{LEAST}notifier:\n  disable_startup_check: true\n"),
        &[
            "configuration.yml:13: notifier: names no way for letters; write notifier.smtp or notifier.filesystem",
        ],
    );
    let more = "    address: smtp://h\n    disable_require_tls: true\n    tls:\n      skip_verify: true\n      maximum_version: TLS1.3\n      private_key: x\n";
    let told = Memory::new(&stored(&smtp(more)[LEAST.len()..])).warnings();
    let told: Vec<&str> = told.lines().collect();
    assert_eq!(
        told,
        [
            "configuration.yml:20: notifier.smtp.disable_require_tls: lets codes and links to new passwords go where everybody can read them; take this line out unless the mail server is on this machine",
            "configuration.yml:22: notifier.smtp.tls.skip_verify: lets anybody on the way be the mail server; write the folder with its certificate to certificates_directory instead",
            "configuration.yml:23: notifier.smtp.tls.maximum_version: has no effect: the newest version that both sides know is used",
            "configuration.yml:24: notifier.smtp.tls.private_key: has no effect yet: certificates of our own for mail servers are not built",
        ]
    );
    errors(
        &format!(
            "{LEAST}notifier:\n  smtp:\n    address: smtp://h\n  filesystem:\n    filename: x\n"
        ),
        &[
            "configuration.yml:14: notifier.smtp: cannot stand beside notifier.filesystem; keep one of the two",
            "configuration.yml:14: notifier.smtp: has no sender; write for instance `sender: 'Sign-in <sign-in@example.com>'`",
        ],
    );
}
