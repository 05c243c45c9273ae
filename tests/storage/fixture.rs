//! A folder and a store of its own for each test.

use std::fs;
use std::path::{Path, PathBuf};

use ngx_http_auth_gate_module::store::{
    Algorithm, NewCredential, NewTotp, Sqlite, StorageKey, StoreError,
};

pub const NOW: u64 = 1_800_000_000;

/// An empty folder named after the test.
pub fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("storage")
        .join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

pub fn key() -> StorageKey {
    StorageKey::derive(b"a-storage-key-of-some-length")
}

pub fn random(bytes: &mut [u8]) {
    getrandom::fill(bytes).unwrap();
}

pub fn open(path: &Path) -> Result<Sqlite, StoreError> {
    Sqlite::open(path, key(), &mut random)
}

/// A new store.
pub fn store(test: &str) -> Sqlite {
    open(&folder(test).join("db.sqlite3")).unwrap()
}

pub fn device(user: &str, name: &str) -> NewTotp {
    NewTotp {
        user: user.into(),
        name: name.into(),
        issuer: "example.com".into(),
        algorithm: Algorithm::Sha1,
        digits: 6,
        period: 30,
        secret: vec![7; 20].into(),
    }
}

pub fn credential(user: &str, name: &str, id: &[u8]) -> NewCredential {
    NewCredential {
        user: user.into(),
        name: name.into(),
        rp_id: "auth.example.com".into(),
        credential_id: id.into(),
        public_key: vec![9; 77],
        aaguid: Some("01020304-0506-0708-0102-030405060708".into()),
        attestation_format: "packed".into(),
        attestation_type: "basic_full".into(),
        attestation: Some(b"{}".to_vec()),
        attachment: "cross-platform".into(),
        transports: "usb,nfc".into(),
        sign_count: 3,
        clone_warning: false,
        legacy: false,
        discoverable: true,
        present: true,
        verified: false,
        backup_eligible: true,
        backup_state: false,
    }
}

/// A copy of a recorded database of Authelia.
pub fn recorded(folder: &Path, schema: u8) -> PathBuf {
    let name = format!("schema-{schema}.sqlite3");
    let copy = folder.join(&name);
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/storage");
    fs::write(&copy, fs::read(recorded.join(name)).unwrap()).unwrap();
    copy
}
