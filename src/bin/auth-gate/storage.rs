//! `auth-gate storage`.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use ngx_http_auth_gate_module::config::{Config, Storage};
use ngx_http_auth_gate_module::store::import::{self, Count, Found, Taken};
use ngx_http_auth_gate_module::store::{self, Contents, Sqlite, State, StorageKey};
use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use crate::cli::{self, StorageCheck, StorageCommand, StorageImport};
use crate::{Report, disk};

/// Largest file with a key that is read, in bytes.
const MAX_KEY: u64 = 64 << 10;

pub fn run(arguments: &cli::Storage) -> Result<Report, String> {
    match &arguments.command {
        StorageCommand::Check(arguments) => check(arguments),
        StorageCommand::Import(arguments) => import(arguments),
    }
}

fn check(arguments: &StorageCheck) -> Result<Report, String> {
    let config = match disk::load(&arguments.config) {
        Ok(loaded) => loaded.config,
        Err(problems) => return Ok(Report::bad(problems)),
    };
    let storage = configured(&config, &arguments.config)?;
    let (state, contents) =
        store::inspect(&storage.path, &key(storage), now()?).map_err(|error| error.to_string())?;
    let file = storage.path.display();
    Ok(Report::well(match state {
        State::Fresh => {
            format!("{file} is not there yet; it is made when the first user signs in or enrols\n")
        }
        State::Older { version } => format!(
            "{file} is good: schema {version} of an older release, brought up to date when it is next used\n"
        ),
        State::Current { version } => {
            format!("{file} is good: schema {version}, {}\n", summary(&contents))
        }
    }))
}

fn import(arguments: &StorageImport) -> Result<Report, String> {
    let config = match disk::load(&arguments.config) {
        Ok(loaded) => loaded.config,
        Err(problems) => return Ok(Report::bad(problems)),
    };
    let storage = configured(&config, &arguments.config)?;
    let encryption_key = match &arguments.encryption_key_file {
        Some(file) => key_in(file)?,
        None => Zeroizing::new(storage.encryption_key.expose_secret().into()),
    };
    let found = import::read(&arguments.from, encryption_key.as_bytes())
        .map_err(|error| error.to_string())?;
    let mut random =
        |bytes: &mut [u8]| getrandom::fill(bytes).expect("the kernel has random bytes");
    let sqlite = Sqlite::open(&storage.path, key(storage), &mut random)
        .map_err(|error| error.to_string())?;
    let taken = sqlite
        .import(&found, now()?, &mut random)
        .map_err(|error| error.to_string())?;
    Ok(report(&arguments.from, &found, &taken, &config, storage))
}

/// The storage that the configuration names.
pub fn configured<'c>(config: &'c Config, file: &Path) -> Result<&'c Storage, String> {
    config.storage.as_ref().ok_or_else(|| {
        format!(
            "{}: names no storage; write storage.local.path with the path of a file, and storage.encryption_key \
            with 64 random characters",
            file.display()
        )
    })
}

/// The key of a storage.
pub fn key(storage: &Storage) -> StorageKey {
    StorageKey::derive(storage.encryption_key.expose_secret().as_bytes())
}

/// The key in a file of its own, without the end of its line.
fn key_in(file: &Path) -> Result<Zeroizing<String>, String> {
    let problem = |what: &str| format!("{}: {what}", file.display());
    let length = fs::metadata(file)
        .map_err(|error| problem(&error.to_string()))?
        .len();
    if length > MAX_KEY {
        return Err(problem("is too large for a key"));
    }
    let text = fs::read_to_string(file).map_err(|error| problem(&error.to_string()))?;
    let text = Zeroizing::new(text);
    let key = text.trim_end_matches(['\n', '\r']);
    if key.is_empty() {
        return Err(problem(
            "is empty; write Authelia's storage.encryption_key into it",
        ));
    }
    Ok(Zeroizing::new(key.into()))
}

/// Unix seconds.
pub fn now() -> Result<u64, String> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since
        .map(|since| since.as_secs())
        .map_err(|_| "the clock of this machine stands before 1970".into())
}

fn report(from: &Path, found: &Found, taken: &Taken, config: &Config, storage: &Storage) -> Report {
    let mut text = format!(
        "Imported from {} (schema {} of Authelia) into {}:\n",
        from.display(),
        found.schema,
        storage.path.display()
    );
    let lines = [
        (taken.totp, "TOTP device"),
        (taken.webauthn, "security key"),
        (taken.preferences, "preferred method"),
    ];
    for (count, what) in lines {
        text += &format!("  {}\n", line(count, what));
    }
    let left_out = found.left_out.iter().chain(&taken.left_out);
    let mut remarks: Vec<String> = left_out
        .map(|sentence| format!("warning: {sentence}"))
        .collect();
    let well = remarks.is_empty();
    let users = found.users();
    for user in users
        .iter()
        .filter(|user| config.directory.user(user).is_none())
    {
        remarks.push(format!(
            "warning: {user} is not among the enabled users of {}; what is his waits until he is",
            config.users_file.path.display()
        ));
    }
    remarks.extend(owner(&storage.path));
    Report {
        text,
        remarks,
        well,
    }
}

/// A file of root's cannot be written by nginx's workers.
pub fn owner(path: &Path) -> Option<String> {
    let roots = fs::metadata(path).is_ok_and(|file| file.uid() == 0);
    roots.then(|| {
        let file = path.display();
        let folder = path.parent().unwrap_or(Path::new(".")).display();
        format!(
            "warning: {file} belongs to root, and nginx's workers must write it and its folder; if they run as \
            www-data: chown www-data '{folder}' '{file}'"
        )
    })
}

fn line(count: Count, what: &str) -> String {
    let known = match count.known {
        0 => String::new(),
        known => format!(" ({known} imported or chosen here before)"),
    };
    format!("{}{known}", plural(count.taken, what))
}

fn summary(contents: &Contents) -> String {
    format!(
        "{}, {} and {} of {}",
        plural(contents.totp, "TOTP device"),
        plural(contents.webauthn, "security key"),
        plural(contents.app_passwords, "app password"),
        plural(contents.users, "user"),
    )
}

/// A number of things.
pub fn plural(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
