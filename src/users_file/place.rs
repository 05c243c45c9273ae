//! The users file, its lock and the file that takes its place.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, CWD, FlockOperation, OFlags, StatxFlags, flock, statx};
use rustix::io::Errno;

use super::{NotWritten, Step};
use crate::config::MAX_USERS;

/// How long another writer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long until the lock is tried again.
const PAUSE: Duration = Duration::from_millis(10);

/// How the sentence about a file ends that cannot be replaced, whoever owns it.
pub const MOUNTED: &str = "it is mounted by itself, so that no new file can take its place; mount the \
    folder, not the file";

/// The users file and what stands beside it.
pub(super) struct Place {
    path: PathBuf,
    folder: PathBuf,
    lock: PathBuf,
    draft: PathBuf,
}

impl Place {
    /// Symbolic links are followed once, here: what they lead to is replaced, not they.
    pub(super) fn of(path: &Path) -> Result<Place, NotWritten> {
        let real = path
            .canonicalize()
            .map_err(|error| NotWritten::Failed(format!("{}: {error}", path.display())))?;
        let (Some(folder), Some(name)) = (real.parent(), real.file_name()) else {
            let sentence = format!("{} is no file", path.display());
            return Err(NotWritten::Failed(sentence));
        };
        let beside = |front: &str, back: &str| {
            let mut whole = OsString::from(front);
            whole.push(name);
            whole.push(OsStr::from_bytes(back.as_bytes()));
            folder.join(whole)
        };
        Ok(Place {
            lock: beside("", ".lock"),
            draft: beside(".", ".auth-gate-new"),
            folder: folder.to_owned(),
            path: real,
        })
    }

    pub(super) fn failed(&self, why: impl std::fmt::Display) -> NotWritten {
        let path = self.path.display();
        NotWritten::Failed(format!("cannot change {path}: {why}"))
    }

    fn cannot(&self, what: &str, error: &io::Error) -> NotWritten {
        let hint = match error.kind() {
            ErrorKind::PermissionDenied => {
                "; let the user that nginx's workers run as, and its group, own the users file and its folder"
            }
            ErrorKind::ResourceBusy => return self.failed(MOUNTED),
            ErrorKind::ReadOnlyFilesystem => {
                "; mount its folder so that it can be written, or switch \
                authentication_backend.password_change and password_reset off"
            }
            _ => "",
        };
        self.failed(format!("{what}: {error}{hint}"))
    }

    pub(super) fn open(&self) -> Result<(File, Metadata), NotWritten> {
        let open = || {
            let file = OpenOptions::new()
                .read(true)
                .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32)
                .open(&self.path)?;
            let metadata = file.metadata()?;
            Ok((file, metadata))
        };
        let (file, metadata) = open().map_err(|error| self.cannot("cannot open it", &error))?;
        if !metadata.is_file() {
            return Err(self.failed("it is no regular file"));
        }
        Ok((file, metadata))
    }

    pub(super) fn read(&self) -> Result<(Vec<u8>, Metadata), NotWritten> {
        let (file, metadata) = self.open()?;
        let mut bytes = Vec::new();
        file.take(MAX_USERS as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| self.cannot("cannot read it", &error))?;
        Ok((bytes, metadata))
    }

    /// Whether the file can be replaced where it stands: not if it is a mount of its own, as a single
    /// file that is bound into a container is. A kernel that does not tell leaves that to the rename.
    pub(super) fn check_mount(&self) -> Result<(), NotWritten> {
        let mount = |path: &Path| {
            let told = statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::MNT_ID).ok()?;
            let has_id = told.stx_mask & StatxFlags::MNT_ID.bits() != 0;
            has_id.then_some(told.stx_mnt_id)
        };
        match (mount(&self.path), mount(&self.folder)) {
            (Some(own), Some(folder)) if own != folder => Err(self.failed(MOUNTED)),
            _ => Ok(()),
        }
    }

    /// The lock file, locked; it is let go with the answer, or when the process ends. Whoever may
    /// read the users file may wait for the lock.
    pub(super) fn lock(&self, users: &Metadata) -> Result<File, NotWritten> {
        self.lock_within(users, PATIENCE)?
            .ok_or_else(|| self.failed("another program holds its lock; try again"))
    }

    /// The same; `None` when another program has held it for so long.
    pub(super) fn lock_within(
        &self,
        users: &Metadata,
        patience: Duration,
    ) -> Result<Option<File>, NotWritten> {
        let mode = users.mode() & 0o666;
        let open = || {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(mode)
                .custom_flags(OFlags::NOFOLLOW.bits() as i32)
                .open(&self.lock);
            let file = match file {
                // Somebody else's; reading is enough to lock it.
                Err(error) if error.kind() == ErrorKind::PermissionDenied => OpenOptions::new()
                    .read(true)
                    .custom_flags(OFlags::NOFOLLOW.bits() as i32)
                    .open(&self.lock)
                    .map_err(|_| error)?,
                file => file?,
            };
            let own = file.metadata()?;
            if (own.uid(), own.gid()) != (users.uid(), users.gid()) {
                // Made by root it should serve the workers; nobody else may give it away.
                let _ = fchown(&file, Some(users.uid()), Some(users.gid()));
            }
            Ok(file)
        };
        let file = open().map_err(|error| {
            self.cannot(&format!("cannot open {}", self.lock.display()), &error)
        })?;
        let start = Instant::now();
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Some(file)),
                Err(Errno::AGAIN | Errno::INTR) if start.elapsed() < patience => {
                    std::thread::sleep(PAUSE);
                }
                Err(Errno::AGAIN) => return Ok(None),
                Err(error) => return Err(self.cannot("cannot lock it", &error.into())),
            }
        }
    }

    /// What a writer left that was killed.
    pub(super) fn remove_draft(&self) -> Result<(), NotWritten> {
        match std::fs::remove_file(&self.draft) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                let what = format!("cannot remove {}", self.draft.display());
                Err(self.cannot(&what, &error))
            }
            _ => Ok(()),
        }
    }

    /// An empty file that may become the users file: nobody else's, readable for whom that one is.
    pub(super) fn draft(&self, users: &Metadata) -> Result<File, NotWritten> {
        let make = || {
            let file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .custom_flags(OFlags::NOFOLLOW.bits() as i32)
                .open(&self.draft)?;
            let own = file.metadata()?;
            if (own.uid(), own.gid()) != (users.uid(), users.gid()) {
                fchown(&file, Some(users.uid()), Some(users.gid()))?;
            }
            file.set_permissions(Permissions::from_mode(users.mode() & 0o7777))?;
            Ok(file)
        };
        make().map_err(|error| self.cannot("cannot make the new file beside it", &error))
    }

    pub(super) fn replace(
        &self,
        bytes: &[u8],
        read: &Metadata,
        done: &mut dyn FnMut(Step),
    ) -> Result<(), NotWritten> {
        let mut draft = self.draft(read)?;
        done(Step::Created);
        let (front, back) = bytes.split_at(bytes.len() / 2);
        let mut write = || {
            draft.write_all(front)?;
            done(Step::HalfWritten);
            draft.write_all(back)?;
            draft.sync_all()
        };
        write().map_err(|error| self.cannot("cannot write the new file beside it", &error))?;
        done(Step::Written);
        let (_, now) = self.open()?;
        if !is_same(read, &now) {
            return Err(NotWritten::Stale);
        }
        std::fs::rename(&self.draft, &self.path)
            .map_err(|error| self.cannot("cannot put the new file in its place", &error))?;
        done(Step::Renamed);
        // The new file is in its place; whether that outlives a power cut is the disk's affair.
        if let Ok(folder) = File::open(&self.folder) {
            let _ = folder.sync_all();
        }
        done(Step::Synced);
        Ok(())
    }
}

/// Whether nobody without the lock, an editor for instance, has written in between.
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    let marks = |m: &Metadata| (m.dev(), m.ino(), m.len(), m.mtime(), m.mtime_nsec());
    marks(one) == marks(other)
}
