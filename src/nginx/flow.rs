//! A request to the portal on its way from step to step: a password is checked, an errand is run on
//! a thread, sessions are gone through in portions, until there is an answer. Each step but the
//! answer lets the request wait.

use std::{rc::Rc, sync::Arc};

use zeroize::Zeroizing;

use super::{
    asked_password, audit,
    conf::Loaded,
    durable::{
        Desk,
        keep::{self, Change, Kept},
        recall, roll,
    },
    ending::{FAILED, answer_in_time, answer_unknown, elapsed, refuse},
    errands, facts, hashing,
    log::{self, Level},
    meters,
    office::News,
    presented::{self, Presented},
    request::Request,
    sweep,
    unsettled::Unsettled,
    visit,
    wait::{self, Waiting},
    world::Surroundings,
};
use crate::{
    portal::{self, AsideWork, Busy, Cost, Errand, Login, Portal, Step, Sweep, Verify, World},
    session::{Session, standing},
    users::Workspace,
};

/// Serves the request with that body: ends it, or lets it wait.
pub fn begin(request: Request<'_>, body: &[u8]) {
    let begun = super::milliseconds();
    if let Err(reason) = facts::check_host(request) {
        request.log(Level::Info, format_args!("auth_gate: {reason}"));
        return refuse(request, reason.status(), None);
    }
    enter(request, body, begun);
}

/// Goes on once the zone has the session that the visitor presents, if it has to.
fn enter(request: Request<'_>, body: &[u8], begun: u64) {
    let Some(loaded) = &request.whole().loaded else {
        return wait::end(request, FAILED);
    };
    let look = |visit: &portal::Request<'_>| presented::look(request, loaded, visit);
    match visit::with(request, body, look) {
        Presented::Nothing(answer) => answer_in_time(request, answer, begun),
        Presented::Missing(key) => {
            let body = Zeroizing::new(body.to_vec());
            let go_on = move |request: Request<'_>| enter(request, &body, begun);
            if !recall::start(request, key, go_on) {
                answer_unknown(request, begun);
            }
        }
        Presented::Unknown => {
            if let Some(realm) = presented::left(request, loaded) {
                presented::end(request, realm);
            }
            answer_unknown(request, begun);
        }
        Presented::Known => {
            let step = with_visit(request, body, |portal, visit, world| {
                portal.answer(visit, world)
            });
            follow(request, step, begun);
        }
    }
}

/// Does the step, once what it changes about sessions is written down. `None`: there is no
/// configuration, or there are no keys yet.
fn follow(request: Request<'_>, taken: Option<(Step, Vec<Change>)>, begun: u64) {
    let Some((step, changes)) = taken else {
        return answer_unknown(request, begun);
    };
    let desk = Desk::of(request.whole()).filter(|_| !changes.is_empty());
    let Some(desk) = desk else {
        return take(request, step, begun);
    };
    keep::run(request, desk, changes, move |request, kept| match kept {
        Kept::All => take(request, step, begun),
        Kept::Overtaken | Kept::Nothing => answer_unknown(request, begun),
    });
}

fn take(request: Request<'_>, step: Step, begun: u64) {
    let Some(loaded) = &request.whole().loaded else {
        return wait::end(request, FAILED);
    };
    match step {
        Step::Answer(answer) => answer_in_time(request, answer, begun),
        Step::Verify(verify) => check_password(request, loaded, *verify, begun),
        Step::Errand(errand) => run_errand(request, loaded, errand, begun),
        Step::Aside(aside) => {
            run_aside(request, loaded, aside.work);
            answer_in_time(request, aside.answer, begun);
        }
        Step::Sweep(walk) => walk_sessions(request, loaded, walk, begun),
    }
}

fn check_password(request: Request<'_>, loaded: &Loaded, verify: Verify, begun: u64) {
    if verify.login.at_endpoint().is_some() {
        return asked_password::check(request, loaded, verify, begun);
    }
    let Verify {
        hash,
        password,
        login,
        ..
    } = verify;
    let zone = Rc::clone(&request.whole().zone);
    let mut unsettled = Unsettled::of(&login, &zone);
    let work = move |workspace: &mut Workspace| hash.verify_in(&password, workspace);
    let then = move |waiting: Waiting, matched| {
        unsettled.checked(matched);
        waiting.resume(move |request| {
            if matched.is_some() {
                unsettled.settle();
            }
            finish(request, login, matched, begun);
        });
    };
    hashing::run(Waiting::start(request), zone, loaded.threads, work, then);
}

/// Answers an attempt. `matched` is what the check said, unless it could not be done after all.
pub fn finish(request: Request<'_>, login: Login, matched: Option<bool>, begun: u64) {
    let step = with_visit(request, &[], |portal, visit, world| {
        Step::Answer(match matched {
            Some(matched) => portal.finish(visit, login, matched, elapsed(begun), world),
            None => {
                let retry_after = hashing::RETRY_AFTER;
                portal.turn_away(visit, &login, Busy { retry_after }, world)
            }
        })
    });
    follow(request, step, begun);
}

fn run_errand(request: Request<'_>, loaded: &Loaded, errand: Errand, begun: u64) {
    let Errand { cost, work, then } = errand;
    let (office, threads) = (Arc::clone(&loaded.office), loaded.threads);
    let told = Arc::clone(&office);
    let (snapshot, zone) = (
        Rc::clone(&loaded.snapshot),
        Rc::clone(&request.whole().zone),
    );
    let asked = super::milliseconds();
    let work = move || office.run(work);
    let then = move |waiting: Waiting, ran: Option<_>| {
        meters::set_errands(&zone);
        // Whether or not somebody still waits.
        let done = ran.map(|(done, news): (_, News)| {
            news.spread(&told, &snapshot, &zone, asked);
            done
        });
        waiting.resume(move |request| {
            let step = with_visit(request, &[], |portal, visit, world| {
                portal.resume(visit, then, done, world)
            });
            follow(request, step, begun);
        });
    };
    let (waiting, held) = (Waiting::start(request), Rc::clone(&request.whole().zone));
    match cost {
        Cost::Waits => {
            errands::run(waiting, threads, work, then);
            meters::set_errands(&held);
        }
        Cost::Burns => {
            hashing::run(waiting, held, threads, |_: &mut Workspace| work(), then);
        }
    }
}

fn run_aside(request: Request<'_>, loaded: &Loaded, work: AsideWork) {
    let office = Arc::clone(&loaded.office);
    let told = Arc::clone(&office);
    let (snapshot, zone) = (
        Rc::clone(&loaded.snapshot),
        Rc::clone(&request.whole().zone),
    );
    let asked = super::milliseconds();
    let work = move || office.run_aside(work);
    errands::run_aside(loaded.threads, work, move |ran| match ran {
        Some((event, news)) => {
            meters::set_errands(&zone);
            news.spread(&told, &snapshot, &zone, asked);
            if let Some(event) = event {
                audit::tell_aside(&zone, &event);
            }
        }
        None => log::cycle(
            Level::Error,
            format_args!("auth_gate: too much to do at once; a letter was not sent"),
        ),
    });
    meters::set_errands(&request.whole().zone);
}

fn walk_sessions(request: Request<'_>, loaded: &Loaded, walk: Sweep, begun: u64) {
    let Sweep {
        user,
        end_all_but,
        then,
    } = walk;
    let wanted = sweep::Wanted {
        user,
        end_all_but,
        lasts: lasting(loaded),
    };
    if !sweep::has_room(&wanted) {
        return refuse(request, 503, Some(sweep::RETRY_AFTER));
    }
    let go_on = move |request: Request<'_>, found: Vec<Session>| {
        let step = with_visit(request, &[], |portal, visit, world| {
            portal.swept(visit, then, found, world)
        });
        follow(request, step, begun);
    };
    if let Some(desk) = Desk::of(request.whole()) {
        return roll::run(request, desk, wanted, move |request, found| match found {
            Some(found) => go_on(request, found),
            None => answer_unknown(request, begun),
        });
    }
    let zone = Rc::clone(&request.whole().zone);
    let then = |waiting: Waiting, found| waiting.resume(move |request| go_on(request, found));
    sweep::run(Waiting::start(request), zone, wanted, then);
}

/// Tells sessions that still open something from those that are over.
fn lasting(loaded: &Loaded) -> Rc<dyn Fn(&Session) -> bool> {
    let (config, snapshot) = (Arc::clone(&loaded.config), Rc::clone(&loaded.snapshot));
    Rc::new(move |session| {
        let (record, now) = (&session.record, super::now());
        let mut cookies = config.session.cookies.iter();
        let stands = cookies.any(|cookie| standing(record, &cookie.realm, now).is_ok());
        let users = snapshot.borrow();
        stands
            && users
                .holder(record.user.as_str(), record.password)
                .is_some()
    })
}

/// Hands the request to the portal room as it reads one, with the world around it.
fn with_visit<R>(
    request: Request<'_>,
    body: &[u8],
    f: impl FnOnce(&Portal, &portal::Request<'_>, &mut dyn World) -> R,
) -> Option<(R, Vec<Change>)> {
    let whole = request.whole();
    let portal = whole.loaded.as_ref()?.portal();
    let mut surroundings = Surroundings::of(whole)?;
    let step = visit::with(request, body, |visit| f(&portal, visit, &mut surroundings));
    Some((step, surroundings.changes()))
}
