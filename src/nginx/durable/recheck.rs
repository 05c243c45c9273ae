//! The zone compared with its store, after an outage or when orders were missed: what the store has
//! lost is kept anew, and what is over there ends here. One worker at a time goes through the whole
//! table, a portion after the other; if it dies over it, another begins anew.

use std::sync::Arc;

use super::{Desk, written};
use crate::{
    nginx::{job, milliseconds, timer::Timer},
    session::{Key, Session},
    store::Event,
};

/// Places that are compared in one go: few, because an end may take several round trips to the store.
const PORTION: u32 = 64;

/// Places that are looked at in one go if there is nothing in them, and milliseconds before the next.
const EMPTY: u32 = 4096;
const PAUSE: usize = 2;

/// Milliseconds for which a portion may take before another worker may begin anew.
const CLAIM: u64 = 30_000;

/// A walk through the table.
struct Walk {
    desk: Desk,
    /// The wish that it fulfils.
    wish: u64,
    /// Until when the turn is this worker's.
    claimed: u64,
    place: u32,
}

/// Begins if that is wanted and no worker is at it.
pub fn begin_if_wanted(desk: &Desk) {
    let Some(wish) = desk.zone.wanted_recheck() else {
        return;
    };
    let claimed = milliseconds() + CLAIM;
    if desk.zone.claim_recheck(None, claimed) {
        let walk = Walk {
            desk: desk.clone(),
            wish,
            claimed,
            place: 0,
        };
        walk.go_on();
    }
}

impl Walk {
    fn go_on(mut self) {
        let claimed = milliseconds() + CLAIM;
        if !self.desk.zone.claim_recheck(Some(self.claimed), claimed) {
            return;
        }
        self.claimed = claimed;
        let Some((events, more)) = self.portion() else {
            return self.end(false);
        };
        if events.is_empty() {
            return self.advance(more);
        }
        let (archive, name) = (Arc::clone(&self.desk.archive), self.desk.zone.name());
        let (now, begun) = (crate::nginx::now(), milliseconds());
        let work = move || archive.ask(|ledger| ledger.record(&events, name, now));
        let threads = self.desk.threads;
        job::spawn(threads, job::AtExit::Leave, work, move |done| match done {
            Some(Ok(over)) => {
                if let Some(mut sessions) = self.desk.zone.sessions() {
                    over.iter().for_each(|key| sessions.bury(&Key(*key)));
                }
                self.advance(more);
            }
            // Out again: whoever has the next turn begins anew.
            Some(Err(outage)) => {
                self.desk.lose(&outage, begun);
                self.end(false);
            }
            None => self.end(false),
        });
    }

    fn advance(self, more: bool) {
        if !more {
            return self.end(true);
        }
        let walk = std::cell::Cell::new(Some(self));
        Timer::once(PAUSE, move || {
            if let Some(walk) = walk.take() {
                walk.go_on();
            }
        });
    }

    fn end(self, done: bool) {
        let done = done.then_some(self.wish);
        self.desk.zone.release_recheck(self.claimed, done);
    }

    /// What the store is told of the sessions in one range of places, and whether there are places
    /// behind it.
    fn portion(&mut self) -> Option<(Vec<Event>, bool)> {
        let sessions = self.desk.zone.sessions()?;
        let (now, end) = (crate::nginx::now(), self.place.saturating_add(EMPTY));
        loop {
            let places = self.place..self.place.saturating_add(PORTION);
            self.place = places.end;
            let buried = sessions.buried_in(places.clone());
            let lasts = |session: &Session| session.expires > now;
            let (found, more) = sessions.those_in(places, lasts);
            if !more || self.place >= end || !found.is_empty() || !buried.is_empty() {
                let written = |one: &Session| written(&self.desk.config, &one.key, &one.record);
                let used = found.iter().filter_map(written).map(Event::Used);
                let ended = buried.into_iter().map(|key| Event::Ended(key.0));
                return Some((used.chain(ended).collect(), more));
            }
        }
    }
}
