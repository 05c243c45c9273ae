//! Public keys of credentials: read from COSE, and what they verify.

use ecdsa::signature::Verifier;
use p521::elliptic_curve::Curve;
use rsa::{BigUint, Pkcs1v15Sign, Pss, RsaPublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::cbor::Map;

/// Longest public key in bytes, as COSE. The largest we take are RSA keys of 8192 bits.
pub(super) const LONGEST: usize = 2 << 10;

/// Longest signature in bytes.
const LONGEST_SIGNATURE: usize = 1 << 10;

/// Bits of RSA keys. Smaller ones can be broken, larger ones are there to keep us busy.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// How a credential signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
    /// RSA PKCS#1 1.5 with SHA-256.
    Rs256,
    /// RSA PKCS#1 1.5 with SHA-384.
    Rs384,
    /// RSA PKCS#1 1.5 with SHA-512.
    Rs512,
    /// RSA-PSS with SHA-256.
    Ps256,
    /// RSA-PSS with SHA-384.
    Ps384,
    /// RSA-PSS with SHA-512.
    Ps512,
    /// Ed25519.
    EdDsa,
}

/// This is no public key that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// Not a COSE key, or it has something behind it.
    #[error("not a COSE key")]
    Form,
    /// An algorithm that nobody asked for.
    #[error("unknown algorithm")]
    Algorithm,
    /// The kind of key or the curve is not that of the algorithm.
    #[error("kind of key does not fit the algorithm")]
    Kind,
    /// Not a point of the curve, or not a modulus of allowed length.
    #[error("value is not a key")]
    Value,
}

/// The public key of a credential.
#[derive(Clone, Debug)]
pub struct PublicKey {
    algorithm: Algorithm,
    value: Value,
}

#[derive(Clone, Debug)]
enum Value {
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
    Ed25519(ed25519_dalek::VerifyingKey),
    Rsa(RsaPublicKey),
}

impl Algorithm {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Algorithm; 10] = [
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::Es512,
        Algorithm::Rs256,
        Algorithm::Rs384,
        Algorithm::Rs512,
        Algorithm::Ps256,
        Algorithm::Ps384,
        Algorithm::Ps512,
        Algorithm::EdDsa,
    ];

    /// The number that COSE has for it.
    pub fn number(self) -> i64 {
        match self {
            Algorithm::Es256 => -7,
            Algorithm::Es384 => -35,
            Algorithm::Es512 => -36,
            Algorithm::Rs256 => -257,
            Algorithm::Rs384 => -258,
            Algorithm::Rs512 => -259,
            Algorithm::Ps256 => -37,
            Algorithm::Ps384 => -38,
            Algorithm::Ps512 => -39,
            Algorithm::EdDsa => -8,
        }
    }

    /// The algorithm of that number.
    pub fn from_number(number: i64) -> Option<Algorithm> {
        Self::ALL.into_iter().find(|own| own.number() == number)
    }
}

impl PublicKey {
    /// The key that `bytes` are: COSE, as it was registered, or the bare point that keys from
    /// before WebAuthn (U2F) are stored as.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<PublicKey, BadKey> {
        if bytes.len() > LONGEST {
            return Err(BadKey::Form);
        }
        if bytes.len() == 65 && bytes[0] == 4 {
            let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(bytes);
            return Ok(PublicKey {
                algorithm: Algorithm::Es256,
                value: Value::P256(key.map_err(|_| BadKey::Value)?),
            });
        }
        PublicKey::from_map(&Map::whole(bytes).map_err(|_| BadKey::Form)?)
    }

    /// The key of a COSE map.
    pub(super) fn from_map(map: &Map) -> Result<PublicKey, BadKey> {
        let number = map.integer(3).ok_or(BadKey::Form)?;
        let algorithm = Algorithm::from_number(number).ok_or(BadKey::Algorithm)?;
        let value = match algorithm {
            Algorithm::Es256 => {
                let point = point::<p256::NistP256>(map, 1)?;
                p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).map(Value::P256)
            }
            Algorithm::Es384 => {
                let point = point::<p384::NistP384>(map, 2)?;
                p384::ecdsa::VerifyingKey::from_sec1_bytes(&point).map(Value::P384)
            }
            Algorithm::Es512 => {
                let point = point::<p521::NistP521>(map, 3)?;
                p521::ecdsa::VerifyingKey::from_sec1_bytes(&point).map(Value::P521)
            }
            Algorithm::EdDsa => return ed25519(map),
            _ => return rsa(map, algorithm),
        };
        Ok(PublicKey {
            algorithm,
            value: value.map_err(|_| BadKey::Value)?,
        })
    }

    /// How it signs.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether `signature` is this key's over `message`.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        if signature.len() > LONGEST_SIGNATURE {
            return false;
        }
        match &self.value {
            Value::P256(key) => p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Value::P384(key) => p384::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Value::P521(key) => p521::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Value::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Value::Rsa(key) => self.verify_rsa(key, message, signature),
        }
    }

    fn verify_rsa(&self, key: &RsaPublicKey, message: &[u8], signature: &[u8]) -> bool {
        use rsa::sha2 as old;
        let hash = match self.algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => Sha256::digest(message).to_vec(),
            Algorithm::Rs384 | Algorithm::Ps384 => Sha384::digest(message).to_vec(),
            _ => Sha512::digest(message).to_vec(),
        };
        let verified = match self.algorithm {
            Algorithm::Rs256 => key.verify(Pkcs1v15Sign::new::<old::Sha256>(), &hash, signature),
            Algorithm::Rs384 => key.verify(Pkcs1v15Sign::new::<old::Sha384>(), &hash, signature),
            Algorithm::Rs512 => key.verify(Pkcs1v15Sign::new::<old::Sha512>(), &hash, signature),
            Algorithm::Ps256 => key.verify(Pss::new::<old::Sha256>(), &hash, signature),
            Algorithm::Ps384 => key.verify(Pss::new::<old::Sha384>(), &hash, signature),
            Algorithm::Ps512 => key.verify(Pss::new::<old::Sha512>(), &hash, signature),
            _ => return false,
        };
        verified.is_ok()
    }
}

/// The uncompressed point of a key of two coordinates (`kty` 2) on the curve of that number.
fn point<C: Curve>(map: &Map, curve: i64) -> Result<Vec<u8>, BadKey> {
    if map.integer(1) != Some(2) || map.integer(-1) != Some(curve) {
        return Err(BadKey::Kind);
    }
    let length = p521::elliptic_curve::FieldBytes::<C>::default().len();
    let mut point = vec![4];
    for coordinate in [-2, -3] {
        let bytes = map.bytes(coordinate).ok_or(BadKey::Form)?;
        if bytes.len() != length {
            return Err(BadKey::Value);
        }
        point.extend_from_slice(bytes);
    }
    Ok(point)
}

fn ed25519(map: &Map) -> Result<PublicKey, BadKey> {
    if map.integer(1) != Some(1) || map.integer(-1) != Some(6) {
        return Err(BadKey::Kind);
    }
    let bytes = map.bytes(-2).ok_or(BadKey::Form)?;
    let bytes: &[u8; 32] = bytes.try_into().map_err(|_| BadKey::Value)?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| BadKey::Value)?;
    // With such a key a signature could hold for any message.
    if key.is_weak() {
        return Err(BadKey::Value);
    }
    Ok(PublicKey {
        algorithm: Algorithm::EdDsa,
        value: Value::Ed25519(key),
    })
}

fn rsa(map: &Map, algorithm: Algorithm) -> Result<PublicKey, BadKey> {
    if map.integer(1) != Some(3) {
        return Err(BadKey::Kind);
    }
    let number = |key: i64| map.bytes(key).map(BigUint::from_bytes_be);
    let (Some(modulus), Some(exponent)) = (number(-1), number(-2)) else {
        return Err(BadKey::Form);
    };
    if !RSA_BITS.contains(&modulus.bits()) {
        return Err(BadKey::Value);
    }
    let key = RsaPublicKey::new_with_max_size(modulus, exponent, *RSA_BITS.end());
    Ok(PublicKey {
        algorithm,
        value: Value::Rsa(key.map_err(|_| BadKey::Value)?),
    })
}
