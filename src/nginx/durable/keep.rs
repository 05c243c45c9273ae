//! What a step of the portal changes about sessions, written down before it counts: a session begins
//! in the store first, so that no answer promises one that a crash would take back.

use std::sync::Arc;

use super::{Desk, clerk, written};
use crate::{
    nginx::{errands, request::Request, wait::Waiting},
    portal::Outage,
    session::{Key, Record},
    store::{Event, SessionKey},
};

/// One change.
#[derive(Clone)]
pub enum Change {
    /// A session begins.
    Start {
        /// Under what it is kept.
        key: Key,
        /// What is kept.
        record: Box<Record>,
        /// The session in whose place it comes.
        replaces: Option<Key>,
        /// When it ends.
        ends: u64,
    },
    /// A session ends.
    End(Key),
}

/// What came of the changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// They count.
    All,
    /// A session that began is over already, as the one is whose place it was to take.
    Overtaken,
    /// The store is out. Nothing began; what was to end has ended here, and will elsewhere.
    Nothing,
}

/// Writes `changes` down while the request waits, lets them count in the zone, and goes on.
pub fn run(
    request: Request<'_>,
    desk: Desk,
    changes: Vec<Change>,
    then: impl FnOnce(Request<'_>, Kept) + 'static,
) {
    let now = crate::nginx::now();
    let (archive, name) = (Arc::clone(&desk.archive), desk.zone.name());
    let (before, begun) = (desk.zone.ends(), crate::nginx::milliseconds());
    let events: Vec<Event> = changes
        .iter()
        .filter_map(|change| event(&desk, change))
        .collect();
    let work = move || archive.ask(|ledger| ledger.record(&events, name, now));
    let threads = desk.threads;
    errands::run_anyway(
        Waiting::start(request),
        threads,
        work,
        move |waiting, done| {
            // Whether or not somebody still waits.
            let kept = match done {
                Some(done) => settle(&desk, &changes, (before, begun), done),
                // Too much is to be done at once, which says nothing about the store.
                None => give_up(&desk, &changes),
            };
            waiting.resume(move |request| then(request, kept));
        },
    );
}

fn event(desk: &Desk, change: &Change) -> Option<Event> {
    match change {
        Change::Start {
            key,
            record,
            replaces,
            ..
        } => Some(Event::Started {
            session: written(&desk.config, key, record)?,
            replaces: replaces.map(|key| key.0),
        }),
        Change::End(key) => Some(Event::Ended(key.0)),
    }
}

fn settle(
    desk: &Desk,
    changes: &[Change],
    (before, begun): (u32, u64),
    done: Result<Vec<SessionKey>, Outage>,
) -> Kept {
    match done {
        Ok(over) => {
            let overtaken = !over.is_empty();
            apply(desk, changes, before, &over);
            match overtaken {
                true => Kept::Overtaken,
                false => Kept::All,
            }
        }
        Err(outage) => {
            desk.lose(&outage, begun);
            give_up(desk, changes)
        }
    }
}

/// What is done without the store: nothing begins; what only ends does so here.
fn give_up(desk: &Desk, changes: &[Change]) -> Kept {
    let begins = |change: &Change| matches!(change, Change::Start { .. });
    if !changes.iter().any(begins) {
        end_here(desk, changes);
    }
    Kept::Nothing
}

/// Lets the changes count in the zone. Where others have ended since `before`, a new session is left
/// to be fetched at its first use, in case it is one of them.
fn apply(desk: &Desk, changes: &[Change], before: u32, over: &[SessionKey]) {
    let now = crate::nginx::now();
    let Some(mut sessions) = desk.zone.sessions() else {
        return;
    };
    let undisturbed = desk.zone.ends() == before;
    for change in changes {
        match change {
            Change::Start {
                key,
                record,
                replaces,
                ends,
            } => {
                if let Some(old) = replaces {
                    sessions.bury(old);
                }
                if undisturbed && !over.contains(&key.0) {
                    sessions.insert(key, record, *ends, now);
                }
            }
            Change::End(key) => sessions.bury(key),
        }
    }
}

/// Ends here what the store cannot be told of, and has it told later.
fn end_here(desk: &Desk, changes: &[Change]) {
    let Some(mut sessions) = desk.zone.sessions() else {
        return;
    };
    for change in changes {
        if let Change::End(key) = change {
            sessions.bury(key);
            clerk::ended(key);
        }
    }
}
