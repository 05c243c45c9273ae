//! Lines in nginx's log, bounded in length as nginx's own are.

use std::fmt;

use super::ffi;

/// Severity, in nginx's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Level {
    Emerg = ffi::NGX_LOG_EMERG as isize,
    Alert = ffi::NGX_LOG_ALERT as isize,
    Error = ffi::NGX_LOG_ERR as isize,
    Warn = ffi::NGX_LOG_WARN as isize,
    Notice = ffi::NGX_LOG_NOTICE as isize,
    Info = ffi::NGX_LOG_INFO as isize,
}

/// Writes one line to `log`; a null log swallows it.
pub fn write(log: *mut ffi::ngx_log_t, level: Level, message: fmt::Arguments<'_>) {
    // SAFETY: every log handed to us is nginx's own and outlives the callback; null is checked.
    unsafe {
        if log.is_null() || (*log).log_level < level as ffi::ngx_uint_t {
            return;
        }
        let mut buffer =
            [const { std::mem::MaybeUninit::<u8>::uninit() }; ngx::log::LOG_BUFFER_SIZE];
        let text = ngx::log::write_fmt(&mut buffer, message);
        ngx::log::log_error(level as ffi::ngx_uint_t, log, 0, text);
    }
}

/// Writes one line to the log of the running cycle.
pub fn cycle(level: Level, message: fmt::Arguments<'_>) {
    write(cycle_log(), level, message);
}

/// The log of the running cycle, null before there is one.
pub fn cycle_log() -> *mut ffi::ngx_log_t {
    // SAFETY: nginx sets `ngx_cycle` before it loads any module and replaces it only on the loop.
    unsafe {
        let cycle = ffi::ngx_cycle;
        if cycle.is_null() {
            std::ptr::null_mut()
        } else {
            (*cycle).log
        }
    }
}
