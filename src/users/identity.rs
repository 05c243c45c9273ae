//! The request headers that tell a backend who the visitor is, as pure values.

use std::borrow::Cow;
use std::fmt::Write;

use super::{User, header_names::same_header};

/// A set of identity headers that `auth_gate_identity_headers` can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HeaderSet {
    /// `Remote-User`, `Remote-Groups`, `Remote-Name`, `Remote-Email`.
    Remote,
}

impl HeaderSet {
    /// The set that `word` names.
    pub fn from_word(word: &str) -> Option<HeaderSet> {
        (word == "remote").then_some(HeaderSet::Remote)
    }

    /// The names in this set.
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            HeaderSet::Remote => &[
                "Remote-User",
                "Remote-Groups",
                "Remote-Name",
                "Remote-Email",
            ],
        }
    }

    /// What the set says of `user` under the name at `place`, whatever additional headers replace.
    pub fn own_value(self, user: &User, place: usize) -> Option<&str> {
        user.identity.remote.get(place).map(String::as_str)
    }

    /// Name and value for `user`: every name of the set once, the value empty where there is none
    /// or nobody is signed in; then the user's additional headers. One of them that bears the
    /// name of an identity header replaces it.
    pub fn values(self, user: Option<&User>) -> impl Iterator<Item = (&str, &str)> {
        let values = user.map(|user| &user.identity.remote);
        let additional = user.map_or(&[][..], |user| &user.additional_headers[..]);
        let own = self.names().iter().enumerate();
        own.filter(move |(_, name)| replacement(user, name).is_none())
            .map(move |(i, name)| (*name, values.map_or("", |values| values[i].as_str())))
            .chain(
                additional
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str())),
            )
    }
}

/// The additional header of the user's that stands in the place of `name`: its value.
pub fn replacement<'u>(user: Option<&'u User>, name: &str) -> Option<&'u str> {
    let mut additional = user.map_or(&[][..], |user| &user.additional_headers).iter();
    let found = additional.find(|(other, _)| same_header(other.as_bytes(), name.as_bytes()));
    found.map(|(_, value)| value.as_str())
}

/// The values of the headers, fit to be sent, made once when the users file is read.
#[derive(Clone, Debug, Default)]
pub(super) struct Identity {
    /// In the order of [`HeaderSet::names`].
    remote: [String; 4],
    /// The groups in authentik's form.
    authentik_groups: String,
}

impl Identity {
    pub(super) fn new(name: &str, groups: &[String], display_name: &str, email: &str) -> Identity {
        let list = |separators: &[char]| {
            groups
                .iter()
                .map(|group| group_value(group, separators))
                .collect::<Vec<_>>()
        };
        let value = |text| header_value(text).into_owned();
        Identity {
            remote: [
                value(name),
                list(&[',']).join(","),
                value(display_name),
                value(email),
            ],
            authentik_groups: list(&['|', ',']).join("|"),
        }
    }

    pub(super) fn groups(&self) -> &str {
        &self.remote[1]
    }

    /// The value at `place` of [`HeaderSet::names`]; empty beyond.
    pub(super) fn remote(&self, place: usize) -> &str {
        self.remote.get(place).map_or("", String::as_str)
    }

    pub(super) fn authentik_groups(&self) -> &str {
        &self.authentik_groups
    }
}

/// `text` as it may stand in a header: UTF-8 as it is, control characters percent-encoded.
pub fn header_value(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return text.into();
    }
    let mut value = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if c.is_control() {
            percent(c, &mut value)
        } else {
            value.push(c)
        }
    }
    value.into()
}

/// A group's name as one item of a list. Separators are percent-encoded, and so is a `%` that
/// could be read as the start of an encoding: two groups never look alike.
fn group_value(group: &str, separators: &[char]) -> String {
    let mut value = String::with_capacity(group.len());
    for (i, c) in group.char_indices() {
        let ambiguous = || {
            group.as_bytes()[i + 1..]
                .iter()
                .take(2)
                .filter(|byte| byte.is_ascii_hexdigit())
                .count()
                == 2
        };
        if separators.contains(&c) || c.is_control() || (c == '%' && ambiguous()) {
            percent(c, &mut value);
        } else {
            value.push(c);
        }
    }
    value
}

fn percent(c: char, value: &mut String) {
    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
        // Writing to a string cannot fail.
        let _ = write!(value, "%{byte:02X}");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn identity(groups: &[&str]) -> Identity {
        let groups: Vec<_> = groups.iter().map(|group| group.to_string()).collect();
        Identity::new(
            "jörg",
            &groups,
            "Jörg\r\nRemote-User: admin",
            "a@b\0\u{7f}\u{85}😀",
        )
    }

    #[test]
    fn a36_control_characters_never_end_a_header() {
        let [name, _, display_name, email] = identity(&[]).remote;
        assert_eq!(name, "jörg");
        assert_eq!(display_name, "Jörg%0D%0ARemote-User: admin");
        assert_eq!(email, "a@b%00%7F%C2%85😀");
        assert!(matches!(header_value("plain ü"), Cow::Borrowed("plain ü")));
    }

    #[test]
    fn a37_a_group_cannot_impersonate_another() {
        let [_, groups, ..] = identity(&["a,b", "a%2Cb", "100%", "%2c,", "x\ny", "ü|ö"]).remote;
        assert_eq!(groups, "a%2Cb,a%252Cb,100%,%252c%2C,x%0Ay,ü|ö");
    }

    #[test]
    fn a37_every_list_of_groups_reads_back_in_one_way_only() {
        let characters = [',', '%', '2', 'C', 'a'];
        let mut seen = HashSet::new();
        for code in 0..5usize.pow(5) {
            let group: String = (0..5)
                .map(|i| characters[code / 5usize.pow(i) % 5])
                .collect();
            let value = group_value(&group, &[',']);
            assert!(!value.contains(','));
            assert!(seen.insert(value), "{group} looks like another");
        }
    }

    #[test]
    fn a32_every_name_has_a_value_also_when_nobody_is_signed_in() {
        let values: Vec<_> = HeaderSet::Remote.values(None).collect();
        assert_eq!(
            values,
            HeaderSet::Remote
                .names()
                .iter()
                .map(|name| (*name, ""))
                .collect::<Vec<_>>()
        );
        assert_eq!(HeaderSet::from_word("remote"), Some(HeaderSet::Remote));
        assert_eq!(HeaderSet::from_word("Remote"), None);
    }
}
