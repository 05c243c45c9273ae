//! Every key of the file against the table of known keys: unknown, given twice, of the wrong
//! kind, older spelling, not built yet.

use std::collections::HashSet;

use super::report::{At, Report};
use super::table::{Fate, Key, Shape, Type, table};
use super::values::{fits, nearest};
use super::yaml::Value;

/// Checks the whole file.
pub(super) fn check(root: &At<'_>, report: &mut Report) {
    let mut walk = Walk {
        report,
        told: HashSet::new(),
    };
    walk.keys(root, table(), None);
}

struct Walk<'r> {
    report: &'r mut Report,
    /// Sections whose fate was told.
    told: HashSet<String>,
}

/// The nearest key at or above a place that has a fate of its own.
#[derive(Clone)]
struct Doom<'t> {
    at: At<'t>,
    fate: Fate,
}

impl Walk<'_> {
    fn value<'t>(&mut self, at: &At<'t>, key: &Key, doom: Option<&Doom<'t>>) {
        if matches!(at.node.value, Value::Null) {
            return;
        }
        let own;
        let doom = match key.fate {
            Fate::Works => doom,
            Fate::Built => None,
            Fate::Gone(why) | Fate::Error(why) => return self.report.error(at, why),
            Fate::Old(_) | Fate::Part(_) => doom,
            fate => {
                own = Doom {
                    at: at.clone(),
                    fate,
                };
                Some(&own)
            }
        };
        match &key.shape {
            Shape::Keys(_) | Shape::Named(_) => self.keys(at, key, doom),
            Shape::Items(_) => self.each(at, |walk, item| walk.keys(item, key, doom)),
            Shape::NestedItems(_) => self.each(at, |walk, outer| {
                walk.each(outer, |walk, item| walk.keys(item, key, doom));
            }),
            Shape::One(kind) => self.leaf(at, kind, doom),
            Shape::Many(kind) => self.each(at, |walk, item| walk.leaf(item, kind, doom)),
            Shape::Nested(kind) => self.each(at, |walk, outer| {
                walk.each(outer, |walk, item| walk.leaf(item, kind, doom));
            }),
        }
    }

    fn each<'t>(&mut self, at: &At<'t>, mut then: impl FnMut(&mut Self, &At<'t>)) {
        for item in at.items() {
            if item.items().is_empty() {
                self.report
                    .error(&item, "is empty; write a value or take the line out");
            } else {
                then(self, &item);
            }
        }
    }

    fn keys<'t>(&mut self, at: &At<'t>, key: &Key, doom: Option<&Doom<'t>>) {
        if !matches!(at.node.value, Value::Map(_)) {
            if !matches!(at.node.value, Value::Null) {
                let example = example(key);
                self.report.error(
                    at,
                    format!(
                        "must be keys with values; write for instance `{example}: …` on a \
                        line of its own below"
                    ),
                );
            }
            return;
        }
        let mut seen = HashSet::new();
        for entry in at.entries() {
            let place = at.entry(entry);
            if !seen.insert(entry.key.as_str()) {
                self.report
                    .error(&place, "is given twice; keep one of them");
                continue;
            }
            match key.below(&entry.key) {
                Some(known) => self.value(&place, known, doom),
                None => self.report.error(&place, unknown(&entry.key, key)),
            }
        }
    }

    fn leaf<'t>(&mut self, at: &At<'t>, kind: &Type, doom: Option<&Doom<'t>>) {
        if let Err(message) = fits(at, kind) {
            self.report.error(at, message);
        }
        if let Some(doom) = doom
            && self.told.insert(doom.at.key.clone())
        {
            let message = match doom.fate {
                Fate::Later(why) => format!("has no effect yet: {why}"),
                Fate::Unused(why) => format!("has no effect: {why}"),
                _ => return,
            };
            self.report.warn(&doom.at, message);
        }
    }
}

/// Some key that can stand below `key`.
fn example(key: &Key) -> &'static str {
    match &key.shape {
        Shape::Keys(keys) | Shape::Items(keys) | Shape::NestedItems(keys) => {
            keys.first().map_or("name", |key| key.name)
        }
        _ => "name",
    }
}

/// What to say about a key that is not known below `parent`.
fn unknown(name: &str, parent: &Key) -> String {
    if name == "<<" {
        return "a merge key (`<<`) is not read, as in Authelia; write the keys out".into();
    }
    if let Some(near) = nearest(name, names(parent).into_iter()) {
        return format!("is no key known here; did you mean `{near}`?");
    }
    match elsewhere(name) {
        Some(path) => format!("is no key known here; did you mean `{path}`?"),
        None => "is no key known here; take it out".into(),
    }
}

fn names(key: &Key) -> Vec<&'static str> {
    match &key.shape {
        Shape::Keys(keys) | Shape::Items(keys) | Shape::NestedItems(keys) => {
            let current = |key: &&Key| {
                matches!(
                    key.fate,
                    Fate::Works | Fate::Built | Fate::Later(_) | Fate::Unused(_)
                )
            };
            keys.iter().filter(current).map(|key| key.name).collect()
        }
        _ => Vec::new(),
    }
}

/// The only other place in the whole table where this very key stands.
fn elsewhere(name: &str) -> Option<String> {
    let mut found = Vec::new();
    table().leaves(&mut Vec::new(), &mut |path, key| {
        if path.last() == Some(&name) && matches!(key.fate, Fate::Works | Fate::Built) {
            found.push(path.join("."));
        }
    });
    (found.len() == 1).then(|| found.remove(0))
}
