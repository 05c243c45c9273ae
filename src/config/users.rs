//! The users file: `users:` as Authelia has it, with `attributes`, `additionalHeaders` and
//! `backend_override` of users and groups.

use std::collections::BTreeMap;

use super::check::nearest;
use super::model::{ExtraAttribute, UsersFile, ValueType};
use super::report::{At, Report};
use super::yaml::{Kind, Value};
use crate::users::{Directory, DirectoryError, Entry, PasswordHash, Profile, Source};

const TOP: &[&str] = &["users", "groups", "backend_override"];
const PROFILE: &[&str] = &["attributes", "additionalHeaders", "backend_override"];
const ACCOUNT: &[&str] = &[
    "displayname",
    "password",
    "email",
    "groups",
    "disabled",
    "address",
    "extra",
];
/// Keys of a user that become attributes of the same name.
const PERSONAL: &[&str] = &[
    "given_name",
    "middle_name",
    "family_name",
    "nickname",
    "gender",
    "birthdate",
    "website",
    "profile",
    "picture",
    "zoneinfo",
    "locale",
    "phone_number",
    "phone_extension",
];
const ADDRESS: &[&str] = &[
    "street_address",
    "locality",
    "region",
    "postal_code",
    "country",
];

/// Reads the whole file.
pub(super) fn directory(root: &At<'_>, file: &UsersFile, report: &mut Report) -> Directory {
    keys(root, &[TOP], report);
    let mut source = Source {
        backend_override: text(root, "backend_override", report),
        ..Source::default()
    };
    if let Some(groups) = section(root, "groups", report) {
        for entry in groups.entries() {
            let at = groups.entry(entry);
            keys(&at, &[PROFILE], report);
            source
                .groups
                .insert(entry.key.clone(), profile(&at, report));
        }
    }
    let users = section(root, "users", report).filter(|at| !at.entries().is_empty());
    match users {
        Some(users) => {
            for entry in users.entries() {
                source
                    .users
                    .extend(user(&users.entry(entry), &entry.key, file, report));
            }
        }
        None if report.is_good() => report.missing(
            "users",
            "nobody is in it; write users: with a name, displayname and password",
        ),
        None => {}
    }
    match Directory::new(source, &file.matching) {
        Ok(directory) => {
            for remark in directory.remarks() {
                report.warn(&descend(root, remark), remark.message.clone());
            }
            directory
        }
        Err(errors) => {
            for error in errors {
                report.error(&descend(root, &error), error.message);
            }
            Directory::default()
        }
    }
}

/// The place that the directory complains about, or the nearest above it.
fn descend<'t>(root: &At<'t>, error: &DirectoryError) -> At<'t> {
    let mut at = root.clone();
    for name in &error.path {
        let next = match name.parse::<usize>() {
            Ok(n) if at.is_list() => at.items().into_iter().nth(n),
            _ => at
                .entries()
                .iter()
                .find(|entry| entry.key == *name)
                .map(|entry| at.entry(entry)),
        };
        match next {
            Some(next) => at = next,
            None => break,
        }
    }
    At {
        key: error.path.join("."),
        ..at
    }
}

/// Warns about keys that nobody reads and refuses those given twice.
fn keys(at: &At<'_>, known: &[&[&str]], report: &mut Report) {
    let mut seen = Vec::new();
    for entry in at.entries() {
        let place = at.entry(entry);
        let name = entry.key.as_str();
        let all = || known.iter().copied().flatten().copied();
        if seen.contains(&name) {
            report.error(&place, "is given twice; keep one of them");
        } else if !all().any(|key| key == name) {
            let hint = nearest(name, all())
                .map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            report.warn(
                &place,
                format!("is no key known here and has no effect{hint}"),
            );
        }
        seen.push(name);
    }
}

/// The map at `key`; its own keys may be any, but none twice.
fn section<'t>(at: &At<'t>, key: &str, report: &mut Report) -> Option<At<'t>> {
    let section = at.get(key)?;
    if !matches!(section.node.value, Value::Map(_)) {
        report.error(&section, "must be keys with values");
        return None;
    }
    let mut seen = std::collections::HashSet::new();
    for entry in section.entries() {
        if !seen.insert(entry.key.as_str()) {
            report.error(&section.entry(entry), "is given twice; keep one of them");
        }
    }
    Some(section)
}

fn text(at: &At<'_>, key: &str, report: &mut Report) -> Option<String> {
    let at = at.get(key)?;
    if at.text().is_none() {
        report.error(&at, "must be a single value");
    }
    at.filled().map(str::to_owned)
}

fn user(at: &At<'_>, name: &str, file: &UsersFile, report: &mut Report) -> Option<Entry> {
    if !matches!(at.node.value, Value::Map(_)) {
        report.error(
            at,
            "must be keys with values; write displayname and password below it",
        );
        return None;
    }
    keys(at, &[ACCOUNT, PERSONAL, PROFILE], report);
    let display_name = text(at, "displayname", report).unwrap_or_else(|| {
        report.error(at, "has no displayname; write the name to show");
        String::new()
    });
    let groups = at.get("groups").map_or(Vec::new(), |at| at.items());
    let mut names: Vec<String> = Vec::new();
    for group in &groups {
        match group.filled() {
            Some(name) => names.push(name.into()),
            None => report.error(group, "must be the name of a group"),
        }
    }
    let mut own = profile(at, report);
    for (name, value) in personal(at, file, report) {
        own.attributes.entry(name).or_insert(value);
    }
    Some(Entry {
        name: name.into(),
        display_name,
        emails: text(at, "email", report).into_iter().collect(),
        groups: names,
        disabled: disabled(at, report),
        password: password(at, report)?,
        profile: own,
    })
}

fn password(at: &At<'_>, report: &mut Report) -> Option<PasswordHash> {
    let Some(place) = at.get("password").filter(|at| at.filled().is_some()) else {
        report.error(
            at,
            "has no password; write what `auth-gate hash-password` prints",
        );
        return None;
    };
    match PasswordHash::parse(place.text()?) {
        Ok(hash) => Some(hash),
        Err(error) => {
            report.error(
                &place,
                format!("{error}; write what `auth-gate hash-password` prints"),
            );
            None
        }
    }
}

/// Authelia reads this file by the older YAML, in which `yes` and `on` are true.
fn disabled(at: &At<'_>, report: &mut Report) -> bool {
    let Some(at) = at.get("disabled") else {
        return false;
    };
    match at.text().unwrap_or_default().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" => true,
        "false" | "no" | "off" | "n" => false,
        other => {
            report.error(&at, format!("`{other}` is no boolean; write true or false"));
            true
        }
    }
}

fn profile(at: &At<'_>, report: &mut Report) -> Profile {
    let mut attributes = BTreeMap::new();
    let mut additional_headers = Vec::new();
    if let Some(section) = section(at, "attributes", report) {
        scalars(&section, report, |name, value| {
            drop(attributes.insert(name, value))
        });
    }
    if let Some(section) = section(at, "additionalHeaders", report) {
        scalars(&section, report, |name, value| {
            additional_headers.push((name, value))
        });
    }
    Profile {
        attributes,
        additional_headers,
        backend_override: text(at, "backend_override", report),
    }
}

fn scalars(section: &At<'_>, report: &mut Report, mut take: impl FnMut(String, String)) {
    for entry in section.entries() {
        let at = section.entry(entry);
        match (&entry.value.value, at.text()) {
            (Value::Null, _) => take(entry.key.clone(), String::new()),
            (_, Some(value)) => take(entry.key.clone(), value.into()),
            _ => report.error(&at, "must be a single value"),
        }
    }
}

/// What Authelia knows of a person beside the account, as attributes.
fn personal(at: &At<'_>, file: &UsersFile, report: &mut Report) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for key in PERSONAL {
        found.extend(text(at, key, report).map(|value| ((*key).to_owned(), value)));
    }
    if let Some(address) = section(at, "address", report) {
        keys(&address, &[ADDRESS], report);
        for key in ADDRESS {
            found.extend(text(&address, key, report).map(|value| ((*key).to_owned(), value)));
        }
    }
    if let Some(section) = section(at, "extra", report) {
        for entry in section.entries() {
            let at = section.entry(entry);
            match file.extra_attributes.iter().find(|extra| extra.name == entry.key) {
                Some(extra) => found.extend(extra_value(&at, extra, report).map(|value| (entry.key.clone(), value))),
                None => report.error(&at, format!("is not declared; declare it in authentication_backend.file.extra_attributes.{}", entry.key)),
            }
        }
    }
    found
}

/// The value of a declared attribute; several values are joined by commas.
fn extra_value(at: &At<'_>, extra: &ExtraAttribute, report: &mut Report) -> Option<String> {
    if at.is_list() != extra.multi_valued {
        let wanted = if extra.multi_valued {
            "a list"
        } else {
            "a single value"
        };
        report.error(at, format!("must be {wanted}, as it is declared"));
        return None;
    }
    let mut values = Vec::new();
    for item in at.items() {
        let (fits, word) = match extra.value_type {
            ValueType::String => (item.kind() == Some(Kind::Text), "a text (in quotes)"),
            ValueType::Integer => (
                matches!(item.kind(), Some(Kind::Integer | Kind::Float)),
                "a number",
            ),
            ValueType::Boolean => (item.kind() == Some(Kind::Bool), "true or false"),
        };
        if !fits {
            report.error(&item, format!("must be {word}, as it is declared"));
            return None;
        }
        values.extend(item.text());
    }
    Some(values.join(","))
}
