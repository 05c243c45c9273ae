//! The access handler: facts, who, verdict, answer.

use super::{
    conf::Loaded,
    credentials::{self, Shown, Worth},
    durable::{outage, recall},
    entry,
    facts::{BadRequest, Facts, host_with_port},
    ffi::{
        AGAIN, DECLINED, NGX_HTTP_FORBIDDEN, NGX_HTTP_INTERNAL_SERVER_ERROR, OK,
        ngx_http_request_t, ngx_int_t,
    },
    identify::{self, Found},
    identity,
    log::Level as Severity,
    meters,
    passwords::{self, Checked},
    reply::{self, Refusal},
    request::Request,
    state::{By, Outcome, SignedIn, State},
    wait,
};
use crate::{
    access::{
        BadObject, Decision, Guard, Level, Object, Requirement, Rules, Subject, Verdict,
        original_url, portal_url,
    },
    config::CookieDomain,
    session::{Key, Realm},
};

/// Access phase.
pub unsafe extern "C" fn handler(r: *mut ngx_http_request_t) -> ngx_int_t {
    const FAILED: ngx_int_t = NGX_HTTP_INTERNAL_SERVER_ERROR as ngx_int_t;
    entry::guard("access handler", FAILED, || {
        // SAFETY: `r` is the request of this callback.
        let Some(request) = (unsafe { Request::from_callback(r) }) else {
            return FAILED;
        };
        if !request.location().is_guarded() {
            return DECLINED;
        }
        let Some(state) = State::of(request) else {
            return FAILED;
        };
        match judge(request, state, true) {
            Ok(()) => {
                meters::decided(request, state, None);
                allow(request, state)
            }
            Err(Stop::Refuse(refusal)) => {
                meters::decided(request, state, Some(&refusal));
                reply::refuse(request, &refusal)
            }
            Err(Stop::Wait) => AGAIN,
        }
    })
}

/// Why a request does not go on.
enum Stop {
    /// For good.
    Refuse(Refusal),
    /// It waits for its session or for its password to be checked; then the phases begin anew where they stopped.
    Wait,
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Stop::Refuse(refusal)
    }
}

/// Before the access phase: where another module may let the request through, the session is to be
/// known already. Whether the request waits for it. Credentials in headers are not looked at yet: where
/// somebody else opens, they are not meant for the gate.
pub fn waits_for_session(request: Request<'_>, state: &State) -> bool {
    let place = credentials::known(request, state);
    state.set_by(place.map_or(By::Cookie, By::Header));
    if place.is_some() || !request.location().credentials().cookie {
        return false;
    }
    let Some((loaded, realm)) = identify::realm_of(request) else {
        return false;
    };
    match identify::find(request, state, loaded, realm) {
        Found::Missing(key) => wait_for(request, state, key),
        Found::Known(_) | Found::Unknown => false,
    }
}

fn wait_for(request: Request<'_>, state: &State, key: Key) -> bool {
    let waits = recall::start(request, key, wait::run_phases);
    if !waits {
        state.set_unknown();
    }
    waits
}

/// A subrequest to a guarded location: the access phase does not see it, so it is judged here, by
/// its own address and the visitor's session. `auth_request` asks for a status only and has no
/// content that could appear.
pub fn judge_subrequest(request: Request<'_>) -> ngx_int_t {
    const FORBIDDEN: ngx_int_t = NGX_HTTP_FORBIDDEN as ngx_int_t;
    let asks_status_only = request.raw().header_only() == 1 && request.raw().background() == 0;
    if asks_status_only {
        return DECLINED;
    }
    let Some(state) = State::of(request) else {
        return FORBIDDEN;
    };
    let (outcome, by) = (state.outcome.get(), state.by());
    let result = judge(request, state, false);
    // The log tells of the request that the visitor sent.
    state.outcome.set(outcome);
    state.set_by(by);
    if result.is_ok() { DECLINED } else { FORBIDDEN }
}

fn allow(request: Request<'_>, state: &State) -> ngx_int_t {
    match identity::add(request, state) {
        Ok(()) => OK,
        Err(_) => NGX_HTTP_INTERNAL_SERVER_ERROR as ngx_int_t,
    }
}

fn judge(request: Request<'_>, state: &State, may_wait: bool) -> Result<(), Stop> {
    state.outcome.set(Some(Outcome::Error));
    let facts = Facts::collect(request);
    let object = facts
        .object(request)
        .map_err(|reason| bad(request, &reason))?;
    let Some(loaded) = &request.whole().loaded else {
        return Err(Refusal::Bad(500).into());
    };
    let config = &loaded.config;
    let Some((_, domain)) = config.session.domain_of(object.host()) else {
        let host = object.host();
        // A client may name any host where a server takes all; `nginx -t` has warned already.
        request.log(
            Severity::Info,
            format_args!("auth_gate: host \"{host}\" is in no domain of session.cookies: add it there, or auth_gate off"),
        );
        return Err(Refusal::Bad(400).into());
    };
    let guard = request.location().guard.as_ref().ok_or(Refusal::Bad(500))?;
    let is_open = || guard.is_open(&config.rules, &object);
    let session = who(request, state, (loaded, &domain.realm), is_open, may_wait)?;
    let mut verdict = verdict(guard, &config.rules, &object, session);
    if is_wrong(state) && verdict.requirement != Requirement::Bypass {
        verdict.decision = Decision::Challenge;
    }
    if verdict.decision == Decision::Allow {
        state.outcome.set(Some(Outcome::Judged(verdict)));
        return Ok(());
    }
    if state.by() == By::Cookie && state.is_unknown() {
        return Err(Refusal::Unavailable(outage::RETRY_AFTER).into());
    }
    state.outcome.set(Some(Outcome::Judged(verdict)));
    Err(refusal(request, state, &object, domain, verdict.decision).into())
}

/// Who the visitor is here: whose credential stands in a header that the location reads, else whose
/// session it is. Where everybody passes, what stands in headers is the application's affair.
fn who<'s>(
    request: Request<'_>,
    state: &'s State,
    of: (&Loaded, &Realm),
    is_open: impl FnOnce() -> bool,
    may_wait: bool,
) -> Result<Option<&'s SignedIn>, Stop> {
    let presented = credentials::look(request, state);
    if let Some(presented) = presented.filter(|_| !is_open()) {
        return match passwords::check(request, state, of, presented, may_wait)? {
            Checked::Known(Shown {
                worth: Worth::Unchecked(seconds),
                ..
            }) => Err(Refusal::Unavailable(*seconds).into()),
            Checked::Known(_) => Ok(state.session()),
            Checked::Waits => Err(Stop::Wait),
        };
    }
    state.set_by(By::Cookie);
    if !request.location().credentials().cookie {
        return Ok(None);
    }
    // Looked up in any case, for the identity headers.
    let (loaded, realm) = of;
    match identify::find(request, state, loaded, realm) {
        Found::Known(session) => Ok(session),
        Found::Missing(key) if may_wait && wait_for(request, state, key) => Err(Stop::Wait),
        Found::Missing(_) | Found::Unknown => Ok(None),
    }
}

/// Whether a credential was shown that is nobody's.
fn is_wrong(state: &State) -> bool {
    match state.by() {
        By::Cookie => false,
        By::Header(place) => state
            .shown(place)
            .is_some_and(|shown| matches!(shown.worth, Worth::Wrong)),
    }
}

fn refusal(
    request: Request<'_>,
    state: &State,
    object: &Object<'_>,
    domain: &CookieDomain,
    decision: Decision,
) -> Refusal {
    let read = request.location().credentials();
    let asks_for = match state.by() {
        By::Header(place) => state.shown(place).map(|shown| (place, shown.scheme)),
        By::Cookie if read.cookie => None,
        By::Cookie => read.first(),
    };
    if let (Decision::Challenge, Some((place, scheme))) = (decision, asks_for) {
        return Refusal::Credential(place, scheme, is_wrong(state));
    }
    let url = original_url(object, &host_with_port(request));
    let portal = domain.authelia_url.as_ref();
    let login = portal.map(|portal| portal_url(portal.as_str(), &url, object.method()));
    let asked = asked(&url);
    match login {
        _ if decision == Decision::Forbid => {
            let user = state.session().map(|session| &*session.user);
            let user = user.map(|user| (user.name.clone(), user.display_name.clone()));
            // Whoever shows a password with each request has no session to leave for another.
            let login = login.filter(|_| state.by() == By::Cookie);
            Refusal::Forbid { user, asked, login }
        }
        Some(location) => Refusal::Challenge { location, asked },
        None => {
            let domain = &domain.realm.domain;
            request.log(
                Severity::Error,
                format_args!("auth_gate: session.cookies of \"{domain}\" has no authelia_url to send visitors to"),
            );
            Refusal::Bad(400)
        }
    }
}

/// Host and path of an address, for people.
fn asked(url: &str) -> String {
    let bare = url.split_once("://").map_or(url, |(_, rest)| rest);
    bare.split('?').next().unwrap_or(bare).to_owned()
}

fn verdict(
    guard: &Guard,
    rules: &Rules,
    object: &Object<'_>,
    session: Option<&SignedIn>,
) -> Verdict {
    let Some(SignedIn { user, level }) = session else {
        return guard.judge(rules, object, None, Level::None);
    };
    let subject = Subject {
        user: &user.name,
        groups: &user.groups,
    };
    guard.judge(rules, object, Some(&subject), *level)
}

fn bad(request: Request<'_>, reason: &BadRequest) -> Refusal {
    match reason {
        // A matter of setup, which the administrator must see.
        BadRequest::Object(BadObject::Scheme) => {
            request.log(Severity::Error, format_args!("auth_gate: {reason}"));
            Refusal::NeedsHttps
        }
        // What a client can cause at will is no news.
        _ => {
            request.log(Severity::Info, format_args!("auth_gate: {reason}"));
            Refusal::Bad(reason.status())
        }
    }
}
