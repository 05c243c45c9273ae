//! Passwords in headers that authorization endpoints are asked about. A proxy asks for each request of a
//! page, and several come at once with the same password: the first is checked, the others wait for what
//! comes of it.

use std::rc::Rc;

use super::{
    conf::Loaded,
    ffi::{NGX_HTTP_INTERNAL_SERVER_ERROR, ngx_int_t},
    flow, hashing,
    request::Request,
    second_look,
    shared_check::{self, Checks},
    unsettled::Unsettled,
    wait::{self, Waiting},
    world::Surroundings,
};
use crate::{portal::Verify, users::Workspace};

const FAILED: ngx_int_t = NGX_HTTP_INTERNAL_SERVER_ERROR as ngx_int_t;

/// What a check said, and the fingerprint of the hash that it was made against.
type Told = (bool, u64);

/// An attempt and those who wait for what comes of it.
type Led = (Verify, Option<shared_check::Check<Told>>);

thread_local! {
    /// Of this worker.
    static CHECKS: Checks<Told> = Checks::default();
}

/// Has a password checked that came at `begun` (milliseconds). The request may have ended when this
/// returns.
pub fn check(request: Request<'_>, loaded: &Loaded, verify: Verify, begun: u64) {
    let has_room = |name: &shared_check::Name| CHECKS.with(|checks| checks.has_room(name));
    if let Some(name) = verify.name.filter(has_room) {
        return share(request, &name, verify, begun);
    }
    let begin = |name| shared_check::Check::begin(name, &CHECKS);
    let check = verify.name.map(begin);
    hash(request, loaded, (verify, check), begun);
}

fn share(request: Request<'_>, name: &shared_check::Name, verify: Verify, begun: u64) {
    let unsettled = Unsettled::of(&verify.login, &request.whole().zone);
    let waiting = Waiting::start(request);
    let waiter = move |told: Option<Told>| {
        waiting.resume(move |request| {
            unsettled.settle();
            go_on(request, verify, told, begun);
        });
    };
    CHECKS.with(|checks| checks.wait(name, Box::new(waiter)));
}

/// What was told counts for whoever may try, and whose password is still checked against the same.
fn go_on(request: Request<'_>, mut verify: Verify, told: Option<Told>, begun: u64) {
    let here = request.whole().loaded.as_ref();
    let address = verify.login.at_endpoint();
    let (Some(loaded), Some(address)) = (here, address) else {
        return wait::end(request, FAILED);
    };
    if verify.login.is_banned()
        && let Some(mut world) = Surroundings::of(request.whole())
    {
        verify.reserve_again((address, super::now()), &mut world);
    }
    let counts = |told: &Told| !verify.login.is_banned() && told.1 == verify.hash.fingerprint();
    match told.filter(counts) {
        Some((matched, _)) => flow::finish(request, verify.login, Some(matched), begun),
        None => check(request, loaded, verify, begun),
    }
}

fn hash(request: Request<'_>, loaded: &Loaded, led: Led, begun: u64) {
    let zone = Rc::clone(&request.whole().zone);
    let verify = &led.0;
    let mut unsettled = Unsettled::of(&verify.login, &zone);
    let (hash, password) = (verify.hash.clone(), verify.password.clone());
    let work = move |workspace: &mut Workspace| hash.verify_in(&password, workspace);
    let then = move |waiting: Waiting, matched: Option<bool>| {
        unsettled.checked(matched);
        waiting.resume(move |request| {
            if matched.is_some() {
                unsettled.settle();
            }
            match led.0.login.is_banned() && matched.is_some() {
                true => look_again(request, led, begun),
                false => end(request, led, matched, begun),
            }
        });
    };
    hashing::run(Waiting::start(request), zone, loaded.threads, work, then);
}

/// A ban held the attempt, which may have been made by others that were under way.
fn look_again(request: Request<'_>, (verify, check): Led, begun: u64) {
    let Some(address) = verify.login.at_endpoint() else {
        return wait::end(request, FAILED);
    };
    let then = move |request: Request<'_>, verify: Verify| match &request.whole().loaded {
        Some(loaded) if !verify.login.is_banned() => {
            hash(request, loaded, (verify, check), begun);
        }
        _ => end(request, (verify, check), Some(false), begun),
    };
    second_look::take(request, verify, (address, begun), then);
}

/// Those who wait go on when this request has gone its way. What a ban has held tells them nothing.
fn end(request: Request<'_>, (verify, check): Led, matched: Option<bool>, begun: u64) {
    let known = matched.filter(|_| !verify.login.is_banned());
    if let Some((check, matched)) = check.zip(known) {
        check.tell((matched, verify.hash.fingerprint()));
    }
    flow::finish(request, verify.login, matched, begun);
}
