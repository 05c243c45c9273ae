//! `auth-gate ban`: what can be typed.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use ngx_http_auth_gate_module::config::parse_duration;

use super::ListFormat;

/// List bans, ban users and addresses, and take bans back
///
/// Whoever is banned cannot sign in, and is told no more than that the password is wrong. Sessions
/// that are there go on: `auth-gate session end` ends them. The bans that failed logins bring about
/// (section regulation) are among them. A running nginx follows within two seconds.
#[derive(Args)]
#[command(after_help = "\
Examples:
  auth-gate ban list --config configuration.yml
  auth-gate ban add --config configuration.yml --ip 203.0.113.7 --for 2d
  auth-gate ban revoke --config configuration.yml --user john")]
pub struct Ban {
    #[command(subcommand)]
    pub command: BanCommand,
}

#[derive(Subcommand)]
pub enum BanCommand {
    List(BanList),
    Add(BanAdd),
    Revoke(BanRevoke),
}

/// Show who is banned, until when, and who has said so
#[derive(Args)]
#[command(after_help = "Example: auth-gate ban list --config configuration.yml --format json")]
pub struct BanList {
    /// The configuration, the file that `auth_gate_config` names
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,

    /// How to print them
    #[arg(long, value_enum, default_value_t = ListFormat::Text)]
    pub format: ListFormat,
}

/// Ban a user or an address for some time
///
/// The ban holds whatever the section regulation says, also after nginx was started anew. It takes
/// the place of one that is there.
#[derive(Args)]
#[command(after_help = "\
Examples:
  auth-gate ban add --config configuration.yml --user john
  auth-gate ban add --config configuration.yml --ip 2001:db8::7 --for '1 week'")]
pub struct BanAdd {
    /// The configuration, the file that `auth_gate_config` names
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,

    #[command(flatten)]
    pub whom: Held,

    /// For how long: 30m, 1h, 2 days, 1y
    #[arg(long = "for", value_name = "TIME", default_value = "1h", value_parser = duration)]
    pub time: u64,
}

/// Forget the ban and the failed logins of a user or an address
#[derive(Args)]
#[command(after_help = "Example: auth-gate ban revoke --config configuration.yml --ip 203.0.113.7")]
pub struct BanRevoke {
    /// The configuration, the file that `auth_gate_config` names
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,

    #[command(flatten)]
    pub whom: Held,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Held {
    /// This user
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,

    /// This address; of an IPv6 address the whole /64 network
    #[arg(long, value_name = "IP")]
    pub ip: Option<IpAddr>,
}

fn duration(text: &str) -> Result<u64, String> {
    match parse_duration(text) {
        Ok(0) => Err("is no time at all; write for instance 1h".into()),
        Ok(seconds) => Ok(seconds),
        Err(error) => Err(error.to_string()),
    }
}
