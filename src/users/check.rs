//! What the values of a users file may be.

use super::header_names::{MAX_HEADER_NAME, same_header};
use super::{DirectoryError, Entry, MAX_NAME, Profile};

/// Longest e-mail address, group, attribute name, and any other value, in bytes.
pub(super) const MAX_EMAIL: usize = 320;
const MAX_GROUP: usize = 255;
const MAX_ATTRIBUTE_NAME: usize = 128;
const MAX_VALUE: usize = 8192;
/// Most groups of a user, attributes and headers of a user or group.
const MAX_GROUPS: usize = 1000;
const MAX_ADDITIONS: usize = 100;

/// Headers on which the framing of a request hangs, what it means, where it comes from and whether
/// it was forged; and the one that carries every session. What is defined for any user is taken out
/// of everybody's requests, so none of these may be.
const NEVER: [&str; 33] = [
    "Host",
    "Connection",
    "Content-Length",
    "Transfer-Encoding",
    "TE",
    "Trailer",
    "Upgrade",
    "Keep-Alive",
    "Proxy-Connection",
    "Expect",
    "Cookie",
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Content-Type",
    "Content-Encoding",
    "Forwarded",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Origin",
    "Range",
    "Referer",
    "Sec-Fetch-Dest",
    "Sec-Fetch-Mode",
    "Sec-Fetch-Site",
    "Sec-WebSocket-Key",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Requested-With",
];

/// Collects errors below one path of keys.
pub(super) struct Checker<'a> {
    pub(super) path: Vec<&'a str>,
    pub(super) errors: &'a mut Vec<DirectoryError>,
}

impl Checker<'_> {
    pub(super) fn error(&mut self, keys: &[&str], message: impl Into<String>) {
        self.errors
            .push(DirectoryError::new(self.path.iter().chain(keys), message));
    }

    pub(super) fn entry(&mut self, entry: &Entry) {
        self.name(&entry.name);
        self.value(&["displayname"], &entry.display_name, MAX_VALUE);
        for email in &entry.emails {
            self.value(&["email"], email, MAX_EMAIL);
        }
        if entry.groups.len() > MAX_GROUPS {
            self.error(
                &["groups"],
                format!(
                    "has {} entries, at most {MAX_GROUPS} are allowed",
                    entry.groups.len()
                ),
            );
        }
        for group in &entry.groups {
            self.group(group);
        }
        self.profile(&entry.profile);
    }

    fn name(&mut self, name: &str) {
        if name.is_empty() {
            self.error(&[], "a user name cannot be empty");
        } else if name.len() > MAX_NAME {
            self.error(
                &[],
                format!(
                    "the name has {} bytes, at most {MAX_NAME} are allowed",
                    name.len()
                ),
            );
        } else if name.contains(char::is_control) {
            self.error(&[], "the name holds a control character; take it out");
        } else if name.trim() != name {
            self.error(
                &[],
                "the name begins or ends with a space, which backends cut off; take it out",
            );
        }
    }

    /// Backends that read a list cut spaces off its items, which would make another group of it.
    fn group(&mut self, group: &str) {
        if group.trim().is_empty() {
            self.error(&["groups"], "a group has an empty name; take it out");
        } else if group.trim() != group {
            self.error(
                &["groups"],
                format!(
                    "`{group}` begins or ends with a space, which backends cut off; take it out"
                ),
            );
        } else if group.len() > MAX_GROUP {
            self.error(
                &["groups"],
                format!(
                    "a name has {} bytes, at most {MAX_GROUP} are allowed",
                    group.len()
                ),
            );
        }
    }

    pub(super) fn profile(&mut self, profile: &Profile) {
        let (attributes, headers) = (profile.attributes.len(), profile.additional_headers.len());
        for (key, len) in [("attributes", attributes), ("additionalHeaders", headers)] {
            if len > MAX_ADDITIONS {
                self.error(
                    &[key],
                    format!("has {len} entries, at most {MAX_ADDITIONS} are allowed"),
                );
            }
        }
        for (name, value) in &profile.attributes {
            self.value(&["attributes", name], value, MAX_VALUE);
            if name.is_empty() || name.len() > MAX_ATTRIBUTE_NAME {
                self.error(
                    &["attributes"],
                    format!(
                        "a name has {} bytes, 1 to {MAX_ATTRIBUTE_NAME} are allowed",
                        name.len()
                    ),
                );
            }
        }
        for (i, (name, value)) in profile.additional_headers.iter().enumerate() {
            self.value(&["additionalHeaders", name], value, MAX_VALUE);
            self.header_name(name, &profile.additional_headers[..i.min(MAX_ADDITIONS)]);
        }
        if let Some(backend) = &profile.backend_override {
            self.backend(&["backend_override"], backend);
        }
    }

    pub(super) fn backend(&mut self, keys: &[&str], backend: &str) {
        self.value(keys, backend, MAX_VALUE);
        if backend.is_empty() || backend.contains(|c: char| c.is_control() || c.is_whitespace()) {
            self.error(
                keys,
                "must be an address without spaces, for instance `http://10.0.0.1:8080`",
            );
        }
    }

    fn header_name(&mut self, name: &str, before: &[(String, String)]) {
        let key = &["additionalHeaders", name];
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.len() > MAX_HEADER_NAME
            || !name.bytes().all(token)
            || !name.bytes().any(|byte| byte.is_ascii_alphanumeric())
        {
            self.error(
                key,
                format!("is no header name; write up to {MAX_HEADER_NAME} letters, digits and `-`"),
            );
        } else if NEVER
            .iter()
            .any(|never| same_header(never.as_bytes(), name.as_bytes()))
        {
            self.error(key, "cannot be set for a user: requests depend on it");
        } else if let Some((other, _)) = before
            .iter()
            .find(|(other, _)| same_header(other.as_bytes(), name.as_bytes()))
        {
            self.error(
                key,
                format!("backends may take it for the same header as `{other}`; keep one of them"),
            );
        }
    }

    fn value(&mut self, keys: &[&str], value: &str, max: usize) {
        if value.len() > max {
            self.error(
                keys,
                format!("has {} bytes, at most {max} are allowed", value.len()),
            );
        }
    }
}
