//! Moving in from Authelia, replayed on databases that it has written.

use std::fs;
use std::path::Path;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ngx_http_auth_gate_module::store::import::{Count, Found, ImportError, read};
use ngx_http_auth_gate_module::store::{Algorithm, Factors, SecondFactor, Sqlite, TotpDevice};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use rusqlite::Connection;
use secrecy::ExposeSecret;

use super::fixture::{NOW, credential, device, folder, open, random, recorded, store};
use super::resealed::schema_25;

pub const AUTHELIAS_KEY: &str = "golden-storage-encryption-key-of-some-length";
const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
const RP_ID: &str = "auth.example.com";

fn found(path: &Path) -> Found {
    let before = fs::read(path).unwrap();
    let found = read(path, AUTHELIAS_KEY.as_bytes()).unwrap();
    assert_eq!(fs::read(path).unwrap(), before, "the file was written");
    found
}

fn refusal(path: &Path, key: &str) -> ImportError {
    read(path, key.as_bytes()).unwrap_err()
}

const fn taken(taken: usize) -> Count {
    Count { taken, known: 0 }
}

const fn known(known: usize) -> Count {
    Count { taken: 0, known }
}

/// What must be in the store after an import.
fn assert_content(store: &Sqlite) {
    let device = |user| -> TotpDevice { store.totp_devices(user).unwrap().remove(0) };
    let expected = [
        ("alice", "Authelia", Algorithm::Sha1, 6, 30),
        ("bob", "example.com", Algorithm::Sha512, 8, 60),
        ("carol", "example.com", Algorithm::Sha256, 6, 30),
    ];
    let secret = data_encoding::BASE32_NOPAD
        .decode(SECRET.as_bytes())
        .unwrap();
    for (user, issuer, algorithm, digits, period) in expected {
        let kept = device(user).device;
        assert_eq!(kept.secret.expose_secret(), secret, "{user}");
        assert_eq!(
            (
                kept.issuer.as_str(),
                kept.algorithm,
                kept.digits,
                kept.period
            ),
            (issuer, algorithm, digits, period)
        );
    }
    assert_eq!(device("alice").created, 1_795_225_437);
    assert_eq!(device("alice").last_used, Some(1_795_225_467));
    assert_eq!(device("bob").last_used, None);
    for user in ["alice", "erin"] {
        let preferred = store.preferred(user).unwrap();
        assert_eq!(preferred, Some(SecondFactor::Totp), "{user}");
    }
    assert_webauthn(store);
}

fn assert_webauthn(store: &Sqlite) {
    let key = include_bytes!("webauthn-key.json");
    let key: serde_json::Value = serde_json::from_slice(key).unwrap();
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    let id = bytes("credential_id");
    let kept = store.credential(RP_ID, &id).unwrap().unwrap();
    assert_eq!(kept.created, 1_795_225_469);
    let kept = kept.credential;
    assert_eq!(
        (kept.user.as_str(), kept.name.as_str()),
        ("erin", "key one")
    );
    assert_eq!((kept.sign_count, kept.transports.as_str()), (1, "usb"));
    assert!(kept.present && !kept.verified && !kept.discoverable);
    assert!(
        kept.attestation
            .unwrap()
            .starts_with(b"{\"clientDataJSON\"")
    );
    let user = store.user_of_handle(RP_ID, &bytes("user_handle")).unwrap();
    assert_eq!(user.as_deref(), Some("erin"));
    // COSE of a P-256 key: five fixed pairs, the coordinates behind their lengths.
    let (x, y) = (&kept.public_key[10..42], &kept.public_key[45..77]);
    let public = [&[4], x, y].concat();
    let private = key["private_scalar_hex"].as_str().unwrap().as_bytes();
    let private = data_encoding::HEXLOWER.decode(private).unwrap();
    EcdsaKeyPair::from_private_key_and_public_key(
        &ECDSA_P256_SHA256_ASN1_SIGNING,
        &private,
        &public,
        &SystemRandom::new(),
    )
    .expect("the private key belongs to the public key that was imported");
}

#[test]
fn every_schema_gives_the_same() {
    let folder = folder("schemas");
    let files = [
        (24, recorded(&folder, 24)),
        (26, recorded(&folder, 26)),
        (25, {
            let below = folder.join("25");
            fs::create_dir(&below).unwrap();
            schema_25(&below)
        }),
    ];
    for (schema, file) in files {
        let store = open(&folder.join(format!("ours-{schema}.sqlite3"))).unwrap();
        let found = found(&file);
        assert_eq!(found.schema, schema);
        assert_eq!(found.left_out, [""; 0]);
        let users: Vec<_> = found.users().into_iter().collect();
        assert_eq!(users, ["alice", "bob", "carol", "erin"]);
        let result = store.import(&found, NOW, &mut random).unwrap();
        assert_eq!(result.totp, taken(3));
        assert_eq!(result.webauthn, taken(1));
        assert_eq!(result.preferences, taken(2));
        assert_eq!(result.left_out, [""; 0]);
        assert_content(&store);
    }
}

#[test]
fn a_second_import_takes_nothing_and_brings_nothing_back() {
    let folder = folder("twice");
    let store = open(&folder.join("ours.sqlite3")).unwrap();
    let first = found(&recorded(&folder, 24));
    store.import(&first, NOW, &mut random).unwrap();
    let lost = store.totp_devices("bob").unwrap()[0].id;
    assert!(store.remove_totp("bob", lost).unwrap());
    store.prefer("alice", SecondFactor::Webauthn).unwrap();
    let second = found(&recorded(&folder, 26));
    let result = store.import(&second, NOW + 1, &mut random).unwrap();
    let counts = (result.totp, result.webauthn, result.preferences);
    assert_eq!(counts, (known(3), known(1), known(2)));
    assert_eq!(store.totp_devices("alice").unwrap().len(), 1);
    assert_eq!(store.totp_devices("bob").unwrap().len(), 0);
    assert_eq!(
        store.preferred("alice").unwrap(),
        Some(SecondFactor::Webauthn)
    );
    assert_eq!(store.credentials("erin").unwrap().len(), 1);
}

#[test]
fn what_users_have_here_already_stays_beside_it() {
    let store = store("beside");
    let phone = device("alice", "Authenticator app");
    store.add_totp(&phone, NOW, &mut random).unwrap();
    let key = credential("erin", "key one", b"another");
    store.add_credential(&key, NOW, &mut random).unwrap();
    let handle = store.user_handle(RP_ID, "erin", &[5; 64]).unwrap();
    store.prefer("erin", SecondFactor::Webauthn).unwrap();
    let found = found(&recorded(&folder("beside_from"), 26));
    let result = store.import(&found, NOW, &mut random).unwrap();
    assert_eq!(result.totp, taken(3));
    let preferences = Count { taken: 1, known: 1 };
    assert_eq!(result.preferences, preferences);
    assert_eq!(result.left_out.len(), 1, "{:?}", result.left_out);
    assert!(result.left_out[0].starts_with("erin has registered security keys"));
    let devices = store.totp_devices("alice").unwrap();
    assert_eq!(devices[1].device.name, "Authenticator app 2");
    let keys = store.credentials("erin").unwrap();
    assert_eq!(keys[1].credential.name, "key one 2");
    assert_eq!(store.user_handle(RP_ID, "erin", &[6; 64]).unwrap(), handle);
    assert_eq!(
        store.preferred("erin").unwrap(),
        Some(SecondFactor::Webauthn)
    );
}

#[test]
fn single_values_that_do_not_open_are_left_out_by_name() {
    let folder = folder("left_out");
    let file = recorded(&folder, 26);
    let database = Connection::open(&file).unwrap();
    let changes = "UPDATE totp_configurations SET secret = \
        (SELECT secret FROM totp_configurations WHERE username = 'carol') WHERE username = 'bob'; \
        UPDATE totp_configurations SET digits = 1000 WHERE username = 'carol'; \
        UPDATE webauthn_credentials SET public_key = x'00'; \
        UPDATE user_preferences SET second_factor_method = 'mobile_push' WHERE username = 'erin'";
    database.execute_batch(changes).unwrap();
    drop(database);
    let found = found(&file);
    assert_eq!(
        found.left_out,
        [
            "the TOTP device of bob is left out: its secret does not open with the encryption key",
            "the TOTP device of carol is left out: its digits or its period are out of range",
            "the security key of erin is left out: it does not open with the encryption key",
            "the preferred method of erin is left out: there is no method `mobile_push` here",
        ]
    );
    let store = open(&folder.join("ours.sqlite3")).unwrap();
    let result = store.import(&found, NOW, &mut random).unwrap();
    assert_eq!((result.totp, result.webauthn), (taken(1), taken(0)));
}

#[test]
fn a_wrong_key_is_named() {
    let folder = folder("wrong_key");
    for schema in [24, 26] {
        let file = recorded(&folder, schema);
        let error = refusal(&file, "some-other-key-of-some-length");
        assert!(matches!(error, ImportError::WrongKey { .. }), "{error}");
        assert!(error.to_string().contains("--encryption-key-file"));
    }
}

#[test]
fn other_files_and_schemas_are_refused() {
    let folder = folder("other_schemas");
    let missing = folder.join("missing.sqlite3");
    let error = refusal(&missing, AUTHELIAS_KEY);
    assert!(matches!(error, ImportError::Missing { .. }));
    for (schema, advice) in [(23, "let Authelia 4.39 start"), (27, "a newer Auth Gate")] {
        let file = recorded(&folder, 26);
        let insert = "INSERT INTO migrations (version_before, version_after, application_version) \
            VALUES (26, ?1, '')";
        let database = Connection::open(&file).unwrap();
        database.execute(insert, [schema]).unwrap();
        drop(database);
        let said = refusal(&file, AUTHELIAS_KEY).to_string();
        assert!(said.contains(&format!("has schema {schema} of Authelia")));
        assert!(
            said.contains("only 24 to 26") && said.contains(advice),
            "{said}"
        );
    }
    let ours = open(&folder.join("ours.sqlite3")).unwrap();
    let path = ours.path().to_owned();
    drop(ours);
    let text = folder.join("text");
    fs::write(&text, "x".repeat(5000)).unwrap();
    for file in [path, text, folder.join("schema-26.sqlite3-short")] {
        if !file.exists() {
            fs::write(&file, "short").unwrap();
        }
        let error = refusal(&file, AUTHELIAS_KEY);
        assert!(matches!(error, ImportError::NotAuthelias { .. }), "{error}");
    }
}

#[test]
fn a_database_with_an_unfinished_log_is_not_read() {
    let folder = folder("unfinished");
    let file = recorded(&folder, 26);
    let database = Connection::open(&file).unwrap();
    database.pragma_update(None, "journal_mode", "WAL").unwrap();
    let update = "UPDATE user_preferences SET second_factor_method = 'webauthn'";
    database.execute(update, []).unwrap();
    let error = refusal(&file, AUTHELIAS_KEY);
    assert!(matches!(error, ImportError::Unfinished { .. }), "{error}");
    drop(database);
    let names = |folder: &Path| fs::read_dir(folder).unwrap().count();
    let before = names(&folder);
    assert_eq!(found(&file).users().len(), 4);
    assert_eq!(names(&folder), before, "reading has made files");
}
