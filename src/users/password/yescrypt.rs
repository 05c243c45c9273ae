//! `$y$jD5$SALT$DIGEST`.

use ::yescrypt::{Mode, Params};
use zeroize::Zeroizing;

use super::encoding::{Reader, crypt_encode};
use super::{HashError, Scheme, Workspace, available, same};

const READER: Reader = Reader("yescrypt");

/// Most bytes of salt.
pub(super) const MAX_SALT: usize = 64;

/// Bytes of every digest that crypt(3) and Authelia write.
const DIGEST: usize = 32;

pub(super) struct Yescrypt {
    params: Params,
    salt: Vec<u8>,
    digest: Vec<u8>,
}

impl Yescrypt {
    pub(super) fn parse(fields: &[&str]) -> Result<Self, HashError> {
        let [setting, salt, digest] = fields else {
            return Err(READER.error("it is not `$y$SETTING$SALT$DIGEST`"));
        };
        let params = parameters(setting)?;
        let salt = READER.crypt_bytes("salt", salt, 0..=MAX_SALT)?;
        let digest = READER.crypt_bytes("digest", digest, DIGEST..=DIGEST)?;
        Ok(Yescrypt {
            params,
            salt,
            digest,
        })
    }
}

impl Scheme for Yescrypt {
    fn kind(&self) -> &'static str {
        "yescrypt"
    }

    fn matches(&self, password: &[u8], _: &mut Workspace) -> bool {
        let mut digest = Zeroizing::new(vec![0; self.digest.len()]);
        available(self.weight().0)
            && ::yescrypt::yescrypt(password, &self.salt, &self.params, &mut digest).is_ok()
            && same(&digest, &self.digest)
    }

    fn weight(&self) -> (u64, u64) {
        weight(self.params.n().ilog2(), self.params.r())
    }
}

/// Bytes and microseconds that one hash takes.
pub(super) fn weight(ln: u32, r: u32) -> (u64, u64) {
    let n = 1u64.checked_shl(ln).unwrap_or(u64::MAX);
    let r = u64::from(r);
    (
        (128 * r).saturating_mul(n.saturating_add(3)),
        n.saturating_mul(r) / 5,
    )
}

/// Hashes with N = 2^`ln` and block size `r`; parallelism is always 1.
pub(super) fn hash([ln, r]: [u32; 2], password: &[u8], salt: &[u8]) -> Result<String, HashError> {
    let params = 1u64
        .checked_shl(ln)
        .and_then(|n| Params::new(Mode::default(), n, r, 1).ok())
        .ok_or_else(|| READER.error("`iterations` and `block_size` do not go together"))?;
    if !available(weight(ln, r).0) {
        return Err(HashError::OutOfMemory);
    }
    let mut digest = [0; DIGEST];
    ::yescrypt::yescrypt(password, salt, &params, &mut digest)
        .map_err(|_| READER.error("`iterations` and `block_size` do not go together"))?;
    Ok(format!(
        "$y${params}${}${}",
        crypt_encode(salt),
        crypt_encode(&digest)
    ))
}

/// Only mode, N and r: what crypt(3) and Authelia write. The extra passes that the form knows
/// beside would make a hash whose time nobody can tell from the outside.
fn parameters(setting: &str) -> Result<Params, HashError> {
    let error = || READER.error("its setting is not one that crypt(3) makes, such as `j9T`");
    let read: Params = setting.parse().map_err(|_| error())?;
    if read.n() < 2 || read.n() >= 1 << 32 || read.r() == 0 || read.p() != 1 {
        return Err(error());
    }
    let params = Params::new(Mode::default(), read.n(), read.r(), 1).map_err(|_| error())?;
    if read == params && params.to_string() == setting {
        Ok(params)
    } else {
        Err(error())
    }
}
