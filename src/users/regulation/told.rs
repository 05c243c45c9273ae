//! Attempts that were counted elsewhere: on another machine, or before this memory was made.

use super::{
    Attempts, Banned, Settings, Subject, Whom,
    attempts::{Counted, change},
};
use crate::slots::Memory;

/// An attempt that was made elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// Against whom it counts, or in whose favour.
    pub subject: Subject,
    /// When it was made, in Unix seconds.
    pub when: u64,
    /// Whether it succeeded.
    pub passed: bool,
}

impl<M: Memory> Attempts<'_, M> {
    /// Counts an attempt as if it had been made here at its time; those of one subject may be told
    /// in any order. A failure while a ban held counts nothing, a success forgets the failures up to
    /// its second and lifts no ban. Gives the ban that this brings about, if that has not ended yet.
    pub fn count_told(&mut self, told: &Told, settings: &Settings, now: u64) -> Option<Banned> {
        let who = match &told.subject {
            Subject::User(name) => self.user(name.as_str()),
            Subject::Address(address) => self.address(*address),
        };
        if !settings.counts(who.whom) {
            return None;
        }
        // The clock of another machine may be fast; nothing is held against anybody in advance.
        let when = told.when.min(now);
        if told.passed {
            let table = self.table(who.whom);
            change(table, &who.key, |tally| tally.succeed_elsewhere(when));
            return None;
        }
        self.count_failure(&who, when, settings, now)
    }

    fn count_failure(
        &mut self,
        who: &Counted,
        when: u64,
        settings: &Settings,
        now: u64,
    ) -> Option<Banned> {
        let whom: Whom = who.whom;
        let mut tally = self.tally(who, now);
        tally.shorten(settings, now);
        let before = tally.banned_until(now);
        tally.fail_elsewhere(settings, when);
        let expires = tally.ends(settings);
        self.keep(who, &tally, expires, now);
        let until = tally.banned_until(now);
        let until = until.filter(|until| before != Some(*until))?;
        Some(Banned { whom, until })
    }
}
