//! The configuration room from outside: recorded answers of Authelia, exact messages, hostile input.

#[path = "config/corpus.rs"]
mod corpus;
#[path = "config/endpoints.rs"]
mod endpoints;
#[path = "config/fixture.rs"]
mod fixture;
#[path = "config/messages.rs"]
mod messages;
#[path = "config/messages_rules.rs"]
mod messages_rules;
#[path = "config/messages_second.rs"]
mod messages_second;
#[path = "config/messages_sources.rs"]
mod messages_sources;
#[path = "config/mutations.rs"]
mod mutations;
#[path = "config/recorded.rs"]
mod recorded;
#[path = "config/redis.rs"]
mod redis;
#[path = "config/second.rs"]
mod second;
#[path = "config/values.rs"]
mod values;
