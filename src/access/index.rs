//! The rules by host: a look-up instead of a loop.
//!
//! Names are found by hash, wildcards by hash of each ending of the host, regular expressions all
//! at once. What is found is a bucket: the rules that are about the host, of which the first that
//! holds is sought. Many `resources` in a bucket are searched all at once too.

use super::rule::{Facts, Judge};
use super::sieve::Sieve;
use super::{Domain, Pattern};
use rustc_hash::FxHashMap;
use std::collections::HashMap;
use std::sync::Arc;

/// All sieves for `resources` together may hold this many patterns; what is beyond goes by a loop.
const MOST_SIFTED: usize = 1 << 16;

/// The configuration alone decides what is in it, so that its hash needs no secret.
type Map<T> = FxHashMap<String, T>;

/// The rules by host.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    exact: Map<Bucket>,
    /// By endings that begin with a dot.
    endings: Map<Bucket>,
    /// What can only be asked one by one.
    rest: Bucket,
    regexes: Regexes,
}

/// Domains that are regular expressions, each with the rules that have it.
#[derive(Clone, Debug, Default)]
struct Regexes {
    domains: Vec<(Pattern, Bucket)>,
    sieve: Option<Arc<Sieve>>,
}

/// Rules about one host, in the order of the configuration.
#[derive(Clone, Debug, Default)]
struct Bucket {
    plain: Vec<Entry>,
    sifted: Option<Sifted>,
}

/// Rules that have `resources`, by pattern.
#[derive(Clone, Debug)]
struct Sifted {
    sieve: Arc<Sieve>,
    /// The entry of each pattern of the sieve, and which of its rule's `resources` the pattern is.
    places: Vec<(Entry, u32)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    rule: u32,
    /// Which of the rule's domains is still to be asked; none where the look-up settled it.
    domain: Option<u32>,
}

impl Index {
    pub fn new(judges: &[Judge]) -> Index {
        let mut raw = Raw::default();
        for (rule, judge) in (0..).zip(judges) {
            raw.add(rule, judge);
        }
        let mut sieves = Sieves {
            judges,
            made: HashMap::new(),
            patterns: 0,
        };
        let domains: Vec<(Pattern, Bucket)> = raw
            .regexes
            .into_iter()
            .map(|(pattern, entries)| (pattern, sieves.bucket(entries)))
            .collect();
        let patterns: Vec<Pattern> = domains.iter().map(|(pattern, _)| pattern.clone()).collect();
        let mut buckets = |map: Map<Vec<Entry>>| {
            map.into_iter()
                .map(|(key, entries)| (key, sieves.bucket(entries)))
                .collect()
        };
        Index {
            exact: buckets(raw.exact),
            endings: buckets(raw.endings),
            rest: sieves.bucket(raw.rest),
            regexes: Regexes {
                domains,
                sieve: Sieve::build(&patterns).map(Arc::new),
            },
        }
    }

    /// The first of `judges`, from which the index was built, whose criteria all hold.
    pub fn first(&self, judges: &[Judge], facts: &Facts<'_>) -> Option<u32> {
        let mut search = Search {
            judges,
            facts,
            best: u32::MAX,
        };
        let host = facts.host();
        if let Some(bucket) = self.exact.get(host) {
            search.bucket(bucket);
        }
        if !self.endings.is_empty() {
            for (dot, _) in host.match_indices('.') {
                if let Some(bucket) = self.endings.get(&host[dot..]) {
                    search.bucket(bucket);
                }
            }
        }
        search.bucket(&self.rest);
        search.regexes(&self.regexes);
        (search.best != u32::MAX).then_some(search.best)
    }
}

/// A search for the first rule that holds; `best` is the first found so far.
struct Search<'s> {
    judges: &'s [Judge],
    facts: &'s Facts<'s>,
    best: u32,
}

impl Search<'_> {
    fn regexes(&mut self, regexes: &Regexes) {
        let host = self.facts.host().as_bytes();
        match &regexes.sieve {
            Some(sieve) => {
                sieve.sift(host, |at| {
                    self.bucket(&regexes.domains[at].1);
                    false
                });
            }
            None => {
                for (pattern, bucket) in &regexes.domains {
                    if bucket.first() < self.best && pattern.is_match(host) {
                        self.bucket(bucket);
                    }
                }
            }
        }
    }

    fn bucket(&mut self, bucket: &Bucket) {
        for entry in bucket
            .plain
            .iter()
            .take_while(|entry| entry.rule < self.best)
        {
            if self.holds(entry, |judge, facts| judge.resources_hold(facts)) {
                self.best = entry.rule;
                break;
            }
        }
        let Some(Sifted { sieve, places }) = &bucket.sifted else {
            return;
        };
        if places
            .first()
            .is_none_or(|(entry, _)| entry.rule >= self.best)
        {
            return;
        }
        sieve.sift(self.facts.text(), |at| {
            let (entry, resource) = &places[at];
            let matched = |judge: &Judge, facts: &Facts<'_>| {
                judge.matched_resource_holds(&judge.resources()[*resource as usize], facts)
            };
            let found = entry.rule < self.best && self.holds(entry, matched);
            if found {
                self.best = entry.rule;
            }
            found || entry.rule >= self.best
        });
    }

    fn holds(&self, entry: &Entry, resources: impl Fn(&Judge, &Facts<'_>) -> bool) -> bool {
        let judge = &self.judges[entry.rule as usize];
        let domain = |at: u32| judge.domain_holds(&judge.domains()[at as usize], self.facts);
        judge.others_hold(self.facts)
            && entry.domain.is_none_or(domain)
            && resources(judge, self.facts)
    }
}

impl Bucket {
    fn first(&self) -> u32 {
        let sifted = self
            .sifted
            .as_ref()
            .and_then(|sifted| sifted.places.first());
        let rules = self
            .plain
            .first()
            .into_iter()
            .chain(sifted.map(|(entry, _)| entry));
        rules.map(|entry| entry.rule).min().unwrap_or(u32::MAX)
    }
}

/// The entries of each bucket, before it is known how to search them.
#[derive(Default)]
struct Raw {
    exact: Map<Vec<Entry>>,
    endings: Map<Vec<Entry>>,
    rest: Vec<Entry>,
    regexes: Vec<(Pattern, Vec<Entry>)>,
    /// Where each regular expression stands in `regexes`.
    places: Map<usize>,
}

impl Raw {
    fn add(&mut self, rule: u32, judge: &Judge) {
        if judge.domains().is_empty() {
            self.rest.push(Entry { rule, domain: None });
        }
        for (at, domain) in (0..).zip(judge.domains()) {
            let entry = Entry {
                rule,
                domain: domain.asks().then_some(at),
            };
            let entries = match domain {
                Domain::Exact(name) => self.exact.entry(name.clone()).or_default(),
                Domain::Suffix(ending) | Domain::User(ending) | Domain::Group(ending)
                    if ending.starts_with('.') =>
                {
                    self.endings.entry(ending.clone()).or_default()
                }
                Domain::Regex(pattern) => self.regex(pattern),
                _ => {
                    self.rest.push(Entry {
                        rule,
                        domain: Some(at),
                    });
                    continue;
                }
            };
            if entries.last() != Some(&entry) {
                entries.push(entry);
            }
        }
    }

    fn regex(&mut self, pattern: &Pattern) -> &mut Vec<Entry> {
        let next = self.regexes.len();
        let place = *self.places.entry(pattern.source().into()).or_insert(next);
        if place == next {
            self.regexes.push((pattern.clone(), Vec::new()));
        }
        &mut self.regexes[place].1
    }
}

/// Makes buckets. Buckets whose rules with `resources` are the same share a sieve.
struct Sieves<'j> {
    judges: &'j [Judge],
    made: HashMap<Vec<u32>, Option<Arc<Sieve>>>,
    patterns: usize,
}

impl Sieves<'_> {
    fn bucket(&mut self, entries: Vec<Entry>) -> Bucket {
        let has_resources =
            |entry: &Entry| !self.judges[entry.rule as usize].resources().is_empty();
        let (with, without): (Vec<Entry>, Vec<Entry>) =
            entries.iter().partition(|entry| has_resources(entry));
        match self.sieve(with.iter().map(|entry| entry.rule).collect()) {
            Some(sieve) => {
                let resources =
                    |entry: &Entry| (0..).take(self.judges[entry.rule as usize].resources().len());
                let places = with
                    .iter()
                    .flat_map(|entry| resources(entry).map(|resource| (*entry, resource)))
                    .collect();
                Bucket {
                    plain: without,
                    sifted: Some(Sifted { sieve, places }),
                }
            }
            None => Bucket {
                plain: entries,
                sifted: None,
            },
        }
    }

    fn sieve(&mut self, rules: Vec<u32>) -> Option<Arc<Sieve>> {
        if let Some(made) = self.made.get(&rules) {
            return made.clone();
        }
        let resources = |rule: &u32| self.judges[*rule as usize].resources();
        let count: usize = rules.iter().map(|rule| resources(rule).len()).sum();
        let affordable = self.patterns + count <= MOST_SIFTED;
        let patterns: Vec<Pattern> = if affordable {
            rules.iter().flat_map(resources).cloned().collect()
        } else {
            Vec::new()
        };
        let sieve = Sieve::build(&patterns).map(Arc::new);
        self.patterns += sieve.as_ref().map_or(0, |_| count);
        self.made.insert(rules, sieve.clone());
        sieve
    }
}
