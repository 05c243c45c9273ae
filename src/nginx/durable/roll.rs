//! The roll of a user's sessions as the store has it, those on other machines included.

use std::sync::Arc;

use super::{Desk, clerk};
use crate::{
    nginx::{
        errands,
        request::Request,
        sweep::{self, Wanted},
        wait::Waiting,
    },
    session::{Key, Record, Session},
    store::{Command, LedgerSession},
};

/// Lists the sessions that are wanted, or ends them, here at once and then everywhere; goes on with
/// them, newest first, or with `None` where the store is out.
pub fn run(
    request: Request<'_>,
    desk: Desk,
    wanted: Wanted,
    then: impl FnOnce(Request<'_>, Option<Vec<Session>>) + 'static,
) {
    let waiting = Waiting::start(request);
    if wanted.end_all_but.is_none() {
        return ask(waiting, desk, wanted, then);
    }
    let zone = desk.zone.clone();
    let here = wanted.clone();
    sweep::run(waiting, zone, here, move |waiting, _| {
        ask(waiting, desk, wanted, then);
    });
}

fn ask(
    waiting: Waiting,
    desk: Desk,
    wanted: Wanted,
    then: impl FnOnce(Request<'_>, Option<Vec<Session>>) + 'static,
) {
    let (archive, name, now) = (
        Arc::clone(&desk.archive),
        desk.zone.name(),
        crate::nginx::now(),
    );
    let begun = crate::nginx::milliseconds();
    let (user, end_all_but) = (wanted.user.clone(), wanted.end_all_but);
    let work = move || {
        archive.ask(|ledger| {
            let sessions = ledger.sessions(Some(&user), now)?;
            if let Some(except) = end_all_but {
                let except = except.map(|key| key.0);
                ledger.place_order(&Command::EndUser { user, except }, name, now)?;
            }
            Ok(sessions)
        })
    };
    let threads = desk.threads;
    errands::run_anyway(waiting, threads, work, move |waiting, done| {
        let found = match done {
            Some(Ok(sessions)) => Some(read(&desk, &wanted, &sessions)),
            failed => {
                if let Some(Err(outage)) = failed {
                    desk.lose(&outage, begun);
                }
                // Here they have ended; elsewhere they will.
                if let Some(except) = wanted.end_all_but {
                    clerk::ended_all(&wanted.user, except);
                }
                None
            }
        };
        waiting.resume(move |request| then(request, found));
    });
}

fn bury(desk: &Desk, key: &Key) {
    if let Some(mut sessions) = desk.zone.sessions() {
        sessions.bury(key);
    }
}

/// The sessions as the workers know them. What was used a moment ago the zone knows better.
fn read(desk: &Desk, wanted: &Wanted, sessions: &[LedgerSession]) -> Vec<Session> {
    let except = wanted.end_all_but.flatten();
    let read = |session: &LedgerSession| {
        let (key, mut record) = (
            Key(session.key),
            Record::decode(&session.record, session.last_used)?,
        );
        let here = desk
            .zone
            .sessions()
            .and_then(|mut table| table.lookup(&key));
        if let Some(here) = here {
            record.last_activity = record.last_activity.max(here.last_activity);
        }
        let expires = session.ends;
        Some(Session {
            key,
            record,
            expires,
        })
    };
    let found = sessions.iter().filter_map(read);
    let found = found.filter(|session| Some(session.key) != except);
    let found: Vec<Session> = match wanted.end_all_but {
        // Those that are not here as well, so that the store hears of it again if it forgets.
        Some(_) => found.inspect(|session| bury(desk, &session.key)).collect(),
        None => found.filter(|session| (wanted.lasts)(session)).collect(),
    };
    sweep::newest(found)
}
