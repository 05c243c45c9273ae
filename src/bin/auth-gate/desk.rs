//! A configuration and the storage it names, as the commands on users, sessions and bans need them.

use std::path::{Path, PathBuf};

use ngx_http_auth_gate_module::config::Config;
use ngx_http_auth_gate_module::store::{Ledger, Redis, Sqlite, StoreError};

use crate::{Report, disk, storage};

/// What such a command works on.
pub struct Desk<S: ?Sized = Sqlite> {
    pub config: Config,
    /// Unix seconds.
    pub now: u64,
    store: Option<Box<S>>,
}

/// A store of sessions and bans, whichever it is.
pub type AnyLedger = dyn Ledger;

/// A store, if there is one yet, and its file, if it has one.
type Opened<S> = (Option<Box<S>>, Option<PathBuf>);

/// Runs a command that only looks: no storage is made where there is none.
pub fn look(
    config: &Path,
    work: impl FnOnce(&Desk) -> Result<Report, String>,
) -> Result<Report, String> {
    sit_down(config, |loaded| sqlite(loaded, config, false), work)
}

/// Runs a command that changes something.
pub fn change(
    config: &Path,
    work: impl FnOnce(&Desk, &Sqlite) -> Result<Report, String>,
) -> Result<Report, String> {
    sit_down(config, |loaded| sqlite(loaded, config, true), having(work))
}

/// Runs a command that only looks at sessions and bans, wherever these are kept.
pub fn look_at_sessions(
    config: &Path,
    work: impl FnOnce(&Desk<AnyLedger>) -> Result<Report, String>,
) -> Result<Report, String> {
    sit_down(config, |loaded| ledger(loaded, config, false), work)
}

/// Runs a command that changes sessions or bans, wherever these are kept.
pub fn change_sessions(
    config: &Path,
    work: impl FnOnce(&Desk<AnyLedger>, &AnyLedger) -> Result<Report, String>,
) -> Result<Report, String> {
    sit_down(config, |loaded| ledger(loaded, config, true), having(work))
}

/// Work that needs a store.
fn having<S: ?Sized>(
    work: impl FnOnce(&Desk<S>, &S) -> Result<Report, String>,
) -> impl FnOnce(&Desk<S>) -> Result<Report, String> {
    |desk| match &desk.store {
        Some(store) => work(desk, store),
        None => Err("the storage cannot be made".into()),
    }
}

fn sqlite(config: &Config, file: &Path, make: bool) -> Result<Opened<Sqlite>, String> {
    let settings = storage::configured(config, file)?;
    let path = settings.path.clone();
    if !make && !path.exists() {
        return Ok((None, None));
    }
    let opened = Sqlite::open(&path, storage::key(settings), &mut random);
    let store = opened.map_err(|error| error.to_string())?;
    Ok((Some(Box::new(store)), make.then_some(path)))
}

/// What several machines share comes before what this one has alone.
fn ledger(config: &Config, file: &Path, make: bool) -> Result<Opened<AnyLedger>, String> {
    let Some((settings, key)) = config.session.shared_store() else {
        let (store, path) = sqlite(config, file, make)?;
        return Ok((store.map(|store| store as Box<AnyLedger>), path));
    };
    let redis = Redis::new(settings.clone(), key, &mut random);
    let redis = redis.map_err(|error| error.to_string())?;
    Ok((Some(Box::new(redis)), None))
}

fn sit_down<S: ?Sized>(
    file: &Path,
    open: impl FnOnce(&Config) -> Result<Opened<S>, String>,
    work: impl FnOnce(&Desk<S>) -> Result<Report, String>,
) -> Result<Report, String> {
    let config = match disk::load(file) {
        Ok(loaded) => loaded.config,
        Err(problems) => return Ok(Report::bad(problems)),
    };
    let (store, made) = open(&config)?;
    let now = storage::now()?;
    let mut report = work(&Desk { config, now, store })?;
    report
        .remarks
        .extend(made.and_then(|path| storage::owner(&path)));
    Ok(report)
}

impl<S: ?Sized> Desk<S> {
    /// What `ask` finds in the storage; nothing where there is none yet.
    pub fn ask<T>(
        &self,
        ask: impl FnOnce(&S) -> Result<Vec<T>, StoreError>,
    ) -> Result<Vec<T>, String> {
        let found = self.store.as_deref().map(ask).transpose();
        Ok(found
            .map_err(|error| error.to_string())?
            .unwrap_or_default())
    }

    /// The canonical name of an enabled user.
    pub fn user(&self, typed: &str) -> Result<String, String> {
        self.find(typed).ok_or_else(|| self.unknown(typed))
    }

    /// The same, or what was typed where something is kept under just that name: users may have been
    /// taken out of the users file.
    pub fn user_or_kept(
        &self,
        typed: &str,
        kept: impl FnOnce(&S) -> Result<bool, StoreError>,
    ) -> Result<String, String> {
        if let Some(name) = self.find(typed) {
            return Ok(name);
        }
        match self.store.as_deref().map(kept).transpose() {
            Ok(Some(true)) => Ok(typed.into()),
            Ok(_) => Err(self.unknown(typed)),
            Err(error) => Err(error.to_string()),
        }
    }

    fn find(&self, typed: &str) -> Option<String> {
        let found = self.config.directory.find(typed);
        found.map(|user| user.name.clone())
    }

    fn unknown(&self, typed: &str) -> String {
        format!(
            "{}: has no enabled user \"{}\"; write a name that stands under `users:` there",
            self.config.users_file.path.display(),
            typed.escape_debug()
        )
    }
}

/// Fills with the kernel's random bytes.
pub fn random(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the kernel has random bytes");
}
