//! The rules of the configuration and the search for the first that matches.

use super::{Domain, Method, Object, Pattern, QueryTerm, Requirement, Subject, SubjectTerm};
use ipnet::IpNet;

/// The place of a rule in the configuration, counted from 1; `None` is the default policy.
pub type RuleId = Option<std::num::NonZeroU32>;

/// One entry of `access_control.rules`. All criteria must hold; an empty one holds.
#[derive(Clone, Debug)]
pub struct Rule {
    /// `domain` and `domain_regex`; one of them must hold.
    pub domains: Vec<Domain>,
    /// `resources`; one of them must match the path.
    pub resources: Vec<Pattern>,
    /// `methods`; one of them must be the request's.
    pub methods: Vec<Method>,
    /// `networks`; one of them must hold the client's address.
    pub networks: Vec<IpNet>,
    /// `query`; all terms of one of the inner lists must hold.
    pub query: Vec<Vec<QueryTerm>>,
    /// `subject`; all terms of one of the inner lists must hold.
    pub subjects: Vec<Vec<SubjectTerm>>,
    /// `policy`.
    pub requirement: Requirement,
}

/// The rules, compiled for a search by host.
#[derive(Clone, Debug)]
pub struct Rules {
    rules: Vec<Rule>,
}

/// What the rules found for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The requirement that holds.
    pub requirement: Requirement,
    /// The rule that gave it.
    pub rule: RuleId,
    /// Whether that rule asks who the visitor is. When it is `false` for the anonymous visitor,
    /// the answer is the same for everybody.
    pub asks: bool,
}

/// How one reading of the path fares with every rule.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The path as it was read, with the query.
    pub reading: Vec<u8>,
    /// What the rules find for this reading.
    pub found: Found,
    /// Every rule in the order of the configuration.
    pub rules: Vec<Explained>,
}

/// How a rule fares with a request.
#[derive(Clone, Debug)]
pub struct Explained {
    /// Place in the configuration, counted from 1.
    pub rule: u32,
    /// What the rule demands.
    pub requirement: Requirement,
    /// All criteria together.
    pub outcome: Outcome,
    /// Each criterion that the rule has, in a fixed order.
    pub criteria: Vec<(Criterion, Outcome)>,
}

/// A criterion of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Criterion {
    /// `domain` and `domain_regex`.
    Domain,
    /// `resources`.
    Resources,
    /// `query`.
    Query,
    /// `methods`.
    Methods,
    /// `networks`.
    Networks,
    /// `subject`.
    Subject,
}

/// How a criterion fares. Ordered by hope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It does not hold.
    Miss,
    /// It depends on who signs in.
    May,
    /// It holds.
    Hit,
}

impl Rules {
    /// Compiles `rules`, which stand in the order of the configuration; `default` holds where none matches.
    pub fn new(default: Requirement, rules: Vec<Rule>) -> Rules {
        let _ = default;
        Rules { rules }
    }

    /// What holds for `subject` (`None`: anonymous) and `object`: the first rule that matches, and
    /// over several readings of the path the strictest.
    pub fn find(&self, subject: Option<&Subject<'_>>, object: &Object<'_>) -> Found {
        let _ = (subject, object);
        Found {
            requirement: Requirement::Deny,
            rule: None,
            asks: false,
        }
    }

    /// How each rule and criterion fares, one explanation for each reading of the path.
    pub fn explain(&self, subject: Option<&Subject<'_>>, object: &Object<'_>) -> Vec<Explanation> {
        let _ = (subject, object);
        Vec::new()
    }

    /// Whether any rule or the default demands `requirement`.
    pub fn demands(&self, requirement: Requirement) -> bool {
        self.rules
            .iter()
            .any(|rule| rule.requirement == requirement)
    }

    /// The number of rules.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}
