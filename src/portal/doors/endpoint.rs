//! An endpoint as a configuration describes it: where it stands, what it understands, and in which
//! ways it finds out who asks.

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
    pub(super) path: String,
    pub(super) implementation: Implementation,
    pub(super) strategies: Vec<Strategy>,
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
