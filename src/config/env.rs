//! Overrides from the environment: `AUTHELIA_SESSION_SECRET` and `AUTHELIA_SESSION_SECRET_FILE`.

use std::collections::BTreeMap;
use std::path::Path;

use super::Loader;
use super::check::nearest;
use super::old::put;
use super::report::{At, ENVIRONMENT, Report};
use super::table::table;
use super::yaml::{Entry, Id, Kind, Node, Scalar, Value};

const PREFIX: &str = "AUTHELIA_";
const FILE: &str = "_FILE";

/// Largest file that a `…_FILE` variable may name, in bytes.
const MAX_SECRET: usize = 1 << 20;

/// Puts every override into `root`. The answer names the variables that were used.
pub(super) fn apply(root: &mut Node, loader: &dyn Loader, report: &mut Report) -> Vec<String> {
    let known = names();
    let mut variables: Vec<(String, String)> = loader
        .env()
        .into_iter()
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    // A `…_FILE` variable may not meet its plain sister, so the plain ones come first.
    variables.sort_by_key(|(name, _)| (!known.contains_key(name.as_str()), name.clone()));
    let mut used = Vec::new();
    for (n, (name, value)) in variables.into_iter().enumerate() {
        let id = ENVIRONMENT + Id::try_from(n).unwrap_or(0);
        let (path, from_file) = match find(&known, &name) {
            Some(found) => found,
            None => {
                unexpected(&name, id, &known, report);
                continue;
            }
        };
        let mut entry = entry(&name, id, value);
        if from_file && !read_file(root, path, &mut entry, loader, report) {
            continue;
        }
        put(root, &path.split('.').collect::<Vec<_>>(), entry);
        used.push(name);
    }
    used.sort();
    used
}

/// The name of the variable for every value that can have one, and the path it stands for.
fn names() -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    table().leaves(&mut Vec::new(), &mut |path, _| {
        let name = format!("{PREFIX}{}", path.join("_").to_ascii_uppercase());
        names.entry(name).or_insert_with(|| path.join("."));
    });
    names
}

/// The path that a variable stands for, and whether it names a file with the value.
fn find<'k>(known: &'k BTreeMap<String, String>, name: &str) -> Option<(&'k str, bool)> {
    if let Some(path) = known.get(name) {
        return Some((path, false));
    }
    let path = known.get(name.strip_suffix(FILE)?)?;
    Some((path, true))
}

fn entry(name: &str, id: Id, text: String) -> Entry {
    let value = Value::Scalar(Scalar {
        text,
        kind: Kind::Text,
    });
    Entry {
        key: String::new(),
        key_id: id,
        value: Node { id, value },
        written: Some(name.into()),
    }
}

/// Puts the content of the file that `entry` names into it. False where that cannot be.
fn read_file(
    root: &Node,
    path: &str,
    entry: &mut Entry,
    loader: &dyn Loader,
    report: &mut Report,
) -> bool {
    let name = entry.written.clone().unwrap_or_default();
    let place = At {
        node: &entry.value,
        id: entry.key_id,
        key: name,
    };
    if let Some(given) = At::root(root).get(path)
        && given.filled().is_some()
    {
        report.error(
            &place,
            format!("`{}` has a value already; keep one of the two", given.key),
        );
        return false;
    }
    let file = place.text().unwrap_or_default();
    match loader.read(Path::new(file)).map(String::from_utf8) {
        Ok(Ok(text)) if text.len() <= MAX_SECRET => {
            let text = text.trim_end_matches(['\n', '\r']).to_owned();
            entry.value.value = Value::Scalar(Scalar {
                text,
                kind: Kind::Text,
            });
            return true;
        }
        Ok(Ok(_)) => report.error(&place, format!("`{file}` is larger than a megabyte")),
        Ok(Err(_)) => report.error(&place, format!("`{file}` is not UTF-8 text")),
        Err(error) => report.error(&place, format!("cannot read `{file}`: {error}")),
    }
    false
}

fn unexpected(name: &str, id: Id, known: &BTreeMap<String, String>, report: &mut Report) {
    let node = Node {
        id,
        value: Value::Null,
    };
    let place = At {
        node: &node,
        id,
        key: name.into(),
    };
    let bare = name.strip_suffix(FILE).unwrap_or(name);
    let suffix = &name[bare.len()..];
    match nearest(bare, known.keys().map(String::as_str)) {
        Some(near) => report.warn(
            &place,
            format!("stands for no key; did you mean {near}{suffix}?"),
        ),
        None => report.warn(&place, "stands for no key and has no effect"),
    }
}
