//! What the administrator can print: `$remote_user` and its like, and what was decided.

use std::{
    borrow::Cow,
    ffi::CStr,
    ptr,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::{
    attributes, backend, entry,
    ffi::{
        self, ERROR, NGX_HTTP_VAR_NOCACHEABLE, OK, ngx_http_request_t, ngx_http_variable_value_t,
        ngx_int_t, ngx_str_t,
    },
    request::Request,
    state::{Outcome, State},
};
use crate::{
    access::{Decision, Source},
    users::HeaderSet,
};

type Getter = unsafe extern "C" fn(
    *mut ngx_http_request_t,
    *mut ngx_http_variable_value_t,
    usize,
) -> ngx_int_t;

/// The variables, `$remote_user` apart, and which of our values each gives.
const VARIABLES: [(&str, What); 7] = [
    ("remote_groups", What::Identity(1)),
    ("remote_name", What::Identity(2)),
    ("remote_email", What::Identity(3)),
    ("auth_gate_policy", What::Policy),
    ("auth_gate_rule", What::Rule),
    ("auth_gate_level", What::Level),
    ("auth_gate_decision", What::Decision),
];

/// What a variable gives.
#[derive(Clone, Copy)]
enum What {
    /// A value of the identity headers, by its place in their set.
    Identity(usize),
    Policy,
    Rule,
    Level,
    Decision,
}

/// nginx's own getter of `$remote_user`, which answers where nobody is signed in.
static KEPT_REMOTE_USER: AtomicUsize = AtomicUsize::new(0);

/// Adds our variables; before nginx reads any block that could use them.
pub fn add(cf: *mut ffi::ngx_conf_t) -> Result<(), ()> {
    for (place, (name, _)) in VARIABLES.iter().enumerate() {
        let mut name = ngx_str_t {
            len: name.len(),
            data: name.as_ptr().cast_mut(),
        };
        // SAFETY: `cf` is live; nginx copies the name.
        let variable = unsafe {
            ffi::ngx_http_add_variable(cf, &raw mut name, NGX_HTTP_VAR_NOCACHEABLE as usize)
        };
        // SAFETY: null, or a variable of this configuration that is ours to fill.
        let variable = unsafe { variable.as_mut() }.ok_or(())?;
        variable.get_handler = Some(get);
        variable.data = place;
    }
    attributes::add(cf)?;
    backend::add(cf)
}

/// Where `auth_basic` keeps what it was told for a location; `usize::MAX` without that module.
static AUTH_BASIC: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Puts our getter before nginx's own in `$remote_user`, which cannot be defined twice.
pub fn wrap_remote_user(
    cf: *mut ffi::ngx_conf_t,
    cmcf: &ffi::ngx_http_core_main_conf_t,
) -> Result<(), ()> {
    AUTH_BASIC.store(auth_basic_index(cf), Ordering::Relaxed);
    // SAFETY: while the configuration is read, the keys are an array of the variables' names, each
    // with its variable as the value.
    unsafe {
        let keys = (*cmcf.variables_keys)
            .keys
            .as_slice::<ffi::ngx_hash_key_t>();
        let key = keys
            .iter()
            .find(|key| key.key.as_bytes() == b"remote_user")
            .ok_or(())?;
        let variable = key
            .value
            .cast::<ffi::ngx_http_variable_t>()
            .as_mut()
            .ok_or(())?;
        let kept = variable.get_handler.ok_or(())?;
        if kept as usize != remote_user as Getter as usize {
            KEPT_REMOTE_USER.store(kept as usize, Ordering::Relaxed);
            variable.get_handler = Some(remote_user);
            variable.flags |= NGX_HTTP_VAR_NOCACHEABLE as usize;
        }
    }
    Ok(())
}

unsafe extern "C" fn get(
    r: *mut ngx_http_request_t,
    v: *mut ngx_http_variable_value_t,
    data: usize,
) -> ngx_int_t {
    entry::guard("variable", ERROR, || {
        // SAFETY: `r` and `v` are those of this callback.
        let (request, v) = unsafe { (Request::from_callback(r), &mut *v) };
        let value = request.and_then(|request| {
            let (_, what) = VARIABLES.get(data)?;
            State::find(request)
                .and_then(|state| value(state, *what))
                .map(|value| (request, value))
        });
        set(v, value)
    })
}

unsafe extern "C" fn remote_user(
    r: *mut ngx_http_request_t,
    v: *mut ngx_http_variable_value_t,
    data: usize,
) -> ngx_int_t {
    entry::guard("variable", ERROR, || {
        // SAFETY: `r` is the request of this callback.
        let request = unsafe { Request::from_callback(r) };
        let ours = request.and_then(|request| {
            State::find(request)
                .and_then(|state| value(state, What::Identity(0)))
                .map(|value| (request, value))
        });
        if ours.is_some() {
            // SAFETY: `v` is that of this callback.
            return set(unsafe { &mut *v }, ours);
        }
        if request.is_some_and(|request| request.server().guards && !asks_for_basic(request)) {
            // nginx's own getter gives the name in a Basic header even where nobody checks it.
            // SAFETY: `v` is that of this callback.
            return set(unsafe { &mut *v }, None);
        }
        match KEPT_REMOTE_USER.load(Ordering::Relaxed) {
            0 => ERROR,
            // SAFETY: the address was taken from a getter of the same type, in nginx itself.
            kept => unsafe { std::mem::transmute::<usize, Getter>(kept)(r, v, data) },
        }
    })
}

/// Place of the module `auth_basic` among the modules of http.
fn auth_basic_index(cf: *mut ffi::ngx_conf_t) -> usize {
    // SAFETY: the cycle's list of modules ends in null; names are C strings.
    unsafe {
        let mut module = (*(*cf).cycle).modules;
        while let Some(found) = (*module).as_ref() {
            let is_it = !found.name.is_null()
                && CStr::from_ptr(found.name) == c"ngx_http_auth_basic_module";
            if is_it {
                return found.ctx_index;
            }
            module = module.add(1);
        }
    }
    usize::MAX
}

/// Whether `auth_basic` checks the name in a Basic header at the location reached.
pub fn asks_for_basic(request: Request<'_>) -> bool {
    let index = AUTH_BASIC.load(Ordering::Relaxed);
    if index == usize::MAX {
        return false;
    }
    // SAFETY: the module's configuration of a location begins with the pointer to its realm, null
    // where none is set, in every version of nginx since there are variables in it.
    let realm = unsafe {
        let conf =
            (*request.raw().loc_conf.add(index)).cast::<*const ffi::ngx_http_complex_value_t>();
        conf.as_ref().and_then(|realm| realm.as_ref())
    };
    let Some(realm) = realm else { return false };
    let mut value = ngx_str_t::empty();
    // SAFETY: nginx's own call for a compiled value, which it only reads.
    let code = unsafe {
        ffi::ngx_http_complex_value(
            request.as_ptr(),
            ptr::from_ref(realm).cast_mut(),
            &raw mut value,
        )
    };
    code == OK && value.as_bytes() != b"off"
}

fn value(state: &State, what: What) -> Option<Cow<'_, str>> {
    if let What::Identity(place) = what {
        let user = &state.session()?.user;
        return HeaderSet::Remote.own_value(user, place).map(Cow::from);
    }
    let outcome = state.outcome.get()?;
    if let What::Level = what {
        let level = state.session().map_or(0, |session| session.level as u8);
        return Some(level.to_string().into());
    }
    let Outcome::Judged(verdict) = outcome else {
        return matches!(what, What::Decision).then(|| "error".into());
    };
    Some(match what {
        What::Policy => verdict.requirement.word().into(),
        What::Rule => match verdict.source {
            Source::Rule(number) => number.to_string().into(),
            Source::Default => "default".into(),
            Source::Location => "location".into(),
        },
        _ => match verdict.decision {
            Decision::Allow => "allow",
            Decision::Challenge => "challenge",
            Decision::Forbid => "forbid",
        }
        .into(),
    })
}

/// Fills a variable; one that has nothing is "not found", not an error.
pub fn set(
    v: &mut ngx_http_variable_value_t,
    value: Option<(Request<'_>, Cow<'_, str>)>,
) -> ngx_int_t {
    let copy = value.map(|(request, value)| request.copy(value.as_bytes()));
    match copy {
        Some(Some(bytes)) => {
            v.data = bytes.as_ptr().cast_mut();
            v.set_len(bytes.len() as u32);
            v.set_valid(1);
            v.set_no_cacheable(0);
            v.set_not_found(0);
            OK
        }
        Some(None) => ERROR,
        None => {
            v.set_not_found(1);
            OK
        }
    }
}
