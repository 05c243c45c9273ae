//! `auth-gate session`: what can be typed.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ListFormat;

/// List sessions, and end them
///
/// nginx writes down in the storage who is signed in. What is ended here is over for every worker of
/// a running nginx within two seconds.
#[derive(Args)]
#[command(after_help = "\
Examples:
  auth-gate session list --config configuration.yml --user john
  auth-gate session end --config configuration.yml --user john
  auth-gate session end --config configuration.yml --all")]
pub struct Session {
    #[command(subcommand)]
    pub command: SessionCommand,
}

#[derive(Subcommand)]
pub enum SessionCommand {
    List(SessionList),
    End(SessionEnd),
}

/// Show who is signed in: since when, from where, with what
///
/// What has happened within the last second may be missing; when a session was last used is known
/// to the minute.
#[derive(Args)]
#[command(after_help = "Example: auth-gate session list --config configuration.yml --format json")]
pub struct SessionList {
    /// The configuration, the file that `auth_gate_config` names
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,

    /// Only those of this user
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,

    /// How to print them
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub format: ListFormat,
}

/// End one session, those of a user, or all
///
/// Whoever is signed out like this can sign in again; `auth-gate ban add` is for those who must not.
#[derive(Args)]
#[command(after_help = "\
Examples:
  auth-gate session end --config configuration.yml 5f0c2d9a71b3e846
  auth-gate session end --config configuration.yml --user john")]
pub struct SessionEnd {
    /// The configuration, the file that `auth_gate_config` names
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,

    #[command(flatten)]
    pub which: Ended,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Ended {
    /// The session of this id in the list
    #[arg(value_name = "ID")]
    pub id: Option<String>,

    /// All sessions of this user
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,

    /// All sessions of all users
    #[arg(long)]
    pub all: bool,
}
