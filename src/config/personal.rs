//! What Authelia's users file says of a person beside the account: it becomes attributes.

use super::model::{ExtraAttribute, UsersFile, ValueType};
use super::report::{At, Report};
use super::users::{keys, section, text};
use super::yaml::Kind;

/// Keys of a user that become attributes of the same name.
pub(super) const PERSONAL: &[&str] = &[
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

/// What Authelia knows of a person beside the account, as attributes.
pub(super) fn personal(
    at: &At<'_>,
    file: &UsersFile,
    report: &mut Report,
) -> Vec<(String, String)> {
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
            match file
                .extra_attributes
                .iter()
                .find(|extra| extra.name == entry.key)
            {
                Some(extra) => found.extend(
                    extra_value(&at, extra, report).map(|value| (entry.key.clone(), value)),
                ),
                None => report.error(
                    &at,
                    format!(
                        "is not declared; declare it in \
                        authentication_backend.file.extra_attributes.{}",
                        entry.key
                    ),
                ),
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
