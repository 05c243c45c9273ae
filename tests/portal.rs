//! The portal with a world in memory: pages, API, attacks.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "portal/office.rs"]
mod office;
#[path = "portal/world.rs"]
mod world;

#[path = "portal/attacks.rs"]
mod attacks;
#[path = "portal/pages.rs"]
mod pages;
#[path = "portal/recorded.rs"]
mod recorded;
#[path = "portal/return_addresses.rs"]
mod return_addresses;
