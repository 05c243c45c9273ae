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
    hashing, job,
    log::Level,
    reply,
    request::{Request, bytes},
    state::State,
    world::Surroundings,
};
use crate::portal::{self, Answer, Busy, Event, Headers, Step, Verify, World};

/// Milliseconds beyond which no answer is held back.
const LONGEST_DELAY: usize = 10_000;

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
            return match serve(request, &[]) {
                Some(answer) => reply::send(request, &answer),
                None => FAILED,
            };
        }
        // SAFETY: the request is live; the callback finalizes it.
        let code = unsafe { ffi::ngx_http_read_client_request_body(r, Some(body_is_there)) };
        if code >= ffi::NGX_HTTP_SPECIAL_RESPONSE as ngx_int_t {
            code
        } else {
            DONE
        }
    })
}

unsafe extern "C" fn body_is_there(r: *mut ngx_http_request_t) {
    let failed = entry::guard("portal", true, || {
        // SAFETY: `r` is the request of this callback.
        let Some(request) = (unsafe { Request::from_callback(r) }) else {
            return false;
        };
        let answer = match body::read(request) {
            Ok(body) => serve(request, &body),
            Err(BadBody::TooLong) => refuse(request, 413),
            Err(BadBody::Unreadable) => refuse(request, 500),
        };
        if let Some(answer) = answer {
            answer_in_time(request, answer);
        }
        false
    });
    if failed {
        // SAFETY: the guarded part panicked before it finalized the request.
        unsafe { ffi::ngx_http_finalize_request(r, FAILED) };
    }
}

/// The answer, or `None` when a password is being checked first.
fn serve(request: Request, body: &[u8]) -> Option<Answer> {
    let loaded = request.whole().loaded.as_ref()?;
    if let Err(reason) = facts::check_host(request) {
        request.log(Level::Info, format_args!("auth_gate: {reason}"));
        return refuse(request, reason.status());
    }
    let step = with_visit(request, body, |visit, world| {
        loaded.portal.answer(visit, world)
    })?;
    match step {
        Step::Answer(answer) => Some(answer),
        Step::Verify(verify) => {
            check_password(request, loaded, *verify);
            None
        }
    }
}

fn refuse(request: Request, status: u16) -> Option<Answer> {
    let portal = &request.whole().loaded.as_ref()?.portal;
    Some(portal.refusal(reply::reader(request), status, None))
}

fn check_password(request: Request, loaded: &Loaded, verify: Verify) {
    let Verify {
        hash,
        password,
        login,
    } = verify;
    let portal = Rc::clone(&loaded.portal);
    let zone = Rc::clone(&request.whole().zone);
    let work = move || hash.verify(&password);
    hashing::run(
        request,
        zone,
        loaded.threads,
        work,
        move |request, matched| {
            let answer = match matched {
                Some(matched) => with_visit(request, &[], |visit, world| {
                    portal.finish(visit, login, matched, elapsed(request), world)
                }),
                None => with_visit(request, &[], |visit, world| {
                    portal.turn_away(
                        visit,
                        &login,
                        Busy {
                            retry_after: hashing::RETRY_AFTER,
                        },
                        world,
                    )
                }),
            };
            match answer {
                Some(answer) => answer_in_time(request, answer),
                // SAFETY: the request is live and waits for its answer.
                None => unsafe { ffi::ngx_http_finalize_request(request.as_ptr(), FAILED) },
            }
        },
    );
}

/// Sends the answer when its time has come, and ends the request.
fn answer_in_time(request: Request, answer: Answer) {
    tell(request, answer.event.as_ref());
    let delay = answer.hold.saturating_sub(elapsed(request));
    let send = move |request: Request| {
        let code = reply::send(request, &answer);
        // SAFETY: the request is live; this is its end.
        unsafe { ffi::ngx_http_finalize_request(request.as_ptr(), code) };
    };
    match usize::try_from(delay) {
        Ok(0) => send(request),
        Ok(delay) => job::later(request, delay, send),
        Err(_) => job::later(request, LONGEST_DELAY, send),
    }
}

/// What happened, for the administrator.
fn tell(request: Request, event: Option<&Event>) {
    let Some(event) = event else { return };
    let level = match event {
        Event::SignIn(_) | Event::SignOut(_) => Level::Notice,
        Event::Fail(_) | Event::Ban(_) | Event::Lose(_) => Level::Error,
    };
    request.log(level, format_args!("auth_gate: {event}"));
}

/// Milliseconds since the request arrived.
fn elapsed(request: Request) -> u64 {
    // SAFETY: nginx keeps the cached time from before any module runs.
    let now = unsafe { &*ffi::ngx_cached_time };
    let ms = |seconds: ffi::time_t, rest: usize| {
        u64::try_from(seconds)
            .unwrap_or(0)
            .saturating_mul(1000)
            .saturating_add(rest as u64)
    };
    let raw = request.raw();
    ms(now.sec, now.msec).saturating_sub(ms(raw.start_sec, raw.start_msec))
}

/// Hands the request to the portal room as it reads one, with the world around it.
fn with_visit<R>(
    request: Request,
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

fn visit_headers<'a>(request: Request) -> Headers<'a> {
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
        cookies: kept.into_iter().chain(request.header("cookie")).collect(),
    }
}

/// The path below the portal's own, as the portal room names its places.
fn place(request: Request) -> String {
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
