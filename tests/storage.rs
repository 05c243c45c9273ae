//! The store: what it keeps, what it refuses, who may use it at once, and what it survives.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "storage/app_passwords.rs"]
mod app_passwords;
#[path = "storage/command.rs"]
mod command;
#[path = "contract/mod.rs"]
mod contract;
#[path = "storage/crowds.rs"]
mod crowds;
#[path = "storage/files.rs"]
mod files;
#[path = "storage/fixture.rs"]
mod fixture;
#[path = "storage/imports.rs"]
mod imports;
#[path = "storage/keeps.rs"]
mod keeps;
#[path = "storage/killed.rs"]
mod killed;
#[path = "storage/ledger.rs"]
mod ledger;
#[path = "storage/resealed.rs"]
mod resealed;
#[path = "storage/sealed.rs"]
mod sealed;
#[path = "storage/upkeep.rs"]
mod upkeep;
