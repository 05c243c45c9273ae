//! Orders of the command line and news of other machines, carried out in the zone by every worker:
//! twice does no harm, but for what is counted.

use super::{Desk, eraser};
use crate::{
    nginx::{audit, zone::Zone},
    session::Key,
    store::{Ban, BannedBy, Command, Order, Target},
    users::regulation::Attempts,
};

/// Seconds between an order and its mark that clocks which differ may make.
const OLD: u64 = 180;

/// Does what an order says.
pub fn carry_out(desk: &Desk, order: Order) {
    let (zone, own) = (&desk.zone, order.by == desk.zone.name());
    if desk.archive.is_shared() && is_replayed(&order) {
        return;
    }
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
            if !own {
                zone.next_generation(Some(&user));
            }
            eraser::forget(zone, Some((user, except.map(Key))));
        }
        Command::EndAll => {
            zone.next_generation(None);
            eraser::forget(zone, None);
        }
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

/// Whether somebody has put an old order about bans into the store once more, who can write there: the
/// mark of an order is when the store got it, in milliseconds.
fn is_replayed(order: &Order) -> bool {
    let about_bans = matches!(
        order.command,
        Command::Ban(_) | Command::Revoke(_) | Command::Count(_)
    );
    about_bans && order.mark.0 / 1000 > order.at.saturating_add(OLD)
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
