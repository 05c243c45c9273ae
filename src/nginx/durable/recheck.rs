//! The zone compared with its store, after an outage or when orders were missed: what the store has
//! lost is kept anew, and what is over there ends here. One worker at a time goes through the whole
//! table, a portion after the other.

use std::sync::Arc;

use super::{Desk, written};
use crate::{
    nginx::{job, timer::Timer},
    session::{Key, Session},
    store::Event,
};

/// Sessions that are compared in one go, and milliseconds before the next.
const PORTION: u32 = 512;
const PAUSE: usize = 5;

/// Seconds after which another worker may begin anew, if this one has died over it.
const CLAIM: u64 = 30;

/// Begins, unless another worker is at it.
pub fn begin(desk: &Desk) {
    if desk.zone.claim_recheck(crate::nginx::now(), CLAIM) {
        go_on(desk.clone(), 0);
    }
}

fn go_on(desk: Desk, place: u32) {
    let Some((events, more)) = portion(&desk, place) else {
        return desk.zone.release_recheck();
    };
    let next = place.saturating_add(PORTION);
    if events.is_empty() {
        return advance(desk, next, more);
    }
    let (archive, name, now) = (
        Arc::clone(&desk.archive),
        desk.zone.name(),
        crate::nginx::now(),
    );
    let begun = crate::nginx::milliseconds();
    let work = move || archive.ask(|ledger| ledger.record(&events, name, now));
    job::spawn(desk.threads, job::AtExit::Leave, work, move |done| {
        match done {
            Some(Ok(over)) => {
                if let Some(mut sessions) = desk.zone.sessions() {
                    over.iter().for_each(|key| sessions.bury(&Key(*key)));
                }
                advance(desk, next, more);
            }
            // Out again: who ends that outage begins anew.
            Some(Err(outage)) => {
                desk.lose(&outage, begun);
                desk.zone.release_recheck();
            }
            None => desk.zone.release_recheck(),
        }
    });
}

fn advance(desk: Desk, next: u32, more: bool) {
    if !more {
        return desk.zone.release_recheck();
    }
    Timer::once(PAUSE, move || go_on(desk.clone(), next));
}

/// What the store is told of the sessions in one range of places, and whether there are places
/// behind it.
fn portion(desk: &Desk, place: u32) -> Option<(Vec<Event>, bool)> {
    let places = place..place.saturating_add(PORTION);
    let sessions = desk.zone.sessions()?;
    let now = crate::nginx::now();
    let buried = sessions.buried_in(places.clone());
    let lasts = |session: &Session| session.expires > now;
    let (found, more) = sessions.those_in(places, lasts);
    drop(sessions);
    let ended = buried.into_iter().map(|key| Event::Ended(key.0));
    let used = found
        .iter()
        .filter_map(|session| written(&desk.config, &session.key, &session.record));
    Some((ended.chain(used.map(Event::Used)).collect(), more))
}
