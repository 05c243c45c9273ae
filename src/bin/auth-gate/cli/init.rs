//! What can be typed for `auth-gate init`.

use std::path::PathBuf;

use clap::Args;

/// Set up the gate for a first start: configuration, first user, certificate and a site for nginx
///
/// Asks for what is not given; where standard input is no terminal, --domain, --user,
/// --password-file, a certificate and --yes have to be given. Everything is shown, with owners and
/// modes, before it is written. Nothing is ever overwritten: if one of the files is there already,
/// none is written.
///
/// Writes DIR/configuration.yml, the users file, with --self-signed DIR/DOMAIN.crt and .key, and a
/// site file for nginx. Run it as root, unless nginx's master runs as you.
#[derive(Args)]
#[command(after_help = "\
Examples:
  auth-gate init
  auth-gate init --dry-run --domain example.com --user alice --self-signed
  auth-gate init --yes --enable --self-signed --domain example.com --portal auth.example.com \\
      --site wiki.example.com --upstream http://127.0.0.1:8080 \\
      --user alice --display-name 'Alice Liddell' --email alice@example.com \\
      --password-file /root/password")]
pub struct Init {
    /// The domain that portal and sites have in common; one sign-in holds for all of it
    #[arg(long, value_name = "DOMAIN")]
    pub domain: Option<String>,

    /// The host of the login portal [default: auth.DOMAIN]
    #[arg(long, value_name = "HOST")]
    pub portal: Option<String>,

    /// A host to guard, each with an --upstream; may be given several times
    #[arg(long, value_name = "HOST")]
    pub site: Vec<String>,

    /// Where the application of that site listens, for instance http://127.0.0.1:8080
    #[arg(long, value_name = "URL")]
    pub upstream: Vec<String>,

    /// The name with which the first user signs in; member of the group admins
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,

    /// How the first user is called [default: NAME]
    #[arg(long, value_name = "TEXT")]
    pub display_name: Option<String>,

    /// The first user's e-mail address; none without it
    #[arg(long, value_name = "ADDRESS")]
    pub email: Option<String>,

    /// A file whose first line is the first user's password; - for standard input
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,

    /// A certificate for portal and sites, and its --key
    #[arg(long, value_name = "FILE", requires = "key")]
    pub certificate: Option<PathBuf>,

    /// The key of --certificate
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub key: Option<PathBuf>,

    /// Make a certificate of which browsers warn
    #[arg(long, conflicts_with = "certificate")]
    pub self_signed: bool,

    /// The folder for configuration and certificate
    #[arg(long, value_name = "DIR", default_value = "/etc/nginx/auth-gate")]
    pub dir: PathBuf,

    /// The folder for what nginx's workers write: store and users file
    #[arg(long, value_name = "DIR", default_value = "/var/lib/auth-gate")]
    pub data_dir: PathBuf,

    /// Keep no store: no second factors, and a restart of nginx signs everybody out
    #[arg(long)]
    pub no_store: bool,

    /// The file for nginx [default: /etc/nginx/sites-available/auth-gate.conf, or
    /// /etc/nginx/conf.d/auth-gate.conf where there is no sites-available]
    #[arg(long, value_name = "FILE")]
    pub site_file: Option<PathBuf>,

    /// Where nginx listens for https; visitors come to 443, from where a container's ports lead there
    #[arg(long, value_name = "PORT", default_value_t = 443, value_parser = clap::value_parser!(u16).range(1..))]
    pub https_port: u16,

    /// The same for plain http, from where visitors are led to https
    #[arg(long, value_name = "PORT", default_value_t = 80, value_parser = clap::value_parser!(u16).range(1..))]
    pub http_port: u16,

    /// Link the site file into the folder sites-enabled beside its own
    #[arg(long)]
    pub enable: bool,

    /// Whom nginx's workers run as [default: what nginx.conf or nginx itself says]
    #[arg(long, value_name = "NAME")]
    pub nginx_user: Option<String>,

    /// Write without asking
    #[arg(long)]
    pub yes: bool,

    /// Show what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
}
