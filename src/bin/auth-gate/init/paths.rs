//! Where everything lies.

use std::path::{Path, PathBuf};

use crate::cli::Init;

const SITES_AVAILABLE: &str = "/etc/nginx/sites-available";
const CONF_D: &str = "/etc/nginx/conf.d";

/// The places of files and folders; absolute.
pub struct Paths {
    /// Configuration and certificate.
    pub dir: PathBuf,
    /// What the workers write.
    pub data: PathBuf,
    pub configuration: PathBuf,
    pub users: PathBuf,
    /// The file of the store, if one is wanted.
    pub store: Option<PathBuf>,
    /// The file for nginx.
    pub site: PathBuf,
}

impl Paths {
    /// What the flags say, or what is usual where this nginx comes from.
    pub fn new(flags: &Init) -> Result<Paths, String> {
        let (dir, data) = (absolute(&flags.dir)?, absolute(&flags.data_dir)?);
        let usual = match Path::new(SITES_AVAILABLE).is_dir() || !Path::new(CONF_D).is_dir() {
            true => SITES_AVAILABLE,
            false => CONF_D,
        };
        let usual = Path::new(usual).join("auth-gate.conf");
        let paths = Paths {
            configuration: dir.join("configuration.yml"),
            users: match flags.no_store {
                true => dir.join("users_database.yml"),
                false => data.join("users/users_database.yml"),
            },
            store: (!flags.no_store).then(|| data.join("store/db.sqlite3")),
            site: absolute(flags.site_file.as_ref().unwrap_or(&usual))?,
            dir,
            data,
        };
        match flags.enable && paths.enabled().is_none() {
            true => Err(format!(
                "--enable links out of a folder sites-available, and {} is in none; leave --enable out where nginx \
                reads the file as it is",
                paths.site.display()
            )),
            false => Ok(paths),
        }
    }

    /// The link with which nginx reads a site file that lies in sites-available; elsewhere it needs
    /// none.
    pub fn enabled(&self) -> Option<PathBuf> {
        let folder = self.site.parent()?;
        let is_available = folder.file_name()? == "sites-available";
        let enabled = folder.with_file_name("sites-enabled");
        Some(enabled.join(self.site.file_name()?)).filter(|_| is_available)
    }

    /// The files of the store that an earlier start may have left.
    pub fn stores(&self) -> Vec<PathBuf> {
        let endings = ["sqlite3", "sqlite3-wal", "sqlite3-shm"];
        let store = self.store.iter();
        store
            .flat_map(|store| endings.map(|ending| store.with_extension(ending)))
            .collect()
    }

    /// The letters that are written where there is no mail server.
    pub fn letters(&self) -> PathBuf {
        self.data.join("mail")
    }
}

/// A path that can be written into the files.
pub fn absolute(path: &Path) -> Result<PathBuf, String> {
    let shown = path.display();
    let whole = std::path::absolute(path).map_err(|error| format!("{shown}: {error}"))?;
    let is_good = |text: &str| !text.contains('$') && !text.chars().any(char::is_control);
    match whole.to_str().is_some_and(is_good) {
        true => Ok(whole),
        false => Err(format!(
            "{}: nginx would not read this path as it is; choose one without `$` and control characters",
            path.to_string_lossy().escape_debug()
        )),
    }
}
