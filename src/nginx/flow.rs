//! A request to the portal on its way from step to step: a password is checked, an errand is run on
//! a thread, sessions are gone through in portions, until there is an answer. Each step but the
//! answer lets the request wait.

use std::{rc::Rc, sync::Arc};

use zeroize::Zeroizing;

use super::{
    audit,
    conf::Loaded,
    durable::{
        Desk,
        keep::{self, Change, Kept},
        outage, recall, roll,
    },
    errands,
    facts::{self, host_with_port},
    ffi::{NGX_HTTP_INTERNAL_SERVER_ERROR, ngx_int_t},
    hashing,
    identify::{self, Found},
    log::{self, Level},
    meters,
    office::News,
    reply,
    request::Request,
    state::State,
    sweep,
    wait::{self, Waiting},
    world::Surroundings,
};
use crate::{
    portal::{
        self, Answer, AsideWork, Busy, Cost, Errand, Headers, Portal, Step, Sweep, Verify, World,
    },
    session::{Key, Session, clear_cookie, standing},
    users::Workspace,
};

/// Milliseconds beyond which no answer is held back.
const LONGEST_DELAY: u64 = 10_000;

const FAILED: ngx_int_t = NGX_HTTP_INTERNAL_SERVER_ERROR as ngx_int_t;

/// Serves the request with that body: ends it, or lets it wait.
pub fn begin(request: Request<'_>, body: &[u8]) {
    let begun = super::milliseconds();
    if let Err(reason) = facts::check_host(request) {
        request.log(Level::Info, format_args!("auth_gate: {reason}"));
        return refuse(request, reason.status(), None);
    }
    enter(request, body, begun);
}

/// Goes on once the zone has the session that the visitor presents, if there is one.
fn enter(request: Request<'_>, body: &[u8], begun: u64) {
    if writes(request) && is_out(request) {
        // Before a password is checked or a code is used up in vain.
        return refuse(request, 503, Some(outage::RETRY_AFTER));
    }
    match missing(request) {
        Ok(None) => {}
        Ok(Some(key)) => {
            let body = Zeroizing::new(body.to_vec());
            let go_on = move |request: Request<'_>| enter(request, &body, begun);
            if recall::start(request, key, go_on) {
                return;
            }
            return come_back(request);
        }
        Err(Unknown) => {
            if is_sign_out(request) {
                end_presented(request);
            }
            return come_back(request);
        }
    }
    let step = with_visit(request, body, |portal, visit, world| {
        portal.answer(visit, world)
    });
    follow(request, step, begun);
}

/// The store is out. Whoever wanted to sign out is rid of the cookie all the same.
fn come_back(request: Request<'_>) {
    let Some(loaded) = &request.whole().loaded else {
        return wait::end(request, FAILED);
    };
    let (reader, retry) = (reply::reader(request), Some(outage::RETRY_AFTER));
    let mut answer = loaded.portal().refusal(reader, 503, retry);
    if is_sign_out(request)
        && let Some((_, realm)) = identify::realm_of(request)
    {
        answer.cookies.push(clear_cookie(&realm.cookie));
    }
    send(request, &answer);
}

fn is_sign_out(request: Request<'_>) -> bool {
    request.method() == b"POST" && matches!(&*place(request), "/logout" | "/api/logout")
}

/// Ends the sessions that are presented though nobody can be asked whether they last: here at once, and
/// in the store when it is back. That a form of ours asked for it cannot be proven without a session;
/// browsers send no cookie with a form of another site.
fn end_presented(request: Request<'_>) {
    let Some(((_, realm), state)) = identify::realm_of(request).zip(State::of(request)) else {
        return;
    };
    let zone = &request.whole().zone;
    let Some(keys) = zone.keys() else { return };
    for key in zone.proven().keys(state.cookies(request), realm, keys) {
        if let Some(mut sessions) = zone.sessions() {
            sessions.end(&key);
        }
    }
}

/// Places whose requests with a body change nothing that is kept, or only end a session, which is done
/// here at once.
const HARMLESS: [&str; 5] = [
    "/logout",
    "/api/logout",
    "/api/checks/",
    "/api/authz/",
    "/api/verify",
];

/// Whether the request can only be served by writing to the store of sessions.
fn writes(request: Request<'_>) -> bool {
    let place = place(request);
    matches!(request.method(), b"POST" | b"PUT" | b"DELETE")
        && !HARMLESS.iter().any(|harmless| place.starts_with(harmless))
}

/// Whether that store is known to be out.
fn is_out(request: Request<'_>) -> bool {
    let whole = request.whole();
    let store = whole
        .loaded
        .as_ref()
        .and_then(|loaded| loaded.office.sessions_in());
    store.is_some_and(|store| whole.zone.lost_since(store).is_some())
}

/// The store cannot be asked who the visitor is.
struct Unknown;

/// The session that the visitor presents, if it has to be asked of the store.
fn missing(request: Request<'_>) -> Result<Option<Key>, Unknown> {
    let Some((loaded, realm)) = identify::realm_of(request) else {
        return Ok(None);
    };
    let Some(state) = State::of(request) else {
        return Err(Unknown);
    };
    match identify::find(request, state, loaded, realm) {
        Found::Known(_) => Ok(None),
        Found::Missing(key) => Ok(Some(key)),
        Found::Unknown => Err(Unknown),
    }
}

/// Ends the request with the page of an error.
pub fn refuse(request: Request<'_>, status: u16, retry_after: Option<u64>) {
    let Some(loaded) = &request.whole().loaded else {
        return wait::end(request, FAILED);
    };
    let answer = loaded
        .portal()
        .refusal(reply::reader(request), status, retry_after);
    send(request, &answer);
}

/// Does the step, once what it changes about sessions is written down. `None`: there is no
/// configuration, or there are no keys yet.
fn follow(request: Request<'_>, taken: Option<(Step, Vec<Change>)>, begun: u64) {
    let Some((step, changes)) = taken else {
        return refuse(request, 503, Some(outage::RETRY_AFTER));
    };
    let desk = Desk::of(request.whole()).filter(|_| !changes.is_empty());
    let Some(desk) = desk else {
        return take(request, step, begun);
    };
    keep::run(request, desk, changes, move |request, kept| match kept {
        Kept::All => take(request, step, begun),
        Kept::Overtaken | Kept::Nothing => come_back(request),
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
    let Verify {
        hash,
        password,
        login,
    } = verify;
    let zone = Rc::clone(&request.whole().zone);
    let work = move |workspace: &mut Workspace| hash.verify_in(&password, workspace);
    let then = move |waiting: Waiting, matched| {
        waiting.resume(move |request| {
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
        });
    };
    hashing::run(Waiting::start(request), zone, loaded.threads, work, then);
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
        return roll::run(request, desk, wanted, |request, found| match found {
            Some(found) => go_on(request, found),
            None => refuse(request, 503, Some(outage::RETRY_AFTER)),
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

/// Sends the answer when its time has come, and ends the request.
fn answer_in_time(request: Request<'_>, answer: Answer, begun: u64) {
    audit::tell(request, answer.event.as_ref());
    let delay = answer
        .hold
        .saturating_sub(elapsed(begun))
        .max(answer.rest)
        .min(LONGEST_DELAY);
    match delay {
        0 => send(request, &answer),
        delay => wait::later(request, delay as usize, move |request| {
            send(request, &answer)
        }),
    }
}

fn send(request: Request<'_>, answer: &Answer) {
    let code = reply::send(request, answer);
    wait::end(request, code);
}

/// Milliseconds since `begun`.
fn elapsed(begun: u64) -> u64 {
    super::milliseconds().saturating_sub(begun)
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
    let (path, host, scheme) = (
        place(request),
        host_with_port(request),
        facts::scheme(request),
    );
    let visit = portal::Request {
        method: request.method(),
        path: &path,
        query: Some(request.query()).filter(|query| !query.is_empty()),
        host: &host,
        scheme: std::str::from_utf8(&scheme).unwrap_or_default(),
        base: request.location().portal.as_deref().unwrap_or_default(),
        headers: visit_headers(request),
        body,
        address: request.client(),
        now: super::now(),
    };
    let step = f(&portal, &visit, &mut surroundings);
    Some((step, surroundings.changes()))
}

fn visit_headers(request: Request<'_>) -> Headers<'_> {
    let kept: Vec<&[u8]> = State::find(request)
        .map(|state| state.cookies(request).collect())
        .unwrap_or_default();
    Headers {
        accept: request.header("accept"),
        accept_language: request.header("accept-language"),
        content_type: request.header("content-type"),
        origin: request.header("origin"),
        sec_fetch_site: request.header("sec-fetch-site"),
        sec_fetch_mode: request.header("sec-fetch-mode"),
        sec_fetch_dest: request.header("sec-fetch-dest"),
        sec_purpose: request.header("sec-purpose"),
        user_agent: request.header("user-agent"),
        cookies: kept
            .into_iter()
            .chain(request.header_values("cookie"))
            .collect(),
    }
}

/// The path below the portal's own, as the portal room names its places.
fn place(request: Request<'_>) -> String {
    let base = request.location().portal.as_deref().unwrap_or_default();
    let below = request
        .path()
        .strip_prefix(base.as_bytes())
        .unwrap_or_default();
    match below {
        b"" => "/".into(),
        // `/ssoX` is in nginx's prefix location `/sso` and is no place of ours.
        [b'/', ..] => String::from_utf8_lossy(below).into_owned(),
        _ => "/?".into(),
    }
}
