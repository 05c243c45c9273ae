//! `storage`: where second factors are kept, and the key that seals them.

use std::path::Path;

use secrecy::SecretString;

use super::backend::beside;
use super::later::{filled, need};
use super::model::Storage;
use super::report::{At, Report};

/// Reads `storage`; relative paths are relative to `configuration`.
pub(super) fn storage(root: &At<'_>, configuration: &Path, report: &mut Report) -> Option<Storage> {
    let storage = root.get("storage")?;
    engines(&storage, report);
    let local = storage.get("local")?;
    need(&local, "path", "db.sqlite3", report);
    need(&storage, "encryption_key", "'64 random characters'", report);
    Some(Storage {
        path: beside(configuration, filled(&local, "path")?),
        encryption_key: SecretString::from(filled(&storage, "encryption_key")?),
    })
}

fn engines(storage: &At<'_>, report: &mut Report) {
    let given: Vec<At<'_>> = ["local", "mysql", "postgres"]
        .iter()
        .filter_map(|key| storage.get(key))
        .collect();
    if let [first, second, ..] = &given[..] {
        report.error(
            second,
            format!("cannot stand beside {}; keep one of them", first.key),
        );
    }
    if let (Some(ssl), Some(_)) = (storage.get("postgres.ssl"), storage.get("postgres.tls")) {
        report.error(
            &ssl,
            "cannot stand beside storage.postgres.tls; take it out",
        );
    }
}
