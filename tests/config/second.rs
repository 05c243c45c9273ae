//! What `totp`, `webauthn`, `notifier` and their like become.

use std::path::Path;

use ngx_http_auth_gate_module::config::Config;
use ngx_http_auth_gate_module::factors::totp::{self, Algorithm, Digits, Parameters};
use ngx_http_auth_gate_module::factors::webauthn::{
    self, Attachment, Attestation, Discoverability, RelyingParty, UserVerification,
};
use ngx_http_auth_gate_module::mail::{Security, Smtp, Way};
use ngx_http_auth_gate_module::portal::{
    Account, AppPasswords, Bucket, Elevation, Limited, RateLimits, Reset,
};
use ngx_http_auth_gate_module::store::SecondFactor;
use ngx_http_auth_gate_module::users::{PasswordPolicy, Standard};
use secrecy::ExposeSecret;

use super::fixture::{LEAST, Memory, lines};

const STORE: &str =
    "storage: {encryption_key: a-storage-key-of-some-length, local: {path: db.sqlite3}}\n";
const FILE: &str = "notifier: {filesystem: {filename: mail/new.txt}}\n";

fn config(more: &str) -> Config {
    match Memory::new(&format!("{LEAST}{more}")).load() {
        Ok(loaded) => loaded.config,
        Err(problems) => panic!("{}", lines(&problems)),
    }
}

fn smtp(more: &str) -> Smtp {
    let text = format!("notifier:\n  smtp:\n    sender: Gate <gate@example.com>\n{more}");
    match config(&text).notifier.expect("a notifier").way {
        Way::Smtp(smtp) => *smtp,
        Way::File(_) => panic!(),
    }
}

#[test]
fn without_a_store_there_are_no_second_factors() {
    let config = config(
        "totp: {period: 60}\nwebauthn: {enable_passkey_login: true, experimental_enable_passkey_uv_two_factors: true}\n",
    );
    let second = config.portal_settings().second;
    assert!(second.totp.is_none() && second.webauthn.is_none() && second.default.is_none());
    assert!(!config.session.cookies[0].realm.passkey_is_two);
}

#[test]
fn with_a_store_there_are_all_with_authelias_defaults() {
    let config = config(STORE);
    let settings = config.portal_settings();
    assert_eq!(settings.second.totp, Some(totp::Settings::default()));
    assert_eq!(
        settings.second.webauthn,
        Some(webauthn::Settings::default())
    );
    assert_eq!(settings.second.default, None);
    let portal = "https://auth.example.com/".parse().unwrap();
    assert_eq!(settings.domains[0].party, RelyingParty::new(&portal).ok());
    let url = settings.domains[0].url.as_deref();
    assert_eq!(url, Some("https://auth.example.com"));
    let Account {
        elevation,
        reset,
        change_password,
        policy,
        app_passwords,
        ..
    } = settings.account;
    assert_eq!(app_passwords, Some(AppPasswords::default()));
    let Elevation {
        code_lifespan,
        lifespan,
        characters,
        ..
    } = elevation;
    assert_eq!((code_lifespan, lifespan, characters), (300, 600, 8));
    assert_eq!(
        (reset, change_password, policy),
        (None, true, PasswordPolicy::Off)
    );
    assert!(config.notifier.is_none());
}

#[test]
fn app_passwords_are_what_the_file_says() {
    let of = |more: &str| config(more).portal_settings().account.app_passwords;
    assert_eq!(of(""), None, "there is nowhere to keep them");
    let limited = |seconds| {
        Some(AppPasswords {
            maximum_lifetime: seconds,
        })
    };
    let with = |section: &str| of(&format!("{STORE}{section}"));
    assert_eq!(with("app_passwords: {disable: false}\n"), limited(None));
    assert_eq!(with("app_passwords: {disable: true}\n"), None);
    let quarter = with("app_passwords: {maximum_lifetime: 90 days}\n");
    assert_eq!(quarter, limited(Some(90 * 86_400)));
    assert_eq!(of("app_passwords: {maximum_lifetime: 90d}\n"), None);
}

#[test]
fn second_factors_are_what_the_file_says() {
    let config = config(&format!(
        "{STORE}{FILE}default_2fa_method: webauthn\ntotp:\n  issuer: Example\n  algorithm: SHA512\n  digits: 8\n  period: 60\n  skew: 0\n  secret_size: 20\n  allowed_algorithms: [SHA1, SHA256]\n  allowed_digits: [6]\n  allowed_periods: [30, 90]\n  disable_reuse_security_policy: true\nwebauthn:\n  enable_passkey_login: true\n  experimental_enable_passkey_uv_two_factors: true\n  experimental_enable_passkey_upgrade: true\n  display_name: Example\n  attestation_conveyance_preference: direct\n  timeout: 2m\n  filtering:\n    prohibit_backup_eligibility: true\n    permitted_aaguids: [cb69481e-8ff7-4039-93ec-0a2729a154a8]\n  selection_criteria: {{attachment: platform, discoverability: required, user_verification: discouraged}}\n"
    ));
    let second = &config.second;
    assert_eq!(second.default, Some(SecondFactor::Webauthn));
    let expected = totp::Settings {
        issuer: "Example".into(),
        default: Parameters::new(Algorithm::Sha512, Digits::Eight, 60).unwrap(),
        algorithms: vec![Algorithm::Sha1, Algorithm::Sha256],
        digits: vec![Digits::Six],
        periods: vec![30, 90],
        skew: 0,
        secret_size: 20,
        reuse: true,
    };
    assert_eq!(second.totp, Some(expected));
    let webauthn = second.webauthn.as_ref().unwrap();
    assert_eq!(
        (webauthn.display_name.as_str(), webauthn.timeout),
        ("Example", 120_000)
    );
    assert_eq!(webauthn.attestation, Attestation::Direct);
    assert_eq!(webauthn.attachment, Some(Attachment::Platform));
    assert_eq!(webauthn.discoverability, Discoverability::Required);
    assert_eq!(webauthn.user_verification, UserVerification::Discouraged);
    assert_eq!(webauthn.filtering.permitted.len(), 1);
    assert!(webauthn.filtering.prohibit_backup_eligibility);
    assert!(webauthn.passkey_login && webauthn.passkey_two_factors && webauthn.passkey_upgrade);
    assert!(config.session.cookies[0].realm.passkey_is_two);
}

#[test]
fn what_is_disabled_is_not_there() {
    let config = config(&format!(
        "{STORE}{FILE}totp: {{disable: true}}\nwebauthn: {{disable: true}}\n"
    ));
    assert!(config.second.totp.is_none() && config.second.webauthn.is_none());
}

#[test]
fn accounts_are_what_the_file_says() {
    let backend = |keys: &str, more: &str| {
        let yaml = LEAST.replace("  file:\n", &format!("{keys}  file:\n"));
        Memory::new(&format!("{yaml}{STORE}{FILE}{more}"))
            .load()
            .unwrap()
            .config
            .account
    };
    let account = backend(
        "",
        "identity_validation:\n  reset_password: {jwt_lifespan: 1h}\n  elevated_session: {code_lifespan: 1m, elevation_lifespan: 1h, characters: 10, require_second_factor: true, skip_second_factor: true}\n",
    );
    assert_eq!(account.reset, Some(Reset::Link { lifespan: 3600 }));
    let Elevation {
        code_lifespan,
        lifespan,
        characters,
        ..
    } = account.elevation;
    assert_eq!((code_lifespan, lifespan, characters), (60, 3600, 10));
    assert!(account.elevation.require_second_factor && account.elevation.skip_second_factor);
    assert_eq!(backend("", "").reset, Some(Reset::Link { lifespan: 300 }));
    let disabled = backend(
        "  password_reset: {disable: true}\n  password_change: {disable: true}\n",
        "",
    );
    assert_eq!((disabled.reset, disabled.change_password), (None, false));
    let elsewhere = backend(
        "  password_reset: {custom_url: 'https://example.com/reset'}\n",
        "",
    );
    assert_eq!(
        elsewhere.reset,
        Some(Reset::Elsewhere("https://example.com/reset".into()))
    );
    let policy = |more: &str| backend("", more).policy;
    assert_eq!(
        policy("password_policy: {zxcvbn: {enabled: true}}\n"),
        PasswordPolicy::Zxcvbn { min_score: 3 }
    );
    assert_eq!(
        policy("password_policy: {zxcvbn: {enabled: true, min_score: 4}}\n"),
        PasswordPolicy::Zxcvbn { min_score: 4 }
    );
    assert_eq!(
        policy("password_policy: {standard: {enabled: true}}\n"),
        PasswordPolicy::Standard(Standard::default())
    );
    let strict = Standard {
        min_length: 10,
        max_length: 64,
        require_uppercase: true,
        require_lowercase: true,
        require_number: true,
        require_special: true,
    };
    assert_eq!(
        policy(
            "password_policy: {standard: {enabled: true, min_length: 10, max_length: 64, require_uppercase: true, require_lowercase: true, require_number: true, require_special: true}}\n"
        ),
        PasswordPolicy::Standard(strict)
    );
    assert_eq!(
        policy("password_policy: {standard: {min_length: 10}}\n"),
        PasswordPolicy::Off
    );
}

#[test]
fn a_notifier_writes_a_file_or_speaks_to_a_server() {
    let notifier = config(FILE).notifier.unwrap();
    assert!(notifier.startup_check);
    assert!(matches!(notifier.way, Way::File(path) if path == Path::new("/etc/gate/mail/new.txt")));
    let all = smtp(
        "    address: submissions://mail.example.com\n    timeout: 10s\n    username: u\n    password: secret-password\n    identifier: auth.example.com\n    subject: '{title}!'\n    startup_check_address: Test <test@example.com>\n    disable_html_emails: true\n    tls: {server_name: mx.example.com, minimum_version: TLS1.3}\n  disable_startup_check: true\ncertificates_directory: certs\n",
    );
    assert_eq!(
        (all.host.as_str(), all.port, all.timeout),
        ("mail.example.com", 465, 10)
    );
    assert_eq!(all.security, Security::Implicit);
    assert_eq!(
        (all.sender.name.as_str(), all.sender.address.as_str()),
        ("Gate", "gate@example.com")
    );
    assert_eq!(
        all.check_recipient.as_ref().unwrap().address,
        "test@example.com"
    );
    assert_eq!(
        (all.identifier.as_str(), all.subject.as_str(), all.html),
        ("auth.example.com", "{title}!", false)
    );
    assert_eq!(all.tls.server_name, "mx.example.com");
    assert!(all.tls.verify && all.tls.only_newest);
    assert_eq!(
        all.tls.certificates.as_deref(),
        Some(Path::new("/etc/gate/certs"))
    );
    let credentials = all.credentials.as_ref().unwrap();
    assert_eq!(
        (
            credentials.username.as_str(),
            credentials.password.expose_secret()
        ),
        ("u", "secret-password")
    );
    assert!(!format!("{all:?}").contains("secret-password"));
    let least = smtp("    address: mail.example.com\n");
    assert_eq!(
        (least.port, least.timeout, least.security),
        (25, 5, Security::StartTls)
    );
    assert_eq!(
        (
            least.identifier.as_str(),
            least.subject.as_str(),
            least.html
        ),
        ("localhost", "[Authelia] {title}", true)
    );
    assert!(least.credentials.is_none() && least.check_recipient.is_none());
    assert_eq!(least.tls.server_name, "mail.example.com");
}

#[test]
fn addresses_of_mail_servers() {
    for (address, host, port) in [
        ("smtp://mail.example.com", "mail.example.com", 25),
        ("submission://mail.example.com", "mail.example.com", 587),
        (
            "submissions://mail.example.com:4650",
            "mail.example.com",
            4650,
        ),
        ("mail.example.com:2525", "mail.example.com", 2525),
        ("'smtp://[::1]:25'", "::1", 25),
        ("smtp://127.0.0.1:1025/", "127.0.0.1", 1025),
    ] {
        let smtp = smtp(&format!("    address: {address}\n"));
        assert_eq!((smtp.host.as_str(), smtp.port), (host, port), "{address}");
    }
    for (port, security) in [
        (465, Security::Implicit),
        (587, Security::StartTls),
        (25, Security::StartTls),
    ] {
        let smtp = smtp(&format!("    host: mail.example.com\n    port: {port}\n"));
        assert_eq!((smtp.port, smtp.security), (port, security));
    }
    let open = |more: &str| smtp(&format!("    address: smtp://h\n    {more}\n"));
    assert_eq!(
        open("disable_require_tls: true").security,
        Security::Opportunistic
    );
    assert_eq!(open("disable_starttls: true").security, Security::None);
    assert!(!open("disable_starttls: true").clear_credentials);
}

#[test]
fn rate_limits_have_authelias_defaults() {
    let default = config("").rate_limits;
    assert_eq!(default, RateLimits::new(300, 600));
    let periods = |limits: &RateLimits, what| -> Vec<(u64, u32)> {
        limits
            .buckets(what)
            .iter()
            .map(|b| (b.period, b.requests))
            .collect()
    };
    assert_eq!(
        periods(&default, Limited::SecondFactor),
        [(60, 30), (120, 40), (600, 50)]
    );
    assert_eq!(
        periods(&default, Limited::ElevationStart),
        [(300, 3), (600, 5), (3600, 15)]
    );
    assert_eq!(
        periods(&default, Limited::ElevationFinish),
        [(600, 3), (1200, 5), (3600, 15)]
    );
    assert_eq!(
        periods(&default, Limited::ResetStart),
        [(600, 5), (900, 10), (1800, 15)]
    );
    assert_eq!(
        periods(&default, Limited::ResetFinish),
        [(60, 10), (120, 15)]
    );
    let given = config("server:\n  endpoints:\n    rate_limits:\n      second_factor_totp: {enable: false}\n      reset_password_start: {buckets: [{period: 2 minutes, requests: 20}]}\n      session_elevation_finish: {enable: true}\nidentity_validation: {elevated_session: {elevation_lifespan: 1m}}\n").rate_limits;
    assert_eq!(given.buckets(Limited::SecondFactor), []);
    assert_eq!(
        given.buckets(Limited::ResetStart),
        [Bucket {
            period: 120,
            requests: 20
        }]
    );
    assert_eq!(
        periods(&given, Limited::ElevationFinish),
        [(60, 3), (120, 5), (360, 15)]
    );
}
