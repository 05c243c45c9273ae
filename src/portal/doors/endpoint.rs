//! An endpoint as a configuration describes it: where it stands, what it understands, and in which
//! ways it finds out who asks.

use super::authentik;

/// Below what an endpoint stands, unless it is the oldest.
const ENDPOINTS: &str = "/api/authz/";

/// Where the oldest endpoint stands.
const LEGACY: &str = "/api/verify";

/// Whether `target`, raw and below the portal's own path, is one that an endpoint could have.
pub fn may_be_endpoint(target: &[u8]) -> bool {
    let mut begins = [ENDPOINTS, LEGACY, authentik::ENDPOINTS].into_iter();
    begins.any(|begin| target.starts_with(begin.as_bytes()))
}

/// One authorization endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub(super) path: String,
    pub(super) implementation: Implementation,
    pub(super) strategies: Vec<Strategy>,
    /// For which headers passwords that were right are remembered, and for how many seconds.
    pub(super) remembers: Vec<(CredentialHeader, u64)>,
    pub(super) dialect: Dialect,
}

/// Whose endpoints these are: what is told of a user, and how people are sent to the portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Authelia,
    Authentik,
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
    /// A token: an app password.
    pub bearer: bool,
}

impl Schemes {
    /// No scheme at all.
    pub const NONE: Schemes = Schemes {
        basic: false,
        bearer: false,
    };

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
            remembers: Vec::new(),
            dialect: Dialect::Authelia,
        }
    }

    /// The same that remembers passwords in these headers that were right, for so many seconds.
    pub fn remembering(self, remembers: Vec<(CredentialHeader, u64)>) -> Self {
        Endpoint { remembers, ..self }
    }

    /// Seconds for which it does; 0: it does not.
    pub(super) fn remembers(&self, header: CredentialHeader) -> u64 {
        let mut remembers = self.remembers.iter();
        remembers
            .find(|(of, _)| *of == header)
            .map_or(0, |(_, seconds)| *seconds)
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
    pub(super) fn serves(&self, path: &[u8]) -> bool {
        match path.strip_prefix(self.path.as_bytes()) {
            Some(b"") => true,
            Some([b'/', ..]) => self.implementation == Implementation::ExtAuthz,
            _ => false,
        }
    }

    /// An answer to OPTIONS would look like leave to go on, so there is none where a visitor's
    /// method is told in a header.
    pub(super) fn takes(&self, method: &[u8]) -> bool {
        match self.implementation {
            Implementation::ExtAuthz | Implementation::Legacy => true,
            Implementation::AuthRequest | Implementation::ForwardAuth => {
                matches!(method, b"GET" | b"HEAD")
            }
        }
    }
}
