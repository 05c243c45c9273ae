//! Signals are for nginx's own thread: it waits for them, and one that another thread took would
//! wake nobody.

use std::mem::MaybeUninit;

/// Runs `f`, which starts a thread, with all signals blocked; the thread inherits that.
pub fn blocked<R>(f: impl FnOnce() -> R) -> R {
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: fills `all` and then `before`, and changes the mask of this thread alone.
    let changed = unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) == 0
    };
    let result = f();
    if changed {
        // SAFETY: `before` was filled when the mask was changed.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut()) };
    }
    result
}
