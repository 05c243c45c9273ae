//! Forgets sessions in the zone that orders name by their user: one walk through the table at a time,
//! for all that was ordered when it began, so that many orders cost no more than few.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

use crate::{
    nginx::{timer::Timer, zone::Zone},
    session::{Key, Session},
};

/// Places of the table that are looked at in one go.
const PORTION: u32 = 4096;

/// Milliseconds between two portions, in which the worker does everything else.
const PAUSE: usize = 1;

/// Users that a walk tells apart; of more, everybody's are forgotten.
const USERS: usize = 4096;

/// Whose sessions are forgotten.
#[derive(Default)]
struct Wanted {
    everybody: bool,
    /// By canonical name, and the one that goes on.
    users: HashMap<String, Option<Key>>,
}

thread_local! {
    /// Of this worker; the loop is its only thread that comes here. What the next walk is for.
    static NEXT: RefCell<Wanted> = RefCell::default();
    static WALKS: Cell<bool> = const { Cell::new(false) };
}

/// Forgets the sessions of a user but one, or everybody's. Those among them that last, because they
/// began after the order or go on in spite of it, come back from the store when they are used.
pub fn forget(zone: &Rc<Zone>, user: Option<(String, Option<Key>)>) {
    // Whatever is being fetched now may be one of them.
    zone.count_end();
    NEXT.with_borrow_mut(|next| next.add(user));
    if !WALKS.replace(true) {
        begin(zone);
    }
}

fn begin(zone: &Rc<Zone>) {
    let wanted = NEXT.take();
    if wanted.is_nobody() {
        WALKS.set(false);
        return;
    }
    walk(zone, Rc::new(wanted), 0);
}

fn walk(zone: &Rc<Zone>, wanted: Rc<Wanted>, place: u32) {
    let next = place.saturating_add(PORTION);
    let more = zone.sessions().is_some_and(|mut sessions| {
        let (found, more) = sessions.those_in(place..next, |session| wanted.holds(session));
        for session in found {
            sessions.drop_quietly(&session.key);
        }
        more
    });
    let zone = Rc::clone(zone);
    Timer::once(PAUSE, move || match more {
        true => walk(&zone, Rc::clone(&wanted), next),
        false => begin(&zone),
    });
}

impl Wanted {
    fn add(&mut self, user: Option<(String, Option<Key>)>) {
        match user {
            Some((user, except)) if self.users.len() < USERS => {
                // Of two that go on neither is sure to.
                let known = self.users.get(&user);
                let except = except.filter(|key| known.is_none_or(|it| it.as_ref() == Some(key)));
                self.users.insert(user, except);
            }
            _ => self.everybody = true,
        }
    }

    fn is_nobody(&self) -> bool {
        !self.everybody && self.users.is_empty()
    }

    fn holds(&self, session: &Session) -> bool {
        let his = self.users.get(session.record.user.as_str());
        self.everybody || his.is_some_and(|except| *except != Some(session.key))
    }
}
