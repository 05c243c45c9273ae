//! Whether the workers, who are not root, can read what they will have to.

use std::{ffi::CString, os::unix::ffi::OsStrExt, path::Path};

use super::ffi;

/// The user whom the workers run as.
#[derive(Clone, Copy, Debug)]
pub struct WorkerUser {
    user: libc::uid_t,
    group: libc::gid_t,
    name: *const std::ffi::c_char,
}

impl WorkerUser {
    /// The user that `ccf` names; `None` when this process is not root and workers stay who it is.
    pub fn of(ccf: &ffi::ngx_core_conf_t) -> Option<Self> {
        // SAFETY: asks the kernel who we are.
        let root = unsafe { libc::geteuid() } == 0;
        let known = ccf.user != ffi::ngx_uid_t::MAX;
        // Without a master the process that asks is the one that serves, and has threads to fork with.
        let master = ccf.master == 1;
        (root && known && master).then_some(WorkerUser {
            user: ccf.user,
            group: ccf.group,
            name: ccf.username,
        })
    }

    /// The user's name.
    pub fn name(&self) -> String {
        if self.name.is_null() {
            return self.user.to_string();
        }
        // SAFETY: nginx keeps the name as a C string in the cycle's pool.
        unsafe { std::ffi::CStr::from_ptr(self.name) }
            .to_string_lossy()
            .into_owned()
    }

    /// Whether that user can read `path`. Asked of the kernel by a short-lived child that becomes
    /// the user: modes alone do not tell of access lists and of folders above.
    pub fn can_read(&self, path: &Path) -> bool {
        let Ok(path) = CString::new(path.as_os_str().as_bytes()) else {
            return false;
        };
        // SAFETY: the child calls nothing but system calls and `initgroups`, and leaves by `_exit`;
        // nginx has no threads in the process that reads the configuration.
        unsafe {
            match libc::fork() {
                -1 => false,
                0 => {
                    let became = libc::setgid(self.group) == 0
                        && (self.name.is_null() || libc::initgroups(self.name, self.group) == 0)
                        && libc::setuid(self.user) == 0;
                    let file = if became {
                        libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC)
                    } else {
                        -1
                    };
                    libc::_exit(i32::from(file < 0));
                }
                child => {
                    let mut status = 0;
                    while libc::waitpid(child, &raw mut status, 0) == -1 {
                        if *libc::__errno_location() != libc::EINTR {
                            return false;
                        }
                    }
                    libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0
                }
            }
        }
    }
}
