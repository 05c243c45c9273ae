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
    durable::clerk,
    job::{self, AtExit},
    log::{self, Level},
    timer::Timer,
    zone::Zone,
};
use crate::{
    config::{self, Config, Problem, UsersFile},
    users::Directory,
};

/// Milliseconds between two looks at what other workers say of the file.
const INTERVAL: usize = 100;

/// How many of those there are to a look at the file itself: a change is known within a second, the
/// reading of a large file included.
const ROUND: u32 = 3;

/// A file that changed less than this ago may still be being written.
const SETTLED: Duration = Duration::from_millis(100);

/// Milliseconds for which a user must be gone before sessions end for good: a file may have been read
/// while somebody was still writing it.
const STILL_GONE: usize = 2000;

/// The users as this process knows them.
pub struct Snapshot {
    directory: RefCell<Arc<Directory>>,
    seen: Cell<Seen>,
    /// Since when `directory` is what it is.
    since: Cell<u64>,
    /// Which change of ours to the file `directory` has seen; counted in the zone. Where the file was
    /// changed before this worker began, it is read once more.
    generation: Cell<u32>,
    /// The newest reading of this process that was adopted.
    adopted: Cell<u64>,
}

/// The file as a thread of this process read it after changing it.
pub struct Reading {
    /// Later readings have higher numbers.
    pub number: u64,
    stamp: Stamp,
    directory: Arc<Directory>,
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
            since: Cell::new(0),
            generation: Cell::new(0),
            adopted: Cell::new(0),
        }
    }

    /// Unix second since which this worker knows the users as it does; 0 before it began.
    pub fn since(&self) -> u64 {
        self.since.get()
    }

    /// The users as they are now.
    pub fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory.borrow())
    }

    /// The same for a moment in which the loop does nothing else.
    pub fn borrow(&self) -> Ref<'_, Directory> {
        Ref::map(self.directory.borrow(), |directory| &**directory)
    }

    /// Looks in this worker, until the configuration that holds the snapshot goes, whether another
    /// worker has changed the file, and where it is watched also at the file itself, on a thread.
    pub fn watch(self: &Rc<Self>, config: &Arc<Config>, zone: &Rc<Zone>, threads: job::Threads) {
        // The master may have read the file long before this worker was forked.
        self.since.set(super::now());
        let (snapshot, config, zone) = (Rc::downgrade(self), Arc::clone(config), Rc::clone(zone));
        let round = Cell::new(0);
        Timer::every(INTERVAL, move |again| {
            let Some(known) = snapshot.upgrade() else {
                return;
            };
            let generation = zone.users_generation();
            let told = generation != known.generation.get();
            round.set((round.get() + 1) % ROUND);
            let due = config.users_file.watch && round.get() == 0;
            if !told && !due {
                return again.arm();
            }
            // Who was told reads the file even if it looks the same.
            let seen = if told {
                Seen::Nothing
            } else {
                known.seen.get()
            };
            let (snapshot, config) = (snapshot.clone(), Arc::clone(&config));
            let path = config.users_file.path.clone();
            let work = move || look(&config.users_file, seen, told);
            job::spawn(threads, AtExit::Leave, work, move |look| {
                match (snapshot.upgrade(), look) {
                    (Some(snapshot), Some(look)) => {
                        snapshot.take(&path, look);
                        snapshot.generation.set(generation);
                    }
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

    /// Takes over what this process has written to the file, and lets the other workers know.
    pub fn adopt(&self, reading: Reading, zone: &Zone) {
        let generation = zone.next_users_generation();
        if self.adopted.get() >= reading.number {
            return;
        }
        self.adopted.set(reading.number);
        self.seen.set(Seen::File(reading.stamp));
        *self.directory.borrow_mut() = reading.directory;
        self.since.set(super::now());
        // If others have changed it, too, it is read once more.
        if self.generation.get().wrapping_add(1) == generation {
            self.generation.set(generation);
        }
    }

    /// Those who were users in `before` and are no more, or are disabled: their sessions end wherever
    /// they are, if that is still so a moment later.
    fn dismiss(self: &Rc<Self>, before: &Directory) {
        let now = self.borrow();
        let names = before.iter().map(|user| user.name.clone());
        let gone: Vec<String> = names.filter(|name| now.user(name).is_none()).collect();
        if gone.is_empty() {
            return;
        }
        let snapshot = Rc::downgrade(self);
        Timer::once(STILL_GONE, move || {
            let Some(snapshot) = snapshot.upgrade() else {
                return;
            };
            let now = snapshot.borrow();
            let gone = gone.iter().filter(|name| now.user(name).is_none());
            gone.for_each(|name| clerk::dismissed(name));
        });
    }

    fn take(self: &Rc<Self>, path: &Path, look: Look) {
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
                        let before = self.directory.replace(directory);
                        self.dismiss(&before);
                        self.since.set(super::now());
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

/// Reads the file that this process has just written. For a thread.
///
/// # Errors
/// What is wrong with it, in one sentence.
pub fn read_own(file: &UsersFile, number: u64) -> Result<Reading, String> {
    let unreadable = |error: std::io::Error| format!("{}: {error}", file.path.display());
    let stamp = stamp(&file.path).map_err(unreadable)?;
    let directory = match read(file).map_err(unreadable)? {
        Ok(directory) => directory,
        Err(problems) => {
            return Err(problems
                .first()
                .map(ToString::to_string)
                .unwrap_or_default());
        }
    };
    Ok(Reading {
        number,
        stamp,
        directory,
    })
}

/// Runs on a thread: nothing here touches nginx. A file that changed just now may still be being
/// written, unless it `is_whole`: we replace it in one step.
fn look(file: &UsersFile, seen: Seen, is_whole: bool) -> Look {
    let now = match stamp(&file.path) {
        Ok(now)
            if (now.is_fresh() && !is_whole)
                || matches!(seen, Seen::File(stamp) if stamp == now) =>
        {
            return Look::Same;
        }
        Ok(now) => now,
        Err(error) => return Look::Gone(error),
    };
    match read(file) {
        Ok(read) => Look::Changed(now, Box::new(read)),
        Err(error) => Look::Gone(error),
    }
}

fn read(file: &UsersFile) -> std::io::Result<Result<Arc<Directory>, Vec<Problem>>> {
    let bytes = std::fs::read(&file.path)?;
    let read = config::load_users(&file.path, &bytes, file);
    Ok(read.map(|(directory, _)| Arc::new(directory)))
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
