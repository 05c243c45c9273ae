//! The one place where a decision becomes status, headers and body.

use std::ptr::null_mut;

use super::{
    conf::{ChallengeForm, Loaded},
    credentials::Place,
    ffi::{self, DONE, ERROR, ngx_int_t},
    headers::{self, NoMemory},
    request::Request,
    wait,
};
use crate::{
    access::{Ask, Challenge},
    portal::{
        self, Answer, Denied, Reader,
        in_header::{self, Scheme},
    },
};

/// Why a request does not go on.
pub enum Refusal {
    /// The visitor has to prove more, at this address.
    Challenge {
        /// The portal's, with the way back.
        location: String,
        /// Host and path that were asked for.
        asked: String,
    },
    /// The visitor has to show a credential of that scheme in that header; whether that shown was wrong.
    Credential(Place, Scheme, bool),
    /// Nothing would help.
    Forbid {
        /// Name and display name of the signed-in user.
        user: Option<(String, String)>,
        /// Host and path that were asked for.
        asked: String,
        /// The portal's address with the way back, for another account.
        login: Option<String>,
    },
    /// The visitor came over plain http.
    NeedsHttps,
    /// Who the visitor is cannot be found out now: 503, and after so many seconds another try makes
    /// sense.
    Unavailable(u64),
    /// The request cannot be judged: 400 or 421, or 500 when something of ours is missing.
    Bad(u16),
}

/// Answers a request that does not go on. It may be gone when this returns.
pub fn refuse(request: Request<'_>, refusal: &Refusal) -> ngx_int_t {
    let reader = reader(request);
    match refusal {
        Refusal::Challenge { location, asked } => challenge(request, reader, location, asked),
        Refusal::Credential(place, scheme, was_wrong) => {
            let answer = in_header::challenge(place.header(), *scheme, *was_wrong);
            ask_for_credential(request, answer)
        }
        Refusal::Forbid { user, login, asked } => {
            let user = user
                .as_ref()
                .map(|(name, shown)| (name.as_str(), shown.as_str()));
            let login = login.as_deref();
            let denied = Denied { user, asked, login };
            answer_or_error_page(request, 403, |portal| portal.forbidden(reader, &denied))
        }
        Refusal::NeedsHttps => {
            answer_or_error_page(request, 400, |portal| portal.needs_https(reader))
        }
        Refusal::Unavailable(retry_after) => answer_or_error_page(request, 503, |portal| {
            portal.refusal(reader, 503, Some(*retry_after))
        }),
        Refusal::Bad(status) => answer_or_error_page(request, *status, |portal| {
            portal.refusal(reader, *status, None)
        }),
    }
}

/// How the visitor wants to be answered.
pub fn reader(request: Request<'_>) -> Reader {
    Reader::new(request.header("accept"), request.header("accept-language"))
}

/// Asks for a credential, as an authorization endpoint does.
fn ask_for_credential(request: Request<'_>, answer: Answer) -> ngx_int_t {
    let status = answer.status;
    if !request.satisfies_any() {
        return answer_or_error_page(request, status, |_| answer);
    }
    // As for other challenges.
    let answer = Answer {
        body: Vec::new(),
        content_type: None,
        ..answer
    };
    match write_headers(request, &answer) {
        Ok(()) => status as ngx_int_t,
        Err(NoMemory) => ERROR,
    }
}

fn challenge(request: Request<'_>, reader: Reader, location: &str, asked: &str) -> ngx_int_t {
    if request.satisfies_any() {
        // We are the last who could let the request through, so this is the answer.
        headers::clear_out(request, "Cache-Control");
        if headers::push_out(request, "Cache-Control", "no-store").is_err() {
            return ERROR;
        }
        return ffi::NGX_HTTP_UNAUTHORIZED as ngx_int_t;
    }
    let method = std::str::from_utf8(request.method()).unwrap_or_default();
    let form = match request.location().challenge.unwrap_or(ChallengeForm::Auto) {
        ChallengeForm::Auto => Ask {
            method,
            accept: request.header("accept"),
            requested_with: request.header("x-requested-with"),
            fetch_mode: request.header("sec-fetch-mode"),
            upgrade: request.header("upgrade"),
        }
        .challenge(),
        // As for a browser that follows a link.
        ChallengeForm::Redirect => Ask {
            method,
            accept: Some(b"text/html"),
            ..Ask::default()
        }
        .challenge(),
        ChallengeForm::Status => Challenge::Unauthorized,
    };
    let status = match form {
        Challenge::Redirect => 302,
        Challenge::SeeOther => 303,
        Challenge::Unauthorized => 401,
    };
    answer_or_error_page(request, status, |portal| {
        portal.challenge(reader, status, location, asked)
    })
}

/// Sends the page, or leaves the body to the `error_page` that the location has for the status.
fn answer_or_error_page(
    request: Request<'_>,
    status: u16,
    page: impl FnOnce(&portal::Portal) -> Answer,
) -> ngx_int_t {
    let whole = request.whole();
    let Some(portal) = whole.loaded.as_ref().map(Loaded::portal) else {
        return status as ngx_int_t;
    };
    let answer = page(&portal);
    if has_error_page(request, status) {
        let answer = Answer {
            body: Vec::new(),
            content_type: None,
            ..answer
        };
        return match write_headers(request, &answer) {
            Ok(()) => status as ngx_int_t,
            Err(NoMemory) => ERROR,
        };
    }
    let code = send(request, &answer);
    wait::end(request, code);
    // Tells the phase that the request is no longer its own.
    DONE
}

/// Whether the location answers `status` with an `error_page` that has not fired yet.
fn has_error_page(request: Request<'_>, status: u16) -> bool {
    if request.raw().error_page() == 1 && request.core_location().recursive_error_pages == 0 {
        return false;
    }
    // SAFETY: null, or an array of error pages in the cycle's pool.
    unsafe { request.core_location().error_pages.as_ref() }.is_some_and(|pages| {
        // SAFETY: as above.
        let pages = unsafe { pages.as_slice::<ffi::ngx_http_err_page_t>() };
        pages.iter().any(|page| page.status == status as ngx_int_t)
    })
}

/// Sends a whole answer. The caller finalizes the request with the code it gives.
pub fn send(request: Request<'_>, answer: &Answer) -> ngx_int_t {
    // SAFETY: the request is live. Without this the unread body would be parsed as the next request.
    let code = unsafe { ffi::ngx_http_discard_request_body(request.as_ptr()) };
    if code != ffi::OK {
        return code;
    }
    let raw = request.raw_mut();
    raw.headers_out.status = ffi::ngx_uint_t::from(answer.status);
    raw.headers_out.content_length_n = answer.body.len() as ffi::off_t;
    raw.set_disable_not_modified(1);
    if write_headers(request, answer).is_err() {
        return ERROR;
    }
    // SAFETY: the headers were filled above.
    let code = unsafe { ffi::ngx_http_send_header(request.as_ptr()) };
    if code == ERROR || code > ffi::OK || request.raw().header_only() == 1 {
        return code;
    }
    send_body(request, &answer.body)
}

fn write_headers(request: Request<'_>, answer: &Answer) -> Result<(), NoMemory> {
    for (name, value) in &answer.headers {
        // A target of `error_page` that is guarded itself comes here a second time.
        headers::clear_out(request, name);
        headers::push_out(request, name, value)?;
    }
    for cookie in &answer.cookies {
        headers::push_out(request, "Set-Cookie", cookie)?;
    }
    headers::clear_out(request, "Location");
    request.raw_mut().headers_out.location = null_mut();
    if let Some(location) = &answer.location {
        let element = headers::push_out(request, "Location", location)?;
        request.raw_mut().headers_out.location = element.as_ptr();
    }
    if let Some(content_type) = answer.content_type {
        let value = request.copy_str(content_type.as_bytes()).ok_or(NoMemory)?;
        // nginx compares this length with that of its types, so it leaves the charset out.
        let bare = content_type.split(';').next().unwrap_or(content_type).len();
        let out = &mut request.raw_mut().headers_out;
        out.content_type = value;
        out.content_type_len = bare;
        out.content_type_lowcase = null_mut();
    }
    Ok(())
}

fn send_body(request: Request<'_>, body: &[u8]) -> ngx_int_t {
    let Some(copy) = request.copy(body) else {
        return ERROR;
    };
    // SAFETY: the buffer lives in the request's pool, as the bytes that it points at.
    unsafe {
        let buffer = ffi::ngx_pcalloc(request.raw().pool, size_of::<ffi::ngx_buf_t>())
            .cast::<ffi::ngx_buf_t>();
        if buffer.is_null() {
            return ERROR;
        }
        let start = copy.as_ptr().cast_mut();
        (*buffer).pos = start;
        (*buffer).last = start.add(copy.len());
        (*buffer).start = start;
        (*buffer).end = (*buffer).last;
        (*buffer).set_memory(u32::from(!copy.is_empty()));
        (*buffer).set_last_buf(u32::from(!request.is_subrequest()));
        (*buffer).set_last_in_chain(1);
        let mut chain = ffi::ngx_chain_t {
            buf: buffer,
            next: null_mut(),
        };
        ffi::ngx_http_output_filter(request.as_ptr(), &raw mut chain)
    }
}
