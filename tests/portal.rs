//! The portal with a world in memory: pages, API, attacks.

#[path = "portal/world.rs"]
mod world;

#[path = "portal/attacks.rs"]
mod attacks;
#[path = "portal/look.rs"]
mod look;
#[path = "portal/pages.rs"]
mod pages;
#[path = "portal/recorded.rs"]
mod recorded;
#[path = "portal/return_addresses.rs"]
mod return_addresses;
