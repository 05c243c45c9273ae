//! The store in Redis, against real servers of every kind, and when these fail.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "redis/command.rs"]
mod command;
#[path = "contract/mod.rs"]
mod contract;
#[path = "redis/contract.rs"]
mod contract_of_all;
#[path = "redis/failover.rs"]
mod failover;
#[path = "redis/fixture.rs"]
mod fixture;
#[path = "redis/hostile.rs"]
mod hostile;
#[path = "redis/interrupted.rs"]
mod interrupted;
#[path = "redis/kinds.rs"]
mod kinds;
#[path = "redis/orders.rs"]
mod orders;
#[path = "redis/outages.rs"]
mod outages;
#[path = "redis/semantics.rs"]
mod semantics;
#[path = "servers/redis.rs"]
mod servers;
