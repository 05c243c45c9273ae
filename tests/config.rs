//! The configuration room from outside: recorded answers of Authelia, exact messages, hostile input.

#[path = "config/fixture.rs"]
mod fixture;
#[path = "config/messages.rs"]
mod messages;
#[path = "config/mutations.rs"]
mod mutations;
#[path = "config/recorded.rs"]
mod recorded;
#[path = "config/values.rs"]
mod values;
