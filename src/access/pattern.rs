//! Regular expressions in Go's dialect, and what a match of one says about the visitor.

use super::dialect::{self, Translation};
use super::text::same_but_for_case;
use super::{Subject, sieve::Sieve};
use regex::bytes::{CaptureLocations, Regex, RegexBuilder};
use regex_automata::util::pool::Pool;
use std::fmt;
use std::sync::Arc;

/// A compiled pattern may take this many bytes.
const SIZE_LIMIT: usize = 10 << 20;

/// A regular expression written for Authelia, that is in Go's dialect. Cheap to clone.
#[derive(Clone)]
pub struct Pattern(Arc<Compiled>);

struct Compiled {
    source: String,
    rust: String,
    regex: Regex,
    named: Option<Named>,
    names_question_mark: bool,
    anchored: bool,
}

type MakeLocations = Box<
    dyn Fn() -> CaptureLocations + Send + Sync + std::panic::UnwindSafe + std::panic::RefUnwindSafe,
>;

/// The groups that ask who the visitor is. Their places are kept for reuse, so that asking
/// allocates only once.
struct Named {
    user: Option<usize>,
    group: Option<usize>,
    locations: Pool<CaptureLocations, MakeLocations>,
}

/// Why a regular expression is refused, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at byte {at} of the pattern)")]
pub struct PatternError {
    /// Offset into the pattern, in bytes.
    pub at: usize,
    /// What is wrong and what to write.
    pub message: String,
}

/// Several patterns, of which one match is enough.
#[derive(Clone, Debug, Default)]
pub struct PatternSet {
    patterns: Vec<Pattern>,
    sieve: Option<Arc<Sieve>>,
}

impl Pattern {
    /// Compiles a pattern of Go's dialect. The error says what is wrong and what to write instead.
    pub fn compile(go: &str) -> Result<Pattern, PatternError> {
        let Translation {
            rust,
            names_question_mark,
            user,
            group,
        } = dialect::translate(go)?;
        let regex = RegexBuilder::new(&rust)
            .size_limit(SIZE_LIMIT)
            .build()
            .map_err(explain)?;
        let anchored = regex_automata::util::syntax::parse_with(&rust, &super::sieve::syntax())
            .is_ok_and(|hir| {
                hir.properties()
                    .look_set_prefix()
                    .contains_anchor_haystack()
            });
        let named = (user.is_some() || group.is_some()).then(|| {
            let regex = regex.clone();
            let make: MakeLocations = Box::new(move || regex.capture_locations());
            Named {
                user,
                group,
                locations: Pool::new(make),
            }
        });
        Ok(Pattern(Arc::new(Compiled {
            source: go.into(),
            rust,
            regex,
            named,
            names_question_mark,
            anchored,
        })))
    }

    /// Whether the pattern matches anywhere in `text`.
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.0.regex.is_match(text)
    }

    /// Whether a match can only begin at the start of the text.
    pub fn anchored_at_start(&self) -> bool {
        self.0.anchored
    }

    /// The pattern as it was written.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Whether the pattern has a group named `User` or `Group`.
    pub fn asks(&self) -> bool {
        self.0.named.is_some()
    }

    /// Whether a literal question mark stands in the pattern, so that it means the query too.
    pub fn names_question_mark(&self) -> bool {
        self.0.names_question_mark
    }

    /// Whether the pattern matches `text` and its groups `User` and `Group`, if it has them, hold
    /// the name and a group of `subject`. An anonymous visitor may still become anybody.
    pub(super) fn admits(&self, text: &[u8], subject: Option<&Subject<'_>>) -> bool {
        match (&self.0.named, subject) {
            (Some(named), Some(subject)) => named.holds(&self.0.regex, text, subject),
            _ => self.is_match(text),
        }
    }

    /// The pattern in the dialect of `regex`.
    pub(super) fn rust(&self) -> &str {
        &self.0.rust
    }
}

impl Named {
    fn holds(&self, regex: &Regex, text: &[u8], subject: &Subject<'_>) -> bool {
        let mut locations = self.locations.get();
        if regex.captures_read(&mut locations, text).is_none() {
            return false;
        }
        // A group that took no part in the match holds the empty text.
        let capture = |group: usize| {
            let (start, end) = locations.get(group).unwrap_or((0, 0));
            std::str::from_utf8(&text[start..end]).ok()
        };
        let holds = |group: Option<usize>, test: &dyn Fn(&str) -> bool| {
            group.is_none_or(|group| capture(group).is_some_and(test))
        };
        holds(self.user, &|name| same_but_for_case(name, subject.user))
            && holds(self.group, &|name| {
                subject
                    .groups
                    .iter()
                    .any(|group| same_but_for_case(group, name))
            })
    }
}

/// `regex` explains in several lines with a drawing; the last says what is wrong.
fn explain(error: regex::Error) -> PatternError {
    let message = match error {
        regex::Error::CompiledTooBig(_) => {
            "the pattern is too large when its counts are written out: use smaller counts".into()
        }
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        }
    };
    PatternError { at: 0, message }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.0.source).finish()
    }
}

impl PatternSet {
    /// A set of `patterns`.
    pub fn new(patterns: Vec<Pattern>) -> PatternSet {
        let sieve = Sieve::build(&patterns).map(Arc::new);
        PatternSet { patterns, sieve }
    }

    /// Whether there is no pattern in it.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether any pattern matches anywhere in `text`.
    pub fn matches(&self, text: &[u8]) -> bool {
        match &self.sieve {
            Some(sieve) => sieve.sift(text, |_| true),
            None => self.patterns.iter().any(|pattern| pattern.is_match(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(go: &str) -> Pattern {
        Pattern::compile(go).unwrap()
    }

    #[test]
    fn anchors_are_seen_in_every_alternative() {
        for (go, anchored) in [
            ("^/public", true),
            (r"\A/public", true),
            ("(^/a|^/b)", true),
            ("^/a|/b", false),
            ("(?m)^/a", false),
            ("/public$", false),
            ("^", true),
        ] {
            assert_eq!(pattern(go).anchored_at_start(), anchored, "{go}");
        }
    }

    #[test]
    fn named_groups_hold_name_and_group() {
        let groups = ["Dev".to_owned()];
        let alice = Subject {
            user: "alice",
            groups: &groups,
        };
        let user = pattern(r"^/users/(?P<User>[^/?]+)");
        assert!(user.admits(b"/users/ALICE/x", Some(&alice)));
        assert!(!user.admits(b"/users/bob/x", Some(&alice)));
        assert!(user.admits(b"/users/bob/x", None));
        assert!(!user.admits(b"/x", None));
        let both = pattern(r"^/(?P<User>\w+)/(?P<Group>\w+)$");
        assert!(both.admits(b"/alice/dev", Some(&alice)));
        assert!(!both.admits(b"/alice/ops", Some(&alice)));
        let optional = pattern(r"^/x(?:/(?P<User>\w+))?$");
        assert!(
            !optional.admits(b"/x", Some(&alice)),
            "a group that took no part is empty"
        );
        assert!(!pattern(r"(?P<user>\w+)").asks());
    }

    #[test]
    fn a_set_is_any_of_its_patterns() {
        for count in [0, 1, 3, 40] {
            let set = PatternSet::new(
                (0..count)
                    .map(|n| pattern(&format!("^/p{n}(/|$)")))
                    .collect(),
            );
            assert_eq!(set.is_empty(), count == 0);
            assert_eq!(set.matches(b"/p0/x"), count > 0);
            assert_eq!(set.matches(b"/p39"), count > 39);
            assert!(!set.matches(b"/x"));
        }
    }
}
