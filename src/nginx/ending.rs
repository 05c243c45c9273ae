//! How a request to the portal ends: with an answer when its time has come, or with one of those that
//! need no step of the portal.

use super::{
    audit,
    durable::outage,
    ffi::{NGX_HTTP_INTERNAL_SERVER_ERROR, ngx_int_t},
    meters, presented, reply,
    request::Request,
    visit, wait,
};
use crate::{portal::Answer, session::clear_cookie};

/// Milliseconds beyond which no answer is held back.
pub const LONGEST_DELAY: u64 = 10_000;

/// For a request that no answer can be made for.
pub const FAILED: ngx_int_t = NGX_HTTP_INTERNAL_SERVER_ERROR as ngx_int_t;

/// Answers while nobody can say whose request it is. Whoever wanted to sign out is rid of the cookie all
/// the same.
pub fn answer_unknown(request: Request<'_>, begun: u64) {
    let Some(loaded) = &request.whole().loaded else {
        return wait::end(request, FAILED);
    };
    let (portal, rules) = (loaded.portal(), &loaded.config.rules);
    let mut answer = visit::with(request, &[], |visit| {
        portal.unknown(visit, rules, outage::RETRY_AFTER)
    });
    if let Some(realm) = presented::left(request, loaded) {
        answer.cookies.push(clear_cookie(&realm.cookie));
    }
    answer_in_time(request, answer, begun);
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

/// Sends the answer when its time has come, and ends the request.
pub fn answer_in_time(request: Request<'_>, answer: Answer, begun: u64) {
    audit::tell(request, answer.event.as_ref());
    if let Some(judged) = answer.judged {
        meters::asked(&request.whole().zone, judged);
    }
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

/// Milliseconds since `begun`.
pub fn elapsed(begun: u64) -> u64 {
    super::milliseconds().saturating_sub(begun)
}

fn send(request: Request<'_>, answer: &Answer) {
    let code = reply::send(request, answer);
    wait::end(request, code);
}
