//! What a user inherits from the top-level `groups:` map: a user's own value wins, then that of
//! the first group in the user's list.

use std::collections::BTreeMap;

use super::template::{Person, Place, fill};
use super::{Entry, Profile};
use super::{header_names::same_header, identity::header_value};

/// The additions that hold for one user.
#[derive(Default)]
pub(super) struct Merged {
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) additional_headers: Vec<(String, String)>,
    pub(super) backend_override: Option<String>,
    /// Key and message of what could not be filled in.
    pub(super) remarks: Vec<(&'static str, String)>,
}

/// Merges what the user and the groups say and fills in the placeholders.
pub(super) fn merge(
    entry: &Entry,
    groups: &BTreeMap<String, Profile>,
    backend: Option<&str>,
) -> Merged {
    let profiles = || {
        std::iter::once(&entry.profile)
            .chain(entry.groups.iter().filter_map(|group| groups.get(group)))
    };
    let mut merged = Merged::default();
    for (name, value) in profiles().flat_map(|profile| &profile.attributes) {
        merged
            .attributes
            .entry(name.clone())
            .or_insert_with(|| value.clone());
    }
    let attributes = std::mem::take(&mut merged.attributes);
    let person = Person {
        name: &entry.name,
        attributes: &attributes,
    };
    for (name, value) in profiles().flat_map(|profile| &profile.additional_headers) {
        merged.add_header(name, value, &person);
    }
    let own = profiles().find_map(|profile| profile.backend_override.as_deref());
    if let Some(template) = own.or(backend) {
        merged.set_backend(template, &person);
    }
    merged.attributes = attributes;
    merged
}

impl Merged {
    fn add_header(&mut self, name: &str, template: &str, person: &Person<'_>) {
        if self
            .additional_headers
            .iter()
            .any(|(other, _)| same_header(other.as_bytes(), name.as_bytes()))
        {
            return;
        }
        let value = fill(template, person, Place::Text).unwrap_or_else(|placeholder| {
            let message =
                format!("`{name}` is sent empty, for the user has no value for `{placeholder}`");
            self.remarks.push(("additionalHeaders", message));
            String::new()
        });
        self.additional_headers
            .push((name.to_owned(), header_value(&value).into_owned()));
    }

    /// A backend that cannot be named is none: the next best could be somebody else's.
    fn set_backend(&mut self, template: &str, person: &Person<'_>) {
        match fill(template, person, Place::Segment) {
            Ok(backend) => self.backend_override = Some(backend),
            Err(placeholder) => {
                let message = format!(
                    "there is no backend for the user, who has no fit value for `{placeholder}`"
                );
                self.remarks.push(("backend_override", message));
            }
        }
    }
}
