//! What a credential in the header of a guarded request is worth. A password is checked on a thread, an
//! app password is looked up on one, while the request waits; then the phases go on where they stopped,
//! and the access handler finds the outcome in the request's [`State`].

use std::{rc::Rc, sync::Arc};

use super::{
    audit,
    conf::Loaded,
    credentials::{self, Place, Presented, Shown, Worth},
    durable::outage,
    errands,
    ffi::{NGX_HTTP_INTERNAL_SERVER_ERROR, ngx_int_t},
    flow::LONGEST_DELAY,
    hashing, meters,
    office::News,
    reply::Refusal,
    request::Request,
    state::{By, SignedIn, State},
    wait::{self, Waiting},
    world::Surroundings,
};
use crate::{
    access::Level,
    portal::{
        Event, Login, Method, Verify,
        app_password::{self, Check},
        in_header::{self, Asker, Given, Holder, InHeader, NameAndPassword, Scheme, Settled},
    },
    session::Realm,
    users::Workspace,
};

const FAILED: ngx_int_t = NGX_HTTP_INTERNAL_SERVER_ERROR as ngx_int_t;

/// What is known of a credential.
pub enum Checked<'s> {
    /// What it is worth.
    Known(&'s Shown),
    /// The request waits until it is known.
    Waits,
}

/// A credential on its way: where it stands, how it is written, and when, in milliseconds of the clock
/// that nobody sets, it came.
#[derive(Clone, Copy)]
struct Asked {
    place: Place,
    scheme: Scheme,
    begun: u64,
}

/// What came of it: its worth, what is told of it, and the milliseconds after its arrival before which
/// it is not answered.
type Outcome = (Worth, Event, u64);

/// Finds out what a credential is worth that somebody presents to a host of `realm`. Who may not wait
/// is refused if that takes a while.
pub fn check<'s>(
    request: Request<'_>,
    state: &'s State,
    of: (&Loaded, &Realm),
    presented: Presented,
    may_wait: bool,
) -> Result<Checked<'s>, Refusal> {
    let (place, found) = match presented {
        Presented::Known(place) => (place, None),
        Presented::New(place, found) => (place, Some(found)),
    };
    state.set_by(By::Header(place));
    credentials::consume(request, state, place).map_err(|_| Refusal::Bad(500))?;
    if let Some(shown) = state.shown(place) {
        return Ok(Checked::Known(shown));
    }
    let Some(InHeader { scheme, given }) = found else {
        return Err(Refusal::Bad(500));
    };
    let begun = super::milliseconds();
    let asked = Asked {
        place,
        scheme,
        begun,
    };
    match given {
        Some(Given::Password(pair)) => check_password(request, state, of, (asked, pair), may_wait),
        Some(Given::App(presented)) if may_wait => {
            look_up(request, of.0, asked, presented)?;
            Ok(Checked::Waits)
        }
        Some(Given::App(_)) => Err(Refusal::Unavailable(outage::RETRY_AFTER)),
        None => Ok(Checked::Known(state.set_shown(place, scheme, Worth::Wrong))),
    }
}

fn check_password<'s>(
    request: Request<'_>,
    state: &'s State,
    (loaded, realm): (&Loaded, &Realm),
    (asked, pair): (Asked, NameAndPassword),
    may_wait: bool,
) -> Result<Checked<'s>, Refusal> {
    let mut world = surroundings(request)?;
    let asker = Asker {
        domain: &realm.domain,
        address: request.client(),
        now: super::now(),
        lasts: request.location().credentials().lasts,
    };
    let worth = if let Some(holder) = in_header::recall(&pair, &asker, &mut world) {
        audit::tell(request, Some(&Event::Pass(Method::Basic)));
        worth_of(loaded, &holder)
    } else if !may_wait {
        return Err(Refusal::Unavailable(hashing::RETRY_AFTER));
    } else {
        match in_header::begin(pair, &asker, &mut world) {
            Ok(verify) => {
                hash(request, loaded, asked, verify);
                return Ok(Checked::Waits);
            }
            Err(busy) => {
                audit::tell(request, Some(&Event::TurnAway(Method::Basic)));
                Worth::Unchecked(busy.retry_after)
            }
        }
    };
    Ok(Checked::Known(state.set_shown(
        asked.place,
        asked.scheme,
        worth,
    )))
}

fn surroundings(request: Request<'_>) -> Result<Surroundings<'_>, Refusal> {
    let unavailable = Refusal::Unavailable(outage::RETRY_AFTER);
    Surroundings::of(request.whole()).ok_or(unavailable)
}

/// The request may have ended when this returns.
fn hash(request: Request<'_>, loaded: &Loaded, asked: Asked, verify: Verify) {
    let Verify {
        hash,
        password,
        login,
    } = verify;
    let zone = Rc::clone(&request.whole().zone);
    let work = move |workspace: &mut Workspace| hash.verify_in(&password, workspace);
    let then = move |waiting: Waiting, matched| {
        waiting.resume(move |request| {
            go_on(request, asked, |loaded, world| {
                settle(loaded, world, asked, (login, matched))
            });
        });
    };
    hashing::run(Waiting::start(request), zone, loaded.threads, work, then);
}

/// `matched` is what the check said, unless it could not be done after all.
fn settle(
    loaded: &Loaded,
    world: &mut Surroundings<'_>,
    asked: Asked,
    (login, matched): (Login, Option<bool>),
) -> Outcome {
    let Some(matched) = matched else {
        let turned_away = Event::TurnAway(Method::Basic);
        return (Worth::Unchecked(hashing::RETRY_AFTER), turned_away, 0);
    };
    let elapsed = super::milliseconds().saturating_sub(asked.begun);
    let Settled {
        holder,
        event,
        hold,
    } = in_header::settle(login, matched, elapsed, super::now(), world);
    let worth = holder.map_or(Worth::Wrong, |holder| worth_of(loaded, &holder));
    (worth, event, hold)
}

/// The request may have ended when this returns.
fn look_up(
    request: Request<'_>,
    loaded: &Loaded,
    asked: Asked,
    presented: app_password::Presented,
) -> Result<(), Refusal> {
    let host = std::str::from_utf8(request.host()).map_err(|_| Refusal::Bad(400))?;
    let from = (request.client(), super::now());
    let Check { work, attempt } = Check::begin(presented, host, from, &mut surroundings(request)?);
    let (office, told) = (Arc::clone(&loaded.office), Arc::clone(&loaded.office));
    let (snapshot, zone) = (
        Rc::clone(&loaded.snapshot),
        Rc::clone(&request.whole().zone),
    );
    let held = Rc::clone(&zone);
    let then = move |waiting: Waiting, looked: Option<(app_password::Looked, News)>| {
        meters::set_errands(&zone);
        let looked = looked.map(|(looked, news)| {
            news.spread(&told, &snapshot, &zone, asked.begun);
            looked
        });
        waiting.resume(move |request| {
            go_on(request, asked, |loaded, world| {
                judge(loaded, attempt.end(looked, world))
            });
        });
    };
    let work = move || office.look_up(work);
    errands::run(Waiting::start(request), loaded.threads, work, then);
    meters::set_errands(&held);
    Ok(())
}

fn judge(loaded: &Loaded, checked: app_password::Checked) -> Outcome {
    match checked {
        app_password::Checked::Right(name) => {
            let directory = loaded.snapshot.borrow();
            let password = directory
                .user(&name)
                .map(|user| user.password.fingerprint());
            let holder = password.map(|password| Holder { name, password });
            let worth = holder.map_or(Worth::Wrong, |holder| worth_of(loaded, &holder));
            (worth, Event::Pass(Method::AppPassword), 0)
        }
        app_password::Checked::Wrong { failure, hold } => {
            (Worth::Wrong, Event::Fail(failure), hold)
        }
        app_password::Checked::Unknown(out) => {
            let event = Event::outage(out);
            (Worth::Unchecked(outage::RETRY_AFTER), event, 0)
        }
    }
}

/// The credential was checked: the request goes on, what was wrong when its time has come.
fn go_on(
    request: Request<'_>,
    asked: Asked,
    end: impl FnOnce(&Loaded, &mut Surroundings<'_>) -> Outcome,
) {
    let whole = request.whole();
    let here = State::of(request).zip(whole.loaded.as_ref());
    let Some(((state, loaded), mut world)) = here.zip(Surroundings::of(whole)) else {
        return wait::end(request, FAILED);
    };
    let (worth, event, hold) = end(loaded, &mut world);
    audit::tell(request, Some(&event));
    state.set_shown(asked.place, asked.scheme, worth);
    let elapsed = super::milliseconds().saturating_sub(asked.begun);
    match hold.saturating_sub(elapsed).min(LONGEST_DELAY) {
        0 => wait::run_phases(request),
        delay => wait::later(request, delay as usize, wait::run_phases),
    }
}

/// Whoever has another password by now is nobody.
fn worth_of(loaded: &Loaded, holder: &Holder) -> Worth {
    let directory = loaded.snapshot.borrow();
    let user = directory.holder(&holder.name, holder.password);
    user.map_or(Worth::Wrong, |user| {
        let (user, level) = (Arc::clone(user), Level::OneFactor);
        Worth::Right(SignedIn { user, level })
    })
}
