//! The authorization endpoints: another proxy asks over HTTP for the decision that the gate makes
//! by itself, and passes the answer on. What was asked for is read by `asked`, who asks is found by
//! `who`, and `reply` words the decision. They open nothing in this nginx: all that comes of them
//! is their answer, and that is about whoever asks.

mod asked;
mod basic;
mod fault;
mod reply;
mod who;

use crate::session::Realm;

use super::answer::{Answer, Event};
use super::login::{Door, Login};
use super::request::{Doorway, Request};
use super::settings::Domain;
use super::world::World;
use super::{Portal, Step};

use asked::Asked;
use fault::Fault;
use who::{Verified, Who};

/// Below what an endpoint stands, unless it is the oldest.
const ENDPOINTS: &str = "/api/authz/";

/// Where the oldest endpoint stands.
const LEGACY: &str = "/api/verify";

/// Whether `target`, raw and below the portal's own path, is one that an endpoint could have.
pub fn may_be_endpoint(target: &[u8]) -> bool {
    target.starts_with(ENDPOINTS.as_bytes()) || target.starts_with(LEGACY.as_bytes())
}

/// One authorization endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    path: String,
    implementation: Implementation,
    strategies: Vec<Strategy>,
}

/// Whose way of asking an endpoint understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Implementation {
    /// nginx's: `X-Original-URL` and `X-Original-Method`.
    AuthRequest,
    /// Traefik's and Caddy's: `X-Forwarded-*`.
    ForwardAuth,
    /// Envoy's: the visitor's own request, with a prefix before its path.
    ExtAuthz,
    /// What there was before the other three.
    Legacy,
}

/// A way to find out who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// By the session cookie.
    CookieSession,
    /// By a credential in a header, of one of these schemes.
    Header(CredentialHeader, Schemes),
}

/// Where a credential stands, and how one is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialHeader {
    /// `Authorization`, asked for with 401 and `WWW-Authenticate`.
    Authorization,
    /// `Proxy-Authorization`, asked for with 407 and `Proxy-Authenticate`.
    ProxyAuthorization,
    /// `Proxy-Authorization`, asked for with 401 and `WWW-Authenticate`.
    AuthRequestProxyAuthorization,
    /// `Proxy-Authorization`, or `Authorization` where the query says `auth=basic`; asked for with
    /// 401 and `WWW-Authenticate`.
    Legacy,
}

/// The schemes that a header is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schemes {
    /// Name and password.
    pub basic: bool,
    /// A token. Nobody has one yet, so each is a bad one.
    pub bearer: bool,
}

impl Schemes {
    /// Where nothing is said.
    pub const BASIC: Schemes = Schemes {
        basic: true,
        bearer: false,
    };
}

impl Implementation {
    /// The strategies where the configuration names none.
    pub fn strategies(self) -> Vec<Strategy> {
        let header = match self {
            Implementation::Legacy => CredentialHeader::Legacy,
            _ => CredentialHeader::Authorization,
        };
        vec![
            Strategy::Header(header, Schemes::BASIC),
            Strategy::CookieSession,
        ]
    }
}

impl Endpoint {
    /// The endpoint that a configuration calls `name`.
    pub fn new(name: &str, implementation: Implementation, strategies: Vec<Strategy>) -> Self {
        let path = match name {
            "legacy" => LEGACY.to_owned(),
            name => format!("{ENDPOINTS}{name}"),
        };
        Endpoint {
            path,
            implementation,
            strategies,
        }
    }

    /// Those of a configuration that names none.
    pub fn defaults() -> Vec<Endpoint> {
        [
            ("auth-request", Implementation::AuthRequest),
            ("ext-authz", Implementation::ExtAuthz),
            ("forward-auth", Implementation::ForwardAuth),
            ("legacy", Implementation::Legacy),
        ]
        .map(|(name, implementation)| {
            Endpoint::new(name, implementation, implementation.strategies())
        })
        .into()
    }

    /// Whether it stands at `path`, raw and without the query.
    fn serves(&self, path: &[u8]) -> bool {
        match path.strip_prefix(self.path.as_bytes()) {
            Some(b"") => true,
            Some([b'/', ..]) => self.implementation == Implementation::ExtAuthz,
            _ => false,
        }
    }

    /// An answer to OPTIONS would look like leave to go on, so there is none where a visitor's
    /// method is told in a header.
    fn takes(&self, method: &[u8]) -> bool {
        match self.implementation {
            Implementation::ExtAuthz | Implementation::Legacy => true,
            Implementation::AuthRequest | Implementation::ForwardAuth => {
                matches!(method, b"GET" | b"HEAD")
            }
        }
    }
}

/// A request that was read, and where it belongs.
struct Question<'p, 'q> {
    asked: Asked<'q>,
    domain: &'p Domain,
    /// The portal's address.
    portal: Option<String>,
}

impl Portal {
    /// The answer of an endpoint; `None` where none is asked for.
    pub(super) fn endpoint(&self, request: &Request<'_>, world: &mut dyn World) -> Option<Step> {
        let doorway = request.doorway.as_ref()?;
        match self.endpoint_of(request, doorway) {
            Some(endpoint) if endpoint.takes(request.method) => {
                Some(self.ask(request, endpoint, None, world))
            }
            Some(_) => Some(Step::Answer(Answer::text(405).with("Allow", "GET, HEAD"))),
            None if doorway.only => Some(Step::Answer(Answer::text(404))),
            None => None,
        }
    }

    /// The cookie domain whose session says who makes `request`: that of the address which an
    /// endpoint is asked about, elsewhere that of the host. `None`: no cookie counts.
    pub fn realm_of(&self, request: &Request<'_>) -> Option<&Realm> {
        let doorway = request.doorway.as_ref();
        let endpoint = doorway.and_then(|doorway| self.endpoint_of(request, doorway));
        let domain = match endpoint {
            Some(endpoint) => self.question(request, endpoint).ok()?.domain,
            None if doorway.is_some_and(|doorway| doorway.only) => return None,
            None => self.settings.domain_of(request.host_name())?.1,
        };
        Some(&domain.realm)
    }

    /// The answer once the password in a header was checked and found to be that of `user`, or nobody's.
    pub(super) fn ask_again(
        &self,
        request: &Request<'_>,
        user: Option<String>,
        world: &mut dyn World,
    ) -> Answer {
        let doorway = request.doorway.as_ref();
        let endpoint = doorway.and_then(|doorway| self.endpoint_of(request, doorway));
        let verified = user.map_or(Verified::Wrong, Verified::Right);
        match endpoint.map(|endpoint| self.ask(request, endpoint, Some(verified), world)) {
            Some(Step::Answer(answer)) => answer,
            // One request has one password to check.
            _ => Answer::text(500),
        }
    }

    fn endpoint_of(&self, request: &Request<'_>, doorway: &Doorway<'_>) -> Option<&Endpoint> {
        let path = doorway.path(request.base)?;
        self.settings
            .endpoints
            .iter()
            .find(|endpoint| endpoint.serves(path))
    }

    fn ask(
        &self,
        request: &Request<'_>,
        endpoint: &Endpoint,
        verified: Option<Verified>,
        world: &mut dyn World,
    ) -> Step {
        let question = match self.question(request, endpoint) {
            Ok(question) => question,
            Err(fault) => {
                // Who is no proxy of ours may ask anything, and that is no news.
                let ours = request.doorway.as_ref().is_some_and(|d| d.trusted);
                return Step::Answer(endpoint.bad(&fault, ours));
            }
        };
        match endpoint.who(request, &question, verified, world) {
            Who::Check(credentials) => {
                let from = Request {
                    address: question.asked.address,
                    ..request.clone()
                };
                let mut step = self.begin(&from, Door::Api, credentials, world);
                if let Step::Verify(verify) = &mut step {
                    verify.login.at_endpoint = true;
                }
                step
            }
            Who::Found(found) => Step::Answer(endpoint.answer(request, &question, &found, world)),
        }
    }

    fn question<'p, 'q>(
        &'p self,
        request: &'q Request<'q>,
        endpoint: &Endpoint,
    ) -> Result<Question<'p, 'q>, Fault> {
        let doorway = request.doorway.as_ref().ok_or(Fault::NoRequest)?;
        let asked = Asked::read(request, doorway, endpoint)?;
        let object = asked.object()?;
        let host = object.host();
        let domain = self.settings.domains.iter().find(|d| d.realm.covers(host));
        let domain = domain.ok_or_else(|| Fault::Outside(asked.sources.host, host.to_owned()))?;
        let portal = asked::portal(request, doorway, endpoint, domain)?;
        Ok(Question {
            asked,
            domain,
            portal,
        })
    }
}

impl Endpoint {
    fn bad(&self, fault: &Fault, ours: bool) -> Answer {
        let status = match self.implementation {
            Implementation::Legacy => 401,
            _ => 400,
        };
        let mut answer = Answer::text(status);
        answer.event = Some(Event::Misask {
            sentence: format!("{}: {fault}", self.path),
            setup: ours && fault.is_of_setup(),
        });
        answer
    }
}

/// What the log says of a password in a header that was wrong.
pub(super) fn failure(login: &Login, banned: bool) -> Event {
    match banned {
        true => Event::Ban(login.typed.clone()),
        false => Event::Fail(login.typed.clone()),
    }
}
