//! The endpoints of authentik's proxy, for proxies that were set up for it: the same questions as at
//! the others, and answers in its headers. What its outpost serves beside them is in `outpost`.

use std::borrow::Cow;

use crate::portal::answer::Answer;
use crate::portal::request::Request;
use crate::session::Keys;
use crate::users::{User, authentik, backend_basic, replacement, same_header};

use super::endpoint::Dialect;
use super::{CredentialHeader, Endpoint, Implementation, Question, Schemes, Strategy};

/// Below what they stand.
pub(super) const ENDPOINTS: &str = "/outpost.goauthentik.io/auth/";

/// authentik takes its app passwords in either form.
const SCHEMES: Schemes = Schemes {
    basic: true,
    bearer: true,
};

/// Headers that mean something in the answer itself, and so cannot be told of a user there.
const OF_ANSWERS: [&str; 16] = [
    "Accept-Ranges",
    "Age",
    "Cache-Control",
    "Clear-Site-Data",
    "Date",
    "ETag",
    "Expires",
    "Last-Modified",
    "Location",
    "Proxy-Authenticate",
    "Refresh",
    "Retry-After",
    "Server",
    "Set-Cookie",
    "Vary",
    "WWW-Authenticate",
];
/// What the names of others begin with.
const BEGINNINGS_OF_ANSWERS: [&str; 2] = ["content-", "x-accel-"];

/// A user whose headers are told.
pub(super) struct Known<'u> {
    pub(super) user: &'u User,
    uid: Cow<'u, str>,
}

impl<'u> Known<'u> {
    pub(super) fn new(user: &'u User, keys: &Keys) -> Self {
        Known {
            user,
            uid: authentik::uid(user, |name| keys.uid(name)),
        }
    }
}

/// All of them; no configuration names others.
pub(in crate::portal) fn endpoints() -> [Endpoint; 4] {
    [
        ("nginx", Implementation::AuthRequest),
        ("traefik", Implementation::ForwardAuth),
        ("caddy", Implementation::ForwardAuth),
        ("envoy", Implementation::ExtAuthz),
    ]
    .map(|(name, implementation)| Endpoint {
        path: format!("{ENDPOINTS}{name}"),
        implementation,
        strategies: vec![
            Strategy::Header(CredentialHeader::Authorization, SCHEMES),
            Strategy::CookieSession,
        ],
        remembers: Vec::new(),
        dialect: Dialect::Authentik,
    })
}

/// Leave to go on, with every header of authentik's: a proxy that copies what it is told must not be
/// left with what the visitor claims. The user's additional headers and the password for the
/// application are for proxies alone, so they go to peers that are believed.
pub(super) fn allow(
    request: &Request<'_>,
    question: &Question<'_, '_>,
    known: Option<&Known<'_>>,
) -> Answer {
    let mut answer = Answer::leave();
    let Some(doorway) = &request.doorway else {
        return answer;
    };
    let user = known.map(|known| known.user);
    let meta = authentik::Meta {
        uid: known.map_or("", |known| &known.uid),
        application: doorway.here.application.unwrap_or(&question.host),
    };
    for (name, value) in authentik::values(user, meta) {
        answer = answer.with(name, value.to_owned());
    }
    let empty = authentik::EMPTY.into_iter();
    for name in empty.filter(|name| replacement(user, name).is_none()) {
        answer = answer.with(name, "");
    }
    let Some(user) = user else { return answer };
    if let Some((name, password)) = doorway.here.backend_basic
        && doorway.trusted
        && replacement(Some(user), "Authorization").is_none()
        && let Some(value) = backend_basic(user, name, password)
    {
        answer = answer.with("Authorization", value);
    }
    let additional = user.additional_headers.iter();
    for (name, value) in additional.filter(|(name, _)| doorway.trusted || is_authentiks(name)) {
        if !is_of_answers(name) {
            answer = answer.with(name.clone(), value.clone());
        }
    }
    answer
}

fn is_authentiks(name: &str) -> bool {
    let mut names = authentik::NAMES.iter().chain(&authentik::EMPTY);
    names.any(|own| same_header(own.as_bytes(), name.as_bytes()))
}

fn is_of_answers(name: &str) -> bool {
    let mut whole = OF_ANSWERS.iter();
    let mut beginnings = BEGINNINGS_OF_ANSWERS.iter();
    let lower = name.to_ascii_lowercase();
    whole.any(|own| same_header(own.as_bytes(), name.as_bytes()))
        || beginnings.any(|beginning| lower.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_of_the_answer_itself_is_told_of_nobody() {
        for name in [
            "Set-Cookie",
            "set_cookie",
            "LOCATION",
            "Content-Disposition",
            "X-Accel-Redirect",
        ] {
            assert!(is_of_answers(name), "{name}");
        }
        for name in ["Authorization", "X-Team", "X-authentik-name", "X-Locations"] {
            assert!(!is_of_answers(name), "{name}");
        }
    }
}
