//! A private key of every algorithm, its public half as COSE, and its signatures.

use std::sync::LazyLock;

use ciborium::{Value, cbor};
use ed25519_dalek::Signer as _;
use ngx_http_auth_gate_module::factors::webauthn::Algorithm;
use rsa::rand_core::{CryptoRng, Error, RngCore};
use rsa::traits::PublicKeyParts;
use rsa::{Pkcs1v15Sign, Pss, RsaPrivateKey, sha2 as old};
use sha2::{Digest, Sha256, Sha384, Sha512};

/// A key that signs.
pub struct Signer {
    algorithm: Algorithm,
    secret: Secret,
}

enum Secret {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
    Rsa(&'static RsaPrivateKey),
}

/// The same numbers every time.
struct Numbers(u64);

/// Made once, for it takes a second.
static RSA: LazyLock<RsaPrivateKey> =
    LazyLock::new(|| RsaPrivateKey::new(&mut Numbers(0x2545_f491_4f6c_dd1d), 2048).unwrap());

impl Signer {
    /// A key made of `seed`; there is one RSA key only.
    pub fn new(algorithm: Algorithm, seed: u8) -> Signer {
        let bytes = |length| {
            let mut bytes = vec![seed; length];
            bytes[0] = 0;
            bytes
        };
        let secret = match algorithm {
            Algorithm::Es256 => {
                Secret::P256(p256::ecdsa::SigningKey::from_slice(&bytes(32)).unwrap())
            }
            Algorithm::Es384 => {
                Secret::P384(p384::ecdsa::SigningKey::from_slice(&bytes(48)).unwrap())
            }
            Algorithm::Es512 => {
                Secret::P521(p521::ecdsa::SigningKey::from_slice(&bytes(66)).unwrap())
            }
            Algorithm::EdDsa => Secret::Ed25519(ed25519_dalek::SigningKey::from_bytes(&[seed; 32])),
            _ => Secret::Rsa(&RSA),
        };
        Signer { algorithm, secret }
    }

    /// An ES256 key of that private scalar.
    pub fn p256(scalar: &[u8]) -> Signer {
        Signer {
            algorithm: Algorithm::Es256,
            secret: Secret::P256(p256::ecdsa::SigningKey::from_slice(scalar).unwrap()),
        }
    }

    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public key as COSE.
    pub fn cose(&self) -> Vec<u8> {
        let number = self.algorithm.number();
        let ec = |curve: i64, point: &[u8]| {
            let (x, y) = point[1..].split_at(point.len() / 2);
            let (x, y) = (Value::Bytes(x.to_vec()), Value::Bytes(y.to_vec()));
            cbor!({1 => 2, 3 => number, -1 => curve, -2 => x, -3 => y})
        };
        let map = match &self.secret {
            Secret::P256(key) => ec(1, key.verifying_key().to_sec1_point(false).as_bytes()),
            Secret::P384(key) => ec(2, key.verifying_key().to_sec1_point(false).as_bytes()),
            Secret::P521(key) => ec(3, key.verifying_key().to_sec1_point(false).as_bytes()),
            Secret::Ed25519(key) => {
                let x = Value::Bytes(key.verifying_key().to_bytes().to_vec());
                cbor!({1 => 1, 3 => number, -1 => 6, -2 => x})
            }
            Secret::Rsa(key) => {
                let n = Value::Bytes(key.n().to_bytes_be());
                let e = Value::Bytes(key.e().to_bytes_be());
                cbor!({1 => 3, 3 => number, -1 => n, -2 => e})
            }
        };
        encode(&map.unwrap())
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.secret {
            Secret::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
            Secret::P384(key) => {
                let signature: p384::ecdsa::Signature = key.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
            Secret::P521(key) => {
                let signature: p521::ecdsa::Signature = key.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
            Secret::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
            Secret::Rsa(key) => self.sign_rsa(key, message),
        }
    }

    fn sign_rsa(&self, key: &RsaPrivateKey, message: &[u8]) -> Vec<u8> {
        let hash = match self.algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => Sha256::digest(message).to_vec(),
            Algorithm::Rs384 | Algorithm::Ps384 => Sha384::digest(message).to_vec(),
            _ => Sha512::digest(message).to_vec(),
        };
        let random = &mut Numbers(7);
        let signed = match self.algorithm {
            Algorithm::Rs256 => key.sign(Pkcs1v15Sign::new::<old::Sha256>(), &hash),
            Algorithm::Rs384 => key.sign(Pkcs1v15Sign::new::<old::Sha384>(), &hash),
            Algorithm::Rs512 => key.sign(Pkcs1v15Sign::new::<old::Sha512>(), &hash),
            Algorithm::Ps256 => key.sign_with_rng(random, Pss::new::<old::Sha256>(), &hash),
            Algorithm::Ps384 => key.sign_with_rng(random, Pss::new::<old::Sha384>(), &hash),
            _ => key.sign_with_rng(random, Pss::new::<old::Sha512>(), &hash),
        };
        signed.unwrap()
    }
}

/// CBOR of `value`.
pub fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

impl RngCore for Numbers {
    fn next_u32(&mut self) -> u32 {
        self.next_u64() as u32
    }

    fn next_u64(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill_with(|| (self.next_u64() >> 32) as u8);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Numbers {}
