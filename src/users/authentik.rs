//! authentik's identity headers: for applications that were set up for its proxy.

use std::borrow::Cow;

use super::User;
use super::identity::{header_value, replacement};

/// The names, in the order of [`values`].
pub const NAMES: [&str; 9] = [
    "X-authentik-username",
    "X-authentik-groups",
    "X-authentik-email",
    "X-authentik-name",
    "X-authentik-uid",
    "X-authentik-meta-app",
    "X-authentik-meta-outpost",
    "X-authentik-meta-provider",
    "X-authentik-meta-version",
];

/// Names of authentik's that have no value here. An application may still read them, so that nothing
/// a client claims may be left in their place.
pub const EMPTY: [&str; 3] = [
    "X-authentik-entitlements",
    "X-authentik-jwt",
    "X-authentik-meta-jwks",
];

/// What the headers say beside what the users file does.
#[derive(Clone, Copy, Debug)]
pub struct Meta<'a> {
    /// The user's identifier; empty where nobody is signed in.
    pub uid: &'a str,
    /// The application's name.
    pub application: &'a str,
}

/// Who vouches for the headers.
const OUTPOST: &str = "auth-gate";

const VERSION: &str = concat!("auth-gate/", env!("CARGO_PKG_VERSION"));

/// Name and value of every header of the set, the value empty where there is none, so that nothing
/// that a client claims is left in its place. One that an additional header of the user's replaces
/// is left to that.
pub fn values<'a>(
    user: Option<&'a User>,
    meta: Meta<'a>,
) -> impl Iterator<Item = (&'static str, &'a str)> {
    let told = user.map(|user| &user.identity);
    let remote = move |place: usize| told.map_or("", |told| told.remote(place));
    let values = [
        remote(0),
        told.map_or("", |told| told.authentik_groups()),
        remote(3),
        remote(2),
        meta.uid,
        meta.application,
        OUTPOST,
        meta.application,
        VERSION,
    ];
    NAMES
        .into_iter()
        .zip(values)
        .filter(move |(name, _)| replacement(user, name).is_none())
}

/// What identifies the user for good: the attribute of that name, else what `make` makes of the
/// user's name.
pub fn uid<'u>(user: &'u User, make: impl FnOnce(&str) -> String) -> Cow<'u, str> {
    match user.attributes.get("uid") {
        Some(uid) => header_value(uid),
        None => make(&user.name).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a32_every_name_has_a_value_also_when_nobody_is_signed_in() {
        let meta = Meta {
            uid: "",
            application: "wiki",
        };
        let found: Vec<_> = values(None, meta).collect();
        let version = concat!("auth-gate/", env!("CARGO_PKG_VERSION"));
        let values = ["", "", "", "", "", "wiki", "auth-gate", "wiki", version];
        assert_eq!(found, NAMES.into_iter().zip(values).collect::<Vec<_>>());
    }
}
