//! What a credential in the header of a guarded request is worth. A password is checked on a thread
//! while the request waits; then the phases go on where they stopped, and the access handler finds the
//! outcome in the request's [`State`].

use std::{rc::Rc, sync::Arc};

use super::{
    audit,
    conf::Loaded,
    credentials::{self, Place, Presented, Worth},
    durable::outage,
    ffi::{NGX_HTTP_INTERNAL_SERVER_ERROR, ngx_int_t},
    flow::LONGEST_DELAY,
    hashing,
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
        in_header::{self, Asker, Holder, InHeader, NameAndPassword, Settled},
    },
    session::Realm,
    users::Workspace,
};

const FAILED: ngx_int_t = NGX_HTTP_INTERNAL_SERVER_ERROR as ngx_int_t;

/// What is known of a credential.
pub enum Checked<'s> {
    /// What it is worth.
    Known(&'s Worth),
    /// The request waits until it is known.
    Waits,
}

/// Finds out what a credential is worth that somebody presents to a host of `realm`. Who may not wait
/// is refused if that takes a while.
pub fn check<'s>(
    request: Request<'_>,
    state: &'s State,
    (loaded, realm): (&Loaded, &Realm),
    presented: Presented,
    may_wait: bool,
) -> Result<Checked<'s>, Refusal> {
    let (place, found) = match presented {
        Presented::Known(place) => (place, InHeader::Nothing),
        Presented::New(place, found) => (place, found),
    };
    state.set_by(By::Header(place));
    credentials::consume(request, state, place).map_err(|_| Refusal::Bad(500))?;
    let worth = match (state.worth(place), found) {
        (Some(worth), _) => worth,
        (None, InHeader::Pair(pair)) => {
            return begin(request, state, (loaded, realm), (place, pair), may_wait);
        }
        (None, InHeader::Bad | InHeader::Nothing) => state.set_worth(place, Worth::Wrong),
    };
    Ok(Checked::Known(worth))
}

fn begin<'s>(
    request: Request<'_>,
    state: &'s State,
    (loaded, realm): (&Loaded, &Realm),
    (place, pair): (Place, NameAndPassword),
    may_wait: bool,
) -> Result<Checked<'s>, Refusal> {
    let unavailable = Refusal::Unavailable(outage::RETRY_AFTER);
    let mut world = Surroundings::of(request.whole()).ok_or(unavailable)?;
    let asker = Asker {
        domain: &realm.domain,
        address: request.client(),
        now: super::now(),
        lasts: request.location().credentials().lasts,
    };
    let worth = if let Some(holder) = in_header::recall(&pair, &asker, &mut world) {
        audit::tell(request, Some(&Event::Pass(Method::Basic)));
        worth_of(loaded, Some(&holder))
    } else if !may_wait {
        return Err(Refusal::Unavailable(hashing::RETRY_AFTER));
    } else {
        match in_header::begin(pair, &asker, &mut world) {
            Ok(verify) => {
                wait_for(request, loaded, place, verify);
                return Ok(Checked::Waits);
            }
            Err(busy) => {
                audit::tell(request, Some(&Event::TurnAway(Method::Basic)));
                Worth::Unchecked(busy.retry_after)
            }
        }
    };
    Ok(Checked::Known(state.set_worth(place, worth)))
}

/// The request may have ended when this returns.
fn wait_for(request: Request<'_>, loaded: &Loaded, place: Place, verify: Verify) {
    let Verify {
        hash,
        password,
        login,
    } = verify;
    let (zone, begun) = (Rc::clone(&request.whole().zone), super::milliseconds());
    let work = move |workspace: &mut Workspace| hash.verify_in(&password, workspace);
    let then = move |waiting: Waiting, matched| {
        waiting.resume(move |request| finish(request, place, login, matched, begun));
    };
    hashing::run(Waiting::start(request), zone, loaded.threads, work, then);
}

/// The password was checked: `matched` is what that said, unless it could not be done after all. What
/// was wrong goes on when its time has come.
fn finish(request: Request<'_>, place: Place, login: Login, matched: Option<bool>, begun: u64) {
    let elapsed = || super::milliseconds().saturating_sub(begun);
    let Some((state, loaded)) = State::of(request).zip(request.whole().loaded.as_ref()) else {
        return wait::end(request, FAILED);
    };
    let settled = matched.zip(Surroundings::of(request.whole()));
    let settled = settled.map(|(matched, mut world)| {
        in_header::settle(login, matched, elapsed(), super::now(), &mut world)
    });
    let (worth, event, hold) = match settled {
        Some(Settled {
            holder,
            event,
            hold,
        }) => (worth_of(loaded, holder.as_ref()), event, hold),
        None => {
            let turned_away = Event::TurnAway(Method::Basic);
            (Worth::Unchecked(hashing::RETRY_AFTER), turned_away, 0)
        }
    };
    audit::tell(request, Some(&event));
    state.set_worth(place, worth);
    match hold.saturating_sub(elapsed()).min(LONGEST_DELAY) {
        0 => wait::run_phases(request),
        delay => wait::later(request, delay as usize, wait::run_phases),
    }
}

/// Whoever has another password by now is nobody.
fn worth_of(loaded: &Loaded, holder: Option<&Holder>) -> Worth {
    let directory = loaded.snapshot.borrow();
    let user = holder.and_then(|holder| directory.holder(&holder.name, holder.password));
    user.map_or(Worth::Wrong, |user| {
        let (user, level) = (Arc::clone(user), Level::OneFactor);
        Worth::Right(SignedIn { user, level })
    })
}
