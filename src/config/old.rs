//! Older spellings that Authelia still reads, moved to where they stand today.

use super::report::{At, Report};
use super::table::{Fate, Key, table};
use super::yaml::{Entry, Node, Value};

/// Moves every older spelling in `root`, with a warning each.
pub(super) fn modernise(root: &mut Node, report: &mut Report) {
    let mut found = Vec::new();
    table().leaves(&mut Vec::new(), &mut |path, key| {
        found.push((path.join("."), key))
    });
    for (path, key) in found {
        match key.fate {
            Fate::Old(new) => move_to(root, &path, new, report),
            Fate::Part(new) => joined(root, &path, new, report),
            _ => {}
        }
    }
    rename_in_clients(root, report);
}

fn move_to(root: &mut Node, old: &str, new: &str, report: &mut Report) {
    let Some(mut entry) = take(root, old) else {
        return;
    };
    let written = entry.written.take().unwrap_or_else(|| old.into());
    let place = At {
        node: &entry.value,
        id: entry.key_id,
        key: written.clone(),
    };
    if At::root(root).get(new).is_some() {
        report.warn(
            &place,
            format!(
                "is an older spelling of `{new}`, which is given, too, and holds; take this one out"
            ),
        );
        return;
    }
    report.warn(&place, format!("is an older spelling; write `{new}`"));
    let names: Vec<&str> = new.split('.').collect();
    put(
        root,
        &names,
        Entry {
            written: Some(written),
            ..entry
        },
    );
}

fn joined(root: &Node, old: &str, new: &str, report: &mut Report) {
    let root = At::root(root);
    let Some(place) = root.get(old) else { return };
    match root.get(new) {
        Some(_) => report.error(
            &place,
            format!("cannot stand beside `{new}`, which has taken its place; take this one out"),
        ),
        None => report.warn(&place, format!("is an older spelling; write `{new}`")),
    }
}

/// The older spellings inside the list of OpenID Connect clients, which only need a warning.
fn rename_in_clients(root: &Node, report: &mut Report) {
    const CLIENTS: &str = "identity_providers.oidc.clients";
    let Some(clients) = At::root(root).get(CLIENTS) else {
        return;
    };
    let known = CLIENTS
        .split('.')
        .try_fold(table(), |key: &Key, name| key.below(name));
    for client in clients.items() {
        for entry in client.entries() {
            let fate = known
                .and_then(|key| key.below(&entry.key))
                .map(|key| key.fate);
            if let Some(Fate::Old(new)) = fate {
                report.warn(
                    &client.entry(entry),
                    format!("is an older spelling; write `{new}`"),
                );
            }
        }
    }
}

/// Takes the entry at a dotted path out of the tree.
fn take(node: &mut Node, path: &str) -> Option<Entry> {
    let Value::Map(entries) = &mut node.value else {
        return None;
    };
    match path.split_once('.') {
        None => {
            let at = entries.iter().position(|entry| entry.key == path)?;
            Some(entries.remove(at))
        }
        Some((name, rest)) => take(
            &mut entries.iter_mut().find(|entry| entry.key == name)?.value,
            rest,
        ),
    }
}

/// Puts an entry at a path, making the maps above it; what stands there gives way.
pub(super) fn put(node: &mut Node, path: &[&str], entry: Entry) {
    let [name, rest @ ..] = path else { return };
    if matches!(node.value, Value::Null) {
        node.value = Value::Map(Vec::new());
    }
    let Value::Map(entries) = &mut node.value else {
        return;
    };
    let at = entries.iter().position(|entry| entry.key == *name);
    if rest.is_empty() {
        let entry = Entry {
            key: (*name).into(),
            ..entry
        };
        match at {
            Some(at) => entries[at] = entry,
            None => entries.push(entry),
        }
        return;
    }
    let at = at.unwrap_or_else(|| {
        let id = entry.key_id;
        let value = Node {
            id,
            value: Value::Map(Vec::new()),
        };
        let written = entry.written.clone();
        entries.push(Entry {
            key: (*name).into(),
            key_id: id,
            value,
            written,
        });
        entries.len() - 1
    });
    put(&mut entries[at].value, rest, entry);
}
