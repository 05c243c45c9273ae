//! What keys are called. No name of a user or address is in them: whoever sees the keys, as with
//! `MONITOR`, learns nothing of anybody.

use crate::store::{SessionKey, StorageKey, Target, TriedAt};

/// The stream of orders.
pub(super) const ORDERS: &[u8] = b"auth-gate:orders";
/// When all sessions were ended last.
pub(super) const EPOCH: &[u8] = b"auth-gate:epoch";
/// Which bans there are.
pub(super) const BANS: &[u8] = b"auth-gate:bans";
/// Whose failed attempts there are.
pub(super) const TRIES: &[u8] = b"auth-gate:tries";
/// What is written to find out whether one can.
pub(super) const PROBE: &[u8] = b"auth-gate:probe";

/// The shared secret. Machines with another `session.secret` have another one.
pub(super) fn secret(key: &StorageKey) -> Vec<u8> {
    named("secret", &key.mark(&[b"secret"])[..8])
}

pub(super) fn session(key: &SessionKey) -> Vec<u8> {
    named("session", key)
}

/// The sessions whose keys begin with that byte: in 256 parts no list is too long for one go.
pub(super) fn bucket(first: u8) -> Vec<u8> {
    named("sessions", &[first])
}

/// The sessions of a user.
pub(super) fn user(key: &StorageKey, user: &str) -> Vec<u8> {
    named("user", &user_mark(key, user))
}

/// When the sessions of a user were ended last.
pub(super) fn user_epoch(key: &StorageKey, user: &str) -> Vec<u8> {
    named("epoch", &user_mark(key, user))
}

pub(super) fn ban(mark: &[u8]) -> Vec<u8> {
    named("ban", mark)
}

pub(super) fn tries(mark: &[u8]) -> Vec<u8> {
    named("try", mark)
}

/// By what a target is known among the bans.
pub(super) fn ban_mark(key: &StorageKey, target: &Target) -> [u8; 32] {
    mark(key, b"ban", target)
}

/// By what a target is known among the failed attempts at something.
pub(super) fn tries_mark(key: &StorageKey, at: TriedAt, target: &Target) -> [u8; 32] {
    mark(key, at.word().as_bytes(), target)
}

fn user_mark(key: &StorageKey, user: &str) -> [u8; 32] {
    key.mark(&[b"user", user.as_bytes()])
}

fn mark(key: &StorageKey, what: &[u8], target: &Target) -> [u8; 32] {
    match target {
        Target::User(name) => key.mark(&[what, b"user", name.as_bytes()]),
        Target::Address(address) => key.mark(&[what, b"address", address.to_string().as_bytes()]),
    }
}

fn named(kind: &str, id: &[u8]) -> Vec<u8> {
    let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("auth-gate:{kind}:{id}").into_bytes()
}
