//! Failed attempts: those of one target at one thing lie in one cell.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::cells::{CellName, Change, MARGIN, enter, members};
use super::form::{Reader, Writer};
use super::link::{Visit, all_bytes};
use super::{Outcome, Redis, keys};
use crate::store::{Target, TriedAt, Try};

const KIND: u8 = b't';

/// Seconds after which a failed attempt is forgotten whatever the configuration says.
const HELD: u64 = 24 * 60 * 60;

/// Failures of one target at one thing that are remembered.
const OF_ONE: usize = 128;

/// Targets whose failures are remembered; of more, those who failed longest ago are forgotten.
const MOST: usize = 16_384;

/// Failures that are given back at most.
const FAILURES: usize = 65_536;

/// Numbers of attempts that may not have been written down, which are remembered.
const UNSURE: usize = 4096;

/// The failures of a target at something.
pub(super) struct Tries {
    at: TriedAt,
    target: Target,
    /// Up to when nothing counts, as there was a success or he was forgiven.
    made_up: u64,
    /// When, and by what number an attempt that is told twice is known again; oldest first.
    failures: VecDeque<(u64, u64)>,
}

/// Attempts of which it is not known whether they were written down, with their numbers.
#[derive(Debug, Default)]
pub(super) struct Unsure(Mutex<VecDeque<(Try, u64)>>);

impl Unsure {
    /// The number under which this attempt was told before, without success.
    pub(super) fn take(&self, tried: &Try) -> Option<u64> {
        let mut unsure = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = unsure.iter().position(|(known, _)| known == tried)?;
        unsure.remove(place).map(|(_, number)| number)
    }

    pub(super) fn remember(&self, told: Vec<(Try, u64)>) {
        let mut unsure = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        unsure.extend(told);
        let many = unsure.len().saturating_sub(UNSURE);
        unsure.drain(..many);
    }
}

impl Tries {
    pub(super) fn read(bytes: &[u8]) -> Option<Tries> {
        let (kind, mut reader) = Reader::new(bytes)?;
        let of = reader.tried()?;
        let count = usize::from(reader.byte()?);
        if kind != KIND || count > OF_ONE {
            return None;
        }
        let mut failure = || Some((reader.number()?, reader.number()?));
        let failures: Option<VecDeque<_>> = (0..count).map(|_| failure()).collect();
        let failures = failures?;
        reader.end(Tries {
            at: of.at,
            target: of.target,
            made_up: of.when,
            failures,
        })
    }

    fn write(&self) -> Vec<u8> {
        let of = Try {
            at: self.at,
            target: self.target.clone(),
            when: self.made_up,
            passed: true,
        };
        let count = u8::try_from(self.failures.len()).expect("no more than 128");
        let writer = Writer::new(KIND).tried(&of).byte(count);
        let failures = self.failures.iter();
        let write =
            |writer: Writer, (when, number): &(u64, u64)| writer.number(*when).number(*number);
        failures.fold(writer, write).done()
    }

    /// News come in any order: a failure from before a success does not count.
    fn count(&mut self, tried: &Try, number: u64) {
        if tried.passed {
            self.made_up = self.made_up.max(tried.when);
            self.failures.retain(|(when, _)| *when > tried.when);
        } else if tried.when >= self.made_up
            && self.failures.iter().all(|(_, known)| *known != number)
        {
            let place = self
                .failures
                .partition_point(|(when, _)| *when <= tried.when);
            self.failures.insert(place, (tried.when, number));
            if self.failures.len() > OF_ONE {
                self.failures.pop_front();
            }
        }
    }

    /// When all of it is forgotten.
    fn ends(&self) -> u64 {
        let last = self.failures.back().map_or(0, |(when, _)| *when);
        last.max(self.made_up).saturating_add(HELD)
    }
}

impl Redis {
    /// Writes down an attempt under a number.
    pub(super) fn write_try(
        &self,
        visit: Visit<'_>,
        tried: &Try,
        number: u64,
        now: u64,
    ) -> Outcome<()> {
        let of = (tried.at, &tried.target);
        self.change_tries(visit, of, now, |tries| tries.count(tried, number))
    }

    /// Forgets the failures of a target at everything, and those that are told of late.
    pub(super) fn forgive(&self, visit: Visit<'_>, target: &Target, now: u64) -> Outcome<()> {
        for at in [TriedAt::Password, TriedAt::SecondFactor] {
            self.change_tries(visit, (at, target), now, |tries| {
                tries.made_up = tries.made_up.max(now);
                tries.failures.clear();
            })?;
        }
        Ok(())
    }

    fn change_tries(
        &self,
        visit: Visit<'_>,
        (at, target): (TriedAt, &Target),
        now: u64,
        change: impl Fn(&mut Tries),
    ) -> Outcome<()> {
        let mark = keys::tries_mark(&self.key, at, target);
        let ends = self.change_cell(visit, tries_cell(mark), |value| {
            let known = value.and_then(Tries::read);
            let mut tries = known.unwrap_or_else(|| Tries {
                at,
                target: target.clone(),
                made_up: 0,
                failures: VecDeque::new(),
            });
            change(&mut tries);
            let ends = tries.ends();
            match ends.checked_sub(now).filter(|seconds| *seconds > 0) {
                Some(seconds) => {
                    let seconds = seconds.saturating_add(MARGIN);
                    (Change::Write(tries.write(), seconds), ends)
                }
                None => (Change::Delete, ends),
            }
        })?;
        if ends <= now {
            return Ok(());
        }
        let entry = enter(keys::TRIES, &mark, ends, now, MOST);
        let many = all_bytes(visit.ask(entry)?).map_err(|wrong| self.link.error(wrong))?;
        self.forget_cells(visit, many.iter().map(|mark| keys::tries(mark)))
    }

    /// Failures since then that no success has made up for, oldest first.
    pub(super) fn list_tries(&self, since: u64) -> Outcome<Vec<Try>> {
        let visit = self.visit();
        let after = since.saturating_add(HELD).saturating_sub(1);
        let marks = all_bytes(visit.ask(members(keys::TRIES, after, MOST))?)
            .map_err(|wrong| self.link.error(wrong))?;
        // What is no mark was not entered by us.
        let marks = marks
            .iter()
            .filter_map(|mark| mark.as_slice().try_into().ok());
        let cells: Vec<_> = marks.map(tries_cell).collect();
        let mut found = Vec::new();
        for tries in self.read_cells(visit, &cells)?.iter().flatten() {
            let Some(tries) = Tries::read(tries) else {
                continue;
            };
            let failures = tries.failures.iter().filter(|(when, _)| *when >= since);
            found.extend(failures.map(|(when, _)| Try {
                at: tries.at,
                target: tries.target.clone(),
                when: *when,
                passed: false,
            }));
        }
        found.sort_by_key(|tried| tried.when);
        let many = found.len().saturating_sub(FAILURES);
        found.drain(..many);
        Ok(found)
    }
}

fn tries_cell(mark: [u8; 32]) -> CellName {
    CellName {
        key: keys::tries(&mark),
        table: "redis failures",
        id: mark,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tries() -> Tries {
        Tries {
            at: TriedAt::SecondFactor,
            target: Target::User("alice".into()),
            made_up: 0,
            failures: VecDeque::new(),
        }
    }

    fn tried(when: u64, passed: bool) -> Try {
        Try {
            at: TriedAt::SecondFactor,
            target: Target::User("alice".into()),
            when,
            passed,
        }
    }

    #[test]
    fn an_attempt_that_is_told_twice_counts_once_and_two_in_a_second_count_twice() {
        let mut tries = tries();
        for number in [1, 2, 2, 1] {
            tries.count(&tried(10, false), number);
        }
        assert_eq!(tries.failures.len(), 2);
        let read = Tries::read(&tries.write()).unwrap();
        assert_eq!(
            (read.failures, read.target),
            (tries.failures.clone(), tries.target.clone())
        );
        tries.count(&tried(9, true), 0);
        assert_eq!(tries.failures.len(), 2);
        tries.count(&tried(10, true), 0);
        assert!(tries.failures.is_empty());
        tries.count(&tried(9, false), 8);
        assert!(tries.failures.is_empty(), "from before the success");
        tries.count(&tried(10, false), 9);
        assert_eq!(tries.failures.len(), 1);
    }

    #[test]
    fn the_newest_failures_are_remembered() {
        let mut tries = tries();
        (0..1000).for_each(|n| tries.count(&tried(n, false), n));
        assert_eq!(tries.failures.len(), OF_ONE);
        assert_eq!(tries.ends(), 999 + HELD);
    }

    #[test]
    fn numbers_of_attempts_that_may_be_lost_are_used_again() {
        let unsure = Unsure::default();
        unsure.remember(vec![(tried(1, false), 7)]);
        assert_eq!(unsure.take(&tried(2, false)), None);
        assert_eq!(unsure.take(&tried(1, false)), Some(7));
        assert_eq!(unsure.take(&tried(1, false)), None);
    }
}
