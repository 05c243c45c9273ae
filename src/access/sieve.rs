//! Many patterns searched at once: one pass over the text says which of them match.
//!
//! A lazy automaton does it, whose states are built as texts need them and then kept, so that the
//! cost of a search does not grow with the number of patterns and a search allocates nothing once
//! the automaton is warm.

use super::Pattern;
use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson;
use regex_automata::util::{pool::Pool, syntax::Config};
use regex_automata::{Input, MatchKind};
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// Below this many patterns a loop is as good.
const FEWEST: usize = 8;
/// The automaton's plan may take this many bytes; patterns that need more go by the loop.
const PLAN_LIMIT: usize = 32 << 20;
/// What the automaton remembers of the texts it has seen, in bytes: at least, for each pattern, at most.
const MEMORY: (usize, usize, usize) = (512 << 10, 8 << 10, 8 << 20);

/// Patterns that are searched together.
pub(super) struct Sieve {
    automaton: DFA,
    patterns: Vec<Pattern>,
    scratch: Pool<Scratch, MakeScratch>,
}

type MakeScratch = Box<dyn Fn() -> Scratch + Send + Sync + UnwindSafe + RefUnwindSafe>;

struct Scratch {
    cache: Cache,
    /// A bit for each pattern that matched.
    matched: Vec<u64>,
}

impl Sieve {
    /// A sieve for `patterns`; `None` where a loop over them is as good or they are too large.
    pub fn build(patterns: &[Pattern]) -> Option<Sieve> {
        if patterns.len() < FEWEST {
            return None;
        }
        let sources: Vec<&str> = patterns.iter().map(Pattern::rust).collect();
        let (least, each, most) = MEMORY;
        let memory = sources
            .len()
            .saturating_mul(each)
            .saturating_add(least)
            .min(most);
        let automaton = DFA::builder()
            .syntax(syntax())
            .thompson(
                thompson::Config::new()
                    .utf8(false)
                    .nfa_size_limit(Some(PLAN_LIMIT)),
            )
            .configure(
                DFA::config()
                    .match_kind(MatchKind::All)
                    .cache_capacity(memory)
                    .skip_cache_capacity_check(true),
            )
            .build_many(&sources)
            .ok()?;
        let (shared, words) = (automaton.clone(), sources.len().div_ceil(64));
        let make: MakeScratch = Box::new(move || Scratch {
            cache: shared.create_cache(),
            matched: vec![0; words],
        });
        Some(Sieve {
            automaton,
            patterns: patterns.to_vec(),
            scratch: Pool::new(make),
        })
    }

    /// Gives `stop` the number of each pattern that matches anywhere in `text`, ascending, until it
    /// says `true`; whether it did.
    pub fn sift(&self, text: &[u8], mut stop: impl FnMut(usize) -> bool) -> bool {
        let mut scratch = self.scratch.get();
        let Scratch { cache, matched } = &mut *scratch;
        matched.fill(0);
        if self.search(cache, text, matched).is_none() {
            self.search_each(text, matched);
        }
        for (word, bits) in matched.iter().enumerate() {
            let mut bits = *bits;
            while bits != 0 {
                if stop(word * 64 + bits.trailing_zeros() as usize) {
                    return true;
                }
                bits &= bits - 1;
            }
        }
        false
    }

    /// One pass of the automaton; `None` when it gives up.
    fn search(&self, cache: &mut Cache, text: &[u8], matched: &mut [u64]) -> Option<()> {
        let mut state = self
            .automaton
            .start_state_forward(cache, &Input::new(text))
            .ok()?;
        let mut seen = Seen {
            state,
            clears: cache.clear_count(),
        };
        for &byte in text {
            state = self.automaton.next_state(cache, state, byte).ok()?;
            if state.is_tagged() {
                if state.is_dead() {
                    return Some(());
                }
                self.collect(cache, state, &mut seen, matched)?;
            }
        }
        state = self.automaton.next_eoi_state(cache, state).ok()?;
        self.collect(cache, state, &mut seen, matched)
    }

    /// Notes the patterns that end in `state`. A state that was just looked at is passed over, as
    /// a pattern that ends in `.*` stays in one; a state's name holds until the cache is cleared.
    fn collect(
        &self,
        cache: &Cache,
        state: LazyStateID,
        seen: &mut Seen,
        matched: &mut [u64],
    ) -> Option<()> {
        if state.is_quit() {
            return None;
        }
        let now = Seen {
            state,
            clears: cache.clear_count(),
        };
        if state.is_match() && *seen != now {
            for at in 0..self.automaton.match_len(cache, state) {
                let pattern = self.automaton.match_pattern(cache, state, at).as_usize();
                matched[pattern / 64] |= 1 << (pattern % 64);
            }
            *seen = now;
        }
        Some(())
    }

    fn search_each(&self, text: &[u8], matched: &mut [u64]) {
        for (at, pattern) in self.patterns.iter().enumerate() {
            matched[at / 64] |= u64::from(pattern.is_match(text)) << (at % 64);
        }
    }
}

#[derive(PartialEq)]
struct Seen {
    state: LazyStateID,
    clears: usize,
}

impl fmt::Debug for Sieve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sieve")
            .field("patterns", &self.patterns.len())
            .finish_non_exhaustive()
    }
}

/// How the patterns' text is to be read: as `regex::bytes` does.
pub(super) fn syntax() -> Config {
    Config::new().utf8(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(sources: &[&str]) -> Vec<Pattern> {
        sources
            .iter()
            .map(|go| Pattern::compile(go).unwrap())
            .collect()
    }

    #[test]
    fn finds_what_each_pattern_finds() {
        let patterns = patterns(&[
            "^/a",
            "^/a/.*",
            r"\.css$",
            "b",
            "^$",
            r"\bx\b",
            "(?i)ÜBER",
            "^/a/[^/]*/c$",
            "^/.*",
            "$",
        ]);
        let sieve = Sieve::build(&patterns).unwrap();
        for text in [
            "",
            "/",
            "/a",
            "/a/b/c",
            "/a/x.css",
            "/über/b",
            "/é\u{FFFD}x",
            "/a/a/a/aaaaaaaaaaaaaa",
        ] {
            let mut found = Vec::new();
            sieve.sift(text.as_bytes(), |at| {
                found.push(at);
                false
            });
            let each: Vec<usize> = (0..patterns.len())
                .filter(|at| patterns[*at].is_match(text.as_bytes()))
                .collect();
            assert_eq!(found, each, "{text}");
            let mut bits = [0];
            sieve.search_each(text.as_bytes(), &mut bits);
            assert_eq!(each.iter().map(|at| 1 << at).sum::<u64>(), bits[0]);
        }
    }

    #[test]
    fn a_cache_that_overflows_loses_no_match() {
        let sources: Vec<String> = (0..64)
            .map(|n| format!("[a-z]{{{}}}{n}[a-z]*", n + 20))
            .collect();
        let patterns = patterns(&sources.iter().map(String::as_str).collect::<Vec<_>>());
        let sieve = Sieve::build(&patterns).unwrap();
        let mut seed = 7u32;
        for _ in 0..300 {
            let text: String = (0..400)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    char::from(b"abcdefghijklmnopqrstuvwxyz0123"[(seed >> 16) as usize % 30])
                })
                .collect();
            let mut found = Vec::new();
            sieve.sift(text.as_bytes(), |at| {
                found.push(at);
                false
            });
            let each: Vec<usize> = (0..patterns.len())
                .filter(|at| patterns[*at].is_match(text.as_bytes()))
                .collect();
            assert_eq!(found, each);
        }
    }

    #[test]
    fn a_few_patterns_are_left_to_a_loop() {
        assert!(Sieve::build(&patterns(&["a", "b"])).is_none());
    }
}
