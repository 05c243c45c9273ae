//! The session cookie on its way in and out.

use cookie::{Cookie, Expiration, SameSite, time};

use super::{COOKIE_LENGTH, Keys, Token};

/// How many cookies of our name are tried. A visitor has one; a second comes from a sibling
/// subdomain, or from somebody who would have us compute MACs all day.
pub const MAX_CANDIDATES: usize = 8;

/// The prefix by which browsers keep a cookie to the very host that set it.
const HOST_PREFIX: &str = "__Host-";

/// The longest `Max-Age` that is sent, in seconds: browsers cut at 400 days.
const MAX_AGE: u64 = 400 * 24 * 60 * 60;

/// On which requests from other sites browsers send the cookie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CrossSite {
    /// `SameSite=Lax`: when somebody follows a link.
    #[default]
    Lax,
    /// `SameSite=Strict`: never.
    Strict,
    /// `SameSite=None`: always.
    None,
}

/// Everything about a session cookie but its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieSpec {
    name: String,
    domain: Option<String>,
    same_site: CrossSite,
}

/// Why a cookie cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCookie {
    /// Empty, too long, or with a character that no cookie name has.
    #[error("not a cookie name: letters, digits and !#$%&'*+-.^_`|~ only, at most 128")]
    Name,
    /// Empty, or with a character that no domain has.
    #[error("not a cookie domain: letters, digits, dots and hyphens only")]
    Domain,
}

/// How the names begin of all cookies that are the portal's own: form nonce, tickets. No site but
/// the portal sees them or sets them.
pub const PORTAL_PREFIX: &str = "__Host-auth_gate_";

/// Which cookies are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which<'n> {
    /// Those of this name.
    Named(&'n str),
    /// Those whose names begin with this.
    Beginning(&'n str),
}

/// What is left of a `Cookie` header when ours is taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stripped<'o> {
    /// Ours was not in it.
    Unchanged,
    /// Nothing: the header is to be dropped.
    Empty,
    /// These bytes.
    Rest(&'o [u8]),
}

/// The tokens in the `Cookie` headers of a request whose MAC is right, in the order in which they
/// came. The first one counts; who finds no living session under it may go on to the next, so that
/// a dead cookie left on another path locks nobody out. At most [`MAX_CANDIDATES`] cookies are
/// looked at; no allocation.
pub fn tokens<'h>(
    headers: impl IntoIterator<Item = &'h [u8], IntoIter: 'h>,
    name: &'h str,
    keys: &'h Keys,
    domain: &'h str,
) -> impl Iterator<Item = Token> + 'h {
    values(headers, name).filter_map(|value| Token::open(keys, domain, value))
}

/// The values of our name in `Cookie` headers that have the length of a token, in the order in
/// which they came, at most [`MAX_CANDIDATES`].
pub fn values<'h>(
    headers: impl IntoIterator<Item = &'h [u8], IntoIter: 'h>,
    name: &'h str,
) -> impl Iterator<Item = &'h [u8]> + 'h {
    let pairs = headers.into_iter().flat_map(pairs);
    let ours = pairs.filter_map(move |pair| after_name(pair, name)?.strip_prefix(b"="));
    ours.map(<[u8]>::trim_ascii)
        .filter(|value| value.len() == COOKIE_LENGTH)
        .take(MAX_CANDIDATES)
}

/// Whether a `Cookie` header has such a cookie, whatever its value.
pub fn carries<'n>(header: &[u8], which: impl Into<Which<'n>>) -> bool {
    let which = which.into();
    pairs(header).any(|pair| which.is(pair))
}

/// Takes every such cookie out of a `Cookie` header, whatever its value; the others keep their bytes
/// and their order. `out` takes the rest and must be as long as `header`.
///
/// # Panics
/// `out` is shorter than what is left.
pub fn strip_to<'n, 'o>(
    header: &[u8],
    which: impl Into<Which<'n>>,
    out: &'o mut [u8],
) -> Stripped<'o> {
    let which = which.into();
    let (mut length, mut found) = (0, false);
    for pair in pairs(header) {
        if which.is(pair) {
            found = true;
            continue;
        }
        let (separator, pair): (&[u8], _) = match length {
            0 => (b"", pair.trim_ascii_start()),
            _ => (b";", pair),
        };
        for bytes in [separator, pair] {
            out[length..][..bytes.len()].copy_from_slice(bytes);
            length += bytes.len();
        }
    }
    match out[..length].trim_ascii() {
        _ if !found => Stripped::Unchanged,
        [] => Stripped::Empty,
        _ => Stripped::Rest(&out[..length]),
    }
}

/// Whether a `Set-Cookie` value sets such a cookie, as a browser reads it.
pub fn sets<'n>(set_cookie: &[u8], which: impl Into<Which<'n>>) -> bool {
    let pair = pairs(set_cookie)
        .next()
        .unwrap_or_default()
        .trim_ascii_start();
    // A cookie without a name is sent back as its bare value, which then reads as ours.
    which.into().is(pair.strip_prefix(b"=").unwrap_or(pair))
}

/// The `Set-Cookie` value that gives the browser `value` for `max_age` seconds; `None`: until it
/// is closed.
pub fn set_cookie(spec: &CookieSpec, value: &str, max_age: Option<u64>) -> String {
    let age = max_age.map(|age| age.min(MAX_AGE));
    let age = age
        .and_then(|age| i64::try_from(age).ok())
        .map(time::Duration::seconds);
    let mut cookie = spec.cookie(value);
    cookie.set_max_age(age);
    cookie.to_string()
}

/// The `Set-Cookie` value that makes the browser forget the cookie.
pub fn clear_cookie(spec: &CookieSpec) -> String {
    let mut cookie = spec.cookie("");
    cookie.set_max_age(time::Duration::ZERO);
    cookie.set_expires(Expiration::from(time::OffsetDateTime::UNIX_EPOCH));
    cookie.to_string()
}

impl<'n> From<&'n str> for Which<'n> {
    fn from(name: &'n str) -> Self {
        Which::Named(name)
    }
}

impl Which<'_> {
    /// Whether a piece of a header is such a cookie.
    fn is(self, pair: &[u8]) -> bool {
        match self {
            Which::Named(name) => after_name(pair, name).is_some(),
            Which::Beginning(start) => pair.trim_ascii_start().starts_with(start.as_bytes()),
        }
    }
}

impl CookieSpec {
    /// A cookie called `name` for `domain` and the hosts below it. With `host_only` it belongs to
    /// the host that sets it alone and its name gets the `__Host-` prefix.
    ///
    /// # Errors
    /// The name or the domain cannot stand in a cookie.
    pub fn new(
        name: &str,
        domain: &str,
        same_site: CrossSite,
        host_only: bool,
    ) -> Result<CookieSpec, BadCookie> {
        if name.is_empty() || name.len() > 128 || !name.bytes().all(is_token) {
            return Err(BadCookie::Name);
        }
        let in_domain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        if domain.is_empty() || !domain.bytes().all(in_domain) {
            return Err(BadCookie::Domain);
        }
        let prefixed = !host_only || name.starts_with(HOST_PREFIX);
        let name = if prefixed {
            name.to_owned()
        } else {
            format!("{HOST_PREFIX}{name}")
        };
        let domain = (!host_only).then(|| domain.to_ascii_lowercase());
        Ok(CookieSpec {
            name,
            domain,
            same_site,
        })
    }

    /// The name as it goes over the wire, `__Host-` included.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// On which requests from other sites browsers send it.
    pub fn same_site(&self) -> CrossSite {
        self.same_site
    }

    /// Whether it belongs to the very host that sets it.
    pub fn is_host_only(&self) -> bool {
        self.domain.is_none()
    }

    fn cookie<'c>(&'c self, value: &'c str) -> Cookie<'c> {
        let mut cookie = Cookie::new(&*self.name, value);
        cookie.set_path("/");
        cookie.set_secure(true);
        cookie.set_http_only(true);
        cookie.set_same_site(match self.same_site {
            CrossSite::Lax => SameSite::Lax,
            CrossSite::Strict => SameSite::Strict,
            CrossSite::None => SameSite::None,
        });
        if let Some(domain) = &self.domain {
            cookie.set_domain(&**domain);
        }
        cookie
    }
}

/// The pieces of a `Cookie` header.
fn pairs(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = memchr::memchr_iter(b';', header).chain([header.len()]);
    let mut start = 0;
    ends.map(move |end| {
        let pair = &header[start..end];
        start = end + 1;
        pair
    })
}

/// What follows the name in a piece that bears `name`: `=` and the value, or nothing.
fn after_name<'p>(pair: &'p [u8], name: &str) -> Option<&'p [u8]> {
    let rest = pair.trim_ascii_start().strip_prefix(name.as_bytes())?;
    let rest = rest.trim_ascii_start();
    matches!(rest, [] | [b'=', ..]).then_some(rest)
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests;
