//! The access handler: facts, who, verdict, answer.

use super::{
    entry,
    facts::{BadRequest, Facts, host_with_port},
    ffi::{
        DECLINED, NGX_HTTP_FORBIDDEN, NGX_HTTP_INTERNAL_SERVER_ERROR, OK, ngx_http_request_t,
        ngx_int_t,
    },
    identify,
    log::Level as Severity,
    reply::{self, Refusal},
    request::Request,
    state::{Outcome, State},
};
use crate::access::{
    BadObject, Decision, Level, Object, Subject, Verdict, original_url, portal_url,
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
        match judge(request, state) {
            Ok(()) => allow(request, state),
            Err(refusal) => reply::refuse(request, state, refusal),
        }
    })
}

/// A subrequest to a guarded location: the access phase does not see it, so it is judged here, by
/// its own address and the visitor's session. `auth_request` asks for a status only and has no
/// content that could appear.
pub fn judge_subrequest(request: Request) -> ngx_int_t {
    const FORBIDDEN: ngx_int_t = NGX_HTTP_FORBIDDEN as ngx_int_t;
    let asks_status_only = request.raw().header_only() == 1 && request.raw().background() == 0;
    if asks_status_only {
        return DECLINED;
    }
    let Some(state) = State::of(request) else {
        return FORBIDDEN;
    };
    let outcome = state.outcome;
    let result = judge(request, state);
    // The log tells of the request that the visitor sent.
    state.outcome = outcome;
    if result.is_ok() { DECLINED } else { FORBIDDEN }
}

fn allow(request: Request, state: &mut State) -> ngx_int_t {
    match reply::add_identity(request, state) {
        Ok(()) => OK,
        Err(_) => NGX_HTTP_INTERNAL_SERVER_ERROR as ngx_int_t,
    }
}

fn judge(request: Request, state: &mut State) -> Result<(), Refusal> {
    state.outcome = Some(Outcome::Error);
    let facts = Facts::collect(request);
    let object = facts
        .object(request)
        .map_err(|reason| bad(request, &reason))?;
    let Some(loaded) = &request.whole().loaded else {
        return Err(Refusal::Bad(500));
    };
    let config = &loaded.config;
    let Some((_, domain)) = config.session.domain_of(object.host()) else {
        let host = object.host();
        request.log(
            Severity::Error,
            format_args!("auth_gate: host \"{host}\" is in no domain of session.cookies: add it there, or auth_gate off"),
        );
        return Err(Refusal::Bad(400));
    };
    let verdict = verdict(request, state, &object, &config.rules).ok_or(Refusal::Bad(500))?;
    state.outcome = Some(Outcome::Judged(verdict));
    if verdict.decision == Decision::Allow {
        return Ok(());
    }
    let url = original_url(&object, &host_with_port(request));
    let login = domain
        .authelia_url
        .as_ref()
        .map(|portal| portal_url(portal.as_str(), &url, object.method()));
    let asked = asked(&url);
    match login {
        _ if verdict.decision == Decision::Forbid => Err(Refusal::Forbid { asked, login }),
        Some(location) => Err(Refusal::Challenge { location, asked }),
        None => {
            let domain = &domain.realm.domain;
            request.log(
                Severity::Error,
                format_args!("auth_gate: session.cookies of \"{domain}\" has no authelia_url to send visitors to"),
            );
            Err(Refusal::Bad(400))
        }
    }
}

/// Host and path of an address, for people.
fn asked(url: &str) -> String {
    let bare = url.split_once("://").map_or(url, |(_, rest)| rest);
    bare.split('?').next().unwrap_or(bare).to_owned()
}

/// The verdict, without looking at the cookie first where everybody passes anyway; the visitor is
/// looked up in any case, for the identity headers.
fn verdict(
    request: Request,
    state: &mut State,
    object: &Object<'_>,
    rules: &crate::access::Rules,
) -> Option<Verdict> {
    let guard = request.location().guard.as_ref()?;
    let open = guard.for_everybody(rules, object);
    identify::identify(request, state);
    if open.is_some() {
        return open;
    }
    let Some(session) = &state.session else {
        return Some(guard.judge(rules, object, None, Level::None));
    };
    let user = session.user()?;
    let subject = Subject {
        user: &user.name,
        groups: &user.groups,
    };
    Some(guard.judge(rules, object, Some(&subject), session.level()))
}

fn bad(request: Request, reason: &BadRequest) -> Refusal {
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
