//! What the workers, who are not root, will find when they run: asked in their place.

use std::{
    fs::File,
    io::{Read, Write},
    os::fd::FromRawFd,
    panic::{AssertUnwindSafe, catch_unwind},
};

use super::ffi;

/// Longest sentence that comes back; nginx cuts its lines not much later.
const LONGEST: u64 = 1900;

/// Who the workers will be.
#[derive(Clone, Copy, Debug)]
pub struct Workers {
    /// `None`: who this process is.
    user: Option<User>,
    /// Whether there is a master that forks them.
    forked: bool,
}

#[derive(Clone, Copy, Debug)]
struct User {
    user: libc::uid_t,
    group: libc::gid_t,
    name: *const std::ffi::c_char,
}

impl Workers {
    /// The workers that `ccf` describes.
    pub fn of(ccf: &ffi::ngx_core_conf_t) -> Self {
        // SAFETY: asks the kernel who we are.
        let root = unsafe { libc::geteuid() } == 0;
        let known = ccf.user != ffi::ngx_uid_t::MAX;
        let forked = ccf.master == 1;
        Workers {
            user: (root && known && forked).then_some(User {
                user: ccf.user,
                group: ccf.group,
                name: ccf.username,
            }),
            forked,
        }
    }

    /// The name of their user; `None` where workers stay who this process is.
    pub fn name(&self) -> Option<String> {
        let User { user, name, .. } = self.user?;
        if name.is_null() {
            return Some(user.to_string());
        }
        // SAFETY: nginx keeps the name as a C string in the cycle's pool.
        let name = unsafe { std::ffi::CStr::from_ptr(name) };
        Some(name.to_string_lossy().into_owned())
    }

    /// Runs `check` as a worker would: in a short-lived child that becomes their user. Modes alone
    /// do not tell of access lists and of folders above, and what is opened in the child (a database
    /// above all) is closed before any worker is forked. Without a master this process is the one
    /// that serves; then it asks itself.
    ///
    /// # Errors
    /// What `check` says.
    pub fn ask(&self, check: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
        if !self.forked {
            return check();
        }
        let mut ends = [0; 2];
        // SAFETY: fills two descriptors, each of which is owned by one `File` below.
        if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
            return Err(failed("pipe"));
        }
        // SAFETY: as said.
        let (reader, writer) = unsafe { (File::from_raw_fd(ends[0]), File::from_raw_fd(ends[1])) };
        // SAFETY: the process that reads the configuration of a master has one thread, so the child
        // may do whatever this process may; it leaves by `_exit`, before anything of nginx is undone.
        match unsafe { libc::fork() } {
            -1 => Err(failed("fork")),
            0 => {
                drop(reader);
                answer(self.user, writer, check);
                // SAFETY: ends the child.
                unsafe { libc::_exit(0) }
            }
            child => {
                drop(writer);
                let said = hear(reader);
                wait_for(child);
                said
            }
        }
    }
}

/// In the child: becomes the user, asks, and writes what came of it.
fn answer(user: Option<User>, mut writer: File, check: impl FnOnce() -> Result<(), String>) {
    let checked = catch_unwind(AssertUnwindSafe(|| {
        user.map_or(Ok(()), User::become_it)?;
        check()
    }));
    let said = match checked {
        Ok(Ok(())) => "+".to_owned(),
        Ok(Err(sentence)) => format!("-{sentence}"),
        Err(_) => "-the check itself failed; this is a bug in Auth Gate".to_owned(),
    };
    // Whoever reads less than this has gone, and with it whoever could be told.
    let _ = writer.write_all(said.as_bytes());
}

/// In the parent: what the child wrote. A child that died says nothing, and that is no.
fn hear(reader: File) -> Result<(), String> {
    let mut said = Vec::new();
    let heard = reader.take(LONGEST).read_to_end(&mut said);
    match said.split_first() {
        Some((b'+', _)) => Ok(()),
        Some((_, sentence)) => Err(String::from_utf8_lossy(sentence).into_owned()),
        None => Err(match heard {
            Err(error) => format!("a check as the workers' user failed: {error}"),
            Ok(_) => "a check as the workers' user died".into(),
        }),
    }
}

fn wait_for(child: libc::pid_t) {
    let mut status = 0;
    // SAFETY: waits for a child of our own.
    while unsafe { libc::waitpid(child, &raw mut status, 0) } == -1 {
        if std::io::Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
            return;
        }
    }
}

fn failed(call: &str) -> String {
    format!("{call} failed: {}", std::io::Error::last_os_error())
}

impl User {
    /// Gives up being root, as nginx's workers do.
    fn become_it(self) -> Result<(), String> {
        let User { user, group, name } = self;
        // SAFETY: system calls; the name is a C string in the cycle's pool, or null.
        let became = unsafe {
            libc::setgid(group) == 0
                && (name.is_null() || libc::initgroups(name, group) == 0)
                && libc::setuid(user) == 0
        };
        if became {
            Ok(())
        } else {
            Err(failed("becoming the workers' user"))
        }
    }
}
