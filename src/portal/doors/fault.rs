//! Why a question to an endpoint cannot be answered, in words for whoever set up the proxy.

use crate::access::BadObject;

/// Why a question cannot be answered; each names the header that is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("{0} is missing; let the proxy send it")]
    Missing(&'static str),
    #[error("{0} came more than once; let the proxy replace what the visitor sends")]
    Twice(&'static str),
    #[error("{0} is given more than once in the query; write it once")]
    TwiceAsked(&'static str),
    #[error(
        "{0} and {1} name different addresses; let the proxy send one of them and remove the other"
    )]
    Contradict(&'static str, &'static str),
    #[error("{0} is not an absolute address; write for instance https://app.example.com/path")]
    Relative(&'static str),
    #[error(
        "{0} has a path that does not begin with a slash; end the prefix of an ext-authz endpoint with a slash"
    )]
    Path(&'static str),
    #[error("{0} names a scheme other than https and wss; send the scheme that the visitor used")]
    Scheme(&'static str),
    #[error("{0}: {1}")]
    Object(&'static str, BadObject),
    #[error("{0} names host {1}, which is in no domain of session.cookies; add it there")]
    Outside(&'static str, String),
    #[error(
        "{0} names no portal, and session.cookies of {1} has no authelia_url; write one of them"
    )]
    NoPortal(&'static str, String),
    #[error("{0} is not an https address inside {1}; write the portal's address or leave it out")]
    Portal(&'static str, String),
    #[error("there is no request")]
    NoRequest,
}

impl Fault {
    /// Whether only the proxy can bring it about, as far as it replaces what visitors send; all
    /// else a visitor may cause with any link.
    pub(super) fn is_of_setup(&self) -> bool {
        !matches!(
            self,
            Fault::Object(..) | Fault::Path(_) | Fault::Outside(..)
        )
    }
}
