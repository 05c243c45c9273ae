//! Conditions on the query, and on the method.

use super::text::readable;
use super::{Pattern, PatternError, form};

/// A request method that a rule may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Method(u8);

/// One condition on the query.
#[derive(Clone, Debug)]
pub struct QueryTerm {
    key: String,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    Equal(String),
    NotEqual(String),
    Present,
    Absent,
    Match(Pattern),
    NotMatch(Pattern),
}

/// Why a condition on the query is refused, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// `key` is missing or empty.
    #[error("a query condition needs a `key`")]
    Key,
    /// The operator is not one of the six, or not spelled like one.
    #[error("`{given}` is no operator: write {wanted}")]
    Operator {
        /// What stands in the file.
        given: String,
        /// What to write.
        wanted: String,
    },
    /// The operator compares with a value and there is none.
    #[error("operator `{0}` needs a `value`")]
    Missing(&'static str),
    /// The operator takes no value and there is one.
    #[error("operator `{0}` takes no `value`: remove it")]
    Superfluous(&'static str),
    /// The value is a pattern that does not compile.
    #[error(transparent)]
    Pattern(#[from] PatternError),
}

const METHODS: [&str; 16] = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "TRACE",
    "CONNECT",
    "OPTIONS",
    "COPY",
    "LOCK",
    "MKCOL",
    "MOVE",
    "PROPFIND",
    "PROPPATCH",
    "UNLOCK",
];

const OPERATORS: [&str; 6] = [
    "equal",
    "not equal",
    "present",
    "absent",
    "pattern",
    "not pattern",
];

impl Method {
    /// Every method that a rule may name.
    pub const NAMES: &'static [&'static str] = &METHODS;

    /// The method that `word` names, in exactly that spelling.
    pub fn parse(word: &str) -> Option<Method> {
        let at = METHODS.iter().position(|method| *method == word)?;
        u8::try_from(at).ok().map(Method)
    }

    /// The method as a set of one.
    pub(super) fn bit(self) -> u16 {
        1 << self.0
    }
}

impl QueryTerm {
    /// A condition on the query parameter `key`. Without an operator it is `present` when the value
    /// is missing or empty, else `equal`. An operator in any other spelling is refused: Authelia
    /// takes some and then drops the condition, which opens the rule.
    pub fn new(
        operator: Option<&str>,
        key: &str,
        value: Option<&str>,
    ) -> Result<QueryTerm, QueryError> {
        if key.is_empty() {
            return Err(QueryError::Key);
        }
        let given = operator.unwrap_or(if value.unwrap_or_default().is_empty() {
            "present"
        } else {
            "equal"
        });
        let Some(operator) = OPERATORS.into_iter().find(|operator| *operator == given) else {
            return Err(QueryError::Operator {
                given: given.into(),
                wanted: spell(given),
            });
        };
        let needed = || {
            value
                .map(str::to_owned)
                .ok_or(QueryError::Missing(operator))
        };
        let superfluous = value.is_some_and(|value| !value.is_empty());
        let test = match operator {
            "equal" => Test::Equal(needed()?),
            "not equal" => Test::NotEqual(needed()?),
            "pattern" => Test::Match(Pattern::compile(&needed()?)?),
            "not pattern" => Test::NotMatch(Pattern::compile(&needed()?)?),
            _ if superfluous => return Err(QueryError::Superfluous(operator)),
            "present" => Test::Present,
            _ => Test::Absent,
        };
        Ok(QueryTerm {
            key: key.into(),
            test,
        })
    }

    /// Whether the condition holds for the raw `query`.
    pub(super) fn holds(&self, query: &[u8]) -> bool {
        let value = form::first(query, &self.key);
        let is = |wanted: &str| value.as_deref().unwrap_or_default() == wanted.as_bytes();
        let matches = |pattern: &Pattern| {
            pattern.is_match(&readable(value.as_deref().unwrap_or_default().into()))
        };
        match &self.test {
            Test::Equal(wanted) => is(wanted),
            Test::NotEqual(wanted) => !is(wanted),
            Test::Present => value.is_some(),
            Test::Absent => value.is_none(),
            Test::Match(pattern) => matches(pattern),
            Test::NotMatch(pattern) => !matches(pattern),
        }
    }
}

/// The right spelling of `given` where it can be guessed, else all six.
fn spell(given: &str) -> String {
    let letters = |text: &str| {
        text.chars()
            .filter(char::is_ascii_alphabetic)
            .collect::<String>()
            .to_ascii_lowercase()
    };
    match OPERATORS
        .into_iter()
        .find(|operator| letters(operator) == letters(given))
    {
        Some(operator) => format!("`{operator}`"),
        None => format!("one of `{}`", OPERATORS.join("`, `")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(operator: &str, value: Option<&str>) -> QueryTerm {
        QueryTerm::new(Some(operator), "k", value).unwrap()
    }

    #[test]
    fn each_operator_does_what_its_word_says() {
        for (operator, value, held) in [
            ("equal", Some("1"), [true, false, false, false]),
            ("not equal", Some("1"), [false, true, true, true]),
            ("present", None, [true, true, true, false]),
            ("absent", None, [false, false, false, true]),
            ("pattern", Some("^[12]$"), [true, true, false, false]),
            ("not pattern", Some("^[12]$"), [false, false, true, true]),
        ] {
            let term = term(operator, value);
            let queries: [&[u8]; 4] = [b"k=1&k=2", b"x&k=2", b"k", b"x=1"];
            assert_eq!(queries.map(|query| term.holds(query)), held, "{operator}");
        }
    }

    #[test]
    fn without_an_operator_the_value_decides() {
        let holds = |value, query: &str| {
            QueryTerm::new(None, "k", value)
                .unwrap()
                .holds(query.as_bytes())
        };
        assert!(holds(None, "k=2") && holds(Some(""), "k=2") && holds(Some("2"), "k=2"));
        assert!(!holds(Some("1"), "k=2"));
    }

    #[test]
    fn wrong_spellings_are_refused_with_the_right_one() {
        for (given, wanted) in [
            ("Equal", "`equal`"),
            ("not_equal", "`not equal`"),
            ("NOT PATTERN", "`not pattern`"),
            ("present ", "`present`"),
            (
                "like",
                "one of `equal`, `not equal`, `present`, `absent`, `pattern`, `not pattern`",
            ),
            (
                "",
                "one of `equal`, `not equal`, `present`, `absent`, `pattern`, `not pattern`",
            ),
        ] {
            let error = QueryTerm::new(Some(given), "k", Some("1")).unwrap_err();
            assert_eq!(
                error,
                QueryError::Operator {
                    given: given.into(),
                    wanted: wanted.into()
                }
            );
        }
    }

    #[test]
    fn operators_and_values_must_fit() {
        let error = |operator, key, value| QueryTerm::new(Some(operator), key, value).unwrap_err();
        assert_eq!(error("equal", "", None), QueryError::Key);
        assert_eq!(error("equal", "k", None), QueryError::Missing("equal"));
        assert_eq!(
            error("not pattern", "k", None),
            QueryError::Missing("not pattern")
        );
        assert_eq!(
            error("absent", "k", Some("1")),
            QueryError::Superfluous("absent")
        );
        assert!(matches!(
            error("pattern", "k", Some("(")),
            QueryError::Pattern(_)
        ));
    }

    #[test]
    fn methods_are_upper_case_and_known() {
        assert!(METHODS.iter().all(|word| Method::parse(word).is_some()));
        assert!(
            ["get", "FOO", "", "GET "]
                .iter()
                .all(|word| Method::parse(word).is_none())
        );
    }
}
