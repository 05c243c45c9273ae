//! `$argon2id$v=19$m=65536,t=3,p=4$SALT$DIGEST`, and `argon2i`, `argon2d`.

use ::argon2::{Algorithm, Params, Version};
use base64::Engine;
use zeroize::Zeroizing;

use super::encoding::{Reader, STANDARD};
use super::{HashError, Scheme, Workspace, same};

const READER: Reader = Reader("argon2");

/// Salt and digest lengths that the algorithm has.
pub(super) const MIN_SALT: usize = ::argon2::MIN_SALT_LEN;
pub(super) const MIN_DIGEST: usize = Params::MIN_OUTPUT_LEN;

pub(super) struct Argon2 {
    engine: ::argon2::Argon2<'static>,
    salt: Vec<u8>,
    digest: Vec<u8>,
}

impl Argon2 {
    pub(super) fn parse(variant: &str, fields: &[&str]) -> Result<Self, HashError> {
        let [version, parameters, salt, digest] = fields else {
            return Err(READER.error("it is not `$v=19$m=…,t=…,p=…$SALT$DIGEST` after its name"));
        };
        if *version != "v=19" {
            return Err(READER.error("only version 19, written `v=19`, is read"));
        }
        let [m, t, p] = READER.options(parameters, ["m", "t", "p"])?;
        let m = READER.number("m", m, Params::MIN_M_COST..=u32::MAX)?;
        let t = READER.number("t", t, 1..=u32::MAX)?;
        let p = READER.number("p", p, 1..=Params::MAX_P_COST)?;
        let salt = READER.bytes("salt", salt, &STANDARD, MIN_SALT..=usize::MAX)?;
        let digest = READER.bytes("digest", digest, &STANDARD, MIN_DIGEST..=usize::MAX)?;
        let engine = engine(variant, m, t, p, digest.len())?;
        Ok(Argon2 {
            engine,
            salt,
            digest,
        })
    }
}

impl Default for Argon2 {
    fn default() -> Self {
        let params = Params::new(64 << 10, 3, 4, Some(32)).unwrap_or(Params::DEFAULT);
        let engine = ::argon2::Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Argon2 {
            engine,
            salt: vec![0; 16],
            digest: vec![0; 32],
        }
    }
}

impl Scheme for Argon2 {
    fn kind(&self) -> &'static str {
        "argon2"
    }

    fn matches(&self, password: &[u8], workspace: &mut Workspace) -> bool {
        let mut digest = Zeroizing::new(vec![0; self.digest.len()]);
        let Some(blocks) = workspace.blocks(self.engine.params().block_count()) else {
            return false;
        };
        // What blocks hold from before is written over and not read.
        self.engine
            .hash_password_into_with_memory(password, &self.salt, &mut digest, blocks)
            .is_ok()
            && same(&digest, &self.digest)
    }

    fn weight(&self) -> (u64, u64) {
        weight(self.engine.params().m_cost(), self.engine.params().t_cost())
    }
}

/// Bytes and microseconds that one hash takes.
pub(super) fn weight(m: u32, t: u32) -> (u64, u64) {
    (u64::from(m) << 10, u64::from(m) * u64::from(t) * 5 / 8)
}

/// Hashes with memory `m` in KiB, `t` passes, `p` lanes and a digest of `len` bytes.
pub(super) fn hash(
    variant: &str,
    [m, t, p]: [u32; 3],
    len: usize,
    password: &[u8],
    salt: &[u8],
) -> Result<String, HashError> {
    let mut digest = vec![0; len];
    engine(variant, m, t, p, len)?
        .hash_password_into(password, salt, &mut digest)
        .map_err(|_| HashError::OutOfMemory)?;
    let (salt, digest) = (STANDARD.encode(salt), STANDARD.encode(digest));
    Ok(format!("${variant}$v=19$m={m},t={t},p={p}${salt}${digest}"))
}

fn engine(
    variant: &str,
    m: u32,
    t: u32,
    p: u32,
    len: usize,
) -> Result<::argon2::Argon2<'static>, HashError> {
    let algorithm = match variant {
        "argon2id" => Algorithm::Argon2id,
        "argon2i" => Algorithm::Argon2i,
        "argon2d" => Algorithm::Argon2d,
        _ => return Err(HashError::UnknownKind),
    };
    // `Params::new` multiplies `p` by 8 itself.
    let params = Params::new(m, t, p, Some(len))
        .map_err(|_| READER.error("`m` is less than 8 times `p`"))?;
    Ok(::argon2::Argon2::new(algorithm, Version::V0x13, params))
}
