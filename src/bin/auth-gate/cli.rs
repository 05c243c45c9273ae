//! What can be typed, and the help for it.

mod app_password;
mod ban;
mod init;
mod session;
mod user;

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::certificate::DAYS;
use crate::target::Target;

pub use app_password::{AppPasswordAdd, AppPasswordChosen, AppPasswordCommand, AppPasswordRevoke};
pub use ban::{Ban, BanAdd, BanCommand, BanList, BanRevoke, Held};
pub use init::Init;
pub use session::{Session, SessionCommand, SessionEnd, SessionList};
pub use user::{
    Chosen, FactorList, FactorRemove, TotpAdd, TotpCommand, User, UserCommand, WebauthnAdd,
    WebauthnCommand,
};

/// Single sign-on inside nginx: set up a first start, check a configuration, make password hashes and a
/// first certificate, look after the storage, second factors, app passwords, sessions and bans.
///
/// `user`, `session` and `ban` work on the storage that the configuration names; a running nginx
/// follows within two seconds. The other commands talk to no nginx, and of them only
/// `storage import` changes a file that is there.
#[derive(Parser)]
#[command(name = "auth-gate", version, max_term_width = 100)]
#[command(after_help = "\
Exit status: 0 all is well, 1 something is wrong, 2 the command was misunderstood.
`auth-gate help COMMAND` says more about one command.")]
pub struct Line {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    Init(Init),
    CheckConfig(CheckConfig),
    CheckPolicy(CheckPolicy),
    HashPassword(HashPassword),
    Certificate(Certificate),
    Storage(Storage),
    User(User),
    Session(Session),
    Ban(Ban),
    Generate(Generate),
}

/// Read a configuration as nginx would, and say what is wrong with it
///
/// Reads Authelia's configuration.yml as it is, and the users file it names. Every mistake is
/// printed as FILE:LINE: KEY: what is wrong and what to write instead. Warnings begin with
/// `warning:` and do not fail the check.
///
/// AUTHELIA_* variables of the environment count, as they do for nginx.
#[derive(Args)]
#[command(after_help = "Example: auth-gate check-config /etc/nginx/auth-gate/configuration.yml")]
pub struct CheckConfig {
    /// The configuration, the file that `auth_gate_config` names
    pub file: PathBuf,
}

/// Say which policy holds for an address, and why
///
/// Goes through the rules of access_control for one request and prints for every rule and each of
/// its criteria whether it is a hit, a miss, or may become a hit once the visitor has signed in. The
/// first rule that is no miss wins and is marked with `*`.
///
/// Only the rules are asked: what a location adds (auth_gate_policy, auth_gate_require,
/// auth_gate_unauthenticated) stands in nginx's own configuration.
#[derive(Args)]
#[command(after_help = "\
Examples:
  auth-gate check-policy --config configuration.yml --url https://wiki.example.com/admin
  auth-gate check-policy --config configuration.yml --url https://wiki.example.com/ --username john
  auth-gate check-policy --config configuration.yml --url https://wiki.example.com/ \\
      --username john --groups admins,dev --ip 10.1.2.3 --format json")]
pub struct CheckPolicy {
    /// The configuration, the file that `auth_gate_config` names
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,

    /// The address a visitor opens, exactly as the browser sends it
    #[arg(long, value_name = "URL")]
    pub url: Target,

    /// The method of the request
    #[arg(long, value_name = "METHOD", default_value = "GET")]
    pub method: String,

    /// Who asks; nobody is signed in without it
    #[arg(long, value_name = "NAME")]
    pub username: Option<String>,

    /// The groups of that user, separated by commas; those of the users file without it
    #[arg(long, value_name = "GROUPS", value_delimiter = ',')]
    pub groups: Option<Vec<String>>,

    /// The client's address; without it one that lies in no real network
    #[arg(long, value_name = "IP")]
    pub ip: Option<IpAddr>,

    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// How to print an answer.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: every rule, every criterion
    Text,
    /// For programs: an object with at least `policy` and `rule` (null: the default policy)
    Json,
}

/// How to print a list.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people: a table
    Text,
    /// For programs: an array of objects
    Json,
}

/// Make the hash of a password for the users file
///
/// Asks for the password twice; where standard input is no terminal, its first line is the
/// password. A password is never taken from the command line, where others could read it.
///
/// Without options the hash is made as Authelia makes it by default, or as the configuration says
/// that --config names. Write the printed line as `password:` of the user, in single quotes.
#[derive(Args)]
#[command(after_help = "\
Examples:
  auth-gate hash-password
  auth-gate hash-password --config /etc/nginx/auth-gate/configuration.yml
  auth-gate hash-password --random
  auth-gate hash-password --algorithm bcrypt --cost 13 < password.txt")]
pub struct HashPassword {
    /// Take authentication_backend.file.password of this configuration; the options below go before it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// argon2 (default), scrypt, pbkdf2, sha2crypt or bcrypt
    #[arg(long, value_name = "NAME")]
    pub algorithm: Option<String>,

    /// argon2: argon2id, argon2i, argon2d; scrypt: scrypt, yescrypt; pbkdf2: sha1 to sha512;
    /// sha2crypt: sha256, sha512; bcrypt: standard, sha256
    #[arg(long, value_name = "NAME", verbatim_doc_comment)]
    pub variant: Option<String>,

    /// Passes (argon2), rounds (pbkdf2, sha2crypt), or the power of two of both memory and time (scrypt)
    #[arg(long, value_name = "N")]
    pub iterations: Option<i64>,

    /// argon2: memory in KiB
    #[arg(long, value_name = "KIB")]
    pub memory: Option<i64>,

    /// argon2, scrypt: lanes
    #[arg(long, value_name = "N")]
    pub parallelism: Option<i64>,

    /// scrypt: block size
    #[arg(long, value_name = "N")]
    pub block_size: Option<i64>,

    /// argon2, scrypt: bytes of the digest
    #[arg(long, value_name = "BYTES")]
    pub key_length: Option<i64>,

    /// argon2, scrypt, pbkdf2, sha2crypt: bytes of the salt
    #[arg(long, value_name = "BYTES")]
    pub salt_length: Option<i64>,

    /// bcrypt: the power of two of the time
    #[arg(long, value_name = "N")]
    pub cost: Option<i64>,

    /// Make up a password, and print it with its hash
    #[arg(long)]
    pub random: bool,

    /// Characters of the password that --random makes up
    #[arg(long, value_name = "N", default_value_t = 24, requires = "random", value_parser = clap::value_parser!(u16).range(12..=72))]
    pub length: u16,
}

/// Make a self-signed certificate, for a start
///
/// One certificate for each NAME and everything directly below it (*.NAME), for trying things out
/// before a real certificate is there. Browsers warn of it until it is added to their trusted ones.
///
/// Writes DIR/NAME.crt and DIR/NAME.key (mode 0600), NAME being the first, and never overwrites a
/// file. Prints the lines for nginx.
#[derive(Args)]
#[command(
    after_help = "Example: auth-gate certificate --host example.com --dir /etc/nginx/certificates"
)]
pub struct Certificate {
    /// Names that the certificate is for, without `*.`
    #[arg(long, value_name = "NAME", num_args = 1.., required = true)]
    pub host: Vec<String>,

    /// Where to write the two files; made if it is not there
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,

    /// Days until the certificate ends
    #[arg(long, value_name = "N", default_value_t = DAYS, value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub days: u16,
}

/// Look after the storage: second factors, preferred methods
///
/// The storage is the SQLite file that storage.local.path of the configuration names. It may be in
/// use by nginx all the while.
#[derive(Args)]
#[command(after_help = "\
Examples:
  auth-gate storage check --config /etc/nginx/auth-gate/configuration.yml
  auth-gate storage import --from /config/db.sqlite3 --config /etc/nginx/auth-gate/configuration.yml")]
pub struct Storage {
    #[command(subcommand)]
    pub command: StorageCommand,
}

#[derive(Subcommand)]
pub enum StorageCommand {
    Check(StorageCheck),
    Import(StorageImport),
}

/// Say whether the storage is whole, opens with the key, and what is in it
///
/// Reads everything that is kept and changes nothing. Run it as the user whom nginx's workers run
/// as to see what they would see: sudo -u www-data auth-gate storage check …
#[derive(Args)]
#[command(
    after_help = "Example: auth-gate storage check --config /etc/nginx/auth-gate/configuration.yml"
)]
pub struct StorageCheck {
    /// The configuration, the file that `auth_gate_config` names
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

/// Take second factors out of Authelia's database, so that nobody enrols again
///
/// Takes TOTP devices, security keys, passkeys and preferred methods from the SQLite file of
/// Authelia 4.39 or of its main branch, which is only read. Nothing is taken twice, and what
/// users have chosen here stays, so it can be run again, for instance on the day of the move.
#[derive(Args)]
#[command(after_help = "\
Example: auth-gate storage import --from /config/db.sqlite3 \\
             --config /etc/nginx/auth-gate/configuration.yml

A storage.local.path that names Authelia's own file must be changed first: the file is left to Authelia.")]
pub struct StorageImport {
    /// Authelia's database, the file that storage.local.path names over there
    #[arg(long, value_name = "FILE")]
    pub from: PathBuf,

    /// The configuration, the file that `auth_gate_config` names
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,

    /// A file with Authelia's storage.encryption_key, where it differs from the one of --config
    #[arg(long, value_name = "FILE")]
    pub encryption_key_file: Option<PathBuf>,
}

/// Write the manual pages and the completions for shells
///
/// For whoever packages the program: writes auth-gate.1 and a page for each command, auth-gate.bash,
/// _auth-gate (zsh) and auth-gate.fish. The same program always writes the same bytes.
#[derive(Args)]
#[command(after_help = "Example: auth-gate generate --dir /tmp/auth-gate")]
pub struct Generate {
    /// Where to write them; made if it is not there
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
}
