//! A configuration and the storage it names, as the commands on users, sessions and bans need them.

use std::path::Path;

use ngx_http_auth_gate_module::config::Config;
use ngx_http_auth_gate_module::store::{Sqlite, StoreError};

use crate::{Report, disk, storage};

/// What such a command works on.
pub struct Desk {
    pub config: Config,
    /// Unix seconds.
    pub now: u64,
    store: Option<Sqlite>,
}

/// Runs a command that only looks: no storage is made where there is none.
pub fn look(
    config: &Path,
    work: impl FnOnce(&Desk) -> Result<Report, String>,
) -> Result<Report, String> {
    sit_down(config, false, work)
}

/// Runs a command that changes something.
pub fn change(
    config: &Path,
    work: impl FnOnce(&Desk, &Sqlite) -> Result<Report, String>,
) -> Result<Report, String> {
    sit_down(config, true, |desk| match &desk.store {
        Some(store) => work(desk, store),
        None => Err("the storage cannot be made".into()),
    })
}

fn sit_down(
    file: &Path,
    make: bool,
    work: impl FnOnce(&Desk) -> Result<Report, String>,
) -> Result<Report, String> {
    let config = match disk::load(file) {
        Ok(loaded) => loaded.config,
        Err(problems) => return Ok(Report::bad(problems)),
    };
    let settings = storage::configured(&config, file)?;
    let path = settings.path.clone();
    let store = if make || path.exists() {
        let key = storage::key(settings);
        let opened = Sqlite::open(&path, key, &mut random);
        Some(opened.map_err(|error| error.to_string())?)
    } else {
        None
    };
    let now = storage::now()?;
    let mut report = work(&Desk { config, now, store })?;
    if make {
        report.remarks.extend(storage::owner(&path));
    }
    Ok(report)
}

impl Desk {
    /// What `ask` finds in the storage; nothing where there is none yet.
    pub fn ask<T>(
        &self,
        ask: impl FnOnce(&Sqlite) -> Result<Vec<T>, StoreError>,
    ) -> Result<Vec<T>, String> {
        let found = self.store.as_ref().map(ask).transpose();
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
        kept: impl FnOnce(&Sqlite) -> Result<bool, StoreError>,
    ) -> Result<String, String> {
        if let Some(name) = self.find(typed) {
            return Ok(name);
        }
        match self.store.as_ref().map(kept).transpose() {
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
