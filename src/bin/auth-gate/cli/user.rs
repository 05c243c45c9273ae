//! `auth-gate user`: what can be typed.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{AppPasswordCommand, ListFormat};

/// List, add and remove the second factors and app passwords of users
///
/// Users are named as in the users file. Whoever has lost a second factor gets in again when it is
/// removed here; sessions that were begun with it last until `auth-gate session end --user NAME`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  auth-gate user totp list --config configuration.yml
  auth-gate user totp add --config configuration.yml --user john --name Phone
  auth-gate user webauthn remove --config configuration.yml --user john --name 'Blue key'
  auth-gate user app-password add --config configuration.yml --user john --name Backup")]
pub struct User {
    #[command(subcommand)]
    pub command: UserCommand,
}

#[derive(Subcommand)]
pub enum UserCommand {
    /// One-time codes: the devices that make them
    #[command(after_help = "\
Examples:
  auth-gate user totp list --config configuration.yml --user john
  auth-gate user totp add --config configuration.yml --user john --name Phone
  auth-gate user totp remove --config configuration.yml --user john --all")]
    Totp {
        #[command(subcommand)]
        command: TotpCommand,
    },
    /// Security keys and passkeys
    #[command(after_help = "\
Examples:
  auth-gate user webauthn list --config configuration.yml --format json
  auth-gate user webauthn add --config configuration.yml --user john
  auth-gate user webauthn remove --config configuration.yml --user john --id 3")]
    Webauthn {
        #[command(subcommand)]
        command: WebauthnCommand,
    },
    /// What programs send instead of a user's password
    #[command(after_help = "\
Examples:
  auth-gate user app-password list --config configuration.yml --user john
  auth-gate user app-password add --config configuration.yml --user john --name Backup --expires 90d
  auth-gate user app-password revoke --config configuration.yml --user john --name Backup")]
    AppPassword {
        #[command(subcommand)]
        command: AppPasswordCommand,
    },
}

#[derive(Subcommand)]
pub enum TotpCommand {
    /// Show the devices of one user or of all; never their secrets
    #[command(after_help = "Example: auth-gate user totp list --config configuration.yml")]
    List(FactorList),
    Add(TotpAdd),
    /// Remove devices of a user
    #[command(
        after_help = "Example: auth-gate user totp remove --config configuration.yml --user john --name Phone"
    )]
    Remove(FactorRemove),
}

#[derive(Subcommand)]
pub enum WebauthnCommand {
    /// Show the keys of one user or of all
    #[command(after_help = "Example: auth-gate user webauthn list --config configuration.yml")]
    List(FactorList),
    Add(WebauthnAdd),
    /// Remove keys of a user
    #[command(
        after_help = "Example: auth-gate user webauthn remove --config configuration.yml --user john --all"
    )]
    Remove(FactorRemove),
}

#[derive(Args)]
pub struct FactorList {
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

/// Give a user a device that makes one-time codes
///
/// Makes a new secret and prints it as a QR code, as an address and as text, once: it cannot be
/// shown again. Hand it to the user in a way that nobody else can read. It counts at once; the
/// devices that the user has already stay.
#[derive(Args)]
#[command(
    after_help = "Example: auth-gate user totp add --config configuration.yml --user john --name Phone"
)]
pub struct TotpAdd {
    /// The configuration, the file that `auth_gate_config` names
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,

    /// Whose device it is
    #[arg(long, value_name = "NAME")]
    pub user: String,

    /// What the user will see it called
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
}

/// Say where a user adds a security key
///
/// A key is added with the browser that it is plugged into, so nothing is changed here: the address
/// is printed that the user opens for it.
#[derive(Args)]
#[command(
    after_help = "Example: auth-gate user webauthn add --config configuration.yml --user john"
)]
pub struct WebauthnAdd {
    /// The configuration, the file that `auth_gate_config` names
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,

    /// Whose key it will be
    #[arg(long, value_name = "NAME")]
    pub user: String,
}

#[derive(Args)]
pub struct FactorRemove {
    /// The configuration, the file that `auth_gate_config` names
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,

    /// Whose they are
    #[arg(long, value_name = "NAME")]
    pub user: String,

    #[command(flatten)]
    pub which: Chosen,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Chosen {
    /// The one of this name
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// The one of this number in the list
    #[arg(long, value_name = "ID")]
    pub id: Option<i64>,

    /// All of them
    #[arg(long)]
    pub all: bool,
}
