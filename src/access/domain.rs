//! Which hosts a rule is about.

use super::{Pattern, PatternError, Subject, text::same_but_for_case};

/// One entry of `domain` or `domain_regex`.
#[derive(Clone, Debug)]
pub enum Domain {
    /// The host itself, in lower case.
    Exact(String),
    /// `*.example.com`: every host that ends with this text, which begins with a dot.
    Suffix(String),
    /// `{user}.example.com`: the user's name before this text.
    User(String),
    /// `{group}.example.com`: a group of the user's before this text.
    Group(String),
    /// `domain_regex`.
    Regex(Pattern),
}

impl Domain {
    /// Reads an entry of `domain`; the text is a warning for an entry that can match nothing.
    pub fn parse(text: &str) -> (Domain, Option<String>) {
        let text = text.to_lowercase();
        let domain =
            if let Some(suffix) = text.strip_prefix('*').filter(|rest| rest.starts_with('.')) {
                Domain::Suffix(suffix.into())
            } else if let Some(suffix) = text.strip_prefix("{user}") {
                Domain::User(suffix.into())
            } else if let Some(suffix) = text.strip_prefix("{group}") {
                Domain::Group(suffix.into())
            } else {
                Domain::Exact(text.clone())
            };
        let warning = domain
            .doubt()
            .map(|doubt| format!("`{text}` matches no host: {doubt}"));
        (domain, warning)
    }

    /// Reads an entry of `domain_regex`.
    pub fn regex(go: &str) -> Result<Domain, PatternError> {
        Pattern::compile(go).map(Domain::Regex)
    }

    /// Whether the entry asks who the visitor is.
    pub fn asks(&self) -> bool {
        match self {
            Domain::Exact(_) | Domain::Suffix(_) => false,
            Domain::User(_) | Domain::Group(_) => true,
            Domain::Regex(pattern) => pattern.asks(),
        }
    }

    /// Whether the entry means `host`, which is in lower case. An anonymous visitor may still
    /// become anybody.
    pub(super) fn holds(&self, host: &str, subject: Option<&Subject<'_>>) -> bool {
        match (self, subject) {
            (Domain::Exact(name), _) => host == name,
            (Domain::Suffix(suffix), _) => host.ends_with(suffix.as_str()),
            (Domain::User(suffix) | Domain::Group(suffix), None) => {
                host.len() > suffix.len() && host.ends_with(suffix.as_str())
            }
            (Domain::User(suffix), Some(subject)) => {
                host.strip_suffix(suffix.as_str()) == Some(subject.user)
            }
            (Domain::Group(suffix), Some(subject)) => host.find('.').is_some_and(|dot| {
                let (label, rest) = host.split_at(dot);
                rest == suffix
                    && subject
                        .groups
                        .iter()
                        .any(|group| same_but_for_case(group, label))
            }),
            (Domain::Regex(pattern), subject) => pattern.admits(host.as_bytes(), subject),
        }
    }

    /// Why the entry can match nothing, if that is plain to see.
    fn doubt(&self) -> Option<&'static str> {
        let rest = match self {
            Domain::Exact(name)
            | Domain::Suffix(name)
            | Domain::User(name)
            | Domain::Group(name) => name,
            Domain::Regex(_) => return None,
        };
        if rest.contains('*') {
            Some("a `*` stands only at the beginning and before a dot, as in `*.example.com`")
        } else if rest.contains("{user}") || rest.contains("{group}") {
            Some("`{user}` and `{group}` stand only at the beginning, as in `{user}.example.com`")
        } else if rest.contains(['/', ':', '?', '#', ' ']) {
            Some("write the host alone, without scheme, port and path")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(entry: &str, host: &str, subject: Option<&Subject<'_>>) -> bool {
        Domain::parse(entry).0.holds(host, subject)
    }

    #[test]
    fn names_and_wildcards() {
        assert!(holds("App.Example.com", "app.example.com", None));
        assert!(!holds("app.example.com", "x.app.example.com", None));
        for (host, held) in [
            ("a.example.com", true),
            ("a.b.example.com", true),
            (".example.com", true),
            ("example.com", false),
            ("evilexample.com", false),
            ("a.example.com.evil.org", false),
        ] {
            assert_eq!(holds("*.example.com", host, None), held, "{host}");
        }
    }

    #[test]
    fn names_of_people_stand_before_the_suffix() {
        let groups = ["Dev".to_owned(), "ops".to_owned()];
        let alice = Subject {
            user: "alice",
            groups: &groups,
        };
        assert!(holds(
            "{user}.example.com",
            "alice.example.com",
            Some(&alice)
        ));
        assert!(!holds(
            "{user}.example.com",
            "bob.example.com",
            Some(&alice)
        ));
        assert!(!holds(
            "{user}.example.com",
            "x.alice.example.com",
            Some(&alice)
        ));
        assert!(holds(
            "{user}-files.example.com",
            "alice-files.example.com",
            Some(&alice)
        ));
        assert!(holds(
            "{group}.example.com",
            "dev.example.com",
            Some(&alice)
        ));
        assert!(!holds(
            "{group}.example.com",
            "hr.example.com",
            Some(&alice)
        ));
        assert!(!holds(
            "{group}.example.com",
            "ops.x.example.com",
            Some(&alice)
        ));
        assert!(!holds("{group}", "ops", Some(&alice)));
        for entry in ["{user}.example.com", "{group}.example.com"] {
            assert!(holds(entry, "any.thing.example.com", None));
            assert!(!holds(entry, ".example.com", None));
            assert!(Domain::parse(entry).0.asks());
        }
    }

    #[test]
    fn a_person_of_upper_case_has_no_host() {
        let alice = Subject {
            user: "Alice",
            groups: &[],
        };
        assert!(!holds(
            "{user}.example.com",
            "alice.example.com",
            Some(&alice)
        ));
    }

    #[test]
    fn regexes_search_anywhere() {
        let lab = Domain::regex("lab[0-9]{2}").unwrap();
        assert!(lab.holds("x-lab07.example.com", None) && !lab.asks());
        let home = Domain::regex(r"^(?P<User>\w+)\.home\.example\.com$").unwrap();
        let alice = Subject {
            user: "Alice",
            groups: &[],
        };
        assert!(home.asks() && home.holds("alice.home.example.com", Some(&alice)));
        assert!(!home.holds("bob.home.example.com", Some(&alice)));
        assert!(home.holds("bob.home.example.com", None));
    }

    #[test]
    fn entries_that_match_nothing_are_warned_about() {
        for entry in [
            "*example.com",
            "*",
            "a.*.com",
            "https://a.example.com",
            "a.example.com:8443",
            "x.{user}.com",
        ] {
            let (_, warning) = Domain::parse(entry);
            assert!(warning.unwrap().contains(entry), "{entry}");
            assert!(!holds(entry, "a.example.com", None));
        }
        for entry in ["a.example.com", "*.example.com", "{user}.example.com"] {
            assert_eq!(Domain::parse(entry).1, None);
        }
    }
}
