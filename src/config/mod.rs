//! Authelia's `configuration.yml` and `users_database.yml` into checked values of the other rooms.
//!
//! Pure: files and environment come through a [`Loader`]. Everything that is wrong is told at
//! once, each with file, line, key and what to write instead. Knows no nginx and no request.
#![forbid(unsafe_code)]

use std::io::ErrorKind;
use std::path::Path;

use url::Url;

mod account;
mod backend;
mod check;
mod criteria;
mod domains;
mod durations;
mod endpoints;
mod env;
mod later;
mod limits;
mod model;
mod networks;
mod notifier;
mod old;
mod personal;
mod portal;
mod problem;
mod redis;
mod regulation;
mod report;
mod rewrite;
mod rules;
mod second;
mod sessions;
mod source;
mod storage;
mod table;
mod users;
mod values;
mod yaml;

pub use durations::{DurationError, parse as parse_duration};
pub use model::{
    Config, CookieDomain, ExtraAttribute, RefreshInterval, Sessions, Storage, UsersFile, ValueType,
};
pub use problem::Problem;
pub use rewrite::{RewriteError, replace_password};

use crate::access::Rules;
use crate::factors::webauthn;
use crate::mail::Notifier;
use crate::portal::{Account, Endpoint, RateLimits, SecondFactors, Theme};
use crate::users::Directory;
use crate::users::regulation::Settings;
use report::{At, Report};
use yaml::Node;

/// Largest configuration that is read, in bytes.
const MAX_CONFIGURATION: usize = 4 << 20;
/// Largest users file that is read, in bytes.
pub const MAX_USERS: usize = 64 << 20;

/// How this room reaches files and environment.
pub trait Loader {
    /// The bytes of the file at `path`.
    fn read(&self, path: &Path) -> std::io::Result<Vec<u8>>;
    /// The variables of the environment whose names begin with `AUTHELIA_`; others are ignored.
    fn env(&self) -> Vec<(String, String)>;
}

/// A configuration and what is to be said about it.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What does not stop it.
    pub warnings: Vec<Problem>,
    /// Names of the variables of the environment that were used. Whoever starts the program again
    /// must keep them.
    pub env_used: Vec<String>,
}

/// Reads the configuration at `path`, the environment and the users file.
///
/// # Errors
/// Everything that is wrong, in the order of the files.
pub fn load(path: &Path, loader: &dyn Loader) -> Result<Loaded, Vec<Problem>> {
    let (text, mut tree) = open(path, loader).map_err(|problem| vec![problem])?;
    let mut report = Report::default();
    let env_used = env::apply(&mut tree, loader, &mut report);
    old::modernise(&mut tree, &mut report);
    let root = At::root(&tree);
    check::check(&root, &mut report);
    later::check(&root, &mut report);
    let parts = Parts::read(&root, path, &mut report);
    let (mut errors, mut warnings) = report.finish(path, &text);
    let directory = parts.users_file.as_ref().and_then(|file| {
        let bytes = loader.read(&file.path);
        let read = bytes.map_err(|error| vec![unreadable(&file.path, &error)]);
        match read.and_then(|bytes| load_users(&file.path, &bytes, file)) {
            Ok((directory, more)) => {
                warnings.extend(more);
                Some(directory)
            }
            Err(more) => {
                errors.extend(more);
                None
            }
        }
    });
    match (parts.users_file, directory) {
        (Some(users_file), Some(directory)) if errors.is_empty() => Ok(Loaded {
            config: Config {
                theme: parts.theme,
                rules: parts.rules,
                session: parts.session,
                users_file,
                directory: directory.into(),
                regulation: parts.regulation,
                storage: parts.storage,
                second: parts.second,
                account: parts.account,
                notifier: parts.notifier,
                rate_limits: parts.rate_limits,
                endpoints: parts.endpoints,
                default_redirection_url: parts.default_redirection_url,
            },
            warnings,
            env_used,
        }),
        _ => Err(errors),
    }
}

/// The text of the configuration and its tree.
fn open(path: &Path, loader: &dyn Loader) -> Result<(String, Node), Problem> {
    let bytes = loader
        .read(path)
        .map_err(|error| unreadable(path, &error))?;
    let text = source::text(path, bytes, MAX_CONFIGURATION)?;
    source::refuse_templates(path, &text)?;
    let tree = source::tree(path, &text)?;
    Ok((text, tree))
}

/// Reads the content of the users file at `path`, with warnings.
///
/// # Errors
/// Everything that is wrong, in the order of the file.
pub fn load_users(
    path: &Path,
    bytes: &[u8],
    file: &UsersFile,
) -> Result<(Directory, Vec<Problem>), Vec<Problem>> {
    let text = source::text(path, bytes.to_vec(), MAX_USERS).map_err(|problem| vec![problem])?;
    let tree = source::tree(path, &text).map_err(|problem| vec![problem])?;
    let mut report = Report::default();
    let directory = users::directory(&At::root(&tree), file, &mut report);
    let good = report.is_good();
    let (errors, warnings) = report.finish(path, &text);
    if good {
        Ok((directory, warnings))
    } else {
        Err(errors)
    }
}

/// What the configuration alone gives, as far as it can be read.
struct Parts {
    theme: Theme,
    rules: Rules,
    session: Sessions,
    users_file: Option<UsersFile>,
    regulation: Settings,
    storage: Option<Storage>,
    second: SecondFactors,
    account: Account,
    notifier: Option<Notifier>,
    rate_limits: RateLimits,
    endpoints: Vec<Endpoint>,
    default_redirection_url: Option<Url>,
}

impl Parts {
    fn read(root: &At<'_>, path: &Path, report: &mut Report) -> Parts {
        let users_file = backend::users_file(root, path, report);
        let (rules, wants_second) = rules::rules(root, report);
        let (mut session, default_redirection_url) = sessions::sessions(root, path, report);
        let regulation = regulation::regulation(root, report);
        let storage = storage::storage(root, path, report);
        let notifier = notifier::notifier(root, path, report);
        let stored = storage.is_some();
        let second = second::second_factors(root, stored, wants_second.as_ref(), report);
        let is_two = |webauthn: &webauthn::Settings| webauthn.passkey_two_factors;
        for cookie in &mut session.cookies {
            cookie.realm.passkey_is_two = second.webauthn.as_ref().is_some_and(is_two);
        }
        let account = account::account(root, stored, notifier.is_some(), report);
        let rate_limits = limits::rate_limits(root, &account.elevation, report);
        let theme = match root.get("theme").and_then(|at| at.text()) {
            Some("dark") => Theme::Dark,
            Some("grey") => Theme::Grey,
            Some("oled") => Theme::Oled,
            Some("auto") => Theme::Auto,
            _ => Theme::Light,
        };
        Parts {
            theme,
            rules,
            session,
            users_file,
            regulation,
            storage,
            second,
            account,
            notifier,
            rate_limits,
            endpoints: endpoints::endpoints(root, report),
            default_redirection_url,
        }
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    let message: String = match error.kind() {
        ErrorKind::NotFound => "there is no such file; check the path".into(),
        ErrorKind::IsADirectory => {
            "is a directory; write everything in one file and name that file".into()
        }
        ErrorKind::PermissionDenied => {
            "may not be read by this user; check the owner and the mode of the \
            file and of the folders above it"
                .into()
        }
        _ => format!("cannot be read: {error}"),
    };
    Problem::new(path, None, "", &message)
}
