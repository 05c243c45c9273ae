//! What a credential in the header of a guarded request is worth. A password is checked on a thread, an
//! app password is [looked up](super::look_up) on one, while the request waits; then the phases go on
//! where they stopped, and the access handler finds the outcome in the request's [`State`].

use std::{rc::Rc, sync::Arc};

use super::{
    audit,
    conf::Loaded,
    credentials::{self, Place, Presented, Shown, Worth},
    durable::outage,
    ending::LONGEST_DELAY,
    ffi::{NGX_HTTP_INTERNAL_SERVER_ERROR, ngx_int_t},
    hashing, identify, look_up,
    reply::Refusal,
    request::Request,
    second_look,
    shared_check::{self, Checks},
    state::{By, SignedIn, State},
    unsettled::Unsettled,
    wait::{self, Waiting},
    world::Surroundings,
};
use crate::{
    access::Level,
    portal::{
        Event, Login, Method, Verify,
        in_header::{self, Asker, Given, InHeader, Known, NameAndPassword, Scheme, Settled},
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

/// A credential on its way: where it stands and how it is written.
#[derive(Clone, Copy)]
pub struct Asked {
    place: Place,
    scheme: Scheme,
    /// When it came, in milliseconds of the clock that nobody sets.
    pub begun: u64,
}

/// What came of it: its worth, what is told of it, and the milliseconds after its arrival before which
/// it is not answered.
pub type Outcome = (Worth, Option<Event>, u64);

/// The check of a password for which others may wait.
type Check = shared_check::Check<(Worth, u64)>;

thread_local! {
    /// Of this worker: worth and time, as in [`Outcome`].
    static CHECKS: Checks<(Worth, u64)> = Checks::default();
}

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
            look_up::start(request, of.0, asked, presented)?;
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
    if let Some(user) = in_header::recall(&pair, &asker, &mut world) {
        audit::tell(request, Some(&Event::Pass(Method::Basic)));
        let worth = worth_of(loaded, &user);
        return Ok(Checked::Known(state.set_shown(
            asked.place,
            asked.scheme,
            worth,
        )));
    }
    if !may_wait {
        return Err(Refusal::Unavailable(hashing::RETRY_AFTER));
    }
    let name = in_header::name_of(&pair, &asker, &mut world);
    if CHECKS.with(|checks| checks.has_room(&name)) {
        share(request, asked, name, pair);
        return Ok(Checked::Waits);
    }
    match in_header::begin(pair, &asker, &mut world) {
        Ok(verify) => {
            let check = Check::begin(name, &CHECKS);
            hash(request, loaded, (asked, check), verify);
            Ok(Checked::Waits)
        }
        Err(busy) => {
            audit::tell(request, Some(&Event::TurnAway(Method::Basic)));
            let worth = Worth::Unchecked(busy.retry_after);
            Ok(Checked::Known(state.set_shown(
                asked.place,
                asked.scheme,
                worth,
            )))
        }
    }
}

/// What the portal room sees of nginx.
pub fn surroundings(request: Request<'_>) -> Result<Surroundings<'_>, Refusal> {
    let unavailable = Refusal::Unavailable(outage::RETRY_AFTER);
    Surroundings::of(request.whole()).ok_or(unavailable)
}

/// Lets the request wait for the check of another that has brought the same.
fn share(request: Request<'_>, asked: Asked, name: shared_check::Name, pair: NameAndPassword) {
    let waiting = Waiting::start(request);
    let waiter = move |told: Option<(Worth, u64)>| {
        waiting.resume(move |request| match told {
            Some((worth, hold)) => {
                // The attempt is told of by whoever has made it.
                let event = match worth {
                    Worth::Right(_) => Some(Event::Pass(Method::Basic)),
                    Worth::Unchecked(_) => Some(Event::TurnAway(Method::Basic)),
                    Worth::Wrong => None,
                };
                go_on(request, asked, |_, _| (worth, event, hold));
            }
            None => try_again(request, asked, pair),
        });
    };
    CHECKS.with(|checks| checks.wait(&name, Box::new(waiter)));
}

/// Whoever was to be checked first has gone.
fn try_again(request: Request<'_>, asked: Asked, pair: NameAndPassword) {
    let here = State::of(request).zip(identify::realm_of(request));
    let Some((state, of)) = here else {
        return wait::end(request, FAILED);
    };
    match check_password(request, state, of, (asked, pair), true) {
        Ok(Checked::Waits) => {}
        Ok(Checked::Known(_)) => wait::run_phases(request),
        Err(_) => {
            let worth = Worth::Unchecked(outage::RETRY_AFTER);
            state.set_shown(asked.place, asked.scheme, worth);
            wait::run_phases(request);
        }
    }
}

/// The request may have ended when this returns.
fn hash(request: Request<'_>, loaded: &Loaded, (asked, check): (Asked, Check), verify: Verify) {
    let zone = Rc::clone(&request.whole().zone);
    let mut unsettled = Unsettled::of(&verify.login, &zone);
    let (hash, password) = (verify.hash.clone(), verify.password.clone());
    let work = move |workspace: &mut Workspace| hash.verify_in(&password, workspace);
    let then = move |waiting: Waiting, matched: Option<bool>| {
        unsettled.checked(matched);
        waiting.resume(move |request| {
            if matched.is_some() {
                unsettled.settle();
            }
            match verify.login.is_banned() && matched.is_some() {
                true => look_again(request, (asked, check), verify),
                false => finish(request, (asked, check), verify.login, matched),
            }
        });
    };
    hashing::run(Waiting::start(request), zone, loaded.threads, work, then);
}

/// A ban held the attempt, which may have been made by others that were under way.
fn look_again(request: Request<'_>, of: (Asked, Check), verify: Verify) {
    let from = (request.client(), of.0.begun);
    let then = move |request: Request<'_>, verify: Verify| match &request.whole().loaded {
        Some(loaded) if !verify.login.is_banned() => hash(request, loaded, of, verify),
        _ => finish(request, of, verify.login, Some(false)),
    };
    second_look::take(request, verify, from, then);
}

/// The request may have ended when this returns.
fn finish(request: Request<'_>, of: (Asked, Check), login: Login, matched: Option<bool>) {
    let (asked, check) = of;
    go_on(request, asked, |loaded, world| {
        let (worth, event, hold) = settle(loaded, world, asked, (login, matched));
        check.tell((worth.clone(), hold));
        (worth, Some(event), hold)
    });
}

/// `matched` is what the check said, unless it could not be done after all.
fn settle(
    loaded: &Loaded,
    world: &mut Surroundings<'_>,
    asked: Asked,
    (login, matched): (Login, Option<bool>),
) -> (Worth, Event, u64) {
    let Some(matched) = matched else {
        let turned_away = Event::TurnAway(Method::Basic);
        return (Worth::Unchecked(hashing::RETRY_AFTER), turned_away, 0);
    };
    let elapsed = super::milliseconds().saturating_sub(asked.begun);
    let Settled { user, event, hold } =
        in_header::settle(login, matched, elapsed, super::now(), world);
    let worth = user.map_or(Worth::Wrong, |user| worth_of(loaded, &user));
    (worth, event, hold)
}

/// The credential was checked: the request goes on, what was wrong when its time has come.
pub fn go_on(
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
    audit::tell(request, event.as_ref());
    state.set_shown(asked.place, asked.scheme, worth);
    let elapsed = super::milliseconds().saturating_sub(asked.begun);
    match hold.saturating_sub(elapsed).min(LONGEST_DELAY) {
        0 => wait::run_phases(request),
        delay => wait::later(request, delay as usize, wait::run_phases),
    }
}

/// Whoever has another password by now is nobody.
pub fn worth_of(loaded: &Loaded, user: &Known) -> Worth {
    let directory = loaded.snapshot.borrow();
    let user = directory.holder(&user.name, user.password);
    user.map_or(Worth::Wrong, |user| {
        let (user, level) = (Arc::clone(user), Level::OneFactor);
        Worth::Right(SignedIn { user, level })
    })
}
