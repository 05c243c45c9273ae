//! The rules of the configuration and the search for the first that matches.

use super::index::Index;
use super::rule::{Facts, Judge};
use super::{Object, Requirement, Rule, Subject};
use std::num::NonZeroU32;

/// The place of a rule in the configuration, counted from 1; `None` is the default policy.
pub type RuleId = Option<NonZeroU32>;

/// The rules, compiled for a search by host.
#[derive(Clone, Debug)]
pub struct Rules {
    default: Requirement,
    judges: Vec<Judge>,
    index: Index,
    /// What is demanded anywhere.
    demanded: Vec<Requirement>,
    /// The methods that any rule names.
    methods: u16,
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

/// Every request can be read in some way; if there were one that cannot, nobody gets it.
const NOTHING_FITS: Found = Found {
    requirement: Requirement::Deny,
    rule: None,
    asks: false,
};

impl Rules {
    /// Compiles `rules`, which stand in the order of the configuration; `default` holds where none
    /// matches.
    pub fn new(default: Requirement, rules: Vec<Rule>) -> Rules {
        let judges: Vec<Judge> = rules.into_iter().map(Judge::new).collect();
        let index = Index::new(&judges);
        let mut demanded: Vec<Requirement> = judges.iter().map(Judge::requirement).collect();
        demanded.push(default);
        demanded.sort_unstable();
        demanded.dedup();
        let methods = judges.iter().fold(0, |all, judge| all | judge.methods());
        Rules {
            default,
            judges,
            index,
            demanded,
            methods,
        }
    }

    /// What holds for `subject` (`None`: anonymous) and `object`: the first rule that matches, and
    /// over several readings of the path the strictest.
    pub fn find(&self, subject: Option<&Subject<'_>>, object: &Object<'_>) -> Found {
        if object.method().is_empty() {
            return self.find_for_any_method(subject, object);
        }
        let found = object.readings().iter().map(|reading| {
            let facts = Facts::new(subject, object, reading);
            self.found(self.index.first(&self.judges, &facts))
        });
        found.reduce(Found::stricter).unwrap_or(NOTHING_FITS)
    }

    /// The strictest over the methods that rules name, and one that none of them does.
    fn find_for_any_method(&self, subject: Option<&Subject<'_>>, object: &Object<'_>) -> Found {
        let bits = (0..u16::BITS).map(|place| 1 << place);
        let named = bits.filter(|bit| self.methods & bit != 0);
        let found = named.chain([0]).flat_map(|bit| {
            object.readings().iter().map(move |reading| {
                let facts = Facts::new(subject, object, reading).with_method(bit);
                self.found(self.index.first(&self.judges, &facts))
            })
        });
        found.reduce(Found::stricter).unwrap_or(NOTHING_FITS)
    }

    /// Whether any rule or the default demands `requirement`.
    pub fn demands(&self, requirement: Requirement) -> bool {
        self.demanded.contains(&requirement)
    }

    /// The number of rules.
    pub fn len(&self) -> usize {
        self.judges.len()
    }

    /// Whether there is no rule, so that the default holds for everything.
    pub fn is_empty(&self) -> bool {
        self.judges.is_empty()
    }

    pub(super) fn judges(&self) -> &[Judge] {
        &self.judges
    }

    /// What the rule at `place`, counted from 0, gives.
    pub(super) fn found(&self, place: Option<u32>) -> Found {
        let judge = place.and_then(|place| self.judges.get(place as usize));
        Found {
            requirement: judge.map_or(self.default, Judge::requirement),
            rule: place.and_then(|place| NonZeroU32::new(place + 1)),
            asks: judge.is_some_and(Judge::asks),
        }
    }
}

impl Found {
    /// What holds when a path reads in two ways. A denial that asks nobody stands, whoever comes;
    /// otherwise either may come out differently for somebody else.
    fn stricter(self, other: Found) -> Found {
        let stands = |found: &Found| found.requirement == Requirement::Deny && !found.asks;
        if stands(&self) {
            return self;
        }
        if stands(&other) {
            return other;
        }
        let strictest = if other.requirement > self.requirement {
            other
        } else {
            self
        };
        Found {
            asks: self.asks || other.asks,
            ..strictest
        }
    }
}

#[cfg(test)]
mod property;
#[cfg(test)]
mod tests;
