//! `$scrypt$ln=16,r=8,p=1$SALT$DIGEST`.

use ::scrypt::Params;
use base64::Engine;
use zeroize::Zeroizing;

use super::encoding::{Reader, STANDARD};
use super::{HashError, Scheme, Workspace, available, same};

const READER: Reader = Reader("scrypt");

/// A shorter digest would be matched by chance.
pub(super) const MIN_DIGEST: usize = 10;

pub(super) struct Scrypt {
    params: Params,
    salt: Vec<u8>,
    digest: Vec<u8>,
}

impl Scrypt {
    pub(super) fn parse(fields: &[&str]) -> Result<Self, HashError> {
        let [parameters, salt, digest] = fields else {
            return Err(READER.error("it is not `$ln=…,r=…,p=…$SALT$DIGEST` after its name"));
        };
        let [ln, r, p] = READER.options(parameters, ["ln", "r", "p"])?;
        let ln = READER.number("ln", ln, 1..=58)?;
        let r = READER.number("r", r, 1..=1 << 24)?;
        let p = READER.number("p", p, 1..=1 << 24)?;
        let salt = READER.bytes("salt", salt, &STANDARD, 0..=usize::MAX)?;
        let digest = READER.bytes("digest", digest, &STANDARD, MIN_DIGEST..=usize::MAX)?;
        Ok(Scrypt {
            params: params(ln, r, p)?,
            salt,
            digest,
        })
    }
}

impl Scheme for Scrypt {
    fn kind(&self) -> &'static str {
        "scrypt"
    }

    fn matches(&self, password: &[u8], _: &mut Workspace) -> bool {
        let mut digest = Zeroizing::new(vec![0; self.digest.len()]);
        available(self.weight().0)
            && ::scrypt::scrypt(password, &self.salt, &self.params, &mut digest).is_ok()
            && same(&digest, &self.digest)
    }

    fn weight(&self) -> (u64, u64) {
        weight(self.params.log_n().into(), self.params.r(), self.params.p())
    }
}

/// Bytes and microseconds that one hash takes.
pub(super) fn weight(ln: u32, r: u32, p: u32) -> (u64, u64) {
    let n = 1u64.checked_shl(ln).unwrap_or(u64::MAX);
    let (r, p) = (u64::from(r), u64::from(p));
    let bytes = (128 * r).saturating_mul(n.saturating_add(p).saturating_add(1));
    (bytes, n.saturating_mul(r * p) / 3)
}

/// Hashes with N = 2^`ln`, block size `r`, parallelism `p` and a digest of `len` bytes.
pub(super) fn hash(
    [ln, r, p]: [u32; 3],
    len: usize,
    password: &[u8],
    salt: &[u8],
) -> Result<String, HashError> {
    let params = params(ln, r, p)?;
    if !available(weight(ln, r, p).0) {
        return Err(HashError::OutOfMemory);
    }
    let mut digest = vec![0; len];
    ::scrypt::scrypt(password, salt, &params, &mut digest)
        .map_err(|_| READER.error("the digest is too long"))?;
    let (salt, digest) = (STANDARD.encode(salt), STANDARD.encode(digest));
    Ok(format!("$scrypt$ln={ln},r={r},p={p}${salt}${digest}"))
}

fn params(ln: u32, r: u32, p: u32) -> Result<Params, HashError> {
    u8::try_from(ln)
        .ok()
        .and_then(|ln| Params::new(ln, r, p).ok())
        .ok_or_else(|| READER.error("`ln`, `r` and `p` together are too large"))
}
