//! `auth-gate user app-password`: what can be typed.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::FactorList;

#[derive(Subcommand)]
pub enum AppPasswordCommand {
    /// Show the app passwords of one user or of all; never what is sent
    #[command(
        after_help = "Example: auth-gate user app-password list --config configuration.yml --user john"
    )]
    List(FactorList),
    Add(AppPasswordAdd),
    Revoke(AppPasswordRevoke),
}

/// Give a user an app password
///
/// Prints it once: it cannot be shown again. Hand it over in a way that nobody else can read. A
/// program sends it as the user's password (Basic) or as a Bearer token; it counts at once.
#[derive(Args)]
#[command(
    after_help = "Example: auth-gate user app-password add --config configuration.yml --user john --name Backup --expires 90d --host dav.example.com"
)]
pub struct AppPasswordAdd {
    /// The configuration, the file that `auth_gate_config` names
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,

    /// Whose it is
    #[arg(long, value_name = "NAME")]
    pub user: String,

    /// What the user will see it called
    #[arg(long, value_name = "NAME")]
    pub name: String,

    /// How long it is good for, for instance 90d; without it, for ever
    #[arg(long, value_name = "TIME")]
    pub expires: Option<String>,

    /// A host that it opens, or *.example.com for all below it; may be repeated; without it, all hosts
    #[arg(long, value_name = "HOST")]
    pub host: Vec<String>,
}

/// Revoke app passwords of a user
///
/// Whatever uses them is shut out at once.
#[derive(Args)]
#[command(
    after_help = "Example: auth-gate user app-password revoke --config configuration.yml --user john --name Backup"
)]
pub struct AppPasswordRevoke {
    /// The configuration, the file that `auth_gate_config` names
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,

    /// Whose they are
    #[arg(long, value_name = "NAME")]
    pub user: String,

    #[command(flatten)]
    pub which: AppPasswordChosen,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct AppPasswordChosen {
    /// The one of this name
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// The one of this id in the list
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,

    /// All of them
    #[arg(long)]
    pub all: bool,
}
