//! `authentication_backend`: where the users file is and how it is used.

use std::path::{Path, PathBuf};

use super::model::{ExtraAttribute, RefreshInterval, UsersFile, ValueType};
use super::report::{At, Report};
use super::values::duration;
use crate::users::{AlgorithmOptions, HashOptions, HashParameters, Matching};

/// Seconds after which Authelia looks a user up again.
const REFRESH: u64 = 300;

/// Reads `authentication_backend`; relative paths are relative to `configuration`.
pub(super) fn users_file(
    root: &At<'_>,
    configuration: &Path,
    report: &mut Report,
) -> Option<UsersFile> {
    const KEY: &str = "authentication_backend.file";
    let Some(file) = root.get(KEY) else {
        if root.get("authentication_backend.ldap").is_none() {
            report.missing(
                KEY,
                "is missing; write authentication_backend.file.path with the path of a users file",
            );
        }
        return None;
    };
    let flag = |key: &str| file.get(key).and_then(|at| at.bool()).unwrap_or(false);
    let watch = flag("watch");
    let password = file.get("password").map_or_else(
        || Some(HashParameters::default()),
        |at| parameters(&at, report),
    );
    let extra_attributes = extra_attributes(&file, report);
    let refresh_interval = refresh_interval(root, watch);
    let Some(path) = file.get("path").and_then(|at| at.filled()) else {
        report.error(
            &file,
            "has no path; write for instance `path: users_database.yml`",
        );
        return None;
    };
    Some(UsersFile {
        path: beside(configuration, path),
        watch,
        matching: Matching {
            search_email: flag("search.email"),
            case_insensitive: flag("search.case_insensitive"),
        },
        password: password?,
        refresh_interval,
        extra_attributes,
    })
}

/// `path` as seen from the folder of `file`.
pub(super) fn beside(file: &Path, path: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(path)
}

fn refresh_interval(root: &At<'_>, watch: bool) -> RefreshInterval {
    let default = if watch {
        RefreshInterval::Always
    } else {
        RefreshInterval::Every(REFRESH)
    };
    let Some(at) = root.get("authentication_backend.refresh_interval") else {
        return default;
    };
    match at.text() {
        Some("always") => RefreshInterval::Always,
        Some("disable") => RefreshInterval::Never,
        _ => match duration(&at) {
            Ok(Some(seconds)) if seconds > 0 => RefreshInterval::Every(seconds),
            _ => default,
        },
    }
}

fn parameters(at: &At<'_>, report: &mut Report) -> Option<HashParameters> {
    let below = |key: &str| {
        at.get(key)
            .map_or_else(AlgorithmOptions::default, |at| options(&at))
    };
    let parameters = HashParameters::new(HashOptions {
        algorithm: at
            .get("algorithm")
            .and_then(|at| at.filled().map(str::to_owned)),
        argon2: below("argon2"),
        scrypt: below("scrypt"),
        pbkdf2: below("pbkdf2"),
        sha2crypt: below("sha2crypt"),
        bcrypt: below("bcrypt"),
        legacy: options(at),
    });
    match parameters {
        Ok(parameters) => Some(parameters),
        Err(errors) => {
            for error in errors {
                report.error(
                    &at.get(error.key).unwrap_or_else(|| at.clone()),
                    error.message,
                );
            }
            None
        }
    }
}

fn options(at: &At<'_>) -> AlgorithmOptions {
    let int = |key: &str| at.get(key).and_then(|at| at.int());
    AlgorithmOptions {
        variant: at
            .get("variant")
            .and_then(|at| at.filled().map(str::to_owned)),
        iterations: int("iterations"),
        memory: int("memory"),
        block_size: int("block_size"),
        parallelism: int("parallelism"),
        key_length: int("key_length"),
        salt_length: int("salt_length"),
        cost: int("cost"),
    }
}

fn extra_attributes(file: &At<'_>, report: &mut Report) -> Vec<ExtraAttribute> {
    let Some(attributes) = file.get("extra_attributes") else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in attributes.entries() {
        let at = attributes.entry(entry);
        let value_type = match at.get("value_type").and_then(|at| at.filled()) {
            Some("string") => ValueType::String,
            Some("integer") => ValueType::Integer,
            Some("boolean") => ValueType::Boolean,
            Some(_) => continue,
            None => {
                report.error(
                    &at,
                    "has no value_type; write `value_type: string`, integer or boolean",
                );
                continue;
            }
        };
        let multi_valued = at
            .get("multi_valued")
            .and_then(|at| at.bool())
            .unwrap_or(false);
        found.push(ExtraAttribute {
            name: entry.key.clone(),
            value_type,
            multi_valued,
        });
    }
    found
}
