//! Sessions that the zone does not have, brought back from the store: after a restart, from another
//! machine, or evicted. Only a cookie whose MAC is right comes here, so nobody can have the store
//! asked for what he made up; and what the store does not know is not asked for again for a while.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    sync::Arc,
};

use super::Desk;
use crate::{
    metrics::{Counter, Fetched, Level},
    nginx::{errands, meters, request::Request, state::State, timer::Timer, wait::Waiting},
    portal::Outage,
    session::{Key, Realm, Record, standing},
    store::LedgerSession,
};

/// Requests of one worker that wait for sessions.
const MOST_WAITING: usize = 4096;

/// How often a session is fetched anew because others have ended meanwhile.
const TRIES: u32 = 8;

/// Milliseconds after which a fetch that has not come back is given up. Stores have time-outs of their
/// own, and this is for what those do not cover.
const LONGEST: usize = 15_000;

/// Sessions that a worker remembers not to exist, and for how many seconds.
const ABSENT: (usize, u64) = (1024, 3);

/// A request that waits, and how it goes on.
type Asker = (Waiting, Box<dyn FnOnce(Request<'_>)>);

thread_local! {
    /// Of this worker; the loop is its only thread that comes here.
    static ASKED: RefCell<HashMap<Key, Asked>> = RefCell::default();
    /// How many fetches there have been.
    static NUMBER: Cell<u64> = const { Cell::new(0) };
    static WAITING: Cell<usize> = const { Cell::new(0) };
    static KNOWN_ABSENT: RefCell<Vec<(Key, u64)>> = const { RefCell::new(Vec::new()) };
}

/// A session that is being looked for.
#[derive(Default)]
struct Asked {
    /// The number of the fetch that looks for it now.
    number: u64,
    askers: Vec<Asker>,
}

/// How things were when a fetch began.
struct Before {
    /// See [`Zone::ends`](crate::nginx::zone::Zone::ends).
    ends: u32,
    /// In milliseconds of the clock that nobody sets.
    begun: u64,
    /// The number of the fetch.
    number: u64,
    /// How often it may be tried, this time included.
    tries: u32,
}

/// What came of it.
enum Found {
    /// The zone has it now.
    Here,
    /// There is no such session.
    Nowhere,
    /// Others have ended while it was fetched, and it may be one of them.
    Perhaps,
}

/// Whether the session under `key` was found not to exist a moment ago.
pub fn is_absent(key: &Key, now: u64) -> bool {
    KNOWN_ABSENT.with_borrow(|absent| {
        let place = absent.get(place_of(key));
        place.is_some_and(|(known, until)| known == key && *until > now)
    })
}

fn remember_absent(key: &Key, now: u64) {
    KNOWN_ABSENT.with_borrow_mut(|absent| {
        let (places, seconds) = ABSENT;
        absent.resize(places, (Key([0; 32]), 0));
        absent[place_of(key)] = (*key, now + seconds);
    });
}

fn place_of(key: &Key) -> usize {
    usize::from(u16::from_ne_bytes([key.0[0], key.0[1]])) % ABSENT.0
}

/// Lets `request` wait until the session under `key` is in the zone or known not to be anywhere, and
/// then go on with `go_on`; [`State::was_asked`] and [`State::is_unknown`] then say what came of it.
/// Requests that want the same session wait together. `false`: too many wait, and this one goes on.
pub fn start(request: Request<'_>, key: Key, go_on: impl FnOnce(Request<'_>) + 'static) -> bool {
    let Some(desk) = Desk::of(request.whole()) else {
        return false;
    };
    if WAITING.get() >= MOST_WAITING {
        meters::count(&desk.zone, Counter::Fetch(Fetched::Refused));
        return false;
    }
    WAITING.set(WAITING.get() + 1);
    let asker: Asker = (Waiting::start(request), Box::new(go_on));
    let first = ASKED.with_borrow_mut(|asked| {
        let asked = asked.entry(key).or_default();
        asked.askers.push(asker);
        asked.askers.len() == 1
    });
    set_level(&desk);
    match first {
        true => fetch(desk, key, TRIES),
        false => meters::count(&desk.zone, Counter::Fetch(Fetched::Shared)),
    }
    true
}

fn fetch(desk: Desk, key: Key, tries: u32) {
    let number = NUMBER.get() + 1;
    NUMBER.set(number);
    ASKED.with_borrow_mut(|asked| asked.entry(key).or_default().number = number);
    give_up_later(&desk, key, number);
    let before = Before {
        ends: desk.zone.ends(),
        number,
        begun: crate::nginx::milliseconds(),
        tries,
    };
    let (archive, now) = (Arc::clone(&desk.archive), crate::nginx::now());
    let work = move || archive.ask(|ledger| ledger.fetch(&key.0, now));
    errands::run_recall(desk.threads, work, move |fetched| match fetched {
        Some(fetched) => take(desk, key, before, fetched),
        // Too many are being looked for, which says nothing about the store.
        None => {
            meters::count(&desk.zone, Counter::Fetch(Fetched::Refused));
            settle(&key, false);
            set_level(&desk);
        }
    });
}

/// Whoever waits for a store that does not come back at all is told so.
fn give_up_later(desk: &Desk, key: Key, number: u64) {
    let (desk, begun) = (desk.clone(), crate::nginx::milliseconds());
    Timer::every(LONGEST, move |_| {
        if is_awaited(&key, number) {
            let sentence = format!("has not answered for {} seconds", LONGEST / 1000);
            desk.lose(&Outage(sentence), begun);
            settle(&key, false);
            set_level(&desk);
        }
    });
}

/// Whether somebody waits for that very fetch.
fn is_awaited(key: &Key, number: u64) -> bool {
    ASKED.with_borrow(|asked| asked.get(key).is_some_and(|asked| asked.number == number))
}

fn take(desk: Desk, key: Key, before: Before, fetched: Result<Option<LedgerSession>, Outage>) {
    if !is_awaited(&key, before.number) {
        return;
    }
    let session = match fetched {
        Ok(session) => session,
        Err(outage) => {
            meters::count(&desk.zone, Counter::Fetch(Fetched::Failed));
            desk.lose(&outage, before.begun);
            settle(&key, false);
            return set_level(&desk);
        }
    };
    let fetched = match session {
        Some(_) => Fetched::Found,
        None => Fetched::Absent,
    };
    meters::count(&desk.zone, Counter::Fetch(fetched));
    match place(&desk, &key, before.ends, session.as_ref()) {
        Found::Here => settle(&key, true),
        Found::Nowhere => {
            remember_absent(&key, crate::nginx::now());
            settle(&key, true);
        }
        Found::Perhaps if before.tries > 1 => return fetch(desk, key, before.tries - 1),
        Found::Perhaps => settle(&key, false),
    }
    set_level(&desk);
}

/// Puts what was fetched into the zone, if it still stands and nothing has ended meanwhile.
fn place(desk: &Desk, key: &Key, ends: u32, session: Option<&LedgerSession>) -> Found {
    let now = crate::nginx::now();
    let read = session.and_then(|session| Record::decode(&session.record, session.last_used));
    let Some(record) = read else {
        return Found::Nowhere;
    };
    let realm = desk.realm(&record);
    let stands = |realm: &&Realm| standing(&record, realm, now).is_ok();
    let (Some(realm), Some(mut sessions)) = (realm.filter(stands), desk.zone.sessions()) else {
        return Found::Nowhere;
    };
    if desk.zone.ends() != ends {
        return Found::Perhaps;
    }
    let until = realm.lifetimes.ends(&record);
    match sessions.insert(key, &record, until, now) {
        true => Found::Here,
        false => Found::Nowhere,
    }
}

/// Says how many sessions are being looked for.
fn set_level(desk: &Desk) {
    let count = ASKED.with_borrow(HashMap::len);
    meters::set(&desk.zone, Level::FetchesRunning, count);
}

/// Lets everybody go on who waits for the session; `known`: whether there is an answer.
fn settle(key: &Key, known: bool) {
    let askers = ASKED.with_borrow_mut(|asked| asked.remove(key));
    let askers = askers.unwrap_or_default().askers;
    WAITING.set(WAITING.get().saturating_sub(askers.len()));
    for (waiting, go_on) in askers {
        let key = *key;
        waiting.resume(move |request| {
            if let Some(state) = State::of(request) {
                state.note_recall(key, known);
            }
            go_on(request);
        });
    }
}
