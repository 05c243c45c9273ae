//! How every rule fares with a request, criterion by criterion, for `check-policy`.

use super::rule::{Facts, Judge};
use super::{Domain, Found, Object, Pattern, Requirement, Rules, Subject};

/// How one reading of the path fares with every rule.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The path as it was read, with the query.
    pub reading: Vec<u8>,
    /// What the rules find for this reading alone.
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
    /// Each criterion that the rule has, in the order of [`Criterion`].
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
    /// It holds for some who sign in; whether for this visitor is not known yet.
    May,
    /// It holds.
    Hit,
}

impl Rules {
    /// How each rule and criterion fares with `subject` (`None`: not known) and `object`: one
    /// explanation for each reading of the path, Authelia's first. [`Rules::find`] takes the
    /// strictest of what they found.
    pub fn explain(&self, subject: Option<&Subject<'_>>, object: &Object<'_>) -> Vec<Explanation> {
        let explain = |reading| {
            let facts = Facts::new(subject, object, reading);
            let rules: Vec<Explained> = (1..)
                .zip(self.judges())
                .map(|(rule, judge)| judge.explain(rule, &facts))
                .collect();
            let first = rules.iter().find(|rule| rule.outcome > Outcome::Miss);
            Explanation {
                reading: facts.text().to_vec(),
                found: self.found(first.map(|rule| rule.rule - 1)),
                rules,
            }
        };
        object.readings().iter().map(explain).collect()
    }
}

impl Criterion {
    /// The key of the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Criterion::Domain => "domain",
            Criterion::Resources => "resources",
            Criterion::Query => "query",
            Criterion::Methods => "methods",
            Criterion::Networks => "networks",
            Criterion::Subject => "subject",
        }
    }
}

impl Outcome {
    /// `hit`, `miss` or `may`.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Miss => "miss",
            Outcome::May => "may",
            Outcome::Hit => "hit",
        }
    }

    fn of(holds: bool, depends: bool) -> Outcome {
        match (holds, depends) {
            (false, _) => Outcome::Miss,
            (true, true) => Outcome::May,
            (true, false) => Outcome::Hit,
        }
    }
}

impl Judge {
    fn explain(&self, rule: u32, facts: &Facts<'_>) -> Explained {
        let [resources, query, methods, networks, subject] = self.has();
        let anonymous = facts.anonymous();
        let all = [
            (true, Criterion::Domain, self.explain_domain(facts)),
            (
                resources,
                Criterion::Resources,
                self.explain_resources(facts),
            ),
            (
                query,
                Criterion::Query,
                Outcome::of(self.query_holds(facts), false),
            ),
            (
                methods,
                Criterion::Methods,
                Outcome::of(self.method_holds(facts), false),
            ),
            (
                networks,
                Criterion::Networks,
                Outcome::of(self.network_holds(facts), false),
            ),
            (
                subject,
                Criterion::Subject,
                Outcome::of(self.subject_holds(facts), anonymous),
            ),
        ];
        let criteria: Vec<(Criterion, Outcome)> = all
            .into_iter()
            .filter(|(has, ..)| *has)
            .map(|(_, criterion, outcome)| (criterion, outcome))
            .collect();
        let outcome = criteria
            .iter()
            .map(|(_, outcome)| *outcome)
            .min()
            .unwrap_or(Outcome::Hit);
        Explained {
            rule,
            requirement: self.requirement(),
            outcome,
            criteria,
        }
    }

    fn explain_domain(&self, facts: &Facts<'_>) -> Outcome {
        let outcome = |domain: &Domain| {
            Outcome::of(
                self.domain_holds(domain, facts),
                domain.asks() && facts.anonymous(),
            )
        };
        let best = self.domains().iter().map(outcome).max();
        best.unwrap_or(Outcome::Hit)
    }

    fn explain_resources(&self, facts: &Facts<'_>) -> Outcome {
        let outcome = |pattern: &Pattern| {
            Outcome::of(
                self.resource_holds(pattern, facts),
                pattern.asks() && facts.anonymous(),
            )
        };
        let best = self.resources().iter().map(outcome).max();
        best.unwrap_or(Outcome::Hit)
    }
}
