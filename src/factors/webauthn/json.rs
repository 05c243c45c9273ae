//! The JSON of browsers, and bytes in it: base64url.

use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serializer, de::DeserializeOwned};

use super::Refusal;
use super::authenticator::LONGEST_ID;

/// Some clients pad.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A browser's answer of at most `most` bytes.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8], most: usize) -> Result<T, Refusal> {
    if bytes.len() > most {
        return Err(Refusal::Form);
    }
    serde_json::from_slice(bytes).map_err(|_| Refusal::Form)
}

/// The id of a credential, which a browser writes twice: as text and as bytes.
pub(super) fn id_of(id: &str, raw: &str) -> Option<Vec<u8>> {
    let bytes = decode(raw, LONGEST_ID)?;
    (decode(id, LONGEST_ID)? == bytes).then_some(bytes)
}

/// `bytes` without padding.
pub(super) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of `text`, if it is base64url of at most `most`.
pub(super) fn decode(text: &str, most: usize) -> Option<Vec<u8>> {
    if text.len() > most.div_ceil(3) * 4 {
        return None;
    }
    LENIENT
        .decode(text)
        .ok()
        .filter(|bytes| bytes.len() <= most)
}

/// For serde: `bytes` as text.
pub(super) fn base64url<S: Serializer>(
    bytes: impl AsRef<[u8]>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&encode(bytes.as_ref()))
}
