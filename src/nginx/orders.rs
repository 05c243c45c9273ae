//! Orders of the command line, carried out in the zone by every worker: twice does no harm.

use std::rc::Rc;

use super::{audit, timer::Timer, zone::Zone};
use crate::{
    session::{Key, Session},
    store::{Ban, BannedBy, Command, Order, Target},
    users::regulation::Attempts,
};

/// Places of the table that are looked at in one go.
const PORTION: u32 = 2048;

/// Milliseconds between two portions, in which the worker does everything else.
const PAUSE: usize = 1;

/// Does what an order says.
pub fn carry_out(zone: &Rc<Zone>, order: Order) {
    audit::ordered(zone, &order);
    match order.command {
        Command::EndSession(key) => {
            if let Some(mut sessions) = zone.sessions() {
                sessions.carry_out(&Key(key));
            }
        }
        Command::EndUser { user, .. } => {
            walk(zone, Rc::new(Wanted::new(Some(user), order.at)), 0);
        }
        Command::EndAll => walk(zone, Rc::new(Wanted::new(None, order.at)), 0),
        Command::Ban(made) => ban(zone, &made),
        Command::Count(_) => {}
        Command::Revoke(target) => {
            let revoke = |attempts: &mut Attempts<'_>| match &target {
                Target::User(name) => attempts.revoke_user(name),
                Target::Address(address) => attempts.revoke_address(*address),
            };
            zone.with_attempts(revoke);
            zone.with_factor_attempts(revoke);
        }
    }
}

/// Lets a ban hold that is written down.
pub fn ban(zone: &Zone, ban: &Ban) {
    let now = super::now();
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

/// Which sessions end.
struct Wanted {
    user: Option<String>,
    /// Those that began later last.
    at: u64,
}

impl Wanted {
    fn new(user: Option<String>, at: u64) -> Self {
        Wanted { user, at }
    }

    fn holds(&self, session: &Session) -> bool {
        let record = &session.record;
        let his = self.user.as_ref().is_none_or(|user| record.user == **user);
        his && record.created <= self.at
    }
}

/// Ends the wanted sessions from a place on, in portions: neither the lock nor the loop may be held
/// for all of them.
fn walk(zone: &Rc<Zone>, wanted: Rc<Wanted>, place: u32) {
    let next = place.saturating_add(PORTION);
    let more = zone.sessions().is_some_and(|mut sessions| {
        sessions.carry_out_in(place..next, |session| wanted.holds(session))
    });
    if more {
        let zone = Rc::clone(zone);
        Timer::once(PAUSE, move || walk(&zone, Rc::clone(&wanted), next));
    }
}
