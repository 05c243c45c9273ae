//! What is to be written: looked at before, shown, and undone if it cannot be finished.

use std::fs::{self, DirBuilder, File as Handle, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{
    DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown, lchown, symlink,
};
use std::path::{Path, PathBuf};

use ngx_http_auth_gate_module::config::Loader;
use ngx_http_auth_gate_module::files::Disk;
use rustix::fs::{Access, access};
use rustix::process::geteuid;
use zeroize::Zeroizing;

use super::owner::Owner;

/// What stands in the place of a secret when a file is shown.
const HIDDEN: &str = "(not shown)";

/// A folder; one that is there already stays as it is.
pub struct Folder {
    pub path: PathBuf,
    pub owner: Owner,
    pub mode: u32,
    /// Whether it has to be its owner's, also if it is there already.
    pub own: bool,
}

/// A file that is not there yet.
pub struct File {
    pub path: PathBuf,
    pub owner: Owner,
    pub mode: u32,
    pub content: Zeroizing<String>,
    /// Pieces of the content that are not shown.
    pub secrets: Vec<Zeroizing<String>>,
}

/// A symbolic link that is not there yet.
pub struct Link {
    pub path: PathBuf,
    pub to: PathBuf,
}

/// Everything that is written, in order.
pub struct Plan {
    pub folders: Vec<Folder>,
    pub files: Vec<File>,
    pub link: Option<Link>,
    /// What must not be there besides, because it belongs to another start.
    pub absent: Vec<PathBuf>,
}

impl Plan {
    /// Everything that is in the way, one sentence each.
    pub fn obstacles(&self) -> Vec<String> {
        let files = self.files.iter().map(|file| &file.path);
        let links = self.link.iter().map(|link| &link.path);
        let new = files.chain(&self.absent).chain(links);
        let mut all: Vec<_> = new
            .filter_map(|path| taken(path))
            .chain(self.folders.iter().filter_map(Folder::obstacle))
            .chain(self.homeless())
            .chain(self.shut())
            .collect();
        // One folder may keep several files away.
        all.dedup();
        all
    }

    /// Folders in which we may not write.
    fn shut(&self) -> Vec<String> {
        let files = self.files.iter().map(|file| file.path.as_path());
        let links = self.link.iter().map(|link| link.path.as_path());
        let mut all: Vec<_> = files.chain(links).filter_map(shut).collect();
        all.sort();
        all
    }

    /// Files and links whose folder is neither there nor made.
    fn homeless(&self) -> Vec<String> {
        let files = self.files.iter().map(|file| file.path.as_path());
        let all = files.chain(self.link.iter().map(|link| link.path.as_path()));
        let is_made = |folder: &Path| self.folders.iter().any(|made| made.path == folder);
        all.filter_map(|path| {
            let folder = path.parent()?;
            (!folder.is_dir() && !is_made(folder)).then(|| {
                format!(
                    "{}: there is no folder {}; install nginx first, or choose another place",
                    path.display(),
                    folder.display()
                )
            })
        })
        .collect()
    }

    /// For a person to look through.
    pub fn shown(&self) -> String {
        let mut text = String::new();
        for folder in self.folders.iter().filter(|folder| !folder.is_there()) {
            text += &format!(
                "{}/  (folder, {}, mode {:04o})\n",
                folder.path.display(),
                folder.owner.names,
                folder.mode
            );
        }
        for file in &self.files {
            text += &format!(
                "\n{}  ({}, mode {:04o})\n",
                file.path.display(),
                file.owner.names,
                file.mode
            );
            let mut content = file.content.to_string();
            for secret in &file.secrets {
                content = content.replace(secret.as_str(), HIDDEN);
            }
            for line in content.lines() {
                text += format!("    {line}").trim_end();
                text.push('\n');
            }
        }
        if let Some(link) = &self.link {
            let (path, to) = (link.path.display(), link.to.display());
            text += &format!("\n{path}  (link to {to})\n");
        }
        text
    }

    /// Writes everything, or nothing.
    pub fn write(&self) -> Result<Written, String> {
        let mut written = Written(Vec::new());
        let failed = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
        for folder in self.folders.iter().filter(|folder| !folder.is_there()) {
            let made = folder.make(&mut written);
            made.map_err(|error| failed(&folder.path, error))?;
        }
        for file in &self.files {
            let made = file.make(&mut written);
            made.map_err(|error| failed(&file.path, error))?;
        }
        if let Some(link) = &self.link {
            symlink(&link.to, &link.path).map_err(|error| failed(&link.path, error))?;
            written.0.push(link.path.clone());
        }
        Ok(written)
    }
}

/// A sentence about what is there although it should not.
pub fn taken(path: &Path) -> Option<String> {
    path.symlink_metadata().is_ok().then(|| {
        format!(
            "{} is there already, and nothing is overwritten; take it away first, or choose another place",
            path.display()
        )
    })
}

/// A sentence about the folder in which a file or the folders above it would be made, if we may not
/// write there.
pub fn shut(path: &Path) -> Option<String> {
    let folder = path.ancestors().skip(1).find(|above| above.is_dir())?;
    let error = access(folder, Access::WRITE_OK | Access::EXEC_OK).err()?;
    let remedy = match geteuid().is_root() {
        true => "choose another place",
        false => "run this with sudo, or choose another place",
    };
    Some(format!(
        "nothing can be written in {}: {error}; {remedy}",
        folder.display()
    ))
}

/// A configuration that is not written yet is read from the plan.
impl Loader for Plan {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        match self.files.iter().find(|file| file.path == path) {
            Some(file) => Ok(file.content.as_bytes().to_vec()),
            None => Disk.read(path),
        }
    }

    fn env(&self) -> Vec<(String, String)> {
        Disk.env()
    }
}

impl Folder {
    fn is_there(&self) -> bool {
        self.path.symlink_metadata().is_ok()
    }

    fn obstacle(&self) -> Option<String> {
        let path = self.path.display();
        let found = self.path.symlink_metadata().ok()?;
        let names = &self.owner.names;
        // A link would be followed by root into what belongs to somebody else.
        if !found.is_dir() && (self.own || !self.path.is_dir()) {
            return Some(format!("{path} is no folder; choose another place"));
        }
        // With the sticky bit what is in it is its owner's alone. In a container without root,
        // whose volumes may come like that, there is nobody else.
        let is_open = |mode: u32| geteuid().is_root() && mode & 0o1002 == 0o002;
        if is_open(self.path.metadata().map_or(0, |folder| folder.mode())) {
            return Some(format!(
                "{path} can be written by everybody, and so could what is in it be replaced: chmod o-w '{path}'"
            ));
        }
        let foreign = self.own && found.uid() != self.owner.user;
        foreign.then(|| {
            format!("{path} does not belong to the user of nginx's workers: chown {names} '{path}'")
        })
    }

    fn make(&self, written: &mut Written) -> io::Result<()> {
        DirBuilder::new().mode(0o700).create(&self.path)?;
        written.0.push(self.path.clone());
        // The mode first: afterwards it may be another's folder, who could put something in its place.
        fs::set_permissions(&self.path, Permissions::from_mode(self.mode))?;
        lchown(&self.path, Some(self.owner.user), Some(self.owner.group))
    }
}

impl File {
    fn make(&self, written: &mut Written) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.path)?;
        written.0.push(self.path.clone());
        self.fill(&mut file)
    }

    fn fill(&self, file: &mut Handle) -> io::Result<()> {
        file.write_all(self.content.as_bytes())?;
        fchown(&*file, Some(self.owner.user), Some(self.owner.group))?;
        file.set_permissions(Permissions::from_mode(self.mode))?;
        file.sync_all()
    }
}

/// What was written; it is taken away again unless it is kept.
pub struct Written(Vec<PathBuf>);

impl Written {
    pub fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        for path in self.0.iter().rev() {
            let is_folder = path.symlink_metadata().is_ok_and(|found| found.is_dir());
            // A folder into which somebody else wrote meanwhile stays.
            let _ = match is_folder {
                true => fs::remove_dir(path),
                false => fs::remove_file(path),
            };
        }
    }
}
