//! Challenges whose answer has counted.

use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use super::seconds;
use crate::store::error::Fault;

pub(super) fn spend(
    connection: &Connection,
    challenge: &[u8],
    until: u64,
    now: u64,
) -> Result<bool, Fault> {
    let forget = "DELETE FROM challenges WHERE until < ?1";
    connection.execute(forget, [seconds(now)])?;
    let insert = "INSERT INTO challenges (hash, until) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    let hash: [u8; 32] = Sha256::digest(challenge).into();
    Ok(connection.execute(insert, params![hash, seconds(until)])? == 1)
}
