//! The portal's location: the directive, the content handler, and the answers that wait for a
//! password check.

use std::rc::Rc;

use super::{
    body::{self, BadBody},
    conf::{Loaded, LocationConf},
    directive::{Directive, Mistake},
    entry,
    facts::{self, host_with_port},
    ffi::{
        self, DONE, NGX_HTTP_FORBIDDEN, NGX_HTTP_INTERNAL_SERVER_ERROR, ngx_http_request_t,
        ngx_int_t,
    },
    hashing,
    log::Level,
    reply,
    request::{Request, bytes},
    state::State,
    wait,
    world::Surroundings,
};
use crate::{
    portal::{self, Answer, Busy, Event, Headers, Step, Verify, World},
    users::Workspace,
};

/// Milliseconds beyond which no answer is held back.
const LONGEST_DELAY: u64 = 10_000;

const FAILED: ngx_int_t = NGX_HTTP_INTERNAL_SERVER_ERROR as ngx_int_t;

/// `auth_gate_portal`.
pub fn set_portal(directive: &Directive, conf: &mut LocationConf) -> Result<(), Mistake> {
    if conf.portal.is_some() {
        return Err(Mistake::Duplicate);
    }
    // SAFETY: while a location is read, the context holds its core configuration.
    let location = unsafe { core_location(directive.cf()) };
    let prefix = location.regex.is_null() && location.exact_match() == 0 && location.named() == 0;
    if !prefix || location.noname() == 1 {
        return Err(Mistake::Says(
            "wants a prefix location with the path of authelia_url, for instance \"location /\" or \"location /sso\", \
             not a regular expression, an exact or a named location"
                .into(),
        ));
    }
    let path = String::from_utf8_lossy(bytes(&location.name))
        .trim_end_matches('/')
        .to_owned();
    conf.portal = Some(path);
    location.handler = Some(handler);
    Ok(())
}

unsafe fn core_location<'a>(cf: *mut ffi::ngx_conf_t) -> &'a mut ffi::ngx_http_core_loc_conf_t {
    // SAFETY: the caller reads a location, where the context is one of HTTP.
    unsafe {
        let context = (*cf).ctx.cast::<ffi::ngx_http_conf_ctx_t>();
        &mut *(*(*context).loc_conf.add(ffi::ngx_http_core_module.ctx_index)).cast()
    }
}

/// Whether the location is still served by the portal; another content handler may have been named
/// after it.
pub fn serves(location: &ffi::ngx_http_core_loc_conf_t) -> bool {
    location
        .handler
        .is_some_and(|found| found as usize == handler as Handler as usize)
}

/// Lets the portal serve a block without a name (`if`, `limit_except`) of its location, too.
pub fn serve_inside(location: &mut ffi::ngx_http_core_loc_conf_t) {
    location.handler = Some(handler);
}

type Handler = unsafe extern "C" fn(*mut ngx_http_request_t) -> ngx_int_t;

/// What follows from a request to the portal.
enum Served {
    /// This is the answer.
    Answer(Answer),
    /// A password is being checked; the request goes on when that is done.
    Waiting,
}

/// Content handler of the portal's location.
unsafe extern "C" fn handler(r: *mut ngx_http_request_t) -> ngx_int_t {
    entry::guard("portal", FAILED, || {
        // SAFETY: `r` is the request of this callback.
        let Some(request) = (unsafe { Request::from_callback(r) }) else {
            return FAILED;
        };
        if request.is_subrequest() {
            return NGX_HTTP_FORBIDDEN as ngx_int_t;
        }
        if request.method() != b"POST" {
            return match serve(request, &[], super::milliseconds()) {
                Some(Served::Answer(answer)) => {
                    tell(request, answer.event.as_ref());
                    reply::send(request, &answer)
                }
                // Only a form or an API call asks for a password.
                Some(Served::Waiting) | None => FAILED,
            };
        }
        // SAFETY: the request is live; the callback ends it.
        let code = unsafe { ffi::ngx_http_read_client_request_body(r, Some(body_is_there)) };
        if code >= ffi::NGX_HTTP_SPECIAL_RESPONSE as ngx_int_t {
            code
        } else {
            DONE
        }
    })
}

unsafe extern "C" fn body_is_there(r: *mut ngx_http_request_t) {
    let step = |request: Request<'_>| {
        // From here on it is we who take time: what a client takes to send is no measure.
        let begun = super::milliseconds();
        let served = match body::read(request) {
            Ok(body) => serve(request, &body, begun),
            Err(BadBody::TooLong) => refuse(request, 413),
            Err(BadBody::Unreadable) => refuse(request, 500),
        };
        match served {
            Some(Served::Answer(answer)) => answer_in_time(request, answer, begun),
            Some(Served::Waiting) => {}
            None => wait::end(request, FAILED),
        }
    };
    // SAFETY: `r` is the request of this callback.
    unsafe { wait::guard("portal", r, step) };
}

/// What follows from the request; `None` when there is no configuration or no zone.
fn serve(request: Request<'_>, body: &[u8], begun: u64) -> Option<Served> {
    let loaded = request.whole().loaded.as_ref()?;
    if let Err(reason) = facts::check_host(request) {
        request.log(Level::Info, format_args!("auth_gate: {reason}"));
        return refuse(request, reason.status());
    }
    let step = with_visit(request, body, |visit, world| {
        loaded.portal.answer(visit, world)
    })?;
    Some(match step {
        Step::Answer(answer) => Served::Answer(answer),
        Step::Verify(verify) => {
            check_password(request, loaded, *verify, begun);
            Served::Waiting
        }
    })
}

fn refuse(request: Request<'_>, status: u16) -> Option<Served> {
    let portal = &request.whole().loaded.as_ref()?.portal;
    let answer = portal.refusal(reply::reader(request), status, None);
    Some(Served::Answer(answer))
}

fn check_password(request: Request<'_>, loaded: &Loaded, verify: Verify, begun: u64) {
    let Verify {
        hash,
        password,
        login,
    } = verify;
    let portal = Rc::clone(&loaded.portal);
    let zone = Rc::clone(&request.whole().zone);
    let work = move |workspace: &mut Workspace| hash.verify_in(&password, workspace);
    let then = move |request: Request<'_>, matched| {
        let answer = with_visit(request, &[], |visit, world| match matched {
            Some(matched) => portal.finish(visit, login, matched, elapsed(begun), world),
            None => {
                let retry_after = hashing::RETRY_AFTER;
                portal.turn_away(visit, &login, Busy { retry_after }, world)
            }
        });
        match answer {
            Some(answer) => answer_in_time(request, answer, begun),
            None => wait::end(request, FAILED),
        }
    };
    hashing::run(request, zone, loaded.threads, work, then);
}

/// Sends the answer when its time has come, and ends the request.
fn answer_in_time(request: Request<'_>, answer: Answer, begun: u64) {
    tell(request, answer.event.as_ref());
    let delay = answer
        .hold
        .saturating_sub(elapsed(begun))
        .min(LONGEST_DELAY);
    let send = move |request: Request<'_>| {
        let code = reply::send(request, &answer);
        wait::end(request, code);
    };
    match delay {
        0 => send(request),
        delay => wait::later(request, delay as usize, send),
    }
}

/// What happened, for the administrator.
fn tell(request: Request<'_>, event: Option<&Event>) {
    let Some(event) = event else { return };
    let level = match event {
        Event::SignIn(_) | Event::SignOut(_) => Level::Notice,
        Event::Fail(_) | Event::Ban(_) | Event::Lose(_) => Level::Error,
    };
    request.log(level, format_args!("auth_gate: {event}"));
}

/// Milliseconds since `begun`.
fn elapsed(begun: u64) -> u64 {
    super::milliseconds().saturating_sub(begun)
}

/// Hands the request to the portal room as it reads one, with the world around it.
fn with_visit<R>(
    request: Request<'_>,
    body: &[u8],
    f: impl FnOnce(&portal::Request<'_>, &mut dyn World) -> R,
) -> Option<R> {
    let mut surroundings = Surroundings::of(request.whole())?;
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
    Some(f(&visit, &mut surroundings))
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
