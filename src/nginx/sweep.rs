//! Walks through the sessions of one user, in portions: a zone may hold a million sessions, and
//! neither its lock nor the event loop may be held for all of them.

use std::{
    cell::{Cell, RefCell},
    cmp::Reverse,
    collections::VecDeque,
    rc::Rc,
};

use super::{timer::Timer, wait::Waiting, zone::Zone};
use crate::session::{Key, Session};

/// Places of the table that are looked at in one go.
const PORTION: u32 = 2048;

/// Milliseconds between two portions, in which the worker does everything else.
const PAUSE: usize = 1;

/// Walks of one worker that only list and are under way. Those that end sessions are always taken:
/// nobody may keep a thief's session alive by asking for lists.
const LISTS: usize = 256;

/// Sessions that a walk gives back; all that it is to end are ended.
const MOST: usize = 200;

/// Seconds after which a visitor is told to come back when too many lists are asked for.
pub const RETRY_AFTER: u64 = 5;

/// What is looked for, and what happens to it.
#[derive(Clone)]
pub struct Wanted {
    /// Canonical name of the user.
    pub user: String,
    /// Ends all sessions but the one under this key; `None` only lists them.
    pub end_all_but: Option<Option<Key>>,
    /// Whether a session is good for anything: what is over may lie in the table for a while, and is
    /// to take no place of one that lasts.
    pub lasts: Rc<dyn Fn(&Session) -> bool>,
}

type Then = Box<dyn FnOnce(Waiting, Vec<Session>)>;

struct Walk {
    waiting: Waiting,
    zone: Rc<Zone>,
    wanted: Wanted,
    place: u32,
    found: Vec<Session>,
    then: Then,
}

/// Walks, each waiting for its next portion.
#[derive(Default)]
struct Walks {
    /// Those that end sessions, which go first.
    ending: VecDeque<Walk>,
    listing: VecDeque<Walk>,
}

thread_local! {
    /// Of this worker.
    static UNDER_WAY: RefCell<Walks> = RefCell::default();
    /// Whether a timer will go on with them.
    static ARMED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a walk for this can begin.
pub fn has_room(wanted: &Wanted) -> bool {
    wanted.end_all_but.is_some() || UNDER_WAY.with_borrow(|walks| walks.listing.len() < LISTS)
}

impl Walks {
    fn push(&mut self, walk: Walk) {
        match walk.wanted.end_all_but {
            Some(_) => self.ending.push_back(walk),
            None => self.listing.push_back(walk),
        }
    }

    fn pop(&mut self) -> Option<Walk> {
        self.ending.pop_front().or_else(|| self.listing.pop_front())
    }

    fn are_none(&self) -> bool {
        self.ending.is_empty() && self.listing.is_empty()
    }
}

/// Walks through all sessions and goes on with those that were found (or ended), newest first.
/// What is to be ended is, whether the visitor stays or not.
pub fn run(
    waiting: Waiting,
    zone: Rc<Zone>,
    wanted: Wanted,
    then: impl FnOnce(Waiting, Vec<Session>) + 'static,
) {
    if wanted.end_all_but.is_some() {
        zone.next_generation(Some(&wanted.user));
    }
    let walk = Walk {
        waiting,
        zone,
        wanted,
        place: 0,
        found: Vec::new(),
        then: Box::new(then),
    };
    UNDER_WAY.with_borrow_mut(|walks| walks.push(walk));
    if !ARMED.get() {
        go_on();
    }
}

/// One portion of the walk whose turn it is.
fn go_on() {
    let Some(mut walk) = UNDER_WAY.with_borrow_mut(Walks::pop) else {
        return;
    };
    let unwanted = walk.wanted.end_all_but.is_none() && walk.waiting.has_gone();
    let done = if unwanted || !walk.portion() {
        Some(walk)
    } else {
        UNDER_WAY.with_borrow_mut(|walks| walks.push(walk));
        None
    };
    // Before the walk that is done goes on, as that may begin another.
    if !UNDER_WAY.with_borrow(Walks::are_none) {
        ARMED.set(true);
        Timer::once(PAUSE, || {
            ARMED.set(false);
            go_on();
        });
    }
    if let Some(walk) = done {
        (walk.then)(walk.waiting, newest(walk.found));
    }
}

impl Walk {
    /// Looks at the next places; whether there are more behind them.
    fn portion(&mut self) -> bool {
        let Some(mut sessions) = self.zone.sessions() else {
            return false;
        };
        let places = self.place..self.place.saturating_add(PORTION);
        self.place = places.end;
        let (mut found, more) = sessions.of_user(&self.wanted.user, places);
        match self.wanted.end_all_but {
            Some(except) => {
                found.retain(|session| Some(session.key) != except);
                found.iter().for_each(|session| sessions.bury(&session.key));
            }
            None => {
                found.retain(|session| (self.wanted.lasts)(session));
            }
        }
        drop(sessions);
        self.found.append(&mut found);
        if self.found.len() > 2 * MOST {
            self.found = newest(std::mem::take(&mut self.found));
        }
        more
    }
}

/// The newest of them, newest first.
pub fn newest(mut sessions: Vec<Session>) -> Vec<Session> {
    let began = |session: &Session| (session.record.created, session.record.last_activity);
    sessions.sort_by_key(|session| Reverse(began(session)));
    sessions.truncate(MOST);
    sessions
}
