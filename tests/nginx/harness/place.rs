//! Where one nginx of a test lives: its directory with all files written out, its address, its backend.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use super::address::Address;
use super::backend::Backend;
use super::{Site, fastcgi, grpc, nginx, tls, uwsgi};

/// A directory with all files of a site in it, and the address it is written for. Removed when dropped.
pub struct Place {
    pub prefix: PathBuf,
    pub address: Address,
    pub backend: Backend,
}

impl Place {
    /// A place for this site, with its files.
    pub fn claim(site: &Site) -> Place {
        let place = Place::empty();
        for (path, text) in site.files() {
            place.write(&path, &place.filled(&text));
        }
        for (path, mode) in &site.modes {
            place.chmod(path, *mode);
        }
        for prepare in &site.preparations {
            prepare(&place.prefix);
        }
        place
    }

    /// A place with nothing but the certificate.
    pub fn empty() -> Place {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let prefix =
            std::env::temp_dir().join(format!("auth-gate-test-{}-{number}", std::process::id()));
        fs::create_dir_all(&prefix).expect("a directory for the site");
        let address = Address::claim();
        let backend = Backend::start(address.ip);
        let place = Place {
            prefix,
            address,
            backend,
        };
        place.write("site.pem", &tls::authority().chain_pem);
        place.write("site.key", &tls::authority().key_pem);
        place
    }

    /// Writes a file under the prefix, readable for workers.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.prefix.join(path);
        let directory = path.parent().expect("a file has a directory");
        fs::create_dir_all(directory)
            .and_then(|()| fs::write(&path, text))
            .expect("a file of the site");
    }

    /// Sets the mode of a file of the site.
    pub fn chmod(&self, path: &str, mode: u32) {
        let path = self.prefix.join(path);
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("chmod");
    }

    /// nginx on this site, with further arguments.
    pub fn nginx(&self, arguments: &[&str]) -> Command {
        let mut command = nginx::nginx();
        command
            .arg("-p")
            .arg(&self.prefix)
            .arg("-c")
            .arg(self.prefix.join("nginx.conf"));
        command.arg("-e").arg("stderr").args(arguments);
        command
    }

    /// A text with its places filled in.
    pub fn filled(&self, text: &str) -> String {
        let Address {
            ip, https, http, ..
        } = self.address;
        let level = std::env::var("AUTH_GATE_TEST_LOG").unwrap_or_else(|_| "info".into());
        let user = if is_root() { "user www-data;" } else { "" };
        // HTTP/2 was a word of this line before it became a directive.
        let listen = match nginx::version() >= [1, 25, 1] {
            true => format!("listen {ip}:{https} ssl; http2 on;"),
            false => format!("listen {ip}:{https} ssl http2;"),
        };
        let mut text = text
            .replace("@listen@", &listen)
            .replace("@quic@", &format!("listen {ip}:{https} quic;"))
            .replace("@clear@", &format!("listen {ip}:{http};"))
            .replace("@tls@", &self.address.tls().to_string())
            .replace("@address@", &ip.to_string())
            .replace("@backend@", &self.backend.address.to_string())
            .replace("@port@", &self.address.port_suffix())
            .replace("@prefix@", &self.prefix.display().to_string())
            .replace("@level@", &level)
            .replace("@user@", user);
        for (place, start) in [
            ("@fastcgi@", fastcgi::start as fn(_) -> _),
            ("@uwsgi@", uwsgi::start),
            ("@grpc@", grpc::start),
        ] {
            if text.contains(place) {
                text = text.replace(place, &start(ip).to_string());
            }
        }
        text
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if std::env::var_os("AUTH_GATE_TEST_KEEP").is_none() {
            let _ = fs::remove_dir_all(&self.prefix);
        }
    }
}

/// Gives a path to the user of the workers.
pub fn give(path: &Path) {
    if is_root() {
        let id = |what: &str| {
            let output = Command::new("id").args([what, "www-data"]).output();
            let number = output.expect("id runs").stdout;
            let number = String::from_utf8_lossy(&number).trim().parse();
            Some(number.expect("a number"))
        };
        chown(path, id("-u"), id("-g")).expect("chown");
    }
}

/// Whether nginx can drop to the user of its workers.
pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}
