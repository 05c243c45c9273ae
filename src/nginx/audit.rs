//! What happened, for the administrator: a line in the log, and a count.

use super::{
    log::{self, Level},
    meters,
    request::Request,
    zone::Zone,
};
use crate::{
    metrics::{self, Banned, BannedFor, Counter, Ended, Ordered, Outcome},
    portal::{Event, Failure, Line, Method, Misask, Why},
    store::{Ban, BannedBy, Command, Order, Target},
    users::regulation::{Stage, Who},
};

/// What a visitor has done.
pub fn tell(request: Request<'_>, event: Option<&Event>) {
    let Some(event) = event else { return };
    let zone = &request.whole().zone;
    count(zone, event);
    if is_told_already(request, event) {
        return;
    }
    if let Some(line) = event.line(Some(request.client())) {
        request.log(level(event), format_args!("auth_gate: {line}"));
    }
}

/// That a store is out is said once, when it begins, and not to each visitor who needs it.
fn is_told_already(request: Request<'_>, event: &Event) -> bool {
    let (Event::Outage(sentence), whole) = (event, request.whole()) else {
        return false;
    };
    let loaded = whole.loaded.as_ref();
    let path = loaded.and_then(|loaded| loaded.config.storage.as_ref());
    // What is said of the store begins with its place.
    let about = path.is_some_and(|it| sentence.starts_with(&format!("{}: ", it.path.display())));
    about && whole.zone.lost_since(metrics::Store::Sqlite).is_some()
}

/// The same of work that no request waits for.
pub fn tell_aside(zone: &Zone, event: &Event) {
    count(zone, event);
    if let Some(line) = event.line(None) {
        write(level(event), &line);
    }
}

/// Failures at `stage` have brought about these bans, which end when they say.
pub fn banned(zone: &Zone, bans: &[(Who, u64)], stage: Stage) {
    let (by, why) = match stage {
        Stage::Password => ("regulation", BannedFor::Password),
        Stage::Factor => ("second_factors", BannedFor::SecondFactor),
    };
    for (who, until) in bans {
        let line = Line::new("ban").word("by", by).time("until", *until);
        let (line, whom) = match who {
            Who::User(name) => (line.text("user", &name.to_string()), Banned::User),
            Who::Address(address) => (line.address("address", *address), Banned::Address),
        };
        meters::count(zone, Counter::Ban(whom, why));
        write(Level::Error, &line);
    }
}

/// An order is carried out; of all workers one tells of it. Of what an administrator has ordered a
/// line, of what other machines have told a count.
pub fn ordered(zone: &Zone, order: &Order) {
    let kind = match &order.command {
        Command::EndSession(_) | Command::EndUser { .. } | Command::EndAll => Ordered::EndSessions,
        Command::Ban(_) => Ordered::Ban,
        Command::Revoke(_) => Ordered::Unban,
        Command::Count(_) => Ordered::Count,
    };
    meters::count(zone, Counter::Order(kind));
    if order.by != BY_COMMAND_LINE {
        return;
    }
    if let Command::Ban(Ban {
        by: BannedBy::Administrator,
        target,
        ..
    }) = &order.command
    {
        let whom = match target {
            Target::User(_) => Banned::User,
            Target::Address(_) => Banned::Address,
        };
        meters::count(zone, Counter::Ban(whom, BannedFor::Administrator));
    }
    if let Some(line) = line(&order.command) {
        write(Level::Notice, &line);
    }
}

/// [`Order::by`] of the command line.
const BY_COMMAND_LINE: u64 = 0;

/// The line about an order of the command line.
fn line(command: &Command) -> Option<Line> {
    let begin = |event| Line::new(event).word("by", "administrator");
    let whom = |line: Line, target: &Target| match target {
        Target::User(name) => line.text("user", name),
        Target::Address(address) => line.address("address", *address),
    };
    Some(match command {
        Command::EndSession(key) => {
            let id: String = key[..8].iter().map(|byte| format!("{byte:02x}")).collect();
            begin("end_sessions").text("session", &id)
        }
        Command::EndUser { user, .. } => begin("end_sessions").text("user", user),
        Command::EndAll => begin("end_sessions").word("whose", "all"),
        Command::Ban(ban) if ban.by == BannedBy::Administrator => {
            whom(begin("ban").time("until", ban.until), &ban.target)
        }
        Command::Revoke(target) => whom(begin("unban"), target),
        Command::Ban(_) | Command::Count(_) => return None,
    })
}

/// A store works no more, or works again; to be told once by whoever hears it first. `sentence` says
/// what is wrong, and what that means to people.
pub fn store(zone: &Zone, store: metrics::Store, outage: Option<&str>) {
    if !meters::see_store(zone, store, outage.is_none()) {
        return;
    }
    let line = |event| Line::new(event).word("store", store.word());
    match outage {
        Some(sentence) => write(Level::Error, &line("outage").text("reason", sentence)),
        None => write(Level::Notice, &line("recovery")),
    }
}

fn write(level: Level, line: &Line) {
    log::cycle(level, format_args!("auth_gate: {line}"));
}

fn level(event: &Event) -> Level {
    match event {
        Event::SignIn(..)
        | Event::SignOut(_)
        | Event::SignOutEverywhere(..)
        | Event::Prove(..)
        | Event::Pass(_)
        | Event::TurnAway(_)
        | Event::Leave(_)
        | Event::Change(_, _, None)
        | Event::AskReset(_)
        | Event::EndSessions(..) => Level::Notice,
        // What a visitor got wrong, as nginx logs a wrong Basic password; and what does not work.
        Event::Fail(_)
        | Event::NoLeave(_)
        | Event::WrongPassword(_)
        | Event::NoKey(..)
        | Event::Change(_, _, Some(_))
        | Event::Outage(_)
        | Event::Misask(Misask { setup: true, .. }) => Level::Error,
        // What a client can cause at will is no news.
        Event::Misask(Misask { setup: false, .. }) => Level::Info,
    }
}

fn count(zone: &Zone, event: &Event) {
    let login = |method, outcome| meters::count(zone, Counter::Login(kind(method), outcome));
    match event {
        Event::SignIn(_, method) => {
            login(*method, Outcome::Success);
            meters::count(zone, Counter::SessionStart);
        }
        Event::Prove(_, method) | Event::Pass(method) => login(*method, Outcome::Success),
        Event::Fail(Failure { method, why, .. }) => login(
            *method,
            match why {
                Why::Wrong | Why::Says(_) => Outcome::Failure,
                Why::Banned => Outcome::Banned,
                Why::Lost => Outcome::Error,
            },
        ),
        Event::TurnAway(method) => login(*method, Outcome::Busy),
        Event::Leave(_) => login(Method::Mail, Outcome::Success),
        Event::NoLeave(_) => login(Method::Mail, Outcome::Failure),
        Event::SignOut(_) => meters::count(zone, Counter::SessionEnd(Ended::SignOut)),
        Event::SignOutEverywhere(_, sessions) => {
            meters::count_many(zone, Counter::SessionEnd(Ended::SignOut), *sessions);
        }
        Event::EndSessions(_, sessions) => {
            meters::count_many(zone, Counter::SessionEnd(Ended::List), *sessions);
        }
        Event::WrongPassword(_)
        | Event::Change(..)
        | Event::NoKey(..)
        | Event::AskReset(_)
        | Event::Outage(_)
        | Event::Misask(_) => {}
    }
}

fn kind(method: Method) -> metrics::Method {
    match method {
        Method::Password => metrics::Method::Password,
        Method::Basic => metrics::Method::Basic,
        Method::AppPassword => metrics::Method::AppPassword,
        Method::Passkey => metrics::Method::Passkey,
        Method::Totp => metrics::Method::Totp,
        Method::Webauthn => metrics::Method::Webauthn,
        Method::Mail => metrics::Method::Mail,
    }
}
