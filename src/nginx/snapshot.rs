//! The users as this worker knows them, and the watch over the file they come from.

use std::{
    cell::{Cell, Ref, RefCell},
    os::unix::fs::MetadataExt,
    path::Path,
    rc::Rc,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{
    job::{self, AtExit},
    log::{self, Level},
    timer::Timer,
};
use crate::{
    config::{self, Config, Problem, UsersFile},
    users::Directory,
};

/// Milliseconds between two looks at the file: a change is known within a second, the reading of a
/// large file included.
const INTERVAL: usize = 300;

/// A file that changed less than this ago may still be being written.
const SETTLED: Duration = Duration::from_millis(100);

/// The users as this process knows them.
pub struct Snapshot {
    directory: RefCell<Arc<Directory>>,
    seen: Cell<Seen>,
}

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

/// What was known of the file after the last look.
#[derive(Clone, Copy)]
enum Seen {
    /// Nobody looked since the configuration was read.
    Nothing,
    /// The file in this state.
    File(Stamp),
    /// No file.
    Absence,
}

/// What a look at the file found.
enum Look {
    Same,
    Changed(Stamp, Box<Result<Arc<Directory>, Vec<Problem>>>),
    Gone(std::io::Error),
}

impl Snapshot {
    /// The users that the configuration was read with.
    pub fn new(config: &Config) -> Self {
        Snapshot {
            directory: RefCell::new(Arc::clone(&config.directory)),
            // It may have changed since it was read, so the first look reads it again.
            seen: Cell::new(Seen::Nothing),
        }
    }

    /// The users as they are now.
    pub fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory.borrow())
    }

    /// The same for a moment in which the loop does nothing else.
    pub fn borrow(&self) -> Ref<'_, Directory> {
        Ref::map(self.directory.borrow(), |directory| &**directory)
    }

    /// Looks at the file again and again in this worker, on a thread, until the configuration that
    /// holds the snapshot goes.
    pub fn watch(self: &Rc<Self>, config: &Arc<Config>, threads: job::Threads) {
        let (snapshot, config) = (Rc::downgrade(self), Arc::clone(config));
        Timer::every(INTERVAL, move |again| {
            let Some(seen) = snapshot.upgrade().map(|snapshot| snapshot.seen.get()) else {
                return;
            };
            let (snapshot, config) = (snapshot.clone(), Arc::clone(&config));
            let path = config.users_file.path.clone();
            let work = move || look(&config.users_file, seen);
            job::spawn(threads, AtExit::Leave, work, move |look| {
                match (snapshot.upgrade(), look) {
                    (Some(snapshot), Some(look)) => snapshot.take(&path, look),
                    (Some(_), None) => log::cycle(
                        Level::Error,
                        format_args!(
                            "auth_gate: {}: no thread to look at it; trying again",
                            path.display()
                        ),
                    ),
                    (None, _) => return,
                }
                again.arm();
            });
        });
    }

    fn take(&self, path: &Path, look: Look) {
        let path = path.display();
        match look {
            Look::Same => {}
            Look::Gone(error) => {
                // Said once: the next look finds the same absence.
                if !matches!(self.seen.replace(Seen::Absence), Seen::Absence) {
                    log::cycle(
                        Level::Error,
                        format_args!("auth_gate: {path}: {error}; the users known so far stay"),
                    );
                }
            }
            Look::Changed(stamp, read) => {
                let first = matches!(self.seen.replace(Seen::File(stamp)), Seen::Nothing);
                match *read {
                    Ok(directory) => {
                        let count = directory.len();
                        *self.directory.borrow_mut() = directory;
                        let level = if first { Level::Info } else { Level::Notice };
                        log::cycle(
                            level,
                            format_args!("auth_gate: {path}: read again, {count} users"),
                        );
                    }
                    Err(problems) => {
                        for problem in problems {
                            log::cycle(
                                Level::Error,
                                format_args!("auth_gate: {problem}; the users known so far stay"),
                            );
                        }
                    }
                }
            }
        }
    }
}

/// Runs on a thread: nothing here touches nginx.
fn look(file: &UsersFile, seen: Seen) -> Look {
    let now = match stamp(&file.path) {
        Ok(now) if now.is_fresh() || matches!(seen, Seen::File(stamp) if stamp == now) => {
            return Look::Same;
        }
        Ok(now) => now,
        Err(error) => return Look::Gone(error),
    };
    let read = match std::fs::read(&file.path) {
        Ok(bytes) => {
            config::load_users(&file.path, &bytes, file).map(|(directory, _)| Arc::new(directory))
        }
        Err(error) => return Look::Gone(error),
    };
    Look::Changed(now, Box::new(read))
}

impl Stamp {
    /// Whether the file changed just now. A change in the future is a clock that was set back.
    fn is_fresh(&self) -> bool {
        let (seconds, nanoseconds) = self.changed;
        let changed = Duration::new(
            u64::try_from(seconds).unwrap_or(0),
            u32::try_from(nanoseconds).unwrap_or(0),
        );
        SystemTime::now()
            .duration_since(UNIX_EPOCH + changed)
            .is_ok_and(|age| age < SETTLED)
    }
}

fn stamp(path: &Path) -> std::io::Result<Stamp> {
    let meta = std::fs::metadata(path)?;
    Ok(Stamp {
        device: meta.dev(),
        inode: meta.ino(),
        size: meta.size(),
        changed: (meta.ctime(), meta.ctime_nsec()),
    })
}
