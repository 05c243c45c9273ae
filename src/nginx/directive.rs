//! One directive while nginx reads it: its words, its place, and how a mistake in it is told.

use std::path::{Path, PathBuf};

use super::{
    ffi::{self, ngx_conf_t, ngx_str_t, ngx_uint_t},
    log::{self, Level},
    request,
};

/// A directive while it is read: its words and the place it stands at.
pub struct Directive {
    cf: *mut ngx_conf_t,
}

/// Why a directive is refused.
pub enum Mistake {
    /// It stands twice where once is enough.
    Duplicate,
    /// A sentence for the administrator; nginx adds file and line.
    Says(String),
    /// Every mistake was logged already.
    Logged,
}

impl Directive {
    /// The directive that nginx is reading.
    ///
    /// # Safety
    ///
    /// `cf` is that of the running callback.
    pub unsafe fn from_callback(cf: *mut ngx_conf_t) -> Self {
        Directive { cf }
    }

    /// The words after the directive's name.
    pub fn words<'a>(&self) -> Vec<&'a [u8]> {
        // SAFETY: `args` of the directive being read is an array of strings, the name first.
        unsafe {
            (*(*self.cf).args).as_slice::<ngx_str_t>()[1..]
                .iter()
                .map(request::bytes)
                .collect()
        }
    }

    /// The words, which must be UTF-8.
    pub fn texts<'a>(&self) -> Result<Vec<&'a str>, Mistake> {
        self.words()
            .into_iter()
            .map(|word| std::str::from_utf8(word).map_err(|_| Mistake::Says("is not UTF-8".into())))
            .collect()
    }

    /// The only word of a directive that takes one.
    pub fn text<'a>(&self) -> Result<&'a str, Mistake> {
        self.texts()?
            .into_iter()
            .next()
            .ok_or_else(|| Mistake::Says("wants a value".into()))
    }

    /// nginx's own structure.
    pub fn cf(&self) -> *mut ngx_conf_t {
        self.cf
    }

    /// A file name of the configuration, made absolute as nginx does it.
    pub fn file(&self, name: &str) -> Result<PathBuf, Mistake> {
        if name.is_empty() {
            // nginx looks at the first byte of a name.
            return Err(Mistake::Says("wants the name of a file".into()));
        }
        let mut full = ngx_str_t {
            len: name.len(),
            data: name.as_ptr().cast_mut(),
        };
        // SAFETY: `full` is a string of the live configuration; the call replaces it by one of the cycle's pool.
        let result = unsafe { ffi::ngx_conf_full_name((*self.cf).cycle, &raw mut full, 1) };
        if result != ffi::OK {
            return Err(Mistake::Logged);
        }
        Ok(
            Path::new(std::str::from_utf8(request::bytes(&full)).map_err(|_| Mistake::Logged)?)
                .to_owned(),
        )
    }

    /// Logs a sentence at this place of the configuration.
    pub fn log(&self, level: Level, message: &str) {
        conf_log(self.cf, level, message);
    }
}

/// Fills an empty place, or says that it is taken.
pub fn once<T>(place: &mut Option<T>, value: T) -> Result<(), Mistake> {
    if place.is_some() {
        return Err(Mistake::Duplicate);
    }
    *place = Some(value);
    Ok(())
}

/// A time of the configuration, in seconds.
pub fn seconds(word: &[u8]) -> Option<u64> {
    let mut text = request::text(word);
    // SAFETY: parses a string that lives for the call, and does not change it.
    let seconds = unsafe { ffi::ngx_parse_time(&raw mut text, 1) };
    u64::try_from(seconds).ok()
}

/// Logs a sentence with file and line of the directive being read.
pub fn conf_log(cf: *mut ngx_conf_t, level: Level, message: &str) {
    // SAFETY: `cf` is live while nginx reads its configuration; the format reads length and pointer.
    unsafe {
        ffi::ngx_conf_log_error(
            level as ngx_uint_t,
            cf,
            0,
            c"%*s".as_ptr(),
            message.len(),
            message.as_ptr(),
        );
    }
}

/// Logs every problem of the YAML configuration on a line of its own, in the words of the config room.
pub fn log_problems(cf: *mut ngx_conf_t, level: Level, problems: &[crate::config::Problem]) {
    for problem in problems {
        // SAFETY: `cf` is live while nginx reads its configuration.
        log::write(unsafe { (*cf).log }, level, format_args!("{problem}"));
    }
}
