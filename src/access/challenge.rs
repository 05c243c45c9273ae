//! Which answer a challenge takes, and the address it sends the visitor to.

use super::Object;

/// What a visitor's request says about the answers it can use.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ask<'a> {
    /// The request method.
    pub method: &'a str,
    /// `Accept`.
    pub accept: Option<&'a [u8]>,
    /// `X-Requested-With`.
    pub requested_with: Option<&'a [u8]>,
    /// `Sec-Fetch-Mode`.
    pub fetch_mode: Option<&'a [u8]>,
    /// `Upgrade`.
    pub upgrade: Option<&'a [u8]>,
}

/// The answer that a challenge takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// 302 to the portal.
    Redirect,
    /// 303 to the portal: the method becomes GET.
    SeeOther,
    /// 401 with the portal's address.
    Unauthorized,
}

impl Ask<'_> {
    /// Whether a page is of use to the client.
    pub fn accepts_html(&self) -> bool {
        false
    }

    /// The answer that a challenge takes.
    pub fn challenge(&self) -> Challenge {
        Challenge::Unauthorized
    }
}

/// The address of the portal that brings the visitor back: `portal` with `rd` and `rm` in its query.
pub fn portal_url(portal: &str, original_url: &str, method: &str) -> String {
    let _ = (original_url, method);
    portal.into()
}

/// The address the visitor asked for, with what may not stand in a URL percent-encoded.
pub fn original_url(object: &Object<'_>, host_with_port: &str) -> String {
    format!("{}://{host_with_port}", object.scheme())
}
