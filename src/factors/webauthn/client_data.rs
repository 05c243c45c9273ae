//! What the browser says about where and why the authenticator was asked.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Challenge, Refusal, RelyingParty};

/// Longest client data, in bytes. Browsers write about 200.
pub(super) const LONGEST: usize = 4 << 10;

/// Which of the two questions was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ceremony {
    Create,
    Get,
}

#[derive(Deserialize)]
struct ClientData<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    challenge: Cow<'a, str>,
    #[serde(borrow)]
    origin: Cow<'a, str>,
    #[serde(default, rename = "crossOrigin")]
    cross_origin: Option<bool>,
    #[serde(default, rename = "topOrigin")]
    top_origin: Option<IgnoredAny>,
}

/// Checks that `json` answers `challenge` of `ceremony` on a page of `party`.
pub(super) fn check(
    json: &[u8],
    ceremony: Ceremony,
    challenge: &Challenge,
    party: &RelyingParty,
) -> Result<(), Refusal> {
    let data: ClientData<'_> = serde_json::from_slice(json).map_err(|_| Refusal::ClientData)?;
    let kind = match ceremony {
        Ceremony::Create => "webauthn.create",
        Ceremony::Get => "webauthn.get",
    };
    if data.kind != kind {
        return Err(Refusal::Ceremony);
    }
    if !challenge.is(&data.challenge) {
        return Err(Refusal::Challenge);
    }
    if !party.has(&data.origin) {
        return Err(Refusal::Origin);
    }
    // The portal lets nobody frame it, so nobody honest answers from a frame.
    if data.cross_origin == Some(true) || data.top_origin.is_some() {
        return Err(Refusal::CrossOrigin);
    }
    Ok(())
}
