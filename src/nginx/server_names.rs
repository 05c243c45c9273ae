//! The names of a server, copied because nginx frees them after the configuration.

use rustc_hash::FxHashSet;

use super::{
    ffi::{self, ngx_http_server_name_t, ngx_regex_t, ngx_str_t},
    request::bytes,
};

/// The names by which a server may be asked.
#[derive(Default)]
pub struct ServerNames {
    /// Only the configuration adds to it, so that its hash needs no secret.
    exact: FxHashSet<Box<[u8]>>,
    /// `.example.com`, for `*.example.com` and `.example.com`.
    suffixes: Vec<Box<[u8]>>,
    /// `www.`, for `www.*`.
    prefixes: Vec<Box<[u8]>>,
    regexes: Vec<*mut ngx_regex_t>,
    any: bool,
    first: Option<Box<str>>,
}

impl ServerNames {
    /// Copies the names of a server at the end of the configuration.
    pub fn copy(names: &[ngx_http_server_name_t]) -> Self {
        let mut copy = ServerNames::default();
        for name in names {
            // SAFETY: a name with `regex` points at the compiled expression, in the cycle's pool.
            match unsafe { name.regex.as_ref() } {
                Some(regex) => copy.regexes.push(regex.regex),
                None => copy.add(bytes(&name.name)),
            }
        }
        copy.first = names.first().and_then(plain).map(Into::into);
        // `server_name _;` and its like are names that no visitor can ask for: such a server is a
        // catch-all on purpose.
        let real = copy
            .exact
            .iter()
            .any(|name| name.iter().any(u8::is_ascii_alphanumeric));
        copy.any |= !real
            && copy.suffixes.is_empty()
            && copy.prefixes.is_empty()
            && copy.regexes.is_empty();
        copy
    }

    fn add(&mut self, name: &[u8]) {
        let name = name.to_ascii_lowercase();
        if let Some(suffix) = name.strip_prefix(b"*") {
            self.suffixes.push(suffix.into());
        } else if let Some(apex) = name.strip_prefix(b".") {
            self.exact.insert(apex.into());
            self.suffixes.push(name.into());
        } else if let Some(prefix) = name.strip_suffix(b"*") {
            self.prefixes.push(prefix.into());
        } else {
            self.exact.insert(name.into());
        }
    }

    /// Whether a name of the server covers `host` (lower case, no port, no final dot).
    pub fn cover(&self, host: &[u8]) -> bool {
        self.any
            || self.exact.contains(host)
            || self
                .suffixes
                .iter()
                .any(|suffix| host.len() > suffix.len() && host.ends_with(suffix))
            || self
                .prefixes
                .iter()
                .any(|prefix| host.len() > prefix.len() && host.starts_with(prefix))
            || self.regexes.iter().any(|regex| matches(*regex, host))
    }

    /// The first name, if it is written out.
    pub fn first(&self) -> Option<&str> {
        self.first.as_deref()
    }

    /// Names that are written out, for the checks at configuration time: exact ones, and `a.suffix`
    /// for a wildcard.
    pub fn samples(&self) -> impl Iterator<Item = String> {
        let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        self.exact
            .iter()
            .filter(|name| name.iter().any(u8::is_ascii_alphanumeric))
            .map(move |name| text(name))
            .chain(
                self.suffixes
                    .iter()
                    .map(move |suffix| format!("a{}", text(suffix))),
            )
    }
}

/// A name that is no pattern and can be asked for.
fn plain(name: &ngx_http_server_name_t) -> Option<&str> {
    let text = std::str::from_utf8(bytes(&name.name)).ok()?;
    let fits = text.contains(|c: char| c.is_ascii_alphanumeric()) && !text.contains('*');
    (name.regex.is_null() && fits).then_some(text)
}

fn matches(regex: *mut ngx_regex_t, host: &[u8]) -> bool {
    let mut subject = ngx_str_t {
        len: host.len(),
        data: host.as_ptr().cast_mut(),
    };
    // SAFETY: the expression lives in the cycle's pool; without captures the call writes nothing.
    unsafe { ffi::ngx_regex_exec(regex, &raw mut subject, std::ptr::null_mut(), 0) >= 0 }
}
