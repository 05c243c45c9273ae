//! Orders of the command line and news of other machines, carried out in the zone by every worker:
//! twice does no harm, but for what is counted.

use std::rc::Rc;

use super::Desk;
use crate::{
    nginx::{audit, timer::Timer, zone::Zone},
    session::{Key, Session},
    store::{Ban, BannedBy, Command, Order, Target},
    users::regulation::Attempts,
};

/// Places of the table that are looked at in one go.
const PORTION: u32 = 4096;

/// Milliseconds between two portions, in which the worker does everything else.
const PAUSE: usize = 1;

/// Does what an order says.
pub fn carry_out(desk: &Desk, order: Order) {
    let (zone, own) = (&desk.zone, order.by == desk.zone.name());
    // What is not to be done by each worker is done by the first who comes to it.
    let first = zone.is_next(order.mark);
    if first && !own {
        audit::ordered(zone, &order);
    }
    match order.command {
        Command::EndSession(key) => {
            if let Some(mut sessions) = zone.sessions() {
                sessions.bury(&Key(key));
            }
        }
        Command::EndUser { user, except } => {
            let except = except.map(Key);
            drop_all(zone, move |session| {
                session.record.user == *user && Some(session.key) != except
            });
        }
        Command::EndAll => drop_all(zone, |_| true),
        // Whoever told of it has it in his memory.
        Command::Ban(_) | Command::Count(_) if own => {}
        Command::Ban(made) => ban(zone, &made),
        Command::Count(tried) => {
            if first && !zone.has_restored(tried.when) {
                super::tries::count(desk, &tried);
            }
        }
        Command::Revoke(target) => revoke(zone, &target),
    }
}

/// Lets a ban hold that is written down.
pub fn ban(zone: &Zone, ban: &Ban) {
    let now = crate::nginx::now();
    if ban.until <= now {
        return;
    }
    let enter = |attempts: &mut Attempts<'_>| match &ban.target {
        Target::User(name) => attempts.ban_user(name, ban.until, now),
        Target::Address(address) => attempts.ban_address(*address, ban.until, now),
    };
    if ban.by != BannedBy::SecondFactors {
        zone.with_attempts(enter);
    }
    if ban.by != BannedBy::Regulation {
        zone.with_factor_attempts(enter);
    }
}

fn revoke(zone: &Zone, target: &Target) {
    let revoke = |attempts: &mut Attempts<'_>| match target {
        Target::User(name) => attempts.revoke_user(name),
        Target::Address(address) => attempts.revoke_address(*address),
    };
    zone.with_attempts(revoke);
    zone.with_factor_attempts(revoke);
}

/// Forgets the wanted sessions. Those among them that last, because they began after the order or
/// go on in spite of it, come back from the store when they are used.
fn drop_all(zone: &Rc<Zone>, wanted: impl Fn(&Session) -> bool + 'static) {
    zone.count_end();
    walk(zone, Rc::new(wanted), 0);
}

/// Goes through the table from a place on, in portions: neither the lock nor the loop may be held for
/// all of it.
fn walk(zone: &Rc<Zone>, wanted: Rc<dyn Fn(&Session) -> bool>, place: u32) {
    let next = place.saturating_add(PORTION);
    let more = zone.sessions().is_some_and(|mut sessions| {
        let (found, more) = sessions.those_in(place..next, |session| wanted(session));
        for session in found {
            sessions.drop_quietly(&session.key);
        }
        more
    });
    if more {
        let zone = Rc::clone(zone);
        Timer::once(PAUSE, move || walk(&zone, Rc::clone(&wanted), next));
    }
}
